"""Log-mel <-> latents [B, 8, T/4, 16] by one orthonormal transform: the space in which the small mapper works.

Every 4 x 4 patch of the log-mel becomes the 8 numbers along which such patches vary most (Karhunen-Loeve transform, one
basis a band position). Same shape as the autoencoder's latents, so every mapper reads either; see `LatentSpace`. It is
fitted in seconds, costs nothing to run, and loses less of the mel than an autoencoder that a CPU trains in half an
hour.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

SIDE = 4  # mel frames and bands of a patch


class LatentSpace(Protocol):
    """Log-mel (B, T, 64) <-> latents (B, 8, T/4, 16), T a multiple of 4. `MelVae` and `MelPatches` are such."""

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
        self.register_buffer("basis", torch.zeros(bins, channels, SIDE * SIDE))
        self.register_buffer("mean", torch.zeros(bins, SIDE * SIDE))
        self.register_buffer("scale", torch.ones(channels))

    def _cut(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> (B, T/4, bins, 16)."""
        assert mel.ndim == 3 and mel.shape[2] == SIDE * self.bins, f"log-mel must be (B, T, 64), got {tuple(mel.shape)}"
        assert mel.shape[1] % SIDE == 0, f"mel frames must be a multiple of {SIDE}, got {mel.shape[1]}"
        return mel.unflatten(2, (self.bins, SIDE)).unflatten(1, (-1, SIDE)).transpose(2, 3).flatten(3)

    @torch.no_grad()
    def fit(self, mel: Tensor) -> None:
        """mel: (N, T, 64) log-mels of training sounds. Sets basis, mean and one scale a channel (deviation 1)."""
        cut = self._cut(mel.double()).flatten(0, 1)  # (M, bins, 16)
        self.mean.copy_(cut.mean(dim=0))
        centred = cut - cut.mean(dim=0)
        covariance = torch.einsum("mbi,mbj->bij", centred, centred) / len(cut)
        vectors = torch.linalg.eigh(covariance).eigenvectors.flip(2)[:, :, : self.channels]  # (bins, 16, channels)
        # the sign of an eigenvector is arbitrary: point all of a channel the same way along the bands
        for bin_ in range(1, self.bins):
            agree = (vectors[bin_] * vectors[bin_ - 1]).sum(dim=0).sign()
            vectors[bin_] *= torch.where(agree == 0, torch.ones_like(agree), agree)
        self.basis.copy_(vectors.transpose(1, 2))
        raw = torch.einsum("mbi,bci->mbc", centred, self.basis.double())
        self.scale.copy_(raw.pow(2).mean(dim=(0, 1)).sqrt().clamp(min=1e-3))

    def encode(self, mel: Tensor) -> Tensor:
        centred = self._cut(mel) - self.mean  # (B, L, bins, 16)
        return torch.einsum("blki,kci->bclk", centred, self.basis) / self.scale[:, None, None]

    def decode(self, latents: Tensor) -> Tensor:
        assert latents.ndim == 4 and latents.shape[1] == self.channels, f"latents {tuple(latents.shape)}"
        cut = torch.einsum("bclk,kci->blki", latents * self.scale[:, None, None], self.basis) + self.mean
        return cut.unflatten(3, (SIDE, SIDE)).transpose(2, 3).flatten(1, 2).flatten(2)  # (B, T, 64)
