"""The multi-resolution loss of waveform models."""

from __future__ import annotations

import torch

from training.audio.spectral_losses import MultiResolutionLoss


def test_the_spectral_loss_of_a_sound_with_itself_is_zero() -> None:
    tone = 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(4800) / 16_000)[None]
    total, mel = MultiResolutionLoss()(tone, tone)
    assert float(total) < 1e-5 and float(mel) < 1e-5
    assert float(MultiResolutionLoss()(0.5 * tone, tone)[0]) > 0.1
