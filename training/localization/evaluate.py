"""Evaluate the localizer on held-out HRTFs and recordings, with GCC-PHAT as the baseline in every row.

    python -m training.localization.evaluate --data DIR                       # all rows, about five minutes on one core
    python -m training.localization.evaluate --data DIR --clips 60            # a quick look

Clips come from `training.binaural.simulate` with split val and a fixed seed. Sources stand at ear height except in the
row that says otherwise. MAE is over the full circle; folded errors are those of the lateral angle, with front and back
laid upon each other, all that GCC-PHAT can know. Intervals are bootstrap, 95 %. People, for comparison: about 1 degree
in front and 10 at the side, front and back confused in 6 (own ears) to 31 % (others' ears).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.signal import fftconvolve

from synesthesia.binaural.geometry import angle_difference, in_arc, is_front, lateral_angle
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.core.results import Located
from synesthesia.evaluation.intervals import ConfidenceInterval
from synesthesia.localization.clip_input import read_clip
from synesthesia.localization.localizer import Localizer
from synesthesia.localization.pipeline import ItdTable, LocalizationPipeline
from training.binaural.hrtf_data import MeasuredResponses, load_hrtfs, load_measured_responses
from training.binaural.simulate import TRACK_HZ, SimulatedClip, Simulator
from training.common.audio_data import SoundStore
from training.common.cli import run
from training.common.report import mean_interval, write_json

LOBE_DEG, LOBE_SHARE = 15.0, 0.1  # a lobe: a tenth of the distribution within so many degrees
MOVES = "moves"  # in the sentence about a moving source
SIDE_DEG = 10.0  # nearer to the ears' axis front and back are not distinguished
HIT_DEG = 10.0
PEOPLE = "People: about 1 degree in front, 10 at the side; front and back confused in 6 (own ears) to 31 % (others')."
Figures = dict[str, ConfidenceInterval]


@dataclass(frozen=True)
class EvaluationCondition:
    """One row. rooms: shoeboxes with a T60 of 0.2 to 0.6 s; hrtfs: a part of the validation HRTFs' names; level:
    sources at ear height; raw: unsmoothed impulse responses, at measured directions; dull: low-passed (0.3 to 2 kHz) or
    a third of an octave wide; moving: 30 to 180 degrees a second, some to and fro."""

    name: str
    seconds: float = 1.0
    rooms: bool = False
    snr_db: float = 60.0
    sources: int = 1
    hrtfs: str = "ari"
    level: bool = True
    raw: bool = False
    dull: bool = False
    moving: bool = False


CONDITIONS = (
    EvaluationCondition("1 s, no room"),
    EvaluationCondition("1 s, rooms, 20 dB", rooms=True, snr_db=20.0),
    EvaluationCondition("1 s, 0 dB diffuse noise", snr_db=0.0),
    EvaluationCondition("0.25 s, no room", seconds=0.25),
    EvaluationCondition("1 s, no room, measured responses as they are", raw=True),
    EvaluationCondition("1 s, rooms, 20 dB, CIPIC heads", rooms=True, snr_db=20.0, hrtfs="cipic"),
    EvaluationCondition("1 s, rooms, 20 dB, sources above and below", rooms=True, snr_db=20.0, level=False),
    EvaluationCondition("1 s, dull or narrow-band", dull=True),
    EvaluationCondition("1 s, two sources", sources=2),
    EvaluationCondition("1 s, no room, CIPIC heads", hrtfs="cipic"),
    EvaluationCondition("2 s, a source that moves", seconds=2.0, moving=True),
)


@dataclass(frozen=True)
class LocalizationEvaluationConfig:
    data: Path
    localizer: Path = Path("checkpoints/localiser")
    hrtf: Path = Path("checkpoints/head")  # of the baseline
    out: Path = Path("runs/evaluate_locate")
    cache: Path = Path("runs/cache")
    clips: int = 400
    seed: int = 1000
    threads: int = 1


def means(columns: Mapping[str, Sequence[float] | np.ndarray], rng: np.random.Generator) -> Figures:
    return {name: mean_interval(values, rng) for name, values in columns.items()}


def one_source(clips: list[SimulatedClip], found: list[Located]) -> Figures:
    truth = np.array([clip.azimuth_deg for clip in clips])
    azimuth = np.array([located.azimuth_deg for located in found])
    baseline = np.array([located.baseline_deg for located in found])
    confused = is_front(truth) != is_front(azimuth)
    distinct = np.abs(np.abs(truth) - 90.0) > SIDE_DEG
    rng = np.random.default_rng(0)
    figures = means(
        {
            "mae": np.abs(angle_difference(azimuth, truth)),
            "folded": np.abs(lateral_angle(azimuth) - lateral_angle(truth)),
            "baseline folded": np.abs(baseline - lateral_angle(truth)),
            "baseline mae": np.abs(angle_difference(baseline, truth)),
            "inside 90 %": [in_arc(t, *located.interval_deg) for t, located in zip(truth, found, strict=True)],
            "interval deg": [(located.interval_deg[1] - located.interval_deg[0]) % 360.0 for located in found],
            "front/back confused": confused[distinct],
        },
        rng,
    )
    if (confused & distinct).any():
        lobes = np.array([_has_lobe(located, t) for t, located in zip(truth, found, strict=True)])
        figures |= means({"of these, the truth has a lobe": lobes[confused & distinct]}, rng)
    return figures


def _has_lobe(located: Located, truth_deg: float) -> bool:
    near = np.abs(angle_difference(located.azimuths_deg, truth_deg)) <= LOBE_DEG
    return float(located.distribution[near].sum()) >= LOBE_SHARE


def two_sources(clips: list[SimulatedClip], found: list[Located]) -> Figures:
    """How often both are within 10 degrees, in the better order; how often two are announced; and the louder one alone,
    folded, beside the baseline's only answer."""
    predicted = np.array([(located.azimuth_deg, located.second_deg) for located in found], float)  # None: nan
    truth = np.array([(clip.azimuth_deg, clip.second_deg) for clip in clips])
    errors = [np.abs(angle_difference(predicted, order)).max(axis=1) for order in (truth, truth[:, ::-1])]
    baseline, lateral = np.array([located.baseline_deg for located in found]), lateral_angle(truth[:, 0])
    columns = {
        "both within 10": np.minimum(*errors) <= HIT_DEG,
        "two announced": ~np.isnan(predicted[:, 1]),
        "taken for one that moves": [MOVES in located.sentence for located in found],
        "louder within 10, folded": np.abs(lateral_angle(predicted[:, 0]) - lateral) <= HIT_DEG,
        "baseline, the same": np.abs(baseline - lateral) <= HIT_DEG,
    }
    return means(columns, np.random.default_rng(0))


def moving_source(clips: list[SimulatedClip], found: list[Located]) -> Figures:
    """How often it is detected, and the error of the track over the full circle, beside that of answering with the
    centre of the path throughout."""
    errors, constant = [], []
    for clip, located in zip(clips, found, strict=True):
        times_s, track = located.track
        at_s = (np.arange(len(clip.track_deg)) + 0.5) / TRACK_HZ
        path = np.unwrap(clip.track_deg, period=360.0)
        errors.append(float(np.abs(angle_difference(track, np.interp(times_s, at_s, path))).mean()))
        constant.append(float(np.abs(angle_difference(clip.azimuth_deg, path)).mean()))
    columns = {
        "seen to move": [MOVES in located.sentence for located in found],
        "track error": errors,
        "error of standing still": constant,
    }
    return means(columns, np.random.default_rng(0))


def raw_clip(source: Simulator, measured: MeasuredResponses) -> SimulatedClip:
    """A sound through one measurement near ear height, neither smoothed nor interpolated."""
    clip = source.draw_condition(None, 60.0)
    near = np.flatnonzero(np.abs(measured.elevation_deg) <= 5.0)
    row = int(source.rng.choice(near))
    sound, _ = source.excerpt()
    binaural = np.stack([fftconvolve(sound, ear)[: len(sound)] for ear in measured.ir[row]])
    waveform = (0.5 * binaural / max(float(np.abs(binaural).max()), 1e-6)).astype(np.float32)
    return replace(clip, waveform=waveform, azimuth_deg=float(measured.azimuth_deg[row]))


def draw(condition: EvaluationCondition, source: Simulator, raw: MeasuredResponses) -> SimulatedClip:
    if condition.dull or condition.moving:
        return source.draw("dull" if condition.dull else "moving")
    if condition.raw:
        return raw_clip(source, raw)
    t60_s = (0.2, 0.6) if condition.rooms else None
    return source.draw_condition(t60_s, condition.snr_db, condition.sources, condition.level)


def main(config: LocalizationEvaluationConfig) -> dict[str, Figures]:
    torch.set_num_threads(config.threads)
    localization = LocalizationPipeline(Localizer.load(config.localizer), ItdTable.load(config.hrtf))
    hrtfs = [(named.name, named.hrtf) for named in load_hrtfs(config.data, "val")]
    raw = next(one for one in load_measured_responses(config.data, "val") if "ari" in one.name)
    store = SoundStore.open(config.data, config.cache)
    figures: dict[str, Figures] = {}
    for number, condition in enumerate(CONDITIONS):
        some = [(name, hrtf) for name, hrtf in hrtfs if condition.hrtfs in name]
        rng = np.random.default_rng([config.seed, number])
        source = Simulator(some, store, store.held_out_rows, rng, condition.seconds)
        clips = [draw(condition, source, raw) for _ in range(config.clips)]
        started = time.perf_counter()
        found = [localization.locate(read_clip(clip.waveform, RATE_HZ)) for clip in clips]
        seconds = (time.perf_counter() - started) / len(clips)
        compute = moving_source if condition.moving else one_source if condition.sources == 1 else two_sources
        figures[condition.name] = compute(clips, found)
        print(f"{condition.name} (n = {config.clips}, {condition.seconds / seconds:.0f} times faster than it lasts)")
        for name, interval in figures[condition.name].items():
            print(f"    {name:20} {interval}", flush=True)
    print(PEOPLE)
    write_json(config.out / "figures.json", figures)
    return figures


if __name__ == "__main__":
    run(main, LocalizationEvaluationConfig, __doc__)
