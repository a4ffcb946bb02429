"""Many pairs of impulse responses, computed once: what the localiser's training convolves sounds with.

Groups of twelve directions share a head and a room (or the open), so that a second source stands in the same room.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.spatial.geometry import difference
from synesthesia.spatial.room import Room, place, room_response
from training.heads import NamedHead

GROUP = 12
OPEN_SHARE = 0.4  # of groups without a room
LONGEST = 8_000  # samples of a response, 0.5 s
NOISE_SECONDS = 6.0
NOISE_DIRECTIONS = 60
APART_DEG = 15.0


@dataclass(frozen=True)
class Bank:
    """pairs: (N, 2, LONGEST) float16, left ear first; azimuth_deg, elevation_deg, t60_s: (N,) float32, rows of a group
    together; noises: (heads, 2, n) float16 diffuse noise of RMS 1."""

    pairs: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    t60_s: np.ndarray
    noises: np.ndarray

    def __len__(self) -> int:
        return len(self.pairs)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count,) rows."""
        return rng.integers(0, len(self), count)

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
        longest = LONGEST if (self.t60_s[rows] > 0).any() else 512
        return torch.from_numpy(self.pairs[rows, :, :longest].astype(np.float32))

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


def bank(heads: list[NamedHead], count: int, cache: Path, seed: int) -> Bank:
    """Reads the bank of this seed and size, or computes it (about two minutes for 9,000 on one core)."""
    names = "-".join(sorted(head.name for head in heads))
    file = cache / f"responses-{count}-{seed}-{sum(map(ord, names))}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as saved:
            return Bank(**{name: saved[name] for name in saved.files})
    rng = np.random.default_rng(seed)
    pairs = np.zeros((count, 2, LONGEST), np.float16)
    azimuth, elevation, t60 = (np.zeros(count, np.float32) for _ in range(3))
    for start in range(0, count, GROUP):
        head = heads[int(rng.integers(len(heads)))].head
        rows = range(start, min(count, start + GROUP))
        room = None if rng.random() < OPEN_SHARE else _room(rng)
        for row in rows:
            azimuth[row] = rng.uniform(-180.0, 180.0)
            elevation[row] = np.clip(rng.normal(0.0, 15.0), -30.0, 40.0)
            t60[row] = room.t60_s if room else 0.0
            if room is None:
                response = head.responses(azimuth[row : row + 1], elevation[row : row + 1])[0]
            else:
                towards, far = (float(azimuth[row]), float(elevation[row])), float(rng.uniform(0.8, 1.8))
                listener, yaw = place(room, *towards, far, rng)
                response = room_response(
                    head, room, azimuth_deg=towards[0], elevation_deg=towards[1], distance_m=far,
                    listener_m=listener, yaw_deg=yaw, rng=rng,
                )  # fmt: skip
            keep = min(LONGEST, response.shape[1])
            pairs[row, :, :keep] = response[:, :keep] / max(float(np.abs(response).max()), 1e-6)
    made = Bank(pairs, azimuth, elevation, t60, np.stack([_diffuse(head, rng) for head in heads]))
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(file, **{name: getattr(made, name) for name in Bank.__dataclass_fields__})
    return made


def _room(rng: np.random.Generator) -> Room:
    size = (float(rng.uniform(3, 9)), float(rng.uniform(3, 8)), float(rng.uniform(2.4, 4)))
    return Room(size, float(rng.uniform(0.15, 0.8)))


def _diffuse(head: NamedHead, rng: np.random.Generator) -> np.ndarray:
    """(2, n) float16: white noise from directions spread over the sphere (Fibonacci lattice), RMS 1."""
    samples = int(NOISE_SECONDS * head.head.rate_hz)
    k = np.arange(NOISE_DIRECTIONS) + 0.5
    elevation = np.rad2deg(np.arcsin(1 - 2 * k / NOISE_DIRECTIONS)).clip(-45, 90)
    azimuth = (np.degrees(np.pi * (1 + 5**0.5) * k) + 180.0) % 360.0 - 180.0
    responses = head.head.responses(azimuth, elevation)  # (N, 2, taps)
    size = 1 << int(np.ceil(np.log2(samples + responses.shape[2])))
    spectrum = sum(
        np.fft.rfft(rng.standard_normal(samples), size) * np.fft.rfft(response, size) for response in responses
    )
    noise = np.fft.irfft(spectrum, size)[:, :samples]
    return (noise / np.sqrt(np.square(noise).mean())).astype(np.float16)
