"""Spherical-harmonic HRTF (Evans, Angus and Tew 1998): the reference HRTF, fitted to measured ones, in 60 kB.

One ear's log magnitudes, and its delay beyond that of a sphere, are sums of spherical harmonics ("Analyzing
head-related transfer function measurements using surface spherical harmonics"). Order 14 resolves what a head of
8.75 cm can produce up to 8 kHz (k r = 13). The left ear uses the right ear's function at the mirrored direction, so
both sides are exactly the same. Made by `training.binaural.train_sh_hrtf`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from synesthesia.binaural.geometry import unit_vector
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, HRTFSpectra, SpectralHRTF
from synesthesia.binaural.sphere_hrtf import ear_angles, woodworth_delay_s
from synesthesia.core.errors import UserError
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class SphericalHarmonicHRTFConfig:
    order: int = 14  # of the spherical harmonics
    frequencies: int = len(FREQUENCIES_HZ)
    smoothness: float = 1e-6  # weight of the squared Laplacian against the squared error of log magnitudes
    delay_smoothness: float = 1e-5


def ear_directions(azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
    """(N,), (N,) degrees -> (N, 2, 3) unit vectors relative to the left and right ear: y points away from the head."""
    right = unit_vector(np.atleast_1d(azimuth_deg).astype(float), np.atleast_1d(elevation_deg).astype(float))
    return np.stack([right * [1.0, -1.0, 1.0], right], axis=1)


class SphericalHarmonicHRTF(SpectralHRTF):
    """levels (K, F): natural log magnitudes; excess_s (K,): delay beyond a sphere's; K = (order + 1) ** 2."""

    def __init__(self, config: SphericalHarmonicHRTFConfig, levels: np.ndarray, excess_s: np.ndarray) -> None:
        count = (config.order + 1) ** 2
        assert levels.shape == (count, config.frequencies), f"levels must be ({count}, F), got {levels.shape}"
        assert excess_s.shape == (count,), f"excess delays must be ({count},), got {excess_s.shape}"
        if config.frequencies != len(FREQUENCIES_HZ):
            raise UserError(f"The HRTF has {config.frequencies} frequencies, not {len(FREQUENCIES_HZ)}.")
        self.config, self.levels, self.excess_s = config, levels, excess_s

    @classmethod
    def fit(
        cls, config: SphericalHarmonicHRTFConfig, directions: np.ndarray, log_magnitude: np.ndarray,
        excess_s: np.ndarray, weights: np.ndarray,
    ) -> SphericalHarmonicHRTF:  # fmt: skip
        """Weighted least squares with a Laplacian penalty. directions: (R, 3) relative to the ear; log_magnitude: (R,
        F); excess_s: (R,); weights: (R,) in any scale; a row is one ear of one measurement."""
        basis = spherical_harmonics(directions, config.order)  # (R, K)
        weighted = basis * (weights / weights.sum())[:, None]
        gram = weighted.T @ basis
        degree = harmonic_degrees(config.order).astype(np.float64)
        laplacian = np.diag((degree * (degree + 1)) ** 2) / (4 * np.pi)
        levels = np.linalg.solve(gram + config.smoothness * laplacian, weighted.T @ log_magnitude)
        delay = np.linalg.solve(gram + config.delay_smoothness * laplacian, weighted.T @ excess_s)
        return cls(config, levels, delay)

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        directions = ear_directions(azimuth_deg, elevation_deg)  # (N, 2, 3)
        basis = spherical_harmonics(directions.reshape(-1, 3), self.config.order)  # (2 N, K)
        log_magnitude = (basis @ self.levels).reshape(*directions.shape[:2], -1)
        sphere_s = woodworth_delay_s(ear_angles(np.atleast_1d(azimuth_deg), np.atleast_1d(elevation_deg)))
        return HRTFSpectra(log_magnitude, sphere_s + (basis @ self.excess_s).reshape(directions.shape[:2]))

    def save(self, folder: Path) -> None:
        """config.json and model.safetensors (levels in float16)."""
        levels, excess_s = self.levels.astype(np.float16), self.excess_s.astype(np.float32)
        tensors = {"levels": torch.from_numpy(levels), "excess_s": torch.from_numpy(excess_s)}
        save_checkpoint(folder, self.config, tensors)

    @classmethod
    def load(cls, folder: Path) -> SphericalHarmonicHRTF:
        """Reads what `save` wrote. UserError when a file is missing."""
        trained_by = "training.binaural.train_sh_hrtf"
        fields, tensors = load_checkpoint(folder, what="The HRTF's folder", trained_by=trained_by)
        levels, excess_s = (tensors[name].double().numpy() for name in ("levels", "excess_s"))
        return cls(SphericalHarmonicHRTFConfig(**fields), levels, excess_s)


def harmonic_degrees(order: int) -> np.ndarray:
    """((order + 1) ** 2,) the degree l of every column of `spherical_harmonics`."""
    return np.repeat(np.arange(order + 1), 2 * np.arange(order + 1) + 1)


def spherical_harmonics(directions: np.ndarray, order: int) -> np.ndarray:
    """Real spherical harmonics of unit vectors (N, 3) -> (N, (order + 1) ** 2), orthonormal over the sphere.

    Columns go degree by degree, m from -l to l; degree l resolves about 180 / l degrees. Associated Legendre functions
    by the stable recursion upwards in l ("Numerical recipes", section 6.7).
    """
    assert directions.ndim == 2 and directions.shape[1] == 3, f"directions must be (N, 3), got {directions.shape}"
    x, y, z = directions.T
    longitude = np.arctan2(y, x)
    horizontal = np.sqrt(np.maximum(0.0, 1.0 - z * z))
    out = np.empty((len(directions), (order + 1) ** 2))
    first = np.full(len(directions), np.sqrt(1 / (4 * np.pi)))  # normalised P_m^m
    for m in range(order + 1):
        if m:
            first = first * horizontal * np.sqrt((2 * m + 1) / (2 * m))
        before, at = np.zeros_like(first), first
        for degree in range(m, order + 1):
            if degree > m:
                factor = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
                back = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
                before, at = at, factor * (z * at - back * before)
            center = degree * degree + degree
            if m == 0:
                out[:, center] = at
            else:
                out[:, center + m] = np.sqrt(2) * at * np.cos(m * longitude)
                out[:, center - m] = np.sqrt(2) * at * np.sin(m * longitude)
    return out
