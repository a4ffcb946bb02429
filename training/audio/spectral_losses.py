"""Multi-resolution STFT and log-mel loss for waveform models (Yamamoto 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig


class MultiResolutionLoss(nn.Module):
    """Waveforms (B, n) x (B, n) -> scalar: log-mel L1 on the project's front end plus STFT terms at three resolutions.

    Each resolution adds spectral convergence and the L1 of log magnitudes (Yamamoto 2020); the short window keeps
    clicks sharp, the long one harmonics. Higher floors suit a network that starts out noisy: below a floor of 1e-5 the
    gradient of silence outweighs that of sound.
    """

    def __init__(
        self,
        resolutions: tuple[tuple[int, int], ...] = ((2048, 480), (512, 120), (128, 40)),
        mel_floor: float = MelConfig().clamp,
        stft_floor: float = 1e-3,
    ) -> None:
        super().__init__()
        self.mel_floor, self.stft_floor = mel_floor, stft_floor
        self.log_mel = LogMel(MelConfig())
        self.resolutions = resolutions
        for fft, _ in resolutions:
            self.register_buffer(f"window_{fft}", torch.hann_window(fft), persistent=False)

    def magnitude(self, waveform: Tensor, fft: int, hop: int) -> Tensor:
        spectrum = torch.stft(waveform, fft, hop, window=getattr(self, f"window_{fft}"), return_complex=True)
        return (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()  # (B, F, T)

    def forward(self, generated: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(total, log-mel L1)."""
        mel = F.l1_loss(self.mel(generated), self.mel(target))
        total = 2.0 * mel
        for fft, hop in self.resolutions:
            a, b = self.magnitude(generated, fft, hop), self.magnitude(target, fft, hop)
            scale = b.square().mean(dim=(1, 2)).sqrt().clamp(min=0.05)
            convergence = (a - b).square().mean(dim=(1, 2)).sqrt() / scale
            total = total + 0.5 * convergence.mean() + 0.5 * F.l1_loss(self.compressed(a), self.compressed(b))
        return total, mel.detach()

    def mel(self, waveform: Tensor) -> Tensor:
        """Log-mel with the finite gradient that training needs."""
        magnitude = self.magnitude_1024(waveform).transpose(1, 2)  # (B, T, F)
        return (magnitude @ self.log_mel.filters).clamp(min=self.mel_floor).log()

    def compressed(self, magnitude: Tensor) -> Tensor:
        """Logarithm above the floor; what lies below counts as silence."""
        return magnitude.clamp(min=self.stft_floor).log()

    def magnitude_1024(self, waveform: Tensor) -> Tensor:
        config = self.log_mel.config
        spectrum = torch.stft(
            waveform, config.fft_samples, config.hop_samples, window=self.log_mel.window, return_complex=True
        )
        return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
