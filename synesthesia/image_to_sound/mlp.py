"""Latent regression by a multilayer perceptron (path "mlp"): condition and time of a frame -> its latents.

Trained with a distance between latents, it can only predict the mean of all sounds that fit, so it serves as the
baseline. It has no noise input: seeds differ by the neighbour that is retrieved and by a small offset of the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from synesthesia.image_to_sound.flow import Condition, ConditionEncoder
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.transformer import timestep_embedding

MAX_SECONDS = 10.24
FRAMES_PER_SECOND = 25.0


@dataclass(frozen=True)
class MlpConfig:
    latent_channels: int = 8
    latent_bins: int = 16
    width: int = 512
    layers: int = 3
    query_dim: int = 128
    descriptor_dim: int = 456


class Mlp(nn.Module):
    """Condition of B, number of frames -> latents (B, 8, frames, 16)."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__()
        self.config = config
        self.condition = ConditionEncoder(config.query_dim, config.descriptor_dim, config.width, 1)
        self.time = nn.Linear(128, config.width)
        layers: list[nn.Module] = []
        for _ in range(config.layers):
            layers += [nn.LayerNorm(config.width), nn.Linear(config.width, config.width), nn.GELU(approximate="tanh")]
        self.body = nn.Sequential(*layers, nn.Linear(config.width, config.latent_channels * config.latent_bins))

    def forward(self, condition: Condition, frames: int) -> Tensor:
        assert frames > 0, f"frames must be positive, got {frames}"
        context = self.condition(condition).sum(dim=1)[:, None]  # (B, 1, W)
        times = timestep_embedding(torch.arange(frames) / (MAX_SECONDS * FRAMES_PER_SECOND))  # (L, 128)
        out: Tensor = self.body(context + self.time(times))  # (B, L, 128)
        return out.unflatten(2, (self.config.latent_channels, self.config.latent_bins)).transpose(1, 2)

    def save(self, folder: Path) -> None:
        """Writes mlp.json and mlp.safetensors (eight bits)."""
        save_checkpoint(folder, self.config, self.state_dict(), config_file="mlp.json",
                        weights_file="mlp.safetensors", quantise=True)  # fmt: skip

    @staticmethod
    def load(folder: Path) -> Mlp:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(
            folder, what="The mapper's folder", trained_by="training.image_to_sound.train",
            config_file="mlp.json", weights_file="mlp.safetensors", quantised=True,
        )  # fmt: skip
        mlp = Mlp(MlpConfig(**fields))
        mlp.load_state_dict(tensors)
        return mlp.eval()
