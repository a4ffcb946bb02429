"""Minimum-phase decomposition of impulse responses: a delay and a minimum-phase filter (Kulkarni et al. 1999).

Kulkarni, Isabelle and Colburn (1999) found listeners unable to tell such a rebuilt response from the measured one.
The filter's phase follows from its magnitude by the folded cepstrum (Oppenheim and Schafer, "Discrete-time signal
processing", chapter 13); the delay is where a response correlates best with its own minimum-phase version (Nam,
Abel and Smith 2008, "A method for estimating interaural time difference for binaural synthesis").
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

OVERSAMPLING = 16  # of the correlation; a parabola refines its peak
FADE_TAPS = 16
MAX_EXCESS_S = 300e-6  # furthest that a measured delay lies from a sphere's
BAND_HZ = (200.0, 5_000.0)  # of the correlation. Whitened, it jumps least between neighbouring measured directions:
CHUNK = 256  # else the lowest frequencies, where some measurements are poor, decide where its broad peak lies


def minimum_phase_spectrum(log_magnitude: np.ndarray) -> np.ndarray:
    """Natural log magnitudes (..., F) at 0..Nyquist -> complex spectra (..., F) of the minimum-phase filters."""
    bins = log_magnitude.shape[-1]
    samples = 2 * (bins - 1)
    cepstrum = np.fft.irfft(log_magnitude, samples, axis=-1)  # (..., n)
    cepstrum[..., 1 : bins - 1] *= 2.0
    cepstrum[..., bins:] = 0.0
    return np.exp(np.fft.rfft(cepstrum, axis=-1))


def minimum_phase_responses(log_magnitude: np.ndarray, delay_s: np.ndarray, rate_hz: int, taps: int) -> np.ndarray:
    """(..., F) and (...,) -> impulse responses (..., taps) float32, faded out over the last FADE_TAPS taps."""
    samples = 2 * (log_magnitude.shape[-1] - 1)
    assert taps <= samples, f"{taps} taps need more than {log_magnitude.shape[-1]} frequencies"
    frequency_hz = np.fft.rfftfreq(samples, 1 / rate_hz)
    shift = np.exp(-2j * np.pi * frequency_hz * np.asarray(delay_s)[..., None])
    responses = np.fft.irfft(minimum_phase_spectrum(log_magnitude) * shift, samples, axis=-1)[..., :taps]
    responses[..., -FADE_TAPS:] *= np.cos(0.5 * np.pi * (np.arange(FADE_TAPS) + 0.5) / FADE_TAPS) ** 2
    return responses.astype(np.float32)


def onset_delays_s(spectrum: np.ndarray, log_magnitude: np.ndarray, expected_s: np.ndarray, rate_hz: int) -> np.ndarray:
    """Complex spectra (N, F) and log magnitudes (N, F) -> (N,) delays in seconds after the minimum-phase filters.

    expected_s: (N,) delays of a sphere. A first pass over all lags gives the delay common to all; then each is searched
    within MAX_EXCESS_S of what is expected, because an echo at the far ear may be stronger than its onset.
    """
    fine = 2 * (spectrum.shape[-1] - 1) * OVERSAMPLING
    lag_s = np.fft.fftfreq(fine, 1 / fine) / (OVERSAMPLING * rate_hz)  # (fine,)
    first = np.concatenate([lag_s[c.argmax(axis=1)] for c in _correlations(spectrum, log_magnitude, fine, rate_hz)])
    common_s = np.median(first - expected_s)
    found = []
    for c, sphere_s in zip(_correlations(spectrum, log_magnitude, fine, rate_hz), _chunks(expected_s), strict=True):
        near = np.abs(lag_s - common_s - sphere_s[:, None]) <= MAX_EXCESS_S
        peak = np.where(near, c, -np.inf).argmax(axis=1)
        rows = np.arange(len(peak))
        before, at, after = (c[rows, (peak + step) % fine] for step in (-1, 0, 1))
        bend = np.minimum(before - 2 * at + after, -1e-12)
        offset = (0.5 * (before - after) / bend).clip(-0.5, 0.5)
        found.append(lag_s[peak] + offset / (OVERSAMPLING * rate_hz))
    return np.concatenate(found)


def _chunks(values: np.ndarray) -> list[np.ndarray]:
    """Slices of at most CHUNK rows: fine correlations of everything at once would take too much memory."""
    return [values[first : first + CHUNK] for first in range(0, len(values), CHUNK)]


def _correlations(spectrum: np.ndarray, log_magnitude: np.ndarray, fine: int, rate_hz: int) -> Iterator[np.ndarray]:
    """Parts (n, fine) of the correlations of responses with their minimum-phase versions, whitened within BAND_HZ."""
    hz = np.linspace(0.0, rate_hz / 2, spectrum.shape[-1])
    weight = ((hz - BAND_HZ[0]) / 200.0).clip(0.0, 1.0) * ((BAND_HZ[1] - hz) / 1000.0).clip(0.0, 1.0)
    for own, level in zip(_chunks(spectrum), _chunks(log_magnitude), strict=True):
        cross = own * np.conj(minimum_phase_spectrum(level))
        yield np.fft.irfft(cross * weight / np.abs(cross).clip(1e-12), fine, axis=-1)
