"""Many pairs of impulse responses, computed once: what the localiser's training convolves sounds with.

Groups of twelve directions share a head and a room (or the open), so that a second source stands in the same room.
Three in ten groups in the open are measurements as the microphones gave them, the rest is read between measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.binaural.geometry import difference
from synesthesia.binaural.hrtf import HRTF
from synesthesia.binaural.room import Room, image_source_filters, room_response
from training.binaural.measured_heads import Measured

GROUP = 12
OPEN_SHARE = 0.4  # of what is drawn
OPEN_SAMPLES = 256
LONGEST = 8_000  # samples of a response in a room, 0.5 s
NOISE_SECONDS = 6.0
NOISE_DIRECTIONS = 60
APART_DEG = 15.0


@dataclass(frozen=True)
class Bank:
    """open_pairs: (M, 2, OPEN_SAMPLES) and room_pairs: (N, 2, LONGEST) float16, left ear first; azimuth_deg,
    elevation_deg: (M + N,) float32, the open ones first, rows of a group together; noises: (heads, 2, n) float16
    diffuse noise of RMS 1."""

    open_pairs: np.ndarray
    room_pairs: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    noises: np.ndarray

    def __len__(self) -> int:
        return len(self.open_pairs) + len(self.room_pairs)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count,) rows, OPEN_SHARE of them without a room."""
        opens = len(self.open_pairs)
        without = rng.random(count) < OPEN_SHARE
        return np.where(without, rng.integers(0, opens, count), rng.integers(opens, len(self), count))

    def companion(self, rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        """For each row another of its group, at least APART_DEG away where there is one."""
        found = []
        for row in rows:
            group = np.arange(row // GROUP * GROUP, min(len(self), row // GROUP * GROUP + GROUP))
            away = np.abs(difference(self.azimuth_deg[group], self.azimuth_deg[row]))
            far = group[away >= APART_DEG]
            found.append(int(rng.choice(far)) if len(far) else int(group[away.argmax()]))
        return np.array(found)

    def responses(self, rows: np.ndarray) -> Tensor:
        """(B, 2, m) float32, no longer than the longest of them needs."""
        opens = len(self.open_pairs)
        out = np.zeros((len(rows), 2, LONGEST if (rows >= opens).any() else OPEN_SAMPLES), np.float32)
        without = rows < opens
        out[without, :, :OPEN_SAMPLES] = self.open_pairs[rows[without]]
        if not without.all():
            out[~without] = self.room_pairs[rows[~without] - opens]
        return torch.from_numpy(out)

    def noise(self, rng: np.random.Generator, count: int, samples: int) -> Tensor:
        """(count, 2, samples) excerpts of diffuse noise, RMS 1, white to brown."""
        made = np.empty((count, 2, samples), np.float32)
        for i in range(count):
            start = rng.integers(0, self.noises.shape[2] - samples + 1)
            made[i] = self.noises[rng.integers(0, len(self.noises)), :, start : start + samples]
        spectrum = torch.fft.rfft(torch.from_numpy(made))
        tilt = torch.from_numpy(rng.uniform(0.0, 1.0, (count, 1, 1))).float()
        shape = torch.arange(1, spectrum.shape[2] + 1).float().div(spectrum.shape[2]).clamp(min=0.01)
        coloured = torch.fft.irfft(spectrum * shape ** (-tilt), n=samples)
        return coloured / coloured.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=1e-6)


def bank(heads: list[HRTF], measured: list[Measured], count: int, cache: Path, seed: int) -> Bank:
    """`count` pairs in rooms and as many in the open: from the cache, or computed (7 minutes for 14,400)."""
    file = cache / f"responses-{count}-{seed}-{len(heads)}-{len(measured)}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as saved:
            return Bank(**{name: saved[name] for name in saved.files})
    rng = np.random.default_rng(seed)
    assert count % GROUP == 0, f"a bank holds whole groups of {GROUP}, got {count}"
    pairs, rooms = np.zeros((count, 2, OPEN_SAMPLES), np.float16), np.zeros((count, 2, LONGEST), np.float16)
    azimuth, elevation = np.zeros(2 * count, np.float32), np.zeros(2 * count, np.float32)
    for start in range(0, count, GROUP):
        rows = slice(start, start + GROUP)
        if measured and rng.random() < 0.3:
            one = measured[int(rng.integers(len(measured)))]
            near = np.flatnonzero((one.elevation_deg > -45) & (rng.random(len(one.ir)) < _wanted(one.elevation_deg)))
            some = rng.choice(near, GROUP)
            azimuth[rows], elevation[rows] = one.azimuth_deg[some], one.elevation_deg[some]
            made = one.ir[some]
        else:
            azimuth[rows], elevation[rows] = _directions(rng)
            made = heads[int(rng.integers(len(heads)))].responses(azimuth[rows], elevation[rows])
        pairs[rows, :, : made.shape[2]] = made / np.abs(made).max(axis=(1, 2), keepdims=True).clip(min=1e-6)
    for start in range(count, 2 * count, GROUP):
        head, room = heads[int(rng.integers(len(heads)))], _room(rng)
        azimuth[start : start + GROUP], elevation[start : start + GROUP] = _directions(rng)
        for row in range(start, start + GROUP):
            height = (room.size_m[2] - 1.0) / max(float(np.sin(np.radians(abs(elevation[row])))), 1e-6)
            far = min(float(rng.uniform(0.7, 3.0)), 0.45 * min(room.size_m[:2]), height)
            towards = float(azimuth[row]), float(elevation[row])
            listener, yaw = image_source_filters(room, *towards, far, rng)
            response = room_response(
                head, room, azimuth_deg=towards[0], elevation_deg=towards[1], distance_m=far,
                listener_m=listener, yaw_deg=yaw, rng=rng,
            )[:, :LONGEST]  # fmt: skip
            rooms[row - count, :, : response.shape[1]] = response / max(float(np.abs(response).max()), 1e-6)
    made_bank = Bank(pairs, rooms, azimuth, elevation, np.stack([_diffuse(head, rng) for head in heads]))
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(file, **{name: getattr(made_bank, name) for name in Bank.__dataclass_fields__})
    return made_bank


def _directions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and elevations (GROUP,) in whole degrees, as heads round them: most near ear height, some anywhere."""
    high = np.where(rng.random(GROUP) < 0.1, rng.uniform(-40, 80, GROUP), rng.normal(0.0, 14.0, GROUP).clip(-35, 40))
    return np.rint(rng.uniform(-180.0, 180.0, GROUP)), np.rint(high)


def _wanted(elevation_deg: np.ndarray) -> np.ndarray:
    """How often a measurement of this elevation is taken: the same preference for ear height."""
    return 0.1 + 0.9 * np.exp(-0.5 * (elevation_deg / 14.0) ** 2)


def _room(rng: np.random.Generator) -> Room:
    length = float(np.exp(rng.uniform(np.log(3.0), np.log(11.0))))
    size = (length, length * float(rng.uniform(0.6, 1.0)), float(rng.uniform(2.4, 4.0)))
    return Room(size, float(rng.uniform(0.15, 0.9)))


def _diffuse(head: HRTF, rng: np.random.Generator) -> np.ndarray:
    """(2, n) float16: white noise from directions spread over the sphere (Fibonacci lattice), RMS 1."""
    samples = int(NOISE_SECONDS * head.rate_hz)
    k = np.arange(NOISE_DIRECTIONS) + 0.5
    elevation = np.rad2deg(np.arcsin(1 - 2 * k / NOISE_DIRECTIONS)).clip(-45, 90)
    azimuth = (np.degrees(np.pi * (1 + 5**0.5) * k) + 180.0) % 360.0 - 180.0
    responses = head.responses(azimuth, elevation)  # (N, 2, taps)
    size = 1 << int(np.ceil(np.log2(samples + responses.shape[2])))
    spectrum = sum(
        np.fft.rfft(rng.standard_normal(samples), size) * np.fft.rfft(response, size) for response in responses
    )
    noise = np.fft.irfft(spectrum, size)[:, :samples]
    return (noise / np.sqrt(np.square(noise).mean())).astype(np.float16)
