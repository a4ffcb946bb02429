"""Overlap-add assembly of a streamed waveform: cross-faded chunks at one gain, with a soft limiter.

Each chunk is rendered again from a little before the end of the last one, and cross-faded with its held-back tail. The
final loudness is unknown while streaming, so the first chunk sets the gain for all, with headroom; louder samples are
limited softly.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.vocoder import fade_edges

FIRST_PEAK = 0.5  # of the first chunk: 5 dB below the peak that is allowed
MAX_GAIN = 4.0  # so that a quiet beginning does not amplify noise
KNEE = 0.7  # of the peak that is allowed
CROSSFADE_S = 0.04  # held back of each chunk but the last


def soft_limit(waveform: Tensor, peak: float) -> Tensor:
    """Unchanged up to a fraction of `peak`, then compressed towards it with tanh; never above."""
    knee = KNEE * peak
    over = (waveform.abs() - knee).clamp(min=0.0) / (peak - knee)
    return torch.where(over > 0, waveform.sign() * (knee + (peak - knee) * over.tanh()), waveform)


class StreamAssembler:
    """samples: of the whole sound; fade: samples at either end; peak: the largest magnitude allowed."""

    def __init__(self, samples: int, rate_hz: int, fade: int, peak: float) -> None:
        self.samples, self.fade, self.peak = samples, fade, peak
        self.emitted, self.gain = 0, 0.0
        self._held, self._tail = round(CROSSFADE_S * rate_hz), torch.zeros(2, 0)

    def add(self, waveform: Tensor, start: int, *, last: bool) -> np.ndarray:
        """Rendered (2, n) from sample `start`, at or before the end of what was emitted -> the next chunk (2, m)
        float32."""
        assert start <= self.emitted, f"nothing was rendered between {self.emitted} and {start}"
        if not self.emitted:
            self.gain = min(FIRST_PEAK / max(float(waveform.abs().max()), 1e-6), MAX_GAIN)
        wave = waveform[:, self.emitted - start : (self.samples if last else start + waveform.shape[1]) - start]
        overlap = min(self._tail.shape[1], wave.shape[1])
        ramp = (torch.arange(wave.shape[1]) + 0.5).div(max(overlap, 1)).clamp(max=1.0)
        wave = wave * ramp
        wave[:, :overlap] += self._tail[:, :overlap] * (1.0 - ramp[:overlap])
        end = wave.shape[1] if last else wave.shape[1] - self._held
        wave, self._tail = wave[:, :end], wave[:, end:]
        out = fade_edges(soft_limit(wave * self.gain, self.peak), self.fade, begin=not self.emitted, end=last)
        self.emitted += end
        return out.numpy().astype(np.float32)
