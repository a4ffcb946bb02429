"""Sound-texture statistics of a log-mel (after McDermott and Simoncelli 2011), from which no recording can be rebuilt.

A few time-averaged statistics carry the identity of a sound texture: the mean spectrum and those of loud and quiet
moments, and how fast each region of the spectrum fluctuates. The order of moments, phases and melodies are lost, so an
index of descriptors contains no recording.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

BANDS = 64
REGIONS = 8  # of 8 neighbouring bands
RATES = 8  # bins of modulation frequency between 0.6 and 50 Hz, geometrically spaced
RHYTHM = 8
DESCRIPTOR_DIM = 4 * BANDS + REGIONS * RATES + RHYTHM  # 328
FRAMES_PER_SECOND = 100.0
WINDOW = 256  # frames of one modulation spectrum, 2.56 s


def texture_descriptor(mel: Tensor) -> Tensor:
    """Natural log-mel of one whole clip (T, 64), at least 8 frames -> (328,) float32.

    64 means, 64 deviations, 64 means of the loudest sixth, 64 means of the quietest quarter (all natural log), 8 x 8
    modulation levels, 8 numbers of rhythm.
    """
    assert mel.ndim == 2 and mel.shape[1] == BANDS and mel.shape[0] >= 8, (
        f"log-mel must be (T >= 8, 64), got {tuple(mel.shape)}"
    )
    mel = mel.float()
    level = mel.logsumexp(dim=1)  # (T,) log energy-like loudness
    order = level.argsort()
    count = len(level)
    quiet = mel[order[: max(1, count // 4)]].mean(dim=0)
    loud = mel[order[-max(1, count // 6) :]].mean(dim=0)
    deviation = mel.std(dim=0, unbiased=False)
    return torch.cat([mel.mean(dim=0), deviation, loud, quiet, modulation(mel).flatten(), rhythm(mel, level)])


def modulation(mel: Tensor) -> Tensor:
    """(T, 64) -> (8, 8): log modulation power of each spectral region (rows) at each rate (columns), clip-averaged."""
    regions = mel.unflatten(1, (REGIONS, -1)).mean(dim=2).T  # (8, T)
    short = max(0, WINDOW - regions.shape[1])
    regions = regions - regions.mean(dim=1, keepdim=True)
    windows = F.pad(regions, (0, short)).unfold(1, WINDOW, WINDOW // 2)  # (8, N, 256)
    power = torch.fft.rfft(windows * torch.hann_window(WINDOW), dim=2).abs().pow(2).mean(dim=1)  # (8, 129)
    power = power * (WINDOW / max(1, WINDOW - short))  # zero padding does not lower the power of a short clip
    hz = torch.arange(power.shape[1]) * FRAMES_PER_SECOND / WINDOW
    edges = torch.logspace(math.log10(0.3), math.log10(50.01), RATES + 1)
    bins = [power[:, (hz >= low) & (hz < high)].sum(dim=1) for low, high in pairwise(edges)]
    return (torch.stack(bins, dim=1) + 1.0).log()


def rhythm(mel: Tensor, level: Tensor) -> Tensor:
    """(8,): active share, onsets per second, strength and evenness of onsets, period and its strength, flux, log
    seconds."""
    seconds = len(level) / FRAMES_PER_SECOND
    active = (level > level.max() - 4.0).float().mean()
    flux = (mel[1:] - mel[:-1]).clamp(min=0.0).mean(dim=1)  # (T - 1,)
    threshold = flux.mean() + flux.std(unbiased=False)
    peak = (flux > threshold) & (flux >= F.max_pool1d(flux[None, None], 9, 1, 4)[0, 0])
    times = peak.nonzero()[:, 0].float()
    gaps = times.diff()
    evenness = gaps.std(unbiased=False) / gaps.mean() if len(gaps) > 1 else torch.tensor(1.0)
    centred = flux - flux.mean()
    size = 2 * len(centred)
    autocorrelation = torch.fft.irfft(torch.fft.rfft(centred, n=size).abs().pow(2), n=size)[: len(centred)]
    autocorrelation = autocorrelation / autocorrelation[0].clamp(min=1e-6)
    lags = autocorrelation[10 : min(200, len(autocorrelation))]  # periods of 0.1 to 2 s
    period = (lags.argmax() + 10.0) / FRAMES_PER_SECOND if len(lags) else torch.tensor(0.0)
    strength = lags.max() if len(lags) else torch.tensor(0.0)
    strong = flux[peak].mean() if peak.any() else torch.tensor(0.0)
    onsets_per_second, log_seconds = len(times) / max(seconds, 0.5), math.log(max(seconds, 0.05))
    values = [active, onsets_per_second, strong, evenness, period, strength, flux.mean(), log_seconds]
    return torch.tensor([float(value) for value in values])
