"""Two ears' log-mels and the time between them -> two channels, from one voice.

Parametric stereo (Breebaart et al. 2005): the vocoder speaks the ears' common mel, so that both channels share their
fine structure; then every band gets the level that each ear had, and the channels are moved apart by the time by which
one ear leads.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import MelConfig, band_edges_hz
from synesthesia.audio.vocoder import Vocoder

LOUDEST, FAINTEST = 0.3466, -3.5  # nepers re the common mel: all in one ear is 3 dB above it; 30 dB below


def mid_mel(mels: Tensor) -> Tensor:
    """(B, 2, T, 64) -> (B, T, 64): the mean power of both ears."""
    return 0.5 * (torch.logsumexp(2.0 * mels, dim=1) - torch.log(torch.tensor(2.0)))


@torch.no_grad()
def stereo(mels: Tensor, lead_s: Tensor, vocoder: Vocoder, smooth: int = 5) -> Tensor:
    """mels: (B, 2, T, 64), left ear first; lead_s: (B,) seconds by which the right ear leads; smooth: frames over
    which levels are averaged -> waveform (B, 2, 160 T)."""
    assert mels.ndim == 4 and mels.shape[1] == 2, f"mels must be (B, 2, T, 64), got {tuple(mels.shape)}"
    config, together = MelConfig(), mid_mel(mels)
    wave = vocoder(together)  # (B, 160 T)
    window = torch.hann_window(config.fft_samples)
    spectrum = torch.stft(wave, config.fft_samples, config.hop_samples, window=window, return_complex=True)
    gains = (mels - together[:, None]).clamp(FAINTEST, LOUDEST).flatten(0, 1)  # (2 B, T, 64)
    gains = F.avg_pool1d(F.pad(gains.transpose(1, 2), (smooth // 2, smooth // 2), mode="replicate"), smooth, 1)
    gains = F.pad(gains, (0, max(0, spectrum.shape[2] - gains.shape[2])), mode="replicate")[..., : spectrum.shape[2]]
    hz = torch.linspace(0.0, config.sample_rate_hz / 2, spectrum.shape[1])
    level = _between(gains.transpose(1, 2), band_edges_hz(config)[1:-1].float(), hz).transpose(1, 2)  # (2 B, F, T)
    side = torch.tensor([-0.5, 0.5])[None, :, None] * lead_s[:, None, None]  # (B, 2, 1): what leads comes earlier
    turn = torch.exp(2j * torch.pi * side * hz)  # (B, 2, F)
    ears = spectrum[:, None] * level.exp().unflatten(0, (-1, 2)) * turn[..., None]
    made = torch.istft(ears.flatten(0, 1), config.fft_samples, config.hop_samples, window=window, length=wave.shape[1])
    return made.unflatten(0, (-1, 2))


def _between(values: Tensor, at: Tensor, wanted: Tensor) -> Tensor:
    """(..., K) known at (K,) ascending -> (..., N) at `wanted` (N,), linear, held beyond the ends."""
    upper = torch.searchsorted(at, wanted).clamp(1, len(at) - 1)
    share = ((wanted - at[upper - 1]) / (at[upper] - at[upper - 1])).clamp(0.0, 1.0)
    return values[..., upper - 1] * (1 - share) + values[..., upper] * share
