"""The product's own head: what measured heads have in common, as smooth functions of direction, in 60 kB.

One ear's log magnitudes, and its delay beyond that of a sphere, are sums of spherical harmonics (Evans, Angus and Tew
1998, "Analyzing head-related transfer function measurements using surface spherical harmonics"). Order 14 is what a
head of 8.75 cm can show up to 8 kHz (k r = 13). The left ear hears the mirrored direction with the right ear's
function, so that both sides are exactly alike. Made by `training.binaural.train_sh_hrtf`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from synesthesia.binaural.geometry import unit_vector
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RATE_HZ, Remembered, Spectra
from synesthesia.binaural.sphere_hrtf import ear_angles, ray_delay_s
from synesthesia.binaural.spherical_harmonics import degrees_of, harmonics
from synesthesia.core.errors import UserError


@dataclass(frozen=True)
class SphericalHarmonicHRTFConfig:
    order: int = 14  # of the spherical harmonics
    frequencies: int = len(FREQUENCIES_HZ)
    smoothness: float = 1e-6  # weight of the squared Laplacian against the squared error of log magnitudes
    delay_smoothness: float = 1e-5


def ear_directions(azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
    """(N,), (N,) degrees -> (N, 2, 3) unit vectors as the left and right ear see them: y points away from the head."""
    right = unit_vector(np.atleast_1d(azimuth_deg).astype(float), np.atleast_1d(elevation_deg).astype(float))
    return np.stack([right * [1.0, -1.0, 1.0], right], axis=1)


class SphericalHarmonicHRTF:
    """levels (K, F): natural log magnitudes; excess_s (K,): delay beyond a sphere's; K = (order + 1) ** 2."""

    def __init__(self, config: SphericalHarmonicHRTFConfig, levels: np.ndarray, excess_s: np.ndarray) -> None:
        count = (config.order + 1) ** 2
        assert levels.shape == (count, config.frequencies), f"levels must be ({count}, F), got {levels.shape}"
        assert excess_s.shape == (count,), f"excess delays must be ({count},), got {excess_s.shape}"
        if config.frequencies != len(FREQUENCIES_HZ):
            raise UserError(f"The compact head has {config.frequencies} frequencies, not {len(FREQUENCIES_HZ)}.")
        self.config, self.levels, self.excess_s = config, levels, excess_s
        self._remembered = Remembered(self.spectra)

    @classmethod
    def fit(cls, config: SphericalHarmonicHRTFConfig, directions: np.ndarray, log_magnitude: np.ndarray, excess_s: np.ndarray,
            weights: np.ndarray) -> SphericalHarmonicHRTF:  # fmt: skip
        """Weighted least squares with a penalty on roughness. directions: (R, 3) as the ear sees them, log_magnitude:
        (R, F), excess_s: (R,), weights: (R,) any scale; a row is one ear of one measurement."""
        basis = harmonics(directions, config.order)  # (R, K)
        weighted = basis * (weights / weights.sum())[:, None]
        gram = weighted.T @ basis
        degree = degrees_of(config.order).astype(np.float64)
        rough = np.diag((degree * (degree + 1)) ** 2) / (4 * np.pi)
        levels = np.linalg.solve(gram + config.smoothness * rough, weighted.T @ log_magnitude)
        delay = np.linalg.solve(gram + config.delay_smoothness * rough, weighted.T @ excess_s)
        return cls(config, levels, delay)

    @property
    def rate_hz(self) -> int:
        return RATE_HZ

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> Spectra:
        """(N,), (N,) degrees, not rounded -> log magnitudes and delays of both ears."""
        seen = ear_directions(azimuth_deg, elevation_deg)  # (N, 2, 3)
        basis = harmonics(seen.reshape(-1, 3), self.config.order)  # (2 N, K)
        log_magnitude = (basis @ self.levels).reshape(*seen.shape[:2], -1)
        sphere_s = ray_delay_s(ear_angles(np.atleast_1d(azimuth_deg), np.atleast_1d(elevation_deg)))
        return Spectra(log_magnitude, sphere_s + (basis @ self.excess_s).reshape(seen.shape[:2]))

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees, rounded to 1 -> (N, 2, TAPS) float32."""
        return self._remembered.responses(azimuth_deg, elevation_deg)

    def save(self, folder: Path) -> None:
        """config.json and model.safetensors (levels in float16)."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")
        tensors = {"levels": self.levels.astype(np.float16), "excess_s": self.excess_s.astype(np.float32)}
        save_file(tensors, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> SphericalHarmonicHRTF:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            config = SphericalHarmonicHRTFConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
            tensors = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The head's folder {folder} is incomplete; make it with training.binaural.train_sh_hrtf."
            ) from error
        return cls(config, tensors["levels"].astype(np.float64), tensors["excess_s"].astype(np.float64))
