"""Baseline without training: white noise with the mel that is asked for. Noisy sounds can't be told from recordings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import MelConfig, white_noise
from synesthesia.audio.mel_match import MelMatch

LEVEL = 0.1  # of the noise before its correction


class NoiseVocoder(nn.Module):
    """Log-mel (B, T, 64) -> waveform (B, T * 160). The noise is drawn with a fixed seed: a mel has one waveform."""

    def __init__(self, rounds: int = 8, config: MelConfig | None = None, seed: int = 0) -> None:
        super().__init__()
        self.match, self.seed = MelMatch(rounds, config), seed

    @torch.no_grad()
    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        samples = mel.shape[1] * self.match.log_mel.config.hop_samples
        noise = LEVEL * white_noise(samples, self.seed)
        return self.match(noise.expand(len(mel), -1).to(mel.device), mel)
