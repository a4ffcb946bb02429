"""HRTF augmentation: interpolation between two measured HRTFs with a stretched frequency axis, and symmetric ones.

Fifteen HRTFs are few, and the cues for front and back differ most between people. An augmented HRTF mixes the log
magnitudes and delays of two and stretches the frequency axis of the result: notches of the outer ear (from about 4 kHz
up) move by up to a sixth, as they do from person to person (Middlebrooks 1999), while the delays stay. Some are mixed
with their own mirror image: like dummy heads and models, they are the same on both sides, so that a sound straight
ahead reaches both ears alike.
"""

from __future__ import annotations

import numpy as np

from synesthesia.binaural.hrtf import FREQUENCIES_HZ, HRTFSpectra, SpectralHRTF
from synesthesia.binaural.measured_hrtf import MeasuredHRTF

STRETCH = 0.16  # natural logarithm, at most, either way
MIX = 0.5  # of the second HRTF, at most


class MirroredHRTF(SpectralHRTF):
    """Left and right ear swapped."""

    def __init__(self, hrtf: SpectralHRTF) -> None:
        self.hrtf = hrtf

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        mirrored = self.hrtf.spectra(-np.asarray(azimuth_deg), elevation_deg)
        return HRTFSpectra(mirrored.log_magnitude[:, ::-1], mirrored.delay_s[:, ::-1])


class InterpolatedHRTF(SpectralHRTF):
    """mix: 0 the first HRTF alone; stretch: above 1 notches lie lower, as with larger ears."""

    def __init__(self, first: SpectralHRTF, second: SpectralHRTF, mix: float, stretch: float) -> None:
        self.first, self.second, self.mix, self.stretch = first, second, mix, stretch

    def spectra(self, azimuth_deg: np.ndarray, elevation_deg: np.ndarray) -> HRTFSpectra:
        one, two = (hrtf.spectra(azimuth_deg, elevation_deg) for hrtf in (self.first, self.second))
        log_magnitude = (1 - self.mix) * one.log_magnitude + self.mix * two.log_magnitude  # (N, 2, F)
        at = np.interp(FREQUENCIES_HZ * self.stretch, FREQUENCIES_HZ, np.arange(len(FREQUENCIES_HZ)))
        low = np.minimum(at.astype(int), len(FREQUENCIES_HZ) - 2)
        part = at - low
        stretched = (1 - part) * log_magnitude[..., low] + part * log_magnitude[..., low + 1]
        return HRTFSpectra(stretched, (1 - self.mix) * one.delay_s + self.mix * two.delay_s)


def interpolated_hrtfs(hrtfs: list[MeasuredHRTF], count: int, rng: np.random.Generator) -> list[InterpolatedHRTF]:
    """`count` HRTFs, each between two different ones drawn at random."""
    made = []
    for _ in range(count):
        first, second = rng.choice(len(hrtfs), 2, replace=False)
        stretch = _stretch(rng)
        made.append(InterpolatedHRTF(hrtfs[first], hrtfs[second], float(rng.uniform(0.0, MIX)), stretch))
    return made


def symmetric_hrtfs(hrtfs: list[MeasuredHRTF], count: int, rng: np.random.Generator) -> list[InterpolatedHRTF]:
    """`count` HRTFs that are the same on both sides, each made of one of these."""
    made = []
    for _ in range(count):
        hrtf = hrtfs[int(rng.integers(len(hrtfs)))]
        made.append(InterpolatedHRTF(hrtf, MirroredHRTF(hrtf), 0.5, _stretch(rng)))
    return made


def _stretch(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(-STRETCH, STRETCH)))
