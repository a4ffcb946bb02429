"""The table of the localiser: heads and recordings never heard, the plain baseline in every row.

    python -m training.localization.evaluate --data DIR                       # all rows, about five minutes on one core
    python -m training.localization.evaluate --data DIR --clips 60            # a quick look

Clips come from `training.binaural.simulate` with split val and a fixed seed: validation heads, held-out recordings.
Sources stand at ear height except in the row that says otherwise. MAE is over the full circle; folded means that front
and back are laid upon each other, so that what remains is the error of the lateral angle, all that GCC-PHAT can know.
Intervals are bootstrap, 95 %. People, for comparison: about 1 degree in front and 10 at the side, front and back
confused in 6 (own ears) to 31 % (others' ears).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.signal import fftconvolve

from synesthesia.binaural.geometry import difference, fold, is_front, within
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.core.results import Located
from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap
from synesthesia.localization.clip_input import read_clip
from synesthesia.localization.gcc_phat import ItdTable
from synesthesia.localization.localizer import Localizer
from synesthesia.localization.pipeline import locate
from training.binaural.measured_heads import Measured, load_heads, load_measured
from training.binaural.simulate import TRACK_HZ, Example, Simulator
from training.common.audio_data import SoundStore, read_manifest

LOBE_DEG, LOBE_SHARE = 15.0, 0.1  # a lobe: a tenth of the distribution within so many degrees
MOVES = "moves"  # in the sentence about a source that does
SIDE_DEG = 10.0  # nearer to the ears' axis front and back are not told apart
PEOPLE = "People: about 1 degree in front, 10 at the side; front and back confused in 6 (own ears) to 31 % (others')."


@dataclass(frozen=True)
class Row:
    """One condition. rooms: in shoeboxes with a T60 of 0.2 to 0.6 s; heads: a part of the validation heads' names;
    level: sources at ear height; raw: the microphones' own responses, at directions that were measured; dull:
    low-passed (0.3 to 2 kHz) or a third of an octave wide; moving: 30 to 180 degrees a second, some to and fro."""

    name: str
    seconds: float = 1.0
    rooms: bool = False
    snr_db: float = 60.0
    sources: int = 1
    heads: str = "ari"
    level: bool = True
    raw: bool = False
    dull: bool = False
    moving: bool = False


ROWS = (
    Row("1 s, no room"),
    Row("1 s, rooms, 20 dB", rooms=True, snr_db=20.0),
    Row("1 s, 0 dB diffuse noise", snr_db=0.0),
    Row("0.25 s, no room", seconds=0.25),
    Row("1 s, no room, measured responses as they are", raw=True),
    Row("1 s, rooms, 20 dB, CIPIC heads", rooms=True, snr_db=20.0, heads="cipic"),
    Row("1 s, rooms, 20 dB, sources above and below", rooms=True, snr_db=20.0, level=False),
    Row("1 s, dull or narrow-band", dull=True),
    Row("1 s, two sources", sources=2),
    Row("1 s, no room, CIPIC heads", heads="cipic"),
    Row("2 s, a source that moves", seconds=2.0, moving=True),
)


@dataclass(frozen=True)
class Config:
    data: Path
    localiser: Path = Path("checkpoints/localiser")
    head: Path = Path("checkpoints/head")
    out: Path = Path("runs/evaluate_locate")
    cache: Path = Path("runs/cache")
    clips: int = 400
    seed: int = 1000
    threads: int = 1
    only: str = ""  # part of a row's name; all rows when empty


def single(examples: list[Example], found: list[Located]) -> dict[str, ConfidenceInterval]:
    """Figures of one source; (N, k) arrays are resampled together."""
    truth = np.array([example.azimuth_deg for example in examples])
    mine = np.array([direction.azimuth_deg for direction in found])
    plain = np.array([direction.baseline_deg for direction in found])
    inside = np.array([within(t, *direction.interval_deg) for t, direction in zip(truth, found, strict=True)])
    wide = np.array([(d.interval_deg[1] - d.interval_deg[0]) % 360.0 for d in found])
    telling = np.abs(np.abs(truth) - 90.0) > SIDE_DEG
    confused = is_front(truth) != is_front(mine)
    columns = {
        "mae": np.abs(difference(mine, truth)),
        "folded": np.abs(fold(mine) - fold(truth)),
        "baseline folded": np.abs(plain - fold(truth)),
        "baseline mae": np.abs(difference(plain, truth)),
        "inside 90 %": inside.astype(float),
        "interval deg": wide,
    }
    rng = np.random.default_rng(0)
    figures = {name: bootstrap(values, lambda x: float(x.mean()), rng) for name, values in columns.items()}
    figures["front/back confused"] = bootstrap(confused[telling].astype(float), lambda x: float(x.mean()), rng)
    if (confused & telling).any():
        near = [
            np.abs(difference(direction.azimuths_deg, t)) <= LOBE_DEG for t, direction in zip(truth, found, strict=True)
        ]
        shown = [float(d.distribution[n].sum()) >= LOBE_SHARE for n, d in zip(near, found, strict=True)]
        lobes = np.array(shown, float)[confused & telling]
        figures["of these, the truth has a lobe"] = bootstrap(lobes, lambda x: float(x.mean()), rng)
    return figures


def double(examples: list[Example], found: list[Located]) -> dict[str, ConfidenceInterval]:
    """Two sources: how often both are within 10 degrees, in the better order; how often two are announced; and the
    louder one alone, front and back laid upon each other, beside the baseline's only answer."""
    both, told, louder, plain = [], [], [], []
    for example, direction in zip(examples, found, strict=True):
        told.append(direction.second_deg is not None)
        guess = (direction.azimuth_deg, direction.second_deg if direction.second_deg is not None else np.inf)
        truth = (example.azimuth_deg, example.second_deg)
        errors = [
            max(abs(float(difference(guess[0], truth[i]))), abs(float(difference(guess[1], truth[1 - i]))))
            for i in (0, 1)
        ]
        both.append(min(errors) <= 10.0 if np.isfinite(guess[1]) else False)
        lateral = fold(example.azimuth_deg)
        louder.append(abs(float(fold(direction.azimuth_deg) - lateral)) <= 10.0)
        plain.append(abs(direction.baseline_deg - float(lateral)) <= 10.0)
    rng = np.random.default_rng(0)
    mean = lambda x: float(x.mean())  # noqa: E731
    return {
        "both within 10": bootstrap(np.array(both, float), mean, rng),
        "two announced": bootstrap(np.array(told, float), mean, rng),
        "taken for one that moves": bootstrap(np.array([MOVES in d.sentence for d in found], float), mean, rng),
        "louder within 10, folded": bootstrap(np.array(louder, float), mean, rng),
        "baseline, the same": bootstrap(np.array(plain, float), mean, rng),
    }


def path(examples: list[Example], found: list[Located]) -> dict[str, ConfidenceInterval]:
    """A source that moves: whether that was seen, and the error of the track over the full circle, beside that of
    answering with the middle of the way all along."""
    errors, still = [], []
    for example, direction in zip(examples, found, strict=True):
        times_s, track = direction.track
        at_s = (np.arange(len(example.track_deg)) + 0.5) / TRACK_HZ
        way = np.unwrap(example.track_deg, period=360.0)
        errors.append(float(np.abs(difference(track, np.interp(times_s, at_s, way))).mean()))
        still.append(float(np.abs(difference(example.azimuth_deg, way)).mean()))
    rng, mean = np.random.default_rng(0), lambda x: float(x.mean())
    return {
        "seen to move": bootstrap(np.array([MOVES in d.sentence for d in found], float), mean, rng),
        "track error": bootstrap(np.array(errors), mean, rng),
        "error of standing still": bootstrap(np.array(still), mean, rng),
    }


def as_measured(source: Simulator, head: Measured) -> Example:
    """A sound through one measurement of a head near ear height, neither smoothed nor read between measurements."""
    example = source.staged(None, 60.0)
    near = np.flatnonzero(np.abs(head.elevation_deg) <= 5.0)
    row = int(source.rng.choice(near))
    sound = source.excerpt()
    heard = np.stack([fftconvolve(sound, ear)[: len(sound)] for ear in head.ir[row]])
    waveform = (0.5 * heard / max(float(np.abs(heard).max()), 1e-6)).astype(np.float32)
    return replace(example, waveform=waveform, azimuth_deg=float(head.azimuth_deg[row]))


def main(config: Config) -> dict[str, dict[str, ConfidenceInterval]]:
    torch.set_num_threads(config.threads)
    localiser = Localizer.load(config.localiser)
    table = ItdTable.of(SphericalHarmonicHRTF.load(config.head))
    heads = [(named.name, named.head) for named in load_heads(config.data, "val")]
    raw = next(one for one in load_measured(config.data, "val") if "ari" in one.name)
    clips = read_manifest(config.data)
    store = SoundStore(config.data, clips, config.cache)
    rows = [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]
    figures: dict[str, dict[str, ConfidenceInterval]] = {}
    for number, row in enumerate(ROWS):
        if config.only not in row.name:
            continue
        some = [(name, head) for name, head in heads if row.heads in name]
        source = Simulator(some, store, rows, np.random.default_rng([config.seed, number]), row.seconds)
        t60_s = (0.2, 0.6) if row.rooms else None
        if row.dull or row.moving:
            examples = [source.draw("dull" if row.dull else "moving") for _ in range(config.clips)]
        elif row.raw:
            examples = [as_measured(source, raw) for _ in range(config.clips)]
        else:
            examples = [source.staged(t60_s, row.snr_db, row.sources, row.level) for _ in range(config.clips)]
        started = time.perf_counter()
        found = [locate(localiser, read_clip(example.waveform, RATE_HZ), table) for example in examples]
        seconds = (time.perf_counter() - started) / len(examples)
        read = path if row.moving else single if row.sources == 1 else double
        figures[row.name] = read(examples, found)
        print(f"{row.name} (n = {config.clips}, {row.seconds / seconds:.0f} times faster than it lasts)")
        for name, estimate in figures[row.name].items():
            print(f"    {name:20} {estimate}", flush=True)
    print(PEOPLE)
    config.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({k: {n: asdict(e) for n, e in v.items()} for k, v in figures.items()}, indent=1)
    (config.out / "figures.json").write_text(text + "\n", encoding="utf-8")
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--localiser", type=Path, default=Path("checkpoints/localiser"))
    parser.add_argument("--out", type=Path, default=Path("runs/evaluate_locate"))
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name of the rows to print")
    main(Config(**vars(parser.parse_args())))
