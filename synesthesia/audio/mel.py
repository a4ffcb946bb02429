"""Log-mel spectrogram, identical to AudioLDM's, and the Karhunen-Loeve transform of its patches.

`LogMel`: magnitude STFT (periodic Hann 1024, hop 160, reflect-padded and centred), 64 Slaney bands 0-8000 Hz with
Slaney area normalisation, natural logarithm clamped at 1e-5 (AudioLDM, `audioldm/audio/stft.py`; Tacotron 2's
compression), so that AudioLDM's VAE and vocoder can be swapped in.

`MelPatches`: log-mel <-> latents (B, 8, T/4, 16), the space of the small mappers. Every 4 x 4 patch becomes the 8
coefficients along which such patches vary most, with one basis a band position. The latents have the shape of the
autoencoder's, so every mapper reads either. The transform is fitted in seconds, costs nothing to run, and loses less of
the mel than an autoencoder that a CPU trains in half an hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

PATCH_SIDE = 4  # mel frames and bands of a patch


@dataclass(frozen=True)
class MelConfig:
    """Parameters of the front end."""

    sample_rate_hz: int = 16_000
    fft_samples: int = 1024
    window_samples: int = 1024
    hop_samples: int = 160
    bands: int = 64
    low_hz: float = 0.0
    high_hz: float = 8_000.0
    clamp: float = 1e-5  # of the band magnitude, before the logarithm

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate_hz / self.hop_samples

    @property
    def floor(self) -> float:
        """The log-mel value of silence."""
        return math.log(self.clamp)


def hz_to_slaney_mel(hz: Tensor) -> Tensor:
    """Slaney's scale (Auditory Toolbox, librosa's default): linear below 1 kHz, logarithmic above. Any shape."""
    linear = hz * 3.0 / 200.0
    return torch.where(hz < 1000.0, linear, 15.0 + 27.0 * torch.log(hz.clamp(min=1e-3) / 1000.0) / math.log(6.4))


def slaney_mel_to_hz(mel: Tensor) -> Tensor:
    """Inverse of `hz_to_slaney_mel`. Any shape."""
    return torch.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * torch.exp((mel - 15.0) * math.log(6.4) / 27.0))


def band_edges_hz(config: MelConfig) -> Tensor:
    """(bands + 2,) edges: band b rises from edge b to edge b + 1 and falls to edge b + 2."""
    ends = hz_to_slaney_mel(torch.tensor([config.low_hz, config.high_hz], dtype=torch.float64))
    return slaney_mel_to_hz(torch.linspace(float(ends[0]), float(ends[1]), config.bands + 2, dtype=torch.float64))


def mel_filters(config: MelConfig) -> Tensor:
    """(fft/2 + 1, bands) triangles with unit area per Hz (Slaney), as `librosa.filters.mel` gives, transposed."""
    bins_hz = torch.linspace(0.0, config.sample_rate_hz / 2, config.fft_samples // 2 + 1, dtype=torch.float64)
    edges = band_edges_hz(config)
    rise = (bins_hz[:, None] - edges[None, :-2]) / (edges[1:-1] - edges[:-2])  # (F, bands)
    fall = (edges[None, 2:] - bins_hz[:, None]) / (edges[2:] - edges[1:-1])  # (F, bands)
    triangles = torch.minimum(rise, fall).clamp(min=0.0)
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))).float()


def with_end_frame(mel: Tensor) -> Tensor:
    """(B, T, bands) -> (B, T + 1, bands), the last frame twice: T hops lie between T + 1 frame centres."""
    return torch.cat([mel, mel[:, -1:]], dim=1)


def white_noise(samples: int, seed: int = 0) -> Tensor:
    """(samples,) Gaussian noise of unit variance, the same for a seed."""
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed))


class LogMel(nn.Module):
    """Waveform (B, n) in [-1, 1] -> natural log-mel (B, T, bands) with T = n // hop. No learned weights."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: MelConfig | None = None) -> None:
        super().__init__()
        self.config = config or MelConfig()
        self.register_buffer("window", torch.hann_window(self.config.window_samples), persistent=False)
        self.register_buffer("filters", mel_filters(self.config), persistent=False)

    def magnitude(self, waveform: Tensor) -> Tensor:
        """(B, n) -> linear magnitude spectrogram (B, T, fft/2 + 1)."""
        config = self.config
        assert waveform.ndim == 2, f"waveform must be (B, n), got {tuple(waveform.shape)}"
        half = config.fft_samples // 2
        assert waveform.shape[1] > half, f"reflect padding needs more than {half} samples, got {waveform.shape[1]}"
        spectrum = torch.stft(
            waveform, config.fft_samples, config.hop_samples, config.window_samples, self.window,
            center=True, pad_mode="reflect", return_complex=True,
        )  # (B, F, n // hop + 1)  # fmt: skip
        frames = waveform.shape[1] // config.hop_samples
        return spectrum.abs()[:, :, :frames].transpose(1, 2)  # (B, T, F)

    def forward(self, waveform: Tensor) -> Tensor:
        return (self.magnitude(waveform) @ self.filters).clamp(min=self.config.clamp).log()  # (B, T, bands)


class LatentSpace(Protocol):
    """Log-mel (B, T, 64) <-> latents (B, 8, T/4, 16), T a multiple of 4: `MelVae` or `MelPatches`."""

    def encode(self, mel: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


class MelPatches(nn.Module):
    """The transform. basis: (bins, channels, 16) orthonormal rows; mean: (bins, 16); scale: (channels,)."""

    basis: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int = 8, bins: int = 16) -> None:
        super().__init__()
        self.channels, self.bins = channels, bins
        self.register_buffer("basis", torch.zeros(bins, channels, PATCH_SIDE * PATCH_SIDE))
        self.register_buffer("mean", torch.zeros(bins, PATCH_SIDE * PATCH_SIDE))
        self.register_buffer("scale", torch.ones(channels))

    def _patches(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> (B, T/4, bins, 16)."""
        assert mel.ndim == 3 and mel.shape[2] == PATCH_SIDE * self.bins, (
            f"log-mel must be (B, T, 64), got {tuple(mel.shape)}"
        )
        assert mel.shape[1] % PATCH_SIDE == 0, f"mel frames must be a multiple of {PATCH_SIDE}, got {mel.shape[1]}"
        return mel.unflatten(2, (self.bins, PATCH_SIDE)).unflatten(1, (-1, PATCH_SIDE)).transpose(2, 3).flatten(3)

    @torch.no_grad()
    def fit(self, mel: Tensor) -> None:
        """mel: (N, T, 64) log-mels of training sounds. Sets basis, mean and one scale a channel (deviation 1)."""
        patches = self._patches(mel.double()).flatten(0, 1)  # (M, bins, 16)
        self.mean.copy_(patches.mean(dim=0))
        centred = patches - patches.mean(dim=0)
        covariance = torch.einsum("mbi,mbj->bij", centred, centred) / len(patches)
        vectors = torch.linalg.eigh(covariance).eigenvectors.flip(2)[:, :, : self.channels]  # (bins, 16, channels)
        # the sign of an eigenvector is arbitrary: align each channel's along the bands
        for bin_ in range(1, self.bins):
            agree = (vectors[bin_] * vectors[bin_ - 1]).sum(dim=0).sign()
            vectors[bin_] *= torch.where(agree == 0, torch.ones_like(agree), agree)
        self.basis.copy_(vectors.transpose(1, 2))
        raw = torch.einsum("mbi,bci->mbc", centred, self.basis.double())
        self.scale.copy_(raw.pow(2).mean(dim=(0, 1)).sqrt().clamp(min=1e-3))

    def encode(self, mel: Tensor) -> Tensor:
        centred = self._patches(mel) - self.mean  # (B, L, bins, 16)
        return torch.einsum("blki,kci->bclk", centred, self.basis) / self.scale[:, None, None]

    def decode(self, latents: Tensor) -> Tensor:
        assert latents.ndim == 4 and latents.shape[1] == self.channels, f"latents {tuple(latents.shape)}"
        patches = torch.einsum("bclk,kci->blki", latents * self.scale[:, None, None], self.basis) + self.mean
        return patches.unflatten(3, (PATCH_SIDE, PATCH_SIDE)).transpose(2, 3).flatten(1, 2).flatten(2)  # (B, T, 64)
