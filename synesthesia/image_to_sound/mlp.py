"""`mlp`: the source document's mapper, a perceptron that regresses latents from the condition, frame by frame.

Trained by distance between latents, it can only give the mean of all sounds that fit, which is why it is the baseline:
no noise enters, so different seeds differ by the neighbour they retrieve and a small step aside of the wish.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from synesthesia.core.errors import UserError
from synesthesia.image_to_sound.condition import Condition, ConditionTokens
from synesthesia.nn.quantised import load_quantised, save_quantised
from synesthesia.nn.transformer import timestep_features

LONGEST_S = 10.24
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
    """Condition of B, number of frames -> latents (B, 8, frames, 16); each frame knows the condition and its time."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__()
        self.config = config
        self.condition = ConditionTokens(config.query_dim, config.descriptor_dim, config.width, 1)
        self.time = nn.Linear(128, config.width)
        layers: list[nn.Module] = []
        for _ in range(config.layers):
            layers += [nn.LayerNorm(config.width), nn.Linear(config.width, config.width), nn.GELU(approximate="tanh")]
        self.body = nn.Sequential(*layers, nn.Linear(config.width, config.latent_channels * config.latent_bins))

    def forward(self, condition: Condition, frames: int) -> Tensor:
        assert frames > 0, f"frames must be positive, got {frames}"
        told = self.condition(condition).sum(dim=1)[:, None]  # (B, 1, W)
        when = timestep_features(torch.arange(frames) / (LONGEST_S * FRAMES_PER_SECOND))  # (L, 128)
        out: Tensor = self.body(told + self.time(when))  # (B, L, 128)
        return out.unflatten(2, (self.config.latent_channels, self.config.latent_bins)).transpose(1, 2)

    def save(self, folder: Path, name: str = "mlp") -> None:
        """Writes <name>.json and <name>.safetensors (eight bits)."""
        folder.mkdir(parents=True, exist_ok=True)
        save_quantised(self.state_dict(), folder / f"{name}.safetensors")
        (folder / f"{name}.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path, name: str = "mlp") -> Mlp:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            config = MlpConfig(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
            tensors = load_quantised(folder / f"{name}.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The mapper's folder {folder} is incomplete; train it with training.image_to_sound.train."
            ) from error
        mlp = Mlp(config)
        mlp.load_state_dict(tensors)
        return mlp.eval()
