"""Interpolation of a measured HRTF: the three measurements around a direction, mixed as log magnitudes and delays.

The measured directions are triangulated (convex hull of their unit vectors); within a triangle the weights are those of
vector base amplitude panning (Pulkki 1997). Delays are mixed as their difference from a sphere's, which keeps the ITD
smooth where measurements are sparse, beside the ears. A pole that was not measured (nadir never is) is the mean of the
measurements nearest to it.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

from synesthesia.binaural.geometry import fibonacci_sphere, unit_vector, wrap
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RATE_HZ, HRTFSpectra, SpectralHRTF, diffuse_level
from synesthesia.binaural.minimum_phase import onset_delays_s
from synesthesia.binaural.sphere_hrtf import ear_angles, woodworth_delay_s
from synesthesia.core.errors import UserError

FLOOR_DB = -50.0  # notches below this (re the response's loudest frequency) are noise of the measurement
LOWEST_HZ = 250.0  # below it, short measurements are unreliable and HRTFs are flat: the value at LOWEST_HZ is used
POLE_DEG = 60.0  # a pole counts as measured when some direction lies above (below) this elevation


class MeasuredHRTF(SpectralHRTF):
    """Impulse responses ir (M, 2, N) at rate_hz with azimuth and elevation (M,) in this project's convention.

    Resampled to 16 kHz once, by reading the spectra at the frequencies of the new rate; levelled to the diffuse field.
    """

    def __init__(self, ir: np.ndarray, azimuth_deg: np.ndarray, elevation_deg: np.ndarray, rate_hz: int) -> None:
        assert ir.ndim == 3 and ir.shape[1] == 2, f"impulse responses must be (M, 2, N), got {ir.shape}"
        assert len(ir) == len(azimuth_deg) == len(elevation_deg), "one direction an impulse response"
        if len(ir) < 3:
            raise UserError(f"An HRTF needs at least 3 measured directions, got {len(ir)}.")
        spectrum = _spectrum(ir, rate_hz).reshape(2 * len(ir), -1)  # (2 M, F)
        log_magnitude = _log_magnitude(spectrum)
        self.azimuth_deg = wrap(np.asarray(azimuth_deg, dtype=np.float64))  # (M,)
        self.elevation_deg = np.asarray(elevation_deg, dtype=np.float64)
        sphere_s = woodworth_delay_s(ear_angles(self.azimuth_deg, self.elevation_deg))  # (M, 2)
        excess_s = onset_delays_s(spectrum, log_magnitude, sphere_s.ravel(), RATE_HZ).reshape(-1, 2) - sphere_s
        excess_s -= np.median(excess_s)  # propagation from the loudspeaker
        self._points, self._log_magnitude, self._excess_s = _with_poles(
            unit_vector(self.azimuth_deg, self.elevation_deg), log_magnitude.reshape(len(ir), 2, -1), excess_s
        )
        triangles = ConvexHull(self._points).simplices  # (K, 3)
        corners = self._points[triangles]  # (K, 3, 3), a corner a row
        solid = np.abs(np.linalg.det(corners)) > 1e-9
        self._triangles, self._inverse = triangles[solid], np.linalg.inv(corners[solid])
        self._log_magnitude -= diffuse_level(self.spectra(*fibonacci_sphere(200)).log_magnitude)

    @property
    def measured_spectra(self) -> HRTFSpectra:
        """At the measured directions azimuth_deg and elevation_deg (M,), levelled, without interpolation."""
        count = len(self.azimuth_deg)
        sphere_s = woodworth_delay_s(ear_angles(self.azimuth_deg, self.elevation_deg))
        return HRTFSpectra(self._log_magnitude[:count], sphere_s + self._excess_s[:count])

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        azimuth, elevation = np.atleast_1d(azimuth_deg).astype(float), np.atleast_1d(elevation_deg).astype(float)
        directions = unit_vector(azimuth, elevation)  # (N, 3)
        gains = np.einsum("nx,kxc->nkc", directions, self._inverse)  # (N, K, 3)
        best = gains.min(axis=2).argmax(axis=1)  # the triangle that holds the direction: no gain is negative
        gain = gains[np.arange(len(best)), best].clip(min=0.0)
        gain /= gain.sum(axis=1, keepdims=True)
        corners = self._triangles[best]  # (N, 3)
        log_magnitude = np.einsum("nc,ncef->nef", gain, self._log_magnitude[corners])
        excess_s = np.einsum("nc,nce->ne", gain, self._excess_s[corners])
        return HRTFSpectra(log_magnitude, woodworth_delay_s(ear_angles(azimuth, elevation)) + excess_s)


def _spectrum(ir: np.ndarray, rate_hz: int) -> np.ndarray:
    """(M, 2, N) at any rate -> (M, 2, F) complex at FREQUENCIES_HZ. UserError when the rate is too low for them."""
    if rate_hz < RATE_HZ:
        raise UserError(f"Impulse responses at {rate_hz} Hz lack the upper frequencies; {RATE_HZ} Hz are needed.")
    longest = int(rate_hz / FREQUENCIES_HZ[1])  # 16 ms: more would fold over in time
    loudest = int(np.abs(ir).max(axis=(0, 1)).argmax())
    start = max(0, loudest - longest // 4)  # propagation from a distant loudspeaker is silence
    ir = ir[:, :, start : start + longest]
    time_s = np.arange(ir.shape[2]) / rate_hz
    kernel = np.exp(-2j * np.pi * time_s[:, None] * FREQUENCIES_HZ).astype(np.complex64)  # (N, F)
    return (ir.astype(np.float32) @ kernel).astype(np.complex128)


def _log_magnitude(spectrum: np.ndarray) -> np.ndarray:
    """(N, F) complex -> natural log magnitudes, floored, flat below LOWEST_HZ."""
    magnitude = np.abs(spectrum)
    loudest = magnitude.max(axis=1, keepdims=True)
    magnitude = np.maximum(magnitude, np.maximum(loudest * 10 ** (FLOOR_DB / 20), 1e-12))
    lowest = int(np.searchsorted(FREQUENCIES_HZ, LOWEST_HZ))
    magnitude[:, :lowest] = magnitude[:, lowest : lowest + 1]
    return np.log(magnitude)


def _with_poles(points: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Directions (M, 3) and what was measured there (M, ...), with zenith and nadir added where they are missing."""
    measured = points[:, 2].copy()
    out = [points, *values]
    for side in (1.0, -1.0):
        height = side * measured
        if height.max() < np.sin(np.radians(POLE_DEG)):
            ring = np.flatnonzero(height >= height.max() - 0.05)
            pole = [np.array([0.0, 0.0, side]), *(value[ring].mean(axis=0) for value in values)]
            out = [np.concatenate([array, new[None]]) for array, new in zip(out, pole, strict=True)]
    return tuple(out)
