"""Log-spectral distance and T60 of struck sounds (Gray and Markel 1976; Schroeder 1965)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks

from synesthesia.core.presets import SAMPLE_RATE_HZ

BANDS, LOW_HZ, HIGH_HZ = 64, 50.0, 8_000.0
WINDOW, HOP, FFT = 400, 160, 1024  # samples: 25 ms, 10 ms, zero-padded
RANGE_DB = 60.0  # below the reference's maximum nothing counts
MIN_POWER = 1e-14
FIRST_DB, LAST_DB = -5.0, -25.0  # of the decay curve, between which its slope is fitted
MIN_DECAY_S = 0.01


@lru_cache(maxsize=1)
def _filters() -> Tensor:
    """(FFT // 2 + 1, BANDS)."""
    return melscale_fbanks(FFT // 2 + 1, LOW_HZ, HIGH_HZ, BANDS, SAMPLE_RATE_HZ, norm=None, mel_scale="slaney")


def levels_db(waveform: np.ndarray) -> Tensor:
    """(samples,) at 16 kHz -> (frames, BANDS) float32: 10 log10 of the power in each mel band, frames 10 ms apart, the
    first centred on the first sample."""
    spectra = torch.stft(
        torch.from_numpy(np.ascontiguousarray(waveform, dtype=np.float32)), FFT, HOP, WINDOW,
        torch.hann_window(WINDOW), center=True, pad_mode="constant", return_complex=True,
    )  # fmt: skip
    return 10 * torch.log10((spectra.abs().square().T @ _filters()).clamp(min=MIN_POWER))


def distance_db(reference: Tensor, other: Tensor, level_free: bool = False) -> float:
    """Log-spectral distance of two `levels_db`: root mean square difference over all frames and bands, both floored at
    RANGE_DB below the reference's maximum, so that silence in both costs nothing (A. H. Gray and J. D. Markel 1976,
    Distance measures for speech processing, IEEE Trans. ASSP 24, 380-391; here on mel bands). level_free: both are
    first scaled to a maximum of 0 dB."""
    assert reference.shape == other.shape, (reference.shape, other.shape)
    if level_free:
        reference, other = reference - reference.max(), other - other.max()
    floor = reference.max() - RANGE_DB
    return float((reference.clamp(min=floor) - other.clamp(min=floor)).square().mean().sqrt())


def decay_s(waveform: np.ndarray) -> float:
    """(samples,) at 16 kHz -> T60 in seconds, at least MIN_DECAY_S: backward integration (M. R. Schroeder 1965, New
    method of measuring reverberation time, J. Acoust. Soc. Am. 37, 409-412) and a straight line from -5 to -25 dB,
    times three. A sound that is cut off is measured as shorter than it is."""
    energy = np.cumsum(np.square(waveform[::-1], dtype=np.float64))[::-1]
    if energy[0] <= 0:
        return MIN_DECAY_S
    curve = 10 * np.log10(np.maximum(energy / energy[0], 1e-30))
    inside = np.flatnonzero((curve <= FIRST_DB) & (curve >= LAST_DB))
    if len(inside) < 2:
        return MIN_DECAY_S
    slope = np.polyfit(inside / SAMPLE_RATE_HZ, curve[inside], 1)[0]
    return max(MIN_DECAY_S, -60.0 / float(slope))
