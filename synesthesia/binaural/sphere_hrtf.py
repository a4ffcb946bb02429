"""Spherical-head HRTF (Brown and Duda 1998): analytic, without outer ears, the same for front and back.

Delay: Woodworth's ray around the sphere. Head shadow: one pole and one zero, H = (1 + j a w / 2w0) / (1 + j w / 2w0)
with w0 = c / radius and a = 1.05 + 0.95 cos(1.2 theta) (Brown and Duda 1998, "A structural model for binaural sound
synthesis"). theta is the angle between the source and the ear's axis; the ears sit at +-90 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synesthesia.binaural.geometry import unit_vector
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RADIUS_M, SPEED_OF_SOUND, HRTFSpectra, SpectralHRTF


def ear_angles(azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
    """(N,), (N,) degrees -> (N, 2) angles in radians between the source and the left and right ear's axis."""
    rightward = unit_vector(azimuth_deg, elevation_deg)[..., 1].clip(-1.0, 1.0)
    return np.arccos(np.stack([-rightward, rightward], axis=-1))


def woodworth_delay_s(angle: np.ndarray, radius_m: float = RADIUS_M) -> np.ndarray:
    """Woodworth: delay after time zero, straight on the near side, around the sphere on the far side."""
    turn = np.where(angle < np.pi / 2, -np.cos(angle), angle - np.pi / 2)
    return radius_m / SPEED_OF_SOUND * turn


@dataclass(frozen=True)
class SphereHRTF(SpectralHRTF):
    radius_m: float = RADIUS_M

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        angle = ear_angles(np.asarray(azimuth_deg, float), np.asarray(elevation_deg, float))  # (N, 2)
        zero = 1.05 + 0.95 * np.cos(1.2 * angle)[..., None]  # (N, 2, 1)
        ratio = np.pi * FREQUENCIES_HZ * self.radius_m / SPEED_OF_SOUND  # w / 2w0
        log_magnitude = 0.5 * (np.log1p((zero * ratio) ** 2) - np.log1p(ratio**2))  # (N, 2, F)
        return HRTFSpectra(log_magnitude, woodworth_delay_s(angle, self.radius_m))

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees, not rounded -> (N, 2, TAPS) float32."""
        return self.spectra(azimuth_deg, elevation_deg).responses()
