"""What every mel vocoder does, and the end of every sound: its peak at -1 dBFS, its ends faded.

The project's own is `ToneNoiseVocoder`; `HifiGanVocoder` is AudioLDM's; `NoiseVocoder` and `GriffinLim` are baselines
without any training.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

PEAK = 0.89  # -1 dBFS, as the training sounds
FADE_S = 0.004  # of either end
FOLDER, TRAINED_BY = "The vocoder's folder", "training.audio.train_vocoder"  # for the error of a missing file


class Vocoder(Protocol):
    """Log-mel (B, T, 64) -> waveform (B, T * 160) in [-1, 1]."""

    def __call__(self, mel: Tensor) -> Tensor: ...

    def generated(self, mel: Tensor) -> Tensor:
        """The same of a log-mel that a model made, which is smoother than a recording's."""


def peak_normalise(waveform: Tensor) -> Tensor:
    """(..., n) without offset, the peak of all channels at -1 dBFS; level differences between channels are kept."""
    waveform = waveform - waveform.mean(dim=-1, keepdim=True)
    return waveform * (PEAK / waveform.abs().max().clamp(min=1e-4))


def fade_edges(waveform: Tensor, samples: int, *, begin: bool = True, end: bool = True) -> Tensor:
    """(..., n) with linear fades of `samples` at its ends, or of half its length if that is shorter."""
    count = waveform.shape[-1]
    width = min(count // 2, samples)
    ramp, envelope = torch.linspace(0.0, 1.0, width), torch.ones(count)
    if begin:
        envelope[:width] = ramp
    if end:
        envelope[count - width :] = ramp.flip(0)
    return waveform * envelope


def finish(waveform: Tensor, rate_hz: int) -> Tensor:
    """(..., n) peak-normalised with both ends faded, so that sounds can be compared and looped."""
    return fade_edges(peak_normalise(waveform), round(FADE_S * rate_hz))
