"""Labelled binaural clips without a microphone: recordings rendered through measured heads and simulated rooms.

    python -m training.binaural.simulate --data DIR --out FOLDER --clips 4000 --split train --seed 0
    python -m training.binaural.simulate --data DIR --out FOLDER --clips 400 --split val --seed 1    # unseen heads
    python -m training.binaural.simulate --data DIR --out FOLDER --clips 20 --kinds anechoic,room    # CPU smoke run

Shards are npz files of plain arrays: waveforms (B, 2, n) int16, numbers, and one JSON text with the strings. The seed
freezes them: the same command writes the same bytes. A localiser in training draws from `Simulator` directly.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt
from tqdm import tqdm

from synesthesia.binaural.geometry import difference, wrap
from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.render import PEAK, add_noise, limited, render, render_moving
from synesthesia.binaural.room import Room
from synesthesia.core.errors import UserError
from training.binaural.measured_heads import load_heads
from training.common.audio_data import CropSampler, SoundStore, read_manifest
from training.common.crop_placing import place_in_canvas

KINDS = ("anechoic", "room", "noisy", "two", "short", "moving", "mono", "panned", "dull")
SHARES = (0.2, 0.3, 0.12, 0.12, 0.06, 0.08, 0.03, 0.03, 0.06)
TRACK_HZ = 10
APART_DEG = 30.0  # two sources are at least this far from each other
QUIET = 10 ** (-40 / 20)  # root mean square re the loudest clip sample below which an excerpt counts as silent
TRIES = 6


@dataclass(frozen=True)
class Example:
    """One clip and all that is known about it. Azimuth and elevation are nan where no head heard the sound."""

    waveform: np.ndarray  # (2, n) float32 at 16 kHz
    kind: str  # one of KINDS
    azimuth_deg: float  # of the (louder) source; of a moving one at the middle of the clip; nan: mono, panned
    elevation_deg: float
    second_deg: float  # azimuth of the second source, nan when there is one source
    label: str
    second_label: str  # empty when there is one source
    t60_s: float  # 0: no room
    snr_db: float  # inf: nothing but faint microphone noise was added
    head: str  # empty: mono, panned
    track_deg: np.ndarray  # (seconds * TRACK_HZ,) float32 azimuths at the middles of tenths of a second
    pan_db: float  # level of the right channel over the left of a panned clip, else 0


@dataclass(frozen=True)
class _Scene:
    """What the ears hear before faint noise and level: what the kinds differ in."""

    binaural: np.ndarray  # (2, n)
    azimuth_deg: float
    elevation_deg: float
    label: str
    head: str
    second_deg: float = math.nan
    second_label: str = ""
    t60_s: float = 0.0
    snr_db: float = math.inf
    track_deg: np.ndarray | None = None
    pan_db: float = 0.0


class Simulator:
    """Draws examples. heads: named heads, taken evenly; sounds with rows: which of its clips may be used."""

    def __init__(
        self,
        heads: Sequence[tuple[str, HRTF]],
        sounds: SoundStore,
        rows: Sequence[int],
        rng: np.random.Generator,
        seconds: float = 1.0,
    ) -> None:
        if not heads or not rows:
            raise UserError("A simulation needs at least one head and one sound.")
        self.heads, self.sounds, self.rng = list(heads), sounds, rng
        self.sampler = CropSampler(sounds, list(rows), rng)
        self.seconds, self.samples = seconds, round(seconds * RATE_HZ)

    def draw(self, kind: str | None = None) -> Example:
        """One example of a kind, or of a kind drawn with SHARES."""
        kind = kind or str(self.rng.choice(KINDS, p=SHARES))
        return self._example(self._scene(kind), kind)

    def _example(self, scene: _Scene, kind: str) -> Example:
        frames = math.ceil(self.seconds * TRACK_HZ)
        track = np.full(frames, scene.azimuth_deg) if scene.track_deg is None else scene.track_deg
        return Example(
            waveform=self._recorded(scene.binaural), kind=kind, azimuth_deg=scene.azimuth_deg,
            elevation_deg=scene.elevation_deg, second_deg=scene.second_deg, label=scene.label,
            second_label=scene.second_label, t60_s=scene.t60_s, snr_db=scene.snr_db, head=scene.head,
            track_deg=track.astype(np.float32), pan_db=scene.pan_db,
        )  # fmt: skip

    def staged(self, t60_s: tuple[float, float] | None, snr_db: float, sources: int = 1, level: bool = True) -> Example:
        """One condition of an evaluation: one source, or two APART_DEG apart, in a room of this range of reverberation
        times or in the open, with diffuse noise at `snr_db`; level: all at the height of the ears."""
        room = self._room() if t60_s is not None else None
        if room is not None and t60_s is not None:
            room = Room(room.size_m, float(self.rng.uniform(*t60_s)))
        scene = self._one(self._excerpt(), room, level) if sources == 1 else self._pair(room, level)
        noisy = add_noise(scene.binaural, snr_db, self.rng, dict(self.heads)[scene.head])
        return self._example(replace(scene, binaural=noisy, snr_db=snr_db), "staged")

    def excerpt(self) -> np.ndarray:
        """(n,) of one of the sounds, as it was recorded."""
        return self._excerpt()[0]

    def _scene(self, kind: str) -> _Scene:
        match kind:
            case "anechoic":
                return self._one(self._excerpt())
            case "room":
                return self._one(self._excerpt(), self._room())
            case "noisy":
                return self._noisy()
            case "two":
                return self._pair(self._room(0.5))
            case "short":
                sound, label = self._excerpt()
                return self._one((self._burst(sound), label), self._room(0.5))
            case "moving":
                return self._moving()
            case "mono" | "panned":
                return self._without_head(kind)
            case "dull":
                sound, label = self._excerpt()
                return self._one((self._narrow(sound), label), self._room(0.5))
        raise UserError(f"There is no kind of clip '{kind}'; there are {', '.join(KINDS)}.")

    def _one(self, excerpt: tuple[np.ndarray, str], room: Room | None = None, level: bool = False) -> _Scene:
        (sound, label), (name, head) = excerpt, self._head()
        azimuth, elevation = self._azimuth(), self._elevation(level)
        binaural = self._heard(sound, head, azimuth, elevation, room)
        return _Scene(binaural, azimuth, elevation, label, name, t60_s=room.t60_s if room else 0.0)

    def _noisy(self) -> _Scene:
        scene, snr_db = self._one(self._excerpt(), self._room(0.5)), float(self.rng.uniform(-3.0, 20.0))
        slope = float(self.rng.uniform(-6.0, 0.0))
        head = dict(self.heads)[scene.head]
        binaural = add_noise(scene.binaural, snr_db, self.rng, head, slope_db_octave=slope)
        return _Scene(binaural, scene.azimuth_deg, scene.elevation_deg, scene.label, scene.head,
                      t60_s=scene.t60_s, snr_db=snr_db)  # fmt: skip

    def _pair(self, room: Room | None, level: bool = False) -> _Scene:
        """Two sounds of different labels (where there are) in one room, the second 0 to 6 dB weaker."""
        (first, label), (name, head) = self._excerpt(), self._head()
        second, second_label = self._excerpt(unlike=label)
        azimuth, elevation = self._azimuth(), self._elevation(level)
        other = float(wrap(azimuth + np.rint(self.rng.uniform(APART_DEG, 360.0 - APART_DEG))))
        assert abs(difference(azimuth, other)) >= APART_DEG - 1e-6
        louder = self._heard(first, head, azimuth, elevation, room)
        weaker = self._heard(second, head, other, self._elevation(level), room)
        gain = 10 ** (-self.rng.uniform(0.0, 6.0) / 20) * _rms(louder) / max(_rms(weaker), 1e-9)
        together = limited(louder + np.float32(gain) * weaker)
        return _Scene(together, azimuth, elevation, label, name, other, second_label, room.t60_s if room else 0.0)

    def _moving(self) -> _Scene:
        """A turn at 30 to 180 degrees a second that may come back, in the open and at ear height."""
        (sound, label), (name, head) = self._excerpt(), self._head()
        times_s = (np.arange(math.ceil(self.seconds * TRACK_HZ)) + 0.5) / TRACK_HZ
        speed = self.rng.uniform(30.0, 180.0) * self.rng.choice([-1.0, 1.0])
        way = times_s - self.seconds / 2
        if self.rng.random() < 0.3:
            way = np.sin(2 * np.pi * way / (2 * self.seconds)) * self.seconds / 2
        middle = self._azimuth()
        track = wrap(middle + speed * way)
        return _Scene(render_moving(sound, head, times_s, track), middle, 0.0, label, name, track_deg=track)

    def _without_head(self, kind: str) -> _Scene:
        """The same in both ears, or one channel louder: what a mixing desk does, no direction that ears know."""
        sound, label = self._excerpt()
        pan_db = float(self.rng.uniform(2.0, 20.0) * self.rng.choice([-1.0, 1.0])) if kind == "panned" else 0.0
        gains = 10 ** (np.array([-pan_db, pan_db]) / 40)
        return _Scene((gains[:, None] * sound).astype(np.float32), math.nan, math.nan, label, "", pan_db=pan_db)

    def _excerpt(self, unlike: str = "") -> tuple[np.ndarray, str]:
        """(n,) of a clip with another label than `unlike`, not silent where one can be found, and its label."""
        best, best_level, best_label = np.zeros(self.samples, np.float32), -1.0, ""
        for _ in range(TRIES):
            row = int(self.sampler.draw(1)[0])
            label = self.sounds.clips[row].label
            sound = place_in_canvas(self.sounds.waveform(row), self.samples, self.rng)
            level = float(_rms(sound)) - (1.0 if label == unlike else 0.0)
            if level > best_level:
                best, best_level, best_label = sound, level, label
            if best_level > QUIET:
                break
        return best, best_label

    def _head(self) -> tuple[str, HRTF]:
        return self.heads[int(self.rng.integers(len(self.heads)))]

    def _azimuth(self) -> float:
        return float(self.rng.integers(-179, 181))  # whole degrees: measured heads round to them

    def _elevation(self, level: bool) -> float:
        """Ear height, or mostly within 30 degrees of it and one in ten anywhere from -40 to 80."""
        if level:
            return 0.0
        if self.rng.random() < 0.1:
            return float(self.rng.integers(-40, 81))
        return float(np.rint(self.rng.normal(0.0, 13.0)).clip(-30, 30))

    def _room(self, share: float = 1.0) -> Room | None:
        """A shoebox of 20 to 400 m3 with a fitting reverberation time, or with probability 1 - share none."""
        if self.rng.random() >= share:
            return None
        length = float(np.exp(self.rng.uniform(np.log(3.0), np.log(11.0))))
        width = length * float(self.rng.uniform(0.6, 1.0))
        return Room((length, width, float(self.rng.uniform(2.4, 3.6))), float(self.rng.uniform(0.15, 0.9)))

    def _heard(self, sound: np.ndarray, head: HRTF, azimuth: float, elevation: float,
               room: Room | None) -> np.ndarray:  # fmt: skip
        """(n,) -> (2, n); a source that does not fit into the room is brought closer."""
        distance_m = float(self.rng.uniform(0.7, 3.0))
        if room is not None:
            height = room.size_m[2] - 1.0
            steep = abs(math.sin(math.radians(elevation)))
            distance_m = min(distance_m, 0.45 * min(room.size_m[:2]), height / max(steep, 1e-6))
        return render(sound, head, azimuth, elevation, room, distance_m, self.rng)

    def _burst(self, sound: np.ndarray) -> np.ndarray:
        """The loudest 60 to 300 ms of a sound, at a random place in silence."""
        length = int(self.rng.uniform(0.06, 0.3) * RATE_HZ)
        energy = np.cumsum(np.concatenate([[0.0], sound.astype(np.float64) ** 2]))
        start = int((energy[length:] - energy[:-length]).argmax())
        burst = sound[start : start + length].copy()
        edge = np.sin(0.5 * np.pi * (np.arange(80) + 0.5) / 80).astype(np.float32) ** 2
        burst[:80] *= edge
        burst[-80:] *= edge[::-1]
        out = np.zeros_like(sound)
        at = int(self.rng.integers(0, len(sound) - length + 1))
        out[at : at + length] = burst
        return out

    def _narrow(self, sound: np.ndarray) -> np.ndarray:
        """A low-passed (300 to 2000 Hz) or third-octave (250 to 6000 Hz) version at the sound's own level."""
        if self.rng.random() < 0.5:
            sections = butter(4, self.rng.uniform(300.0, 2000.0), "lowpass", fs=RATE_HZ, output="sos")
        else:
            middle = float(np.exp(self.rng.uniform(np.log(250.0), np.log(6000.0))))
            edges = [middle * 2 ** (-1 / 6), middle * 2 ** (1 / 6)]
            sections = butter(2, edges, "bandpass", fs=RATE_HZ, output="sos")
        dull = sosfilt(sections, sound)
        return (dull * (_rms(sound) / max(_rms(dull), 1e-6))).astype(np.float32)

    def _recorded(self, binaural: np.ndarray) -> np.ndarray:
        """(2, n) with a level of -30 to -1 dBFS and microphone noise, each ear's own, 50 to 80 dB below the peak."""
        peak = PEAK * 10 ** (-self.rng.uniform(0.0, 29.0) / 20)
        scaled = binaural * np.float32(peak / max(float(np.abs(binaural).max()), 1e-6))
        hiss = np.float32(peak * 10 ** (-self.rng.uniform(50.0, 80.0) / 20))
        return limited(scaled + hiss * self.rng.standard_normal(scaled.shape, dtype=np.float32))


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def simulator(data: Path, cache: Path, split: str, rng: np.random.Generator, seconds: float = 1.0) -> Simulator:
    """Heads and sounds of one split of a data folder; in `val` no sound comes from a recording in `train`."""
    clips = read_manifest(data)
    rows = [i for i, clip in enumerate(clips) if clip.split == split and not (split == "val" and clip.single_recording)]
    heads = [(named.name, named.head) for named in load_heads(data, split)]
    return Simulator(heads, SoundStore(data, clips, cache), rows, rng, seconds)


def write_shard(path: Path, examples: list[Example]) -> None:
    """One npz: waveforms int16, track_deg and every number by its name in Example, `strings` as JSON. No pickle."""
    numbers = ("azimuth_deg", "elevation_deg", "second_deg", "t60_s", "snr_db", "pan_db")
    strings = {name: [getattr(e, name) for e in examples] for name in ("kind", "label", "second_label", "head")}
    waveforms = np.stack([np.rint(e.waveform * 32767.0).astype(np.int16) for e in examples])
    np.savez(
        path, waveforms=waveforms, track_deg=np.stack([e.track_deg for e in examples]),
        strings=np.array(json.dumps(strings)), allow_pickle=False,
        **{name: np.array([getattr(e, name) for e in examples], dtype=np.float32) for name in numbers},
    )  # fmt: skip


def read_shard(path: Path) -> list[Example]:
    """The examples that `write_shard` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    strings = json.loads(str(arrays.pop("strings")))
    waveforms, tracks = arrays.pop("waveforms"), arrays.pop("track_deg")
    return [
        Example(
            waveform=waveforms[i].astype(np.float32) / 32767.0, track_deg=tracks[i],
            **{name: values[i] for name, values in strings.items()},
            **{name: float(values[i]) for name, values in arrays.items()},
        )
        for i in range(len(waveforms))
    ]  # fmt: skip


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    clips: int = 4000
    split: str = "train"
    seed: int = 0
    seconds: float = 1.0
    kinds: tuple[str, ...] = ()  # empty: all, with SHARES
    shard: int = 500  # clips a file
    cache: Path = Path("runs/cache")


def main(config: Config) -> list[Path]:
    """Writes the shards; gives their paths."""
    source = simulator(config.data, config.cache, config.split, np.random.default_rng(config.seed), config.seconds)
    config.out.mkdir(parents=True, exist_ok=True)
    paths = []
    with tqdm(total=config.clips, unit="clip") as bar:
        for first in range(0, config.clips, config.shard):
            examples = []
            for number in range(first, min(first + config.shard, config.clips)):
                examples.append(source.draw(config.kinds[number % len(config.kinds)] if config.kinds else None))
                bar.update()
            paths.append(config.out / f"{config.split}-{first // config.shard:05d}.npz")
            write_shard(paths[-1], examples)
    return paths


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=Config.clips)
    parser.add_argument("--split", choices=("train", "val"), default=Config.split)
    parser.add_argument("--seed", type=int, default=Config.seed)
    parser.add_argument("--seconds", type=float, default=Config.seconds)
    parser.add_argument("--kinds", default="", help="comma-separated, taken in turn; default: all")
    parser.add_argument("--shard", type=int, default=Config.shard)
    parser.add_argument("--cache", type=Path, default=Config.cache)
    arguments = vars(parser.parse_args())
    arguments["kinds"] = tuple(kind for kind in arguments["kinds"].split(",") if kind)
    return Config(**arguments)


if __name__ == "__main__":
    main(parse())
