"""A sound handed out in pieces while its end is still unknown: joined without a seam, at one gain, never too loud.

Every piece is spoken again from a little before where the last one ended, and laid over its held-back end. How loud the
whole will be nobody knows, so the first piece sets the gain for all, with headroom; what is louder yet is bent softly.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

FIRST_PEAK = 0.5  # of the first piece: 5 dB below the loudest that is allowed
MOST_GAIN = 4.0  # so that a soft beginning does not make a loud sound of noise
BENT_FROM = 0.7  # of the loudest that is allowed
HELD_S = 0.04  # of each piece but the last, to lay the next one over


def fade_edges(waveform: Tensor, samples: int, *, begin: bool = True, end: bool = True) -> Tensor:
    """(C, n) with its ends faded over `samples`, or over half of what there is."""
    count = waveform.shape[1]
    width = min(count // 2, samples)
    ramp, shape = torch.linspace(0.0, 1.0, width), torch.ones(count)
    if begin:
        shape[:width] = ramp
    if end:
        shape[count - width :] = ramp.flip(0)
    return waveform * shape


def bent(waveform: Tensor, peak: float) -> Tensor:
    """As it is up to a part of `peak`, from there on softly towards it and never above."""
    knee = BENT_FROM * peak
    over = (waveform.abs() - knee).clamp(min=0.0) / (peak - knee)
    return torch.where(over > 0, waveform.sign() * (knee + (peak - knee) * over.tanh()), waveform)


class StreamAssembler:
    """samples: of the whole sound; fade: samples of either end; peak: the loudest that is allowed."""

    def __init__(self, samples: int, rate_hz: int, fade: int, peak: float) -> None:
        self.samples, self.fade, self.peak = samples, fade, peak
        self.given, self.gain = 0, 0.0
        self._held, self._tail = round(HELD_S * rate_hz), torch.zeros(2, 0)

    def add(self, made: Tensor, start: int, *, last: bool) -> np.ndarray:
        """made: (2, n), spoken from sample `start` on, which is not after the end of what was given -> the next piece
        (2, m) float32."""
        assert start <= self.given, f"nothing was spoken between {self.given} and {start}"
        if not self.given:
            self.gain = min(FIRST_PEAK / max(float(made.abs().max()), 1e-6), MOST_GAIN)
        wave = made[:, self.given - start : (self.samples if last else start + made.shape[1]) - start]
        laid = min(self._tail.shape[1], wave.shape[1])
        ramp = (torch.arange(wave.shape[1]) + 0.5).div(max(laid, 1)).clamp(max=1.0)
        wave = wave * ramp
        wave[:, :laid] += self._tail[:, :laid] * (1.0 - ramp[:laid])
        end = wave.shape[1] if last else wave.shape[1] - self._held
        wave, self._tail = wave[:, :end], wave[:, end:]
        out = fade_edges(bent(wave * self.gain, self.peak), self.fade, begin=not self.given, end=last)
        self.given += end
        return out.numpy().astype(np.float32)
