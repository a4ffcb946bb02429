"""Synthetic measurements for tests: a spherical-head HRTF on a grid, at another rate and with a propagation delay."""

from __future__ import annotations

import numpy as np

from synesthesia.binaural.geometry import fibonacci_sphere
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, LEFT, RIGHT
from synesthesia.binaural.sphere_hrtf import SphereHRTF


def measured_grid(
    rate_hz: int = 44_100, directions: int = 200, taps: int = 256, lead_s: float = 2e-3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ir (M, 2, taps) at rate_hz, azimuth (M,), elevation (M,): a SphereHRTF as a laboratory would store it."""
    azimuth, elevation = fibonacci_sphere(directions)
    spectra = SphereHRTF().spectra(azimuth, elevation)
    samples = 2 * taps
    frequency_hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    log_magnitude = np.stack(
        [np.interp(frequency_hz, FREQUENCIES_HZ, row) for row in spectra.log_magnitude.reshape(2 * directions, -1)]
    )
    bins = len(frequency_hz)
    cepstrum = np.fft.irfft(log_magnitude, samples, axis=-1)
    cepstrum[:, 1 : bins - 1] *= 2
    cepstrum[:, bins:] = 0
    shift = np.exp(-2j * np.pi * frequency_hz * (spectra.delay_s.reshape(-1, 1) + lead_s))
    spectrum = np.exp(np.fft.rfft(cepstrum, axis=-1)) * shift
    taper = np.clip((20_000 - frequency_hz) / 4_000, 0, 1)  # no ringing from the upper edge
    ir = np.fft.irfft(spectrum * taper, samples, axis=-1)[:, :taps].reshape(directions, 2, taps)
    return ir.astype(np.float32), azimuth, elevation


def level_db(binaural: np.ndarray) -> np.ndarray:
    """(..., 2, n) -> (..., 2) root mean square in dB."""
    return 10 * np.log10(np.mean(np.square(binaural, dtype=np.float64), axis=-1) + 1e-20)


def itd_us(binaural: np.ndarray, rate_hz: int = 16_000) -> float:
    """(2, n) -> delay of the left ear behind the right one in us (positive: the right ear leads), within 1 ms."""
    length, fineness = 2 * binaural.shape[1], 8
    spectrum = np.fft.rfft(binaural, length, axis=1)
    cross = spectrum[LEFT] * np.conj(spectrum[RIGHT])
    correlation = np.fft.irfft(cross, length * fineness)
    furthest = round(1e-3 * rate_hz * fineness)
    lags = np.arange(-furthest, furthest + 1)
    return 1e6 * float(lags[correlation[lags].argmax()]) / (rate_hz * fineness)
