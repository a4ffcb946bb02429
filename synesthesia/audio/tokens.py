"""EnCodec (Defossez et al. 2022): waveform <-> discrete tokens by transformers' `EncodecModel`, small and at 16 kHz.

A frame of 320 samples (20 ms) becomes one code from each codebook, coarse to fine (residual vector quantisation). A
randomly initialised `EncodecModel` has codebooks of zeros, so train it or call `init_codebooks`. No preset loads it:
its weights are rough so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import EncodecConfig, EncodecModel

from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.kmeans import kmeans_centres, nearest_centre


@dataclass(frozen=True)
class TokenCodecConfig:
    """Size of the codec; the frame is the product of `ratios` in samples."""

    filters: int = 8
    hidden: int = 64
    ratios: tuple[int, ...] = (8, 5, 4, 2)
    codebooks: int = 8
    codes: int = 1024  # per codebook, a power of two
    lstm_layers: int = 1
    sample_rate_hz: int = 16_000

    def build(self) -> EncodecModel:
        frame = 1
        for ratio in self.ratios:
            frame *= ratio
        bits = self.codes.bit_length() - 1
        per_codebook_kbps = bits * -(-self.sample_rate_hz // frame) / 1000
        config = EncodecConfig(
            target_bandwidths=[round(per_codebook_kbps * (k + 1), 6) for k in range(self.codebooks)],
            sampling_rate=self.sample_rate_hz,
            audio_channels=1,
            normalize=False,
            num_filters=self.filters,
            hidden_size=self.hidden,
            upsampling_ratios=list(self.ratios),
            codebook_size=self.codes,
            num_lstm_layers=self.lstm_layers,
            use_causal_conv=False,
        )
        return EncodecModel(config)


class TokenCodec(nn.Module):
    """Waveform (B, 1, n) <-> codes (B, K, F) int64, F = ceil(n / samples_per_frame)."""

    def __init__(self, model: EncodecModel) -> None:
        super().__init__()
        self.model = model

    @property
    def sample_rate_hz(self) -> int:
        return int(self.model.config.sampling_rate)

    @property
    def samples_per_frame(self) -> int:
        return int(self.model.config.hop_length)

    @property
    def codebooks(self) -> int:
        return len(self.model.quantizer.layers)

    @property
    def codes(self) -> int:
        return int(self.model.config.codebook_size)

    @torch.no_grad()
    def encode(self, waveform: Tensor, codebooks: int | None = None) -> Tensor:
        """(B, 1, n) -> codes (B, K, F), the first `codebooks` of them (all by default)."""
        assert waveform.ndim == 3 and waveform.shape[1] == 1, f"waveform must be (B, 1, n), got {tuple(waveform.shape)}"
        count = self.codebooks if codebooks is None else codebooks
        assert 1 <= count <= self.codebooks, f"codebooks must be 1..{self.codebooks}, got {count}"
        padding = -waveform.shape[-1] % self.samples_per_frame
        residual = self.model.encoder(F.pad(waveform, (0, padding)))  # (B, D, F)
        codes = []
        for layer in self.model.quantizer.layers[:count]:
            codes.append(layer.encode(residual))  # (B, F)
            residual = residual - layer.decode(codes[-1])
        return torch.stack(codes, dim=1)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(B, K, F) int64, K of at most `codebooks` -> waveform (B, 1, F * samples_per_frame) in [-1, 1]."""
        assert codes.ndim == 3 and codes.shape[1] <= self.codebooks, (
            f"codes must be (B, K, F), got {tuple(codes.shape)}"
        )
        embeddings = self.model.quantizer.decode(codes.transpose(0, 1))  # (B, D, F)
        return self.model.decoder(embeddings).clamp(-1.0, 1.0)

    def save(self, folder: Path, exact: bool = False) -> None:
        """Writes config.json and model.safetensors as transformers names them: in eight bits, or exact, as transformers
        itself reads them."""
        config = self.model.config.to_dict() | {"architectures": ["EncodecModel"], "transformers_version": None}
        save_checkpoint(folder, config, self.model.state_dict(), quantise=not exact)

    @classmethod
    def load(cls, folder: Path) -> TokenCodec:
        """Reads what `save` wrote. UserError when a file is missing."""
        config, tensors = load_checkpoint(
            folder, what="The token codec's folder", trained_by="training.audio.train_encodec", quantised=True
        )
        model = EncodecModel(EncodecConfig.from_dict(config))
        model.load_state_dict(tensors)
        return cls(model.eval().requires_grad_(False))


@torch.no_grad()
def init_codebooks(model: EncodecModel, waveform: Tensor, generator: torch.Generator, rounds: int = 8) -> None:
    """Residual k-means: fill one codebook after the other from the encoder's output for (B, 1, n)."""
    residual = model.encoder(waveform).transpose(1, 2).flatten(0, 1)  # (B F, D)
    for layer in model.quantizer.layers:
        book = layer.codebook
        centres = kmeans_centres(residual, book.codebook_size, generator, rounds)
        book.embed.copy_(centres)
        book.embed_avg.copy_(centres)
        book.cluster_size.fill_(1.0)
        residual = residual - centres[nearest_centre(residual, centres)]
