"""Parametric stereo (Breebaart et al. 2005): two channels from a mono vocoder, per-band levels and one ITD.

The vocoder renders the ears' common mel, so both channels share their fine structure; each band is then scaled to each
ear's level, and the channels are shifted apart by the interaural time difference.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import MelConfig, band_edges_hz

MAX_LEVEL, MIN_LEVEL = 0.3466, -3.5  # nepers re the common mel: all power in one ear is 3 dB above it; 30 dB below


def mid_mel(mels: Tensor) -> Tensor:
    """(B, 2, T, 64) -> (B, T, 64): the mean power of both ears."""
    return 0.5 * (torch.logsumexp(2.0 * mels, dim=1) - torch.log(torch.tensor(2.0)))


@torch.no_grad()
def render_stereo(mels: Tensor, itd_s: Tensor, vocoder: Callable[[Tensor], Tensor], smooth: int = 5) -> Tensor:
    """Log-mels (B, 2, T, 64), left ear first -> waveform (B, 2, 160 T).

    vocoder: log-mels (B, T, 64) -> (B, 160 T); itd_s: (B,) seconds, positive when the right ear leads; smooth: frames
    over which levels are averaged.
    """
    assert mels.ndim == 4 and mels.shape[1] == 2, f"mels must be (B, 2, T, 64), got {tuple(mels.shape)}"
    config, mid = MelConfig(), mid_mel(mels)
    wave = vocoder(mid)  # (B, 160 T)
    window = torch.hann_window(config.fft_samples)
    spectrum = torch.stft(wave, config.fft_samples, config.hop_samples, window=window, return_complex=True)
    gains = (mels - mid[:, None]).clamp(MIN_LEVEL, MAX_LEVEL).flatten(0, 1)  # (2 B, T, 64)
    gains = F.avg_pool1d(F.pad(gains.transpose(1, 2), (smooth // 2, smooth // 2), mode="replicate"), smooth, 1)
    gains = F.pad(gains, (0, max(0, spectrum.shape[2] - gains.shape[2])), mode="replicate")[..., : spectrum.shape[2]]
    hz = torch.linspace(0.0, config.sample_rate_hz / 2, spectrum.shape[1])
    level = _interpolate(gains.transpose(1, 2), band_edges_hz(config)[1:-1].float(), hz).transpose(1, 2)  # (2 B, F, T)
    shift_s = torch.tensor([-0.5, 0.5])[None, :, None] * itd_s[:, None, None]  # (B, 2, 1): the leading ear is earlier
    phase = torch.exp(2j * torch.pi * shift_s * hz)  # (B, 2, F)
    ears = spectrum[:, None] * level.exp().unflatten(0, (-1, 2)) * phase[..., None]
    out = torch.istft(ears.flatten(0, 1), config.fft_samples, config.hop_samples, window=window, length=wave.shape[1])
    return out.unflatten(0, (-1, 2))


def _interpolate(values: Tensor, at: Tensor, points: Tensor) -> Tensor:
    """(..., K) known at (K,) ascending -> (..., N) at `points` (N,): linear, constant beyond the ends."""
    upper = torch.searchsorted(at, points).clamp(1, len(at) - 1)
    weight = ((points - at[upper - 1]) / (at[upper] - at[upper - 1])).clamp(0.0, 1.0)
    return values[..., upper - 1] * (1 - weight) + values[..., upper] * weight
