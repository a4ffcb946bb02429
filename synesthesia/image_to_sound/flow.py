"""`flow`: a rectified-flow transformer that draws mel latents from noise, told what to sound like by a `Condition`.

Notable: a token is two latent frames (80 ms) of 8 x 16 numbers, so 4 s are 50 tokens and a CPU can afford it; the
network predicts the clean latents and not the velocity, because clean sounds lie near a low-dimensional surface that a
narrow network can reach while noise does not (Li and He 2025, "Back to basics"); the loss is still that of the velocity
(Liu et al. 2022, rectified flow: x_t = (1 - t) noise + t latents). Guidance runs both cases as one batch.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.errors import UserError
from synesthesia.image_to_sound.condition import Condition, ConditionTokens
from synesthesia.nn.quantised import load_quantised, save_quantised
from synesthesia.nn.transformer import Block, rotary_table, timestep_features

NEAREST_TO_END = 0.05  # 1 - t is not taken smaller than this in the velocity, as in the cited work


@dataclass(frozen=True)
class FlowConfig:
    latent_channels: int = 8
    latent_bins: int = 16
    frames_per_token: int = 2
    width: int = 288
    depth: int = 6
    heads: int = 6
    query_dim: int = 128
    descriptor_dim: int = 456
    descriptor_tokens: int = 4

    @property
    def frame_dim(self) -> int:
        return self.latent_channels * self.latent_bins

    @property
    def token_dim(self) -> int:
        return self.frame_dim * self.frames_per_token


class Flow(nn.Module):
    """Noisy latents (B, 8, L, 16), time (B,), Condition of B -> clean latents of the same shape. L divides into
    tokens."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Linear(config.token_dim, width)
        self.condition = ConditionTokens(config.query_dim, config.descriptor_dim, width, config.descriptor_tokens)
        self.time = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.blocks = nn.ModuleList(Block(width, config.heads) for _ in range(config.depth))
        self.last_table = nn.Parameter(torch.zeros(2, width))
        self.leave = nn.Linear(width, config.token_dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)
        # per channel and bin: the flow works on latents of zero mean and unit deviation
        self.register_buffer("mean", torch.zeros(config.frame_dim))
        self.register_buffer("std", torch.ones(config.frame_dim))

    def to_tokens(self, latents: Tensor) -> Tensor:
        """(B, 8, L, 16) -> normalised tokens (B, L / frames_per_token, token_dim)."""
        config = self.config
        assert latents.ndim == 4 and latents.shape[1] == config.latent_channels, f"latents {tuple(latents.shape)}"
        frames = latents.transpose(1, 2).flatten(2)  # (B, L, 128)
        assert frames.shape[1] % config.frames_per_token == 0, f"{frames.shape[1]} frames do not fill tokens"
        return ((frames - self.mean) / self.std).unflatten(1, (-1, config.frames_per_token)).flatten(2)

    def to_latents(self, tokens: Tensor) -> Tensor:
        """Inverse of `to_tokens`."""
        config = self.config
        frames = tokens.unflatten(2, (config.frames_per_token, config.frame_dim)).flatten(1, 2)  # (B, L, 128)
        frames = frames * self.std + self.mean
        return frames.unflatten(2, (config.latent_channels, config.latent_bins)).transpose(1, 2)

    def forward(self, noisy: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Tokens (B, N, token_dim) at time t (B,), 0 = noise, 1 = sound -> predicted clean tokens, same shape."""
        config = self.config
        count, length = noisy.shape[0], noisy.shape[1]
        assert noisy.shape == (count, length, config.token_dim), f"tokens {tuple(noisy.shape)}"
        assert t.shape == (count,) and len(condition) == count, f"t {tuple(t.shape)}, {len(condition)} conditions"
        prefix = self.condition(condition)  # (B, P, W)
        place = torch.cat([torch.zeros(prefix.shape[1]), torch.arange(1, length + 1)])
        rotary = rotary_table(place.to(noisy.device), config.width // config.heads)
        summary = self.time(timestep_features(t)) + prefix.mean(dim=1)  # (B, W)
        modulation = self.modulate(summary).unflatten(1, (6, -1))  # (B, 6, W)
        x = torch.cat([prefix, self.enter(noisy)], dim=1)  # (B, P + N, W)
        for block in self.blocks:
            x = block(x, modulation, rotary)
        shift, scale = (summary[:, None] + self.last_table).unsqueeze(2).unbind(1)
        x = F.layer_norm(x[:, prefix.shape[1] :], (config.width,)) * (1 + scale) + shift
        return self.leave(x)  # (B, N, token_dim)

    def loss(self, latents: Tensor, condition: Condition, generator: torch.Generator) -> Tensor:
        """Mean squared velocity error at logit-normal times, a scalar. latents: (B, 8, L, 16)."""
        clean = self.to_tokens(latents)
        noise = torch.randn(clean.shape, generator=generator)
        t = torch.sigmoid(torch.randn(len(clean), generator=generator) * 0.9 - 0.4)
        mixed = torch.lerp(noise, clean, t[:, None, None])
        guess = self(mixed, t, condition).float()
        return ((guess - clean) / (1 - t[:, None, None]).clamp(min=NEAREST_TO_END)).pow(2).mean()

    def begin(self, frames: int, generators: list[torch.Generator]) -> Tensor:
        """Noise for `frames` latent frames, one generator a take: (B, N, token_dim) tokens at time 0."""
        tokens = -(-frames // self.config.frames_per_token)
        return torch.stack([torch.randn(tokens, self.config.token_dim, generator=g) for g in generators])

    @torch.inference_mode()
    def advance(
        self, x: Tensor, condition: Condition, times: list[float], guidance: float
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Euler steps from times[0] to times[-1]: tokens x (B, N, token_dim) -> (tokens then, the clean tokens that
        the last step expected), both as x. guidance 1 is the plain conditional model; above it, classifier-free
        guidance."""
        assert len(x) == len(condition), f"{len(x)} takes for {len(condition)} conditions"
        both = condition.joined(condition.nothing()) if guidance != 1.0 else condition
        clean = x
        for now, then in pairwise(times):
            t = torch.full((len(both),), now)
            if guidance != 1.0:
                told, free = self(torch.cat([x, x]), t, both).chunk(2)
                clean = free + guidance * (told - free)
            else:
                clean = self(x, t, both)
            x = x + (then - now) / max(1.0 - now, 1e-6) * (clean - x)
        return x, clean

    def sample(
        self, condition: Condition, frames: int, generators: list[torch.Generator], *, steps: int, guidance: float
    ) -> Tensor:
        """Latents (B, 8, frames, 16) for B conditions, one generator each: a take does not depend on its batch."""
        x, _ = self.advance(self.begin(frames, generators), condition, even_times(steps), guidance)
        return self.to_latents(x)[:, :, :frames]

    def save(self, folder: Path, name: str = "flow") -> None:
        """Writes <name>.json and <name>.safetensors (eight bits)."""
        folder.mkdir(parents=True, exist_ok=True)
        save_quantised(self.state_dict(), folder / f"{name}.safetensors")
        (folder / f"{name}.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path, name: str = "flow") -> Flow:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            config = FlowConfig(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
            tensors = load_quantised(folder / f"{name}.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The mapper's folder {folder} is incomplete; train it with training.image_to_sound.train_flow."
            ) from error
        flow = Flow(config)
        flow.load_state_dict(tensors)
        return flow.eval()


def even_times(steps: int) -> list[float]:
    """steps + 1 times from 0 to 1, evenly spaced."""
    assert 1 <= steps <= 100, f"steps must be 1 to 100, got {steps}"
    return torch.linspace(0.0, 1.0, steps + 1).tolist()
