"""People who were never measured: heads between two measured ones, with outer ears of another size.

Fifteen heads are few, and what tells front from back differs most between people. A varied head mixes the log
magnitudes and delays of two and stretches the frequency axis of the result: notches of the outer ear (from about 4 kHz
up) move by up to a sixth, as they do from person to person (Middlebrooks 1999), while the delays stay. Some heads are
mixed with their own mirror image: alike on both sides, as dummy heads and models are, they give a sound straight ahead
to both ears alike.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from synesthesia.binaural.hrtf import FREQUENCIES_HZ, RATE_HZ, Remembered, Spectra
from synesthesia.binaural.measured_hrtf import MeasuredHRTF

STRETCH = 0.16  # natural logarithm, at most, either way
MIX = 0.5  # of the other head, at most


class Speaking(Protocol):
    """What of a head is mixed."""

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> Spectra: ...


class MirroredHead:
    """Left ear for right."""

    def __init__(self, head: Speaking) -> None:
        self.head = head

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> Spectra:
        """(N,), (N,) degrees -> log magnitudes and delays of both ears."""
        there = self.head.spectra(-np.asarray(azimuth_deg), elevation_deg)
        return Spectra(there.log_magnitude[:, ::-1], there.delay_s[:, ::-1])


class VariedHead:
    """mix: 0 the first head alone; stretch: above 1 notches lie lower, as with larger ears."""

    def __init__(self, first: Speaking, second: Speaking, mix: float, stretch: float) -> None:
        self.first, self.second, self.mix, self.stretch = first, second, mix, stretch
        self._remembered = Remembered(self.spectra)

    @property
    def rate_hz(self) -> int:
        return RATE_HZ

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> Spectra:
        """(N,), (N,) degrees -> log magnitudes and delays of both ears."""
        one, two = (head.spectra(azimuth_deg, elevation_deg) for head in (self.first, self.second))
        log_magnitude = (1 - self.mix) * one.log_magnitude + self.mix * two.log_magnitude  # (N, 2, F)
        at = np.interp(FREQUENCIES_HZ * self.stretch, FREQUENCIES_HZ, np.arange(len(FREQUENCIES_HZ)))
        low = np.minimum(at.astype(int), len(FREQUENCIES_HZ) - 2)
        part = at - low
        stretched = (1 - part) * log_magnitude[..., low] + part * log_magnitude[..., low + 1]
        return Spectra(stretched, (1 - self.mix) * one.delay_s + self.mix * two.delay_s)

    def responses(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> np.ndarray:
        """(N,), (N,) degrees, rounded to 1 -> (N, 2, TAPS) float32."""
        return self._remembered.responses(azimuth_deg, elevation_deg)


def varied(heads: list[MeasuredHRTF], count: int, rng: np.random.Generator) -> list[VariedHead]:
    """`count` heads, each between two different ones drawn at random."""
    made = []
    for _ in range(count):
        first, second = rng.choice(len(heads), 2, replace=False)
        stretch = float(np.exp(rng.uniform(-STRETCH, STRETCH)))
        made.append(VariedHead(heads[first], heads[second], float(rng.uniform(0.0, MIX)), stretch))
    return made


def symmetrical(heads: list[MeasuredHRTF], count: int, rng: np.random.Generator) -> list[VariedHead]:
    """`count` heads that are alike on both sides, each made of one of these."""
    made = []
    for _ in range(count):
        head = heads[int(rng.integers(len(heads)))]
        stretch = float(np.exp(rng.uniform(-STRETCH, STRETCH)))
        made.append(VariedHead(head, MirroredHead(head), 0.5, stretch))
    return made
