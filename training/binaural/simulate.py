"""Simulated binaural clips with labels: recordings rendered through measured HRTFs and shoebox rooms.

    python -m training.binaural.simulate --data DIR --out FOLDER --clips 4000 --split train --seed 0
    python -m training.binaural.simulate --data DIR --out FOLDER --clips 400 --split val --seed 1    # unseen HRTFs
    python -m training.binaural.simulate --data DIR --out FOLDER --clips 20 --kinds anechoic room    # CPU smoke run

Shards are npz files of plain arrays: waveforms (B, 2, n) int16, numbers, and one JSON text with the strings. The seed
decides everything: the same command writes the same bytes. The evaluations draw from `Simulator` directly.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.signal import butter, sosfilt
from tqdm import tqdm

from synesthesia.binaural.geometry import angle_difference, wrap
from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.render import PEAK, add_noise, limit_peak, render, render_moving
from synesthesia.binaural.room import Room
from synesthesia.core.errors import UserError
from training.binaural.hrtf_data import load_hrtfs
from training.binaural.random_room import random_distance_m, random_room
from training.common.audio_data import CropSampler, SoundStore, place_in_canvas
from training.common.cli import run

KINDS = ("anechoic", "room", "noisy", "two", "short", "moving", "mono", "panned", "dull")
SHARES = (0.2, 0.3, 0.12, 0.12, 0.06, 0.08, 0.03, 0.03, 0.06)
TRACK_HZ = 10
APART_DEG = 30.0  # two sources are at least this far from each other
QUIET = 10 ** (-40 / 20)  # RMS below which an excerpt counts as silent
TRIES = 6
NUMBERS = ("azimuth_deg", "elevation_deg", "second_deg", "t60_s", "snr_db", "pan_db")
STRINGS = {"kind": "kind", "label": "label", "second_label": "second_label", "head": "hrtf"}  # in a shard: the field


@dataclass(frozen=True)
class SimulatedClip:
    """One clip and its labels. Azimuth and elevation are nan for clips without an HRTF (mono, panned)."""

    waveform: np.ndarray  # (2, n) float32 at 16 kHz
    azimuth_deg: float  # of the (louder) source; of a moving one at the centre of the clip
    elevation_deg: float
    label: str
    hrtf: str  # its name; empty: mono, panned
    second_deg: float = math.nan  # azimuth of the second source, nan when there is one source
    second_label: str = ""  # empty when there is one source
    t60_s: float = 0.0  # 0: no room
    snr_db: float = math.inf  # inf: only faint microphone noise was added
    pan_db: float = 0.0  # level of the right channel over the left of a panned clip, else 0
    kind: str = ""  # one of KINDS
    track_deg: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (seconds * TRACK_HZ,) azimuths


class Simulator:
    """Draws clips. hrtfs: by name, equally likely; rows: the clips of `sounds` that may be used."""

    def __init__(
        self, hrtfs: Sequence[tuple[str, HRTF]], sounds: SoundStore, rows: Sequence[int], rng: np.random.Generator,
        seconds: float = 1.0,
    ) -> None:  # fmt: skip
        if not hrtfs or not rows:
            raise UserError("A simulation needs at least one HRTF and one sound.")
        self.hrtfs, self.sounds, self.rng = list(hrtfs), sounds, rng
        self.sampler = CropSampler(sounds, list(rows), rng)
        self.seconds, self.samples = seconds, round(seconds * RATE_HZ)

    def draw(self, kind: str | None = None) -> SimulatedClip:
        """One clip of a kind, or of a kind drawn with SHARES."""
        kind = kind or str(self.rng.choice(KINDS, p=SHARES))
        return self._recorded(self._clean(kind), kind)

    def _recorded(self, clip: SimulatedClip, kind: str) -> SimulatedClip:
        """With microphone noise, a level, its kind and its track."""
        still = np.full(math.ceil(self.seconds * TRACK_HZ), clip.azimuth_deg)
        track = clip.track_deg if len(clip.track_deg) else still
        waveform = self._microphones(clip.waveform)
        return replace(clip, waveform=waveform, kind=kind, track_deg=track.astype(np.float32))

    def draw_condition(
        self, t60_s: tuple[float, float] | None, snr_db: float, sources: int = 1, level: bool = True
    ) -> SimulatedClip:
        """One condition of an evaluation: one source, or two APART_DEG apart, in a room of this range of reverberation
        times or without one, with diffuse noise at `snr_db`; level: all at ear height."""
        room = self._room() if t60_s is not None else None
        if room is not None and t60_s is not None:
            room = Room(room.size_m, float(self.rng.uniform(*t60_s)))
        clip = self._one(self.excerpt(), room, level) if sources == 1 else self._pair(room, level)
        noisy = add_noise(clip.waveform, snr_db, self.rng, dict(self.hrtfs)[clip.hrtf])
        return self._recorded(replace(clip, waveform=noisy, snr_db=snr_db), "condition")

    def _clean(self, kind: str) -> SimulatedClip:
        """Before microphone noise and level."""
        match kind:
            case "anechoic":
                return self._one(self.excerpt())
            case "room":
                return self._one(self.excerpt(), self._room())
            case "noisy":
                return self._noisy()
            case "two":
                return self._pair(self._room(0.5))
            case "short":
                sound, label = self.excerpt()
                return self._one((self._burst(sound), label), self._room(0.5))
            case "moving":
                return self._moving()
            case "mono" | "panned":
                return self._without_hrtf(kind)
            case "dull":
                sound, label = self.excerpt()
                return self._one((self._narrow(sound), label), self._room(0.5))
        raise UserError(f"There is no kind of clip '{kind}'; there are {', '.join(KINDS)}.")

    def _one(self, excerpt: tuple[np.ndarray, str], room: Room | None = None, level: bool = False) -> SimulatedClip:
        (sound, label), (name, hrtf) = excerpt, self._hrtf()
        azimuth, elevation = self._azimuth(), self._elevation(level)
        waveform = self._render(sound, hrtf, azimuth, elevation, room)
        return SimulatedClip(waveform, azimuth, elevation, label, name, t60_s=room.t60_s if room else 0.0)

    def _noisy(self) -> SimulatedClip:
        clip, snr_db = self._one(self.excerpt(), self._room(0.5)), float(self.rng.uniform(-3.0, 20.0))
        slope = float(self.rng.uniform(-6.0, 0.0))
        noisy = add_noise(clip.waveform, snr_db, self.rng, dict(self.hrtfs)[clip.hrtf], slope_db_octave=slope)
        return replace(clip, waveform=noisy, snr_db=snr_db)

    def _pair(self, room: Room | None, level: bool = False) -> SimulatedClip:
        """Two sounds of different labels (where there are) in one room, the second 0 to 6 dB weaker."""
        (first, label), (name, hrtf) = self.excerpt(), self._hrtf()
        second, second_label = self.excerpt(unlike=label)
        azimuth, elevation = self._azimuth(), self._elevation(level)
        other = float(wrap(azimuth + np.rint(self.rng.uniform(APART_DEG, 360.0 - APART_DEG))))
        assert abs(angle_difference(azimuth, other)) >= APART_DEG - 1e-6
        louder = self._render(first, hrtf, azimuth, elevation, room)
        weaker = self._render(second, hrtf, other, self._elevation(level), room)
        gain = 10 ** (-self.rng.uniform(0.0, 6.0) / 20) * _rms(louder) / max(_rms(weaker), 1e-9)
        both = limit_peak(louder + np.float32(gain) * weaker)
        return SimulatedClip(both, azimuth, elevation, label, name, other, second_label, room.t60_s if room else 0.0)

    def _moving(self) -> SimulatedClip:
        """A rotation at 30 to 180 degrees a second that may come back, without a room and at ear height."""
        (sound, label), (name, hrtf) = self.excerpt(), self._hrtf()
        times_s = (np.arange(math.ceil(self.seconds * TRACK_HZ)) + 0.5) / TRACK_HZ
        speed = self.rng.uniform(30.0, 180.0) * self.rng.choice([-1.0, 1.0])
        path_s = times_s - self.seconds / 2
        if self.rng.random() < 0.3:
            path_s = np.sin(2 * np.pi * path_s / (2 * self.seconds)) * self.seconds / 2
        center = self._azimuth()
        track = wrap(center + speed * path_s)
        return SimulatedClip(render_moving(sound, hrtf, times_s, track), center, 0.0, label, name, track_deg=track)

    def _without_hrtf(self, kind: str) -> SimulatedClip:
        """Equal channels, or one channel louder: a pan pot's output, without a binaural direction."""
        sound, label = self.excerpt()
        pan_db = float(self.rng.uniform(2.0, 20.0) * self.rng.choice([-1.0, 1.0])) if kind == "panned" else 0.0
        gains = 10 ** (np.array([-pan_db, pan_db]) / 40)
        return SimulatedClip((gains[:, None] * sound).astype(np.float32), math.nan, math.nan, label, "", pan_db=pan_db)

    def excerpt(self, unlike: str = "") -> tuple[np.ndarray, str]:
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

    def _hrtf(self) -> tuple[str, HRTF]:
        return self.hrtfs[int(self.rng.integers(len(self.hrtfs)))]

    def _azimuth(self) -> float:
        return float(self.rng.integers(-179, 181))  # whole degrees: HRTFs round to them

    def _elevation(self, level: bool) -> float:
        """Ear height, or mostly within 30 degrees of it and one in ten anywhere from -40 to 80."""
        if level:
            return 0.0
        if self.rng.random() < 0.1:
            return float(self.rng.integers(-40, 81))
        return float(np.rint(self.rng.normal(0.0, 13.0)).clip(-30, 30))

    def _room(self, share: float = 1.0) -> Room | None:
        """A random room, or with probability 1 - share none."""
        return None if self.rng.random() >= share else random_room(self.rng, tallest_m=3.6)

    def _render(
        self, sound: np.ndarray, hrtf: HRTF, azimuth_deg: float, elevation_deg: float, room: Room | None
    ) -> np.ndarray:
        """(n,) -> (2, n) at a random distance."""
        distance_m = random_distance_m(self.rng, room, elevation_deg)
        return render(sound, hrtf, azimuth_deg, elevation_deg, room, distance_m, self.rng)

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
            center = float(np.exp(self.rng.uniform(np.log(250.0), np.log(6000.0))))
            edges = [center * 2 ** (-1 / 6), center * 2 ** (1 / 6)]
            sections = butter(2, edges, "bandpass", fs=RATE_HZ, output="sos")
        dull = sosfilt(sections, sound)
        return (dull * (_rms(sound) / max(_rms(dull), 1e-6))).astype(np.float32)

    def _microphones(self, binaural: np.ndarray) -> np.ndarray:
        """(2, n) with a level of -30 to -1 dBFS and microphone noise, each ear's own, 50 to 80 dB below the peak."""
        peak = PEAK * 10 ** (-self.rng.uniform(0.0, 29.0) / 20)
        scaled = binaural * np.float32(peak / max(float(np.abs(binaural).max()), 1e-6))
        hiss = np.float32(peak * 10 ** (-self.rng.uniform(50.0, 80.0) / 20))
        return limit_peak(scaled + hiss * self.rng.standard_normal(scaled.shape, dtype=np.float32))


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def simulator(
    data: Path, cache: Path, split: str, rng: np.random.Generator, seconds: float = 1.0,
    labels: Sequence[str] | None = None,
) -> Simulator:  # fmt: skip
    """HRTFs and sounds (of `labels`) of one split of a data folder; in `val` no sound comes from a recording in
    `train`."""
    store, hrtfs = SoundStore.open(data, cache), [(named.name, named.hrtf) for named in load_hrtfs(data, split)]
    rows = store.train_rows if split == "train" else store.held_out_rows
    rows = [row for row in rows if labels is None or store.clips[row].label in labels]
    return Simulator(hrtfs, store, rows, rng, seconds)


def write_shard(path: Path, clips: list[SimulatedClip]) -> None:
    """One npz: waveforms int16, track_deg and every number by its name in SimulatedClip, `strings` as JSON."""
    strings = {stored: [getattr(clip, name) for clip in clips] for stored, name in STRINGS.items()}
    waveforms = np.stack([np.rint(clip.waveform * 32767.0).astype(np.int16) for clip in clips])
    np.savez(
        path, waveforms=waveforms, track_deg=np.stack([clip.track_deg for clip in clips]),
        strings=np.array(json.dumps(strings)), allow_pickle=False,
        **{name: np.array([getattr(clip, name) for clip in clips], dtype=np.float32) for name in NUMBERS},
    )  # fmt: skip


def read_shard(path: Path) -> list[SimulatedClip]:
    """The clips that `write_shard` wrote."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    strings = json.loads(str(arrays["strings"]))
    return [
        SimulatedClip(
            waveform=waveform.astype(np.float32) / 32767.0, track_deg=arrays["track_deg"][i],
            **{STRINGS[stored]: values[i] for stored, values in strings.items()},
            **{name: float(arrays[name][i]) for name in NUMBERS},
        )
        for i, waveform in enumerate(arrays["waveforms"])
    ]  # fmt: skip


@dataclass(frozen=True)
class SimulateConfig:
    data: Path
    out: Path
    clips: int = 4000
    split: Literal["train", "val"] = "train"
    seed: int = 0
    seconds: float = 1.0
    kinds: tuple[str, ...] = ()  # taken in turn; empty: all, with SHARES
    shard: int = 500  # clips a file
    cache: Path = Path("runs/cache")


def main(config: SimulateConfig) -> list[Path]:
    """Writes the shards; returns their paths."""
    source = simulator(config.data, config.cache, config.split, np.random.default_rng(config.seed), config.seconds)
    config.out.mkdir(parents=True, exist_ok=True)
    paths = []
    with tqdm(total=config.clips, unit="clip") as bar:
        for first in range(0, config.clips, config.shard):
            clips = []
            for number in range(first, min(first + config.shard, config.clips)):
                clips.append(source.draw(config.kinds[number % len(config.kinds)] if config.kinds else None))
                bar.update()
            paths.append(config.out / f"{config.split}-{first // config.shard:05d}.npz")
            write_shard(paths[-1], clips)
    return paths


if __name__ == "__main__":
    run(main, SimulateConfig, __doc__)
