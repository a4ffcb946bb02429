"""Diffuse-field noise with the interaural coherence of a head: coherent at low frequencies, incoherent at high ones.

Coherence of the two ears: sin(kd)/(kd) up to about 1 kHz, zero above (after Borss and Martin 2009, "An improved
parametric model for BRIR generation"). d is larger than the width of the head, because sound diffracts around it.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from synesthesia.binaural.hrtf import FREQUENCIES_HZ, HRTF, RATE_HZ, SPEED_OF_SOUND, diffuse_power

SPACING_M = 0.30  # effective distance of the ears: first zero of the coherence near 570 Hz
FADE_HZ = (800.0, 1200.0)  # the coherence fades to zero between these


def diffuse_coherence(frequency_hz: np.ndarray) -> np.ndarray:
    """(F,) Hz -> (F,) in -1..1."""
    fade = ((FADE_HZ[1] - frequency_hz) / (FADE_HZ[1] - FADE_HZ[0])).clip(0.0, 1.0)
    return np.sinc(2.0 * frequency_hz * SPACING_M / SPEED_OF_SOUND) * fade


def diffuse_noise(
    samples: int, rng: np.random.Generator, hrtf: HRTF | None = None, slope_db_octave: float = 0.0
) -> np.ndarray:
    """(2, samples) float32 stationary noise: white with unit variance, or filtered by an HRTF and a spectral slope."""
    length = fft.next_fast_len(max(samples, 16), real=True)
    white = fft.rfft(rng.standard_normal((2, length), dtype=np.float32), axis=1)  # (2, F') complex64
    frequency_hz = fft.rfftfreq(length, 1 / RATE_HZ)
    coherence = diffuse_coherence(frequency_hz)
    gain = np.ones_like(frequency_hz)
    if hrtf is not None:
        gain *= np.sqrt(np.interp(frequency_hz, FREQUENCIES_HZ, diffuse_power(hrtf)))
    if slope_db_octave:
        gain *= (frequency_hz.clip(min=50.0) / 1000.0) ** (slope_db_octave / 20.0 / np.log10(2.0))
    shared = (np.sqrt((1 + coherence) / 2) * gain).astype(np.float32) * white[0]
    difference = (np.sqrt((1 - coherence) / 2) * gain).astype(np.float32) * white[1]
    ears = fft.irfft(np.stack([shared + difference, shared - difference]), length, axis=1)
    return ears[:, :samples].astype(np.float32)
