"""Audio tagger: residual CNN over level-normalised log-mels -> label logits and a unit-length embedding.

It serves evidence (labels detected in a sound), retrieval (training sounds near an embedding) and the choice among
candidates. Figures are never measured with it: `evaluation.eval_tagger` is independent on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.nn.checkpoint_file import half_precision, load_checkpoint, save_checkpoint

MIN_FRAMES = 96  # shorter log-mels are padded with silence up to this


@dataclass(frozen=True)
class AudioTaggerConfig:
    labels: tuple[str, ...]
    widths: tuple[int, ...] = (24, 48, 96, 192)
    depths: tuple[int, ...] = (1, 1, 2, 2)
    bands: int = 64
    embedding: int = 128
    range_nepers: float = 9.0  # cells further below the loudest count as silence (78 dB)
    sharpness: float = 16.0  # logits = sharpness x cosine(embedding, label's direction)
    temperature: float = 1.0  # divides the logits; fitted on held-out clips


class PooledResidualBlock(nn.Module):
    """ResNet-D block: two 3x3 convolutions and an average-pooled shortcut; stride 2 halves both axes.

    (B, C, T, K) -> (B, D, T', K').
    """

    def __init__(
        self, inputs: int, outputs: int, stride: int, activation: Callable[[Tensor], Tensor] = F.silu
    ) -> None:  # fmt: skip
        super().__init__()
        self.activation = activation
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()
        self.pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.second_norm(self.second(self.activation(self.first_norm(self.first(x)))))
        return self.activation(y + self.shortcut(self.pool(x)))


class AudioTagger(nn.Module):
    """Log-mel (B, T, 64), any T -> (logits (B, labels), embedding (B, 128) of unit length)."""

    def __init__(self, config: AudioTaggerConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = nn.Conv2d(3, widths[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(widths[0])
        stages: list[nn.Module] = []
        for index, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            stages += [
                PooledResidualBlock(widths[max(0, index - (block == 0))], width, 2 if index and block == 0 else 1)
                for block in range(depth)
            ]
        self.body = nn.Sequential(*stages)
        self.drop = nn.Dropout(0.1)
        self.project = nn.Linear(4 * widths[-1], config.embedding)
        self.directions = nn.Parameter(torch.randn(len(config.labels), config.embedding) * 0.1)
        self.bias = nn.Parameter(torch.zeros(len(config.labels)))

    @property
    def labels(self) -> tuple[str, ...]:
        return self.config.labels

    def input_channels(self, mel: Tensor) -> Tensor:
        """(B, T, 64) -> (B, 3, T', 64): log-mel relative to its loudest cell, within -2..2; its slope over 20 ms; the
        band's position."""
        padding = MIN_FRAMES - mel.shape[1]
        if padding > 0:
            mel = F.pad(mel, (0, 0, 0, padding), value=-11.5129)
        loudest = mel.amax(dim=(1, 2), keepdim=True)
        span = self.config.range_nepers
        level = ((mel - loudest).clamp(min=-span) + span) * (4.0 / span) - 2.0
        level = torch.where(loudest < -11.4, torch.full_like(level, -2.0), level)  # silence has no loudest cell
        slope = F.pad(level[:, 2:] - level[:, :-2], (0, 0, 1, 1))
        bands = torch.linspace(-1.0, 1.0, mel.shape[2], dtype=mel.dtype, device=mel.device).expand_as(mel)
        return torch.stack([level, slope, bands], dim=1)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        assert mel.ndim == 3 and mel.shape[2] == self.config.bands, f"mel must be (B, T, 64), got {tuple(mel.shape)}"
        x = self.input_channels(mel).contiguous(memory_format=torch.channels_last)
        x = self.body(F.silu(self.stem_norm(self.stem(x))))  # (B, D, T', K')
        bands = torch.cat([x.mean(dim=3), x.amax(dim=3)], dim=1)  # (B, 2 D, T')
        pooled = torch.cat([bands.mean(dim=2), bands.amax(dim=2)], dim=1)  # (B, 4 D): mean and maximum over time
        embedding = F.normalize(self.project(self.drop(pooled)).float(), dim=1)  # (B, 128)
        logits = self.config.sharpness * embedding @ F.normalize(self.directions.float(), dim=1).T + self.bias
        return logits / self.config.temperature, embedding

    @torch.no_grad()
    def top_labels(self, mel: Tensor, count: int = 5) -> list[tuple[str, float]]:
        """The `count` most probable labels of one log-mel (1, T, 64) with their probabilities, highest first."""
        assert mel.shape[0] == 1, f"one sound at a time, got {mel.shape[0]}"
        scores = self(mel)[0][0].softmax(dim=0)
        values, indices = scores.topk(min(count, len(self.labels)))
        return [(self.labels[int(i)], float(v)) for i, v in zip(indices, values, strict=True)]

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors (matrices in fp16)."""
        save_checkpoint(folder, self.config, half_precision(self.state_dict()))

    @classmethod
    def load(cls, folder: Path) -> AudioTagger:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(folder, what="The tagger's folder", trained_by="training.audio.train_tagger")
        fields |= {name: tuple(fields[name]) for name in ("labels", "widths", "depths")}
        tagger = cls(AudioTaggerConfig(**fields))
        tagger.load_state_dict(tensors)
        return tagger.eval().requires_grad_(False)
