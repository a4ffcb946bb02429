"""Natural fluctuations of noise for generated log-mels, which are smoother than any recording's.

The log-mel of steady noise fluctuates from frame to frame and band to band (its cells are Rayleigh-like variates). A
generator that is trained on squared errors predicts too little of that, and in neighbouring bands alike: rain made so
sounds like an engine. Here the fluctuations around a running mean are taken apart: what exceeds those of noise is an
event and stays (a spectral-subtraction gain, after Boll 1979, on variances); the rest is replaced by the fluctuations
that white noise itself shows in the same front end. Tonal cells stay as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig, white_noise

RUNNING_FRAMES = 15  # of the running mean and of the local variance: 150 ms
VARIANCE_BANDS = 5
LEVEL = 0.1  # of the white noise; its log-mel's fluctuations do not depend on it


class NoiseFluctuation(nn.Module):
    """(log-mel (B, T, bands), tonality of its bands in 0..1, same shape) -> log-mel. No weights; deterministic."""

    def __init__(self, config: MelConfig | None = None, seed: int = 0) -> None:
        super().__init__()
        self.log_mel, self.seed = LogMel(config), seed

    @torch.no_grad()
    def forward(self, mel: Tensor, tonality: Tensor) -> Tensor:
        assert mel.shape == tonality.shape, f"mel {tuple(mel.shape)}, tonality {tuple(tonality.shape)}"
        config = self.log_mel.config
        samples = mel.shape[1] * config.hop_samples
        if samples <= config.fft_samples // 2:  # too short for a centred STFT
            return mel
        noise = LEVEL * white_noise(samples, self.seed)[None]
        natural = self.log_mel(noise.to(mel.device))
        natural = natural - _running_mean(natural, 1)
        own = mel - _running_mean(mel, 1)
        variance, of_noise = _running_mean(own**2, VARIANCE_BANDS), _running_mean(natural**2, 2 * VARIANCE_BANDS - 1)
        event = ((variance - of_noise) / variance.clamp(min=1e-6)).clamp(min=0.0)  # share that noise can't explain
        kept = 1 - (1 - event) * (1 - tonality)
        changed = mel - own + kept.sqrt() * own + (1 - kept).sqrt() * natural
        return torch.where(mel > config.floor + 1e-3, changed, mel)  # silence stays silent


def _running_mean(x: Tensor, bands: int) -> Tensor:
    """(B, T, K) -> the same, over RUNNING_FRAMES frames and `bands` bands; fewer at the edges."""
    size, padding = (RUNNING_FRAMES, bands), (RUNNING_FRAMES // 2, bands // 2)
    return F.avg_pool2d(x[:, None], size, 1, padding, count_include_pad=False)[:, 0]
