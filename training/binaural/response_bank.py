"""Bank of binaural impulse responses (BRIRs and HRIRs), computed once for a training and cached on disk.

Groups of twelve directions share an HRTF and a room (or none), so that a second source can stand in the same room.
Three in ten anechoic groups are raw measurements, the rest is interpolated between measurements.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.signal import fftconvolve
from torch import Tensor

from synesthesia.binaural.geometry import angle_difference, fibonacci_sphere
from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.binaural.room import room_response, sample_listener_pose
from synesthesia.core.errors import UserError
from training.binaural.hrtf_data import MeasuredResponses
from training.binaural.random_room import random_distance_m, random_room

GROUP = 12
ANECHOIC_SHARE = 0.4  # of what is drawn
MEASURED_SHARE = 0.3  # of the anechoic groups: raw measurements
ANECHOIC_SAMPLES = 256
ROOM_SAMPLES = 8_000  # samples of a response in a room, 0.5 s
NOISE_SECONDS = 6.0
NOISE_DIRECTIONS = 60
APART_DEG = 15.0


@dataclass(frozen=True)
class ResponseBank:
    """anechoic: (M, 2, ANECHOIC_SAMPLES) and reverberant: (N, 2, ROOM_SAMPLES) float16, left ear first; azimuth_deg,
    elevation_deg: (M + N,) float32, the anechoic ones first, rows of a group together; noises: (HRTFs, 2, n) float16
    diffuse noise of RMS 1."""

    anechoic: np.ndarray
    reverberant: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray
    noises: np.ndarray

    def __len__(self) -> int:
        return len(self.anechoic) + len(self.reverberant)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count,) rows, ANECHOIC_SHARE of them without a room."""
        anechoic = len(self.anechoic)
        without = rng.random(count) < ANECHOIC_SHARE
        return np.where(without, rng.integers(0, anechoic, count), rng.integers(anechoic, len(self), count))

    def companion(self, rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
        """For each row another of its group, at least APART_DEG away where there is one."""
        found = []
        for row in rows:
            group = np.arange(row // GROUP * GROUP, min(len(self), row // GROUP * GROUP + GROUP))
            away = np.abs(angle_difference(self.azimuth_deg[group], self.azimuth_deg[row]))
            far = group[away >= APART_DEG]
            found.append(int(rng.choice(far)) if len(far) else int(group[away.argmax()]))
        return np.array(found)

    def responses(self, rows: np.ndarray) -> Tensor:
        """(B, 2, m) float32, no longer than the longest of them needs."""
        anechoic = len(self.anechoic)
        out = np.zeros((len(rows), 2, ROOM_SAMPLES if (rows >= anechoic).any() else ANECHOIC_SAMPLES), np.float32)
        without = rows < anechoic
        out[without, :, :ANECHOIC_SAMPLES] = self.anechoic[rows[without]]
        if not without.all():
            out[~without] = self.reverberant[rows[~without] - anechoic]
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
        colored = torch.fft.irfft(spectrum * shape ** (-tilt), n=samples)
        return colored / colored.square().mean(dim=(1, 2), keepdim=True).sqrt().clamp(min=1e-6)


def build_bank(
    hrtfs: list[HRTF], measured: list[MeasuredResponses], count: int, cache: Path, seed: int
) -> ResponseBank:
    """`count` responses in rooms and as many without: from the cache, or computed (7 minutes for 14,400).

    The cache file is named after the content of the HRTFs too. UserError unless `count` is a multiple of GROUP.
    """
    if count <= 0 or count % GROUP:
        raise UserError(f"The bank holds groups of {GROUP} responses: choose a multiple of {GROUP}, not {count}.")
    file = cache / f"brirs-{count}-{seed}-{_fingerprint(hrtfs, measured)}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as saved:
            return ResponseBank(**{name: saved[name] for name in saved.files})
    rng = np.random.default_rng(seed)
    anechoic = [_anechoic_group(hrtfs, measured, rng) for _ in range(count // GROUP)]
    reverberant = [_room_group(hrtfs, rng) for _ in range(count // GROUP)]
    azimuth, elevation = (np.concatenate([group[i] for group in anechoic + reverberant]) for i in (1, 2))
    bank = ResponseBank(
        np.concatenate([group[0] for group in anechoic]), np.concatenate([group[0] for group in reverberant]),
        azimuth.astype(np.float32), elevation.astype(np.float32), np.stack([_diffuse(hrtf, rng) for hrtf in hrtfs]),
    )  # fmt: skip
    cache.mkdir(parents=True, exist_ok=True)
    np.savez(file, **{name: getattr(bank, name) for name in ResponseBank.__dataclass_fields__})
    return bank


def _fingerprint(hrtfs: list[HRTF], measured: list[MeasuredResponses]) -> str:
    """Of all HRTFs by their responses at four directions, and of all measurements."""
    azimuth, elevation = np.array([0.0, 65.0, 180.0, -115.0]), np.array([0.0, 0.0, 20.0, -20.0])
    digest = hashlib.sha256()
    for hrtf in hrtfs:
        digest.update(hrtf.responses(azimuth, elevation).tobytes())
    for one in measured:
        digest.update(one.ir.tobytes() + one.azimuth_deg.tobytes() + one.elevation_deg.tobytes())
    return digest.hexdigest()[:16]


def _anechoic_group(
    hrtfs: list[HRTF], measured: list[MeasuredResponses], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(GROUP, 2, ANECHOIC_SAMPLES) float16 with a peak of 1, azimuths and elevations (GROUP,)."""
    if measured and rng.random() < MEASURED_SHARE:
        one = measured[int(rng.integers(len(measured)))]
        weight = 0.1 + 0.9 * np.exp(-0.5 * (one.elevation_deg / 14.0) ** 2)  # most near ear height, as `_directions`
        near = np.flatnonzero((one.elevation_deg > -45) & (rng.random(len(one.ir)) < weight))
        rows = rng.choice(near, GROUP)
        azimuth, elevation, responses = one.azimuth_deg[rows], one.elevation_deg[rows], one.ir[rows]
    else:
        azimuth, elevation = _directions(rng)
        responses = hrtfs[int(rng.integers(len(hrtfs)))].responses(azimuth, elevation)
    out = np.zeros((GROUP, 2, ANECHOIC_SAMPLES), np.float16)
    out[:, :, : responses.shape[2]] = responses / np.abs(responses).max(axis=(1, 2), keepdims=True).clip(min=1e-6)
    return out, azimuth, elevation


def _room_group(hrtfs: list[HRTF], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(GROUP, 2, ROOM_SAMPLES) float16 with a peak of 1, azimuths and elevations (GROUP,)."""
    hrtf, room = hrtfs[int(rng.integers(len(hrtfs)))], random_room(rng, tallest_m=4.0)
    azimuth, elevation = _directions(rng)
    out = np.zeros((GROUP, 2, ROOM_SAMPLES), np.float16)
    for row, (azimuth_deg, elevation_deg) in enumerate(zip(azimuth, elevation, strict=True)):
        distance_m = random_distance_m(rng, room, elevation_deg)
        listener, yaw = sample_listener_pose(room, float(azimuth_deg), float(elevation_deg), distance_m, rng)
        response = room_response(
            hrtf, room, azimuth_deg=float(azimuth_deg), elevation_deg=float(elevation_deg), distance_m=distance_m,
            listener_m=listener, yaw_deg=yaw, rng=rng,
        )[:, :ROOM_SAMPLES]  # fmt: skip
        out[row, :, : response.shape[1]] = response / max(float(np.abs(response).max()), 1e-6)
    return out, azimuth, elevation


def _directions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths and elevations (GROUP,) in whole degrees, as HRTFs round them: most near ear height, some anywhere."""
    high = np.where(rng.random(GROUP) < 0.1, rng.uniform(-40, 80, GROUP), rng.normal(0.0, 14.0, GROUP).clip(-35, 40))
    return np.rint(rng.uniform(-180.0, 180.0, GROUP)), np.rint(high)


def _diffuse(hrtf: HRTF, rng: np.random.Generator) -> np.ndarray:
    """(2, n) float16: white noise from directions spread over the sphere, RMS 1."""
    samples = int(NOISE_SECONDS * RATE_HZ)
    azimuth, elevation = fibonacci_sphere(NOISE_DIRECTIONS)
    responses = hrtf.responses(azimuth, elevation.clip(min=-45.0))  # (N, 2, taps)
    noise = sum(fftconvolve(rng.standard_normal((1, samples)), one, axes=1)[:, :samples] for one in responses)
    return (noise / np.sqrt(np.square(noise).mean())).astype(np.float16)
