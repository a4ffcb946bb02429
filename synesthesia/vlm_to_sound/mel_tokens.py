"""Residual vector quantisation of log-mels (as in SoundStream and EnCodec): one code from each codebook every 40 ms.

Zeghidour et al. 2021, arXiv:2107.03312; Defossez et al. 2022, arXiv:2210.13438. It quantises the log-mel itself, not a
learned encoder's output, and decodes through the project's vocoder. Each codebook holds k-means centres of the residual
that the previous ones leave. With a CPU's training budget this preserves far more of a sound than a waveform codec
trained for hours; the card compares both in one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from synesthesia.audio.mel import MelConfig
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.kmeans import kmeans_centres, nearest_centre


@dataclass(frozen=True)
class MelTokenConfig:
    codebooks: int = 4
    codes: int = 1024  # per codebook
    frames: int = 4  # of the log-mel, 10 ms each, per token
    bands: int = 64

    @property
    def patch_dim(self) -> int:
        """Mel values per token."""
        return self.frames * self.bands

    @property
    def tokens_per_second(self) -> float:
        return MelConfig().frames_per_second / self.frames


class MelTokens(nn.Module):
    """Log-mel (B, T, 64) <-> codes (B, K, F) int64, F = T / 4. books: (K, codes, 256); mean: (256,)."""

    books: Tensor
    mean: Tensor

    def __init__(self, config: MelTokenConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("books", torch.zeros(config.codebooks, config.codes, config.patch_dim))
        self.register_buffer("mean", torch.zeros(config.patch_dim))

    @torch.no_grad()
    def fit(self, patches: Tensor, generator: torch.Generator, rounds: int = 8) -> list[float]:
        """Fits one codebook after the other to training patches (N, 256), see `to_patches`.

        Returns the mean absolute error in nepers that remains after each.
        """
        self.mean.copy_(patches.mean(dim=0))
        residual, errors = patches - self.mean, []
        for book in self.books:
            book.copy_(kmeans_centres(residual, self.config.codes, generator, rounds))
            residual = residual - book[nearest_centre(residual, book)]
            errors.append(float(residual.abs().mean()))
        return errors

    def to_patches(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> (B, T / 4, 256); frames after the last full token are dropped."""
        assert mel.ndim == 3 and mel.shape[2] == self.config.bands, f"log-mel must be (B, T, 64), got {mel.shape}"
        count = mel.shape[1] // self.config.frames
        return mel[:, : count * self.config.frames].unflatten(1, (count, self.config.frames)).flatten(2)

    @torch.no_grad()
    def encode(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> codes (B, K, F)."""
        patches = self.to_patches(mel) - self.mean
        residual, codes = patches.flatten(0, 1), []
        for book in self.books:
            codes.append(nearest_centre(residual, book))  # (B F,)
            residual = residual - book[codes[-1]]
        return torch.stack(codes, dim=1).unflatten(0, patches.shape[:2]).transpose(1, 2)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(B, K, F) with K of at most `codebooks` -> log-mel (B, 4 F, 64)."""
        assert codes.ndim == 3 and codes.shape[1] <= len(self.books), f"codes must be (B, K, F), got {codes.shape}"
        patches = self.mean + sum(book[row] for book, row in zip(self.books, codes.unbind(1), strict=False))
        return patches.unflatten(2, (self.config.frames, self.config.bands)).flatten(1, 2)

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors (float16)."""
        save_checkpoint(folder, self.config, {name: value.half() for name, value in self.state_dict().items()})

    @staticmethod
    def load(folder: Path) -> MelTokens:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, state = load_checkpoint(
            folder, what="The folder of sound tokens", trained_by="training.vlm_to_sound.train_mel_tokens"
        )
        tokens = MelTokens(MelTokenConfig(**fields))
        tokens.load_state_dict({name: value.float() for name, value in state.items()})
        return tokens.eval()
