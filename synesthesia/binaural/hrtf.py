"""What a head is to the rest of the project: a pair of short filters for every direction.

Measured, spherical and compact heads share one clock: 16 kHz, 128 taps, and a sound that passes the middle of the head
arrives `LEAD_S` after the first tap, so that neither ear's onset is cut. Levels are relative to the diffuse field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from synesthesia.binaural.geometry import sphere, wrap
from synesthesia.binaural.minimum_phase import build

RATE_HZ = 16_000
TAPS = 128  # 8 ms
FREQUENCIES_HZ = np.arange(129) * 62.5  # (F,) of all log magnitudes: a DFT of 256 samples
LEAD_S = 1e-3  # how late the middle of the head hears
SPEED_OF_SOUND = 343.0  # m/s
RADIUS_M = 0.0875  # the usual mean radius of a head
BAND_HZ = (200.0, 7_500.0)  # where heads are compared and levelled
LEFT, RIGHT = 0, 1
REMEMBERED_DIRECTIONS = 16_384  # 16 MB a head


class HRTF(Protocol):
    """Anything that turns directions into impulse responses."""

    @property
    def rate_hz(self) -> int: ...

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees -> (N, 2, TAPS) float32: [:, 0] the left ear's, [:, 1] the right ear's."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Spectra:
    """N directions taken apart. log_magnitude: (N, 2, F) natural; delay_s: (N, 2) behind the head's middle."""

    log_magnitude: np.ndarray
    delay_s: np.ndarray

    def responses(self) -> np.ndarray:
        """(N, 2, TAPS) float32."""
        return build(self.log_magnitude, self.delay_s + LEAD_S, RATE_HZ, TAPS)

    @property
    def itd_s(self) -> np.ndarray:
        """(N,) interaural time difference: positive when the right ear leads."""
        return self.delay_s[:, LEFT] - self.delay_s[:, RIGHT]


class Remembered:
    """Responses of a head whose spectra take long: directions are rounded to 1 degree and computed once."""

    def __init__(self, spectra: Callable[[np.ndarray, np.ndarray], Spectra]) -> None:
        self._spectra = spectra
        self._known: dict[tuple[int, int], np.ndarray] = {}

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees -> (N, 2, TAPS) float32."""
        azimuth = wrap(np.rint(np.atleast_1d(azimuth_deg)))
        keys = [(int(a), int(e)) for a, e in zip(azimuth, np.rint(np.atleast_1d(elevation_deg)), strict=True)]
        new = sorted({key for key in keys if key not in self._known})
        if new:
            if len(self._known) + len(new) > REMEMBERED_DIRECTIONS:
                self._known = {key: self._known[key] for key in keys if key in self._known}
            asked = np.array(new, dtype=np.float64)
            self._known.update(zip(new, self._spectra(asked[:, 0], asked[:, 1]).responses(), strict=True))
        return np.stack([self._known[key] for key in keys]) if keys else np.zeros((0, 2, TAPS), np.float32)


def in_band() -> np.ndarray:
    """(F,) bool: the frequencies within BAND_HZ."""
    frequency_hz = FREQUENCIES_HZ
    return (frequency_hz >= BAND_HZ[0]) & (frequency_hz <= BAND_HZ[1])


def diffuse_level(log_magnitude: np.ndarray) -> float:
    """Natural log of the root of the mean power of (N, 2, F) within BAND_HZ: what is taken off to level a head."""
    return 0.5 * float(np.log(np.exp(2.0 * log_magnitude[..., in_band()]).mean()))


@lru_cache(maxsize=64)
def diffuse_power(head: HRTF) -> np.ndarray:
    """(F,) mean power of both ears over the sphere: how a head colours sound from everywhere."""
    responses = head.responses(*sphere(200))  # (200, 2, TAPS)
    return (np.abs(np.fft.rfft(responses, 2 * (len(FREQUENCIES_HZ) - 1), axis=-1)) ** 2).mean(axis=(0, 1))
