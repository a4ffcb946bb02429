"""Multi-period (HiFi-GAN, Kong 2020) and multi-resolution STFT discriminators (UnivNet, Jang 2021) of the vocoder.

They are narrow enough for a CPU. Spectral losses alone leave clicks and noise textures smeared.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from training.audio.spectral_losses import stft_magnitude


class ConvStack(nn.Module):
    """2-D convolutions with leaky ReLU; returns the score map and every hidden map. (B, 1, H, W)."""

    def __init__(self, kernels: list[tuple[int, int]], strides: list[tuple[int, int]], widths: list[int]) -> None:
        super().__init__()
        inputs = [1, *widths[:-1]]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, k, s, (k[0] // 2, k[1] // 2)))
            for i, o, k, s in zip(inputs, widths, kernels, strides, strict=True)
        )
        self.score = weight_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        hidden = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.1)
            hidden.append(x)
        return self.score(x), hidden


class Discriminators(nn.Module):
    """Waveform (B, n) -> a list of (score map, hidden maps), one per period and resolution."""

    def __init__(
        self, periods: tuple[int, ...] = (2, 5, 11),
        resolutions: tuple[tuple[int, int], ...] = ((1024, 160), (256, 48)), widths: tuple[int, ...] = (8, 24, 48, 64),
    ) -> None:  # fmt: skip
        super().__init__()
        self.periods, self.resolutions = periods, resolutions
        count = len(widths)
        self.by_period = nn.ModuleList(ConvStack([(5, 1)] * count, [(3, 1)] * count, list(widths)) for _ in periods)
        self.by_resolution = nn.ModuleList(
            ConvStack([(3, 7)] + [(3, 5)] * (count - 1), [(1, 2)] * count, list(widths)) for _ in resolutions
        )

    def forward(self, waveform: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        assert waveform.ndim == 2, f"waveform must be (B, n), got {tuple(waveform.shape)}"
        results = []
        for period, stack in zip(self.periods, self.by_period, strict=True):
            usable = waveform.shape[1] // period * period
            results.append(stack(waveform[:, :usable].reshape(len(waveform), 1, -1, period)))
        for (fft, hop), stack in zip(self.resolutions, self.by_resolution, strict=True):
            magnitude = stft_magnitude(waveform, fft, hop)
            log_magnitude = magnitude.clamp(min=1e-3).log().transpose(1, 2)[:, None]  # (B, 1, T, F)
            results.append(stack(log_magnitude / 3.0))
        return results


Outputs = list[tuple[Tensor, list[Tensor]]]


def discriminator_loss(real: Outputs, generated: Outputs) -> Tensor:
    """Hinge loss, mean over discriminators."""
    losses = [F.relu(1 - r).mean() + F.relu(1 + m).mean() for (r, _), (m, _) in zip(real, generated, strict=True)]
    return torch.stack(losses).mean()


def generator_losses(real: Outputs, generated: Outputs) -> tuple[Tensor, Tensor]:
    """(hinge loss for the generator, feature matching relative to the real maps' size)."""
    adversarial = torch.stack([-m.clamp(max=1.0).mean() for m, _ in generated]).mean()
    matching = torch.stack([
        F.l1_loss(mine, theirs.detach()) / theirs.detach().abs().mean().clamp(min=1e-3)
        for (_, m), (_, r) in zip(generated, real, strict=True) for mine, theirs in zip(m, r, strict=True)
    ]).mean()  # fmt: skip
    return adversarial, matching
