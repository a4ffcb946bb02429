"""Multi-resolution STFT and log-mel loss for waveform models (Yamamoto 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel, MelConfig


def stft_magnitude(waveform: Tensor, fft: int, hop: int, floor: float = 1e-9) -> Tensor:
    """(B, n) -> (B, F, T), with the finite gradient at silence that training needs; floor: of the power."""
    window = torch.hann_window(fft, device=waveform.device)
    spectrum = torch.stft(waveform, fft, hop, window=window, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square() + floor).sqrt()


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

    def forward(self, generated: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(total, log-mel L1)."""
        mel = F.l1_loss(self.mel(generated), self.mel(target))
        total = 2.0 * mel
        for fft, hop in self.resolutions:
            a, b = stft_magnitude(generated, fft, hop), stft_magnitude(target, fft, hop)
            scale = b.square().mean(dim=(1, 2)).sqrt().clamp(min=0.05)
            convergence = (a - b).square().mean(dim=(1, 2)).sqrt() / scale
            total = total + 0.5 * convergence.mean() + 0.5 * F.l1_loss(self.compressed(a), self.compressed(b))
        return total, mel.detach()

    def mel(self, waveform: Tensor) -> Tensor:
        """(B, n) -> (B, T, 64) log-mel."""
        config = self.log_mel.config
        magnitude = stft_magnitude(waveform, config.fft_samples, config.hop_samples, 1e-12).transpose(1, 2)  # (B, T, F)
        return (magnitude @ self.log_mel.filters).clamp(min=self.mel_floor).log()

    def compressed(self, magnitude: Tensor) -> Tensor:
        """Logarithm above the floor; what lies below counts as silence."""
        return magnitude.clamp(min=self.stft_floor).log()
