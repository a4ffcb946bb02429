"""Head-related transfer function (HRTF): a pair of short filters for every direction.

All HRTFs share one format: 16 kHz, 128 taps, time zero (when the sound would pass the centre of the head) `PRE_DELAY_S`
after the first tap, so that neither ear's onset is cut. Levels are relative to the diffuse field.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from synesthesia.binaural.geometry import fibonacci_sphere, wrap
from synesthesia.binaural.minimum_phase import minimum_phase_responses

RATE_HZ = 16_000
TAPS = 128  # 8 ms
FREQUENCIES_HZ = np.arange(129) * 62.5  # (F,) of all log magnitudes: a DFT of 256 samples
PRE_DELAY_S = 1e-3  # from the first tap to time zero
SPEED_OF_SOUND = 343.0  # m/s
RADIUS_M = 0.0875  # mean radius of a human head
BAND_HZ = (200.0, 7_500.0)  # where HRTFs are compared and levelled
LEFT, RIGHT = 0, 1
CACHED_DIRECTIONS = 16_384  # 16 MB an HRTF


class HRTF(Protocol):
    """Directions -> head-related impulse responses."""

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees -> (N, 2, TAPS) float32: [:, 0] the left ear's, [:, 1] the right ear's."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class HRTFSpectra:
    """N directions as magnitude and delay. log_magnitude: (N, 2, F) natural; delay_s: (N, 2) after time zero."""

    log_magnitude: np.ndarray
    delay_s: np.ndarray

    def responses(self) -> np.ndarray:
        """(N, 2, TAPS) float32."""
        return minimum_phase_responses(self.log_magnitude, self.delay_s + PRE_DELAY_S, RATE_HZ, TAPS)

    @property
    def itd_s(self) -> np.ndarray:
        """(N,) interaural time difference: positive when the right ear leads."""
        return self.delay_s[:, LEFT] - self.delay_s[:, RIGHT]


class SpectralHRTF(ABC):
    """HRTF given by spectra: `responses` rounds directions to 1 degree and computes each one once."""

    @abstractmethod
    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        """(N,), (N,) degrees, not rounded -> log magnitudes and delays of both ears."""

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees, rounded to 1 -> (N, 2, TAPS) float32."""
        azimuth, cache = wrap(np.rint(np.atleast_1d(azimuth_deg))), self._cache
        keys = [(int(a), int(e)) for a, e in zip(azimuth, np.rint(np.atleast_1d(elevation_deg)), strict=True)]
        new = sorted({key for key in keys if key not in cache})
        if new:
            if len(cache) + len(new) > CACHED_DIRECTIONS:
                kept = {key: cache[key] for key in keys if key in cache}
                cache.clear()
                cache.update(kept)
            angles = np.array(new, dtype=np.float64)
            cache.update(zip(new, self.spectra(angles[:, 0], angles[:, 1]).responses(), strict=True))
        return np.stack([cache[key] for key in keys]) if keys else np.zeros((0, 2, TAPS), np.float32)

    @cached_property
    def _cache(self) -> dict[tuple[int, int], np.ndarray]:
        return {}


def band_mask() -> np.ndarray:
    """(F,) bool: the frequencies within BAND_HZ."""
    frequency_hz = FREQUENCIES_HZ
    return (frequency_hz >= BAND_HZ[0]) & (frequency_hz <= BAND_HZ[1])


def diffuse_level(log_magnitude: np.ndarray) -> float:
    """Natural log of the root of the mean power of (N, 2, F) within BAND_HZ: subtracted to level an HRTF."""
    return 0.5 * float(np.log(np.exp(2.0 * log_magnitude[..., band_mask()]).mean()))


@lru_cache(maxsize=64)
def diffuse_power(hrtf: HRTF) -> np.ndarray:
    """(F,) diffuse-field power: the mean of both ears over the sphere."""
    responses = hrtf.responses(*fibonacci_sphere(200))  # (200, 2, TAPS)
    return (np.abs(np.fft.rfft(responses, 2 * (len(FREQUENCIES_HZ) - 1), axis=-1)) ** 2).mean(axis=(0, 1))
