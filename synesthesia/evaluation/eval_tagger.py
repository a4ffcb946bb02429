"""Evaluation classifier: residual CNN over band spectrograms, independent of the product's `AudioTagger`.

It differs from `AudioTagger` on purpose (front end, architecture, seed, training mixture), so that a generator selected
by the tagger can't satisfy this classifier by a shared mistake. It reads waveforms, not log-mels, and was never trained
on a generated sound. Its input are two versions of one band spectrogram, of the clip at unit level: root-compressed,
which ignores faint cells, and logarithmic, which doesn't.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio.tagger import PooledResidualBlock
from synesthesia.nn.checkpoint_file import half_precision, load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class EvalTaggerConfig:
    labels: tuple[str, ...]
    sample_rate_hz: int = 16_000
    fft_samples: int = 512
    hop_samples: int = 256
    bands: int = 64
    low_hz: float = 40.0
    widths: tuple[int, ...] = (24, 40, 80, 144)
    embedding: int = 144


def band_filters(config: EvalTaggerConfig) -> Tensor:
    """(fft/2 + 1, bands) triangles on O'Shaughnessy's mel scale (2595 log10(1 + f/700)), each with a peak of 1."""
    top = config.sample_rate_hz / 2
    ends = 2595.0 * torch.log10(1.0 + torch.tensor([config.low_hz, top], dtype=torch.float64) / 700.0)
    mels = torch.linspace(float(ends[0]), float(ends[1]), config.bands + 2, dtype=torch.float64)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)  # (bands + 2,) Hz
    bins = torch.linspace(0.0, top, config.fft_samples // 2 + 1, dtype=torch.float64)[:, None]  # (F, 1)
    step = top / (config.fft_samples // 2)
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2]).clamp(min=step)
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1]).clamp(min=step)
    return torch.minimum(rise, fall).clamp(min=0.0).float()


class EvalTagger(nn.Module):
    """Waveform (B, n) at 16 kHz -> (logits (B, labels), embedding (B, embedding)). n >= one FFT window."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: EvalTaggerConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.fft_samples), persistent=False)
        self.register_buffer("filters", band_filters(config), persistent=False)
        widths = config.widths
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 5, 2, 2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )  # two compressions and the band's own position
        self.body = nn.Sequential(
            *(PooledResidualBlock(a, b, 2, F.relu) for a, b in pairwise(widths)),
            PooledResidualBlock(widths[-1], widths[-1], 1, F.relu),
        )
        self.attend = nn.Linear(widths[-1], 1)
        self.embed = nn.Sequential(
            nn.Linear(2 * widths[-1], config.embedding), nn.LayerNorm(config.embedding), nn.GELU()
        )
        self.drop = nn.Dropout(0.2)
        self.classify = nn.Linear(config.embedding, len(config.labels))

    def band_power(self, waveform: Tensor) -> Tensor:
        """(B, n) -> (B, T, bands) power in bands of the clip scaled to a root mean square of 1."""
        assert waveform.ndim == 2, f"waveform must be (B, n), got {tuple(waveform.shape)}"
        level = waveform.pow(2).mean(dim=1, keepdim=True).sqrt().clamp(min=1e-5)
        spectrum = torch.stft(
            waveform / level, self.config.fft_samples, self.config.hop_samples, window=self.window,
            center=True, pad_mode="constant", return_complex=True,
        )  # (B, F, T)  # fmt: skip
        return spectrum.abs().pow(2).transpose(1, 2) @ self.filters

    def classify_bands(self, power: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, bands) -> logits and embedding; split from `forward` so that training may mask bands and frames."""
        root = power.clamp(min=1e-8).pow(0.2) / 2.0 - 1.0
        peak = power.amax(dim=(1, 2), keepdim=True).clamp(min=1e-8)
        decibels = (power / peak).clamp(min=1e-8).log10() / 3.0 + 1.0  # 0 dB -> 1, -80 dB -> -1.7
        position = torch.linspace(-1, 1, power.shape[2], device=power.device).expand_as(power)
        x = self.body(self.stem(torch.stack([root, decibels, position], dim=1)))  # (B, C, T', K')
        frames = x.mean(dim=3).transpose(1, 2)  # (B, T', C)
        weight = self.attend(frames).softmax(dim=1)  # (B, T', 1)
        pooled = torch.cat([(weight * frames).sum(dim=1), x.amax(dim=3).mean(dim=2)], dim=1)  # (B, 2C)
        embedding = self.embed(pooled)
        return self.classify(self.drop(embedding)), embedding

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        return self.classify_bands(self.band_power(waveform))

    @torch.inference_mode()
    def predict(self, waveforms: Tensor, batch: int = 16) -> tuple[Tensor, Tensor]:
        """(N, n) -> (probabilities (N, labels), embeddings (N, embedding)), in small batches, without gradients."""
        assert not self.training, "the classifier must be in evaluation mode"
        outputs = [self(part) for part in waveforms.split(batch)]
        return torch.cat([o[0] for o in outputs]).softmax(dim=1), torch.cat([o[1] for o in outputs])

    def save(self, folder: Path, training: Mapping[str, float | int | str] | None = None) -> None:
        """Writes config.json and model.safetensors (float16; batch statistics stay float32). training: facts about the
        run, kept in config.json."""
        config = {"model": asdict(self.config), "training": dict(training or {})}
        save_checkpoint(folder, config, half_precision(self.state_dict()))

    @staticmethod
    def load(folder: Path) -> EvalTagger:
        """Reads what `save` wrote. UserError when a file is missing."""
        config, tensors = load_checkpoint(
            folder, what="The evaluation tagger's folder", trained_by="training.evaluation.train_eval_tagger"
        )
        fields = config["model"] | {name: tuple(config["model"][name]) for name in ("labels", "widths")}
        tagger = EvalTagger(EvalTaggerConfig(**fields))
        tagger.load_state_dict(tensors)
        return tagger.eval()
