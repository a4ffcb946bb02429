"""Baseline without training: least-squares magnitudes from the mel, phases by fast Griffin-Lim (Perraudin 2013)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import LogMel, MelConfig, mel_filters, with_end_frame


class GriffinLim(nn.Module):
    """Log-mel (B, T, 64) -> waveform (B, T * 160)."""

    def __init__(
        self, config: MelConfig | None = None, rounds: int = 32, momentum: float = 0.99, seed: int = 0
    ) -> None:
        super().__init__()
        self.log_mel = LogMel(config)
        self.rounds, self.momentum, self.seed = rounds, momentum, seed
        self.register_buffer("inverse", torch.linalg.pinv(mel_filters(self.log_mel.config)), persistent=False)

    @torch.no_grad()
    def forward(self, mel: Tensor) -> Tensor:
        assert mel.ndim == 3, f"mel must be (B, T, bands), got {tuple(mel.shape)}"
        config, window = self.log_mel.config, self.log_mel.window
        mel = with_end_frame(mel)
        magnitude = (mel.exp() @ self.inverse).clamp(min=0.0).transpose(1, 2)  # (B, F, T + 1)
        generator = torch.Generator().manual_seed(self.seed)
        angle = torch.rand(magnitude.shape, generator=generator) * 2 * torch.pi
        phase, previous = torch.polar(torch.ones_like(angle), angle), torch.zeros_like(magnitude, dtype=torch.complex64)
        for _ in range(self.rounds):
            waveform = torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)
            rebuilt = torch.stft(waveform, config.fft_samples, config.hop_samples, window=window, return_complex=True)
            phase = rebuilt - previous * (self.momentum / (1 + self.momentum))
            phase = phase / phase.abs().clamp(min=1e-12)
            previous = rebuilt
        return torch.istft(magnitude * phase, config.fft_samples, config.hop_samples, window=window)
