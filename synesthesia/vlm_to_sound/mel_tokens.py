"""Log-mel <-> discrete tokens: every 40 ms become one code from each codebook, coarse to fine.

Residual vector quantisation as in SoundStream and EnCodec (Zeghidour et al. 2021, arXiv:2107.03312; Defossez et al.
2022, arXiv:2210.13438), on the log-mel itself instead of a learned encoder's output, with the project's vocoder for a
decoder. Codebooks are k-means centres of what the ones before them left over. On a CPU's budget this keeps far more of
a sound than a waveform codec that was trained for hours: the card has both in one table.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from synesthesia.audio.mel import MelConfig
from synesthesia.core.errors import UserError
from synesthesia.nn.kmeans import means, nearest


@dataclass(frozen=True)
class MelTokenConfig:
    codebooks: int = 4
    codes: int = 1024  # per codebook
    frames: int = 4  # of the log-mel, 10 ms each, that share a token
    bands: int = 64

    @property
    def cell(self) -> int:
        """Numbers that one token stands for."""
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
        self.register_buffer("books", torch.zeros(config.codebooks, config.codes, config.cell))
        self.register_buffer("mean", torch.zeros(config.cell))

    @torch.no_grad()
    def fit(self, cells: Tensor, generator: torch.Generator, rounds: int = 8) -> list[float]:
        """cells: (N, 256) of training sounds, see `cut`. Fills the codebooks one after the other; returns the mean
        absolute error in nepers that each leaves."""
        self.mean.copy_(cells.mean(dim=0))
        residual, errors = cells - self.mean, []
        for book in self.books:
            book.copy_(means(residual, self.config.codes, generator, rounds))
            residual = residual - book[nearest(residual, book)]
            errors.append(float(residual.abs().mean()))
        return errors

    def cut(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> (B, T / 4, 256); frames beyond the last whole token are left out."""
        assert mel.ndim == 3 and mel.shape[2] == self.config.bands, f"log-mel must be (B, T, 64), got {mel.shape}"
        whole = mel.shape[1] // self.config.frames
        return mel[:, : whole * self.config.frames].unflatten(1, (whole, self.config.frames)).flatten(2)

    @torch.no_grad()
    def encode(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> codes (B, K, F)."""
        cells = self.cut(mel) - self.mean
        residual, codes = cells.flatten(0, 1), []
        for book in self.books:
            codes.append(nearest(residual, book))  # (B F,)
            residual = residual - book[codes[-1]]
        return torch.stack(codes, dim=1).unflatten(0, cells.shape[:2]).transpose(1, 2)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(B, K, F), K of at most `codebooks` -> log-mel (B, 4 F, 64)."""
        assert codes.ndim == 3 and codes.shape[1] <= len(self.books), f"codes must be (B, K, F), got {codes.shape}"
        cells = self.mean + sum(book[row] for book, row in zip(self.books, codes.unbind(1), strict=False))
        return cells.unflatten(2, (self.config.frames, self.config.bands)).flatten(1, 2)

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors (float16)."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {name: value.half().contiguous() for name, value in self.state_dict().items()}
        save_file(state, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> MelTokens:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            config = MelTokenConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
            state = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The folder of sound tokens {folder} is incomplete; "
                "train them with training.audio.train_codec --stage mel_tokens."
            ) from error
        tokens = MelTokens(config)
        tokens.load_state_dict({name: value.float() for name, value in state.items()})
        return tokens.eval()
