"""Rectified-flow transformer over mel latents (Liu et al. 2022), conditioned on a query embedding and a descriptor.

Notable: a token is two latent frames (80 ms) of 8 x 16 numbers, so 4 s are 50 tokens and a CPU can afford it. The
network predicts the clean latents instead of the velocity, because clean sounds lie near a low-dimensional manifold
that a narrow network can model, and noise does not (Li and He 2025, "Back to basics"); the loss is still that of the
velocity (x_t = (1 - t) noise + t latents). Classifier-free guidance runs both cases as one batch; a distilled flow
reads the scale as an input instead (Meng et al. 2023, arXiv:2210.03142): one evaluation a step, and few steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.requests import FlowRequest
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint
from synesthesia.nn.transformer import TransformerBlock, rotary_table, timestep_embedding

MAX_GUIDANCE = 10.0  # of a request
MIN_REMAINING_TIME = 0.05  # lower bound of 1 - t in the velocity, as in Li and He 2025


@dataclass(frozen=True)
class Condition:
    """Condition of B sounds. Either part may be masked; both masked is the unconditional case.

    query: (B, Q) unit vectors in the tagger's embedding space; descriptor: (B, D), see `texture_statistics`; masks:
    (B,) bool, True where the part is given.
    """

    query: Tensor
    descriptor: Tensor
    has_query: Tensor
    has_descriptor: Tensor

    @staticmethod
    def of(query: Tensor, descriptor: Tensor | None, descriptor_dim: int) -> Condition:
        """All queries given; descriptors given unless None."""
        count = len(query)
        given = torch.full((count,), descriptor is not None)
        rows = query.new_zeros(count, descriptor_dim) if descriptor is None else descriptor
        return Condition(query, rows, torch.ones(count, dtype=torch.bool), given)

    def unconditional(self) -> Condition:
        """The same batch with both parts masked."""
        absent = torch.zeros_like(self.has_query)
        return Condition(self.query, self.descriptor, absent, absent)

    def select(self, indices: Tensor) -> Condition:
        """The members of the batch at `indices`."""
        return Condition(
            self.query[indices], self.descriptor[indices], self.has_query[indices], self.has_descriptor[indices]
        )

    def concat(self, other: Condition) -> Condition:
        return Condition(
            torch.cat([self.query, other.query]), torch.cat([self.descriptor, other.descriptor]),
            torch.cat([self.has_query, other.has_query]), torch.cat([self.has_descriptor, other.has_descriptor]),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.query)


class ConditionEncoder(nn.Module):
    """Condition -> tokens (B, 1 + descriptor_tokens, width): one for the query, several for the descriptor. Learned
    vectors replace masked parts."""

    mean: Tensor
    std: Tensor

    def __init__(self, query_dim: int, descriptor_dim: int, width: int, descriptor_tokens: int) -> None:
        super().__init__()
        self.query_dim, self.descriptor_dim, self.tokens = query_dim, descriptor_dim, descriptor_tokens
        self.from_query = nn.Linear(query_dim, width)
        self.from_descriptor = nn.Sequential(
            nn.Linear(descriptor_dim, width), nn.GELU(approximate="tanh"), nn.Linear(width, descriptor_tokens * width)
        )
        self.no_query = nn.Parameter(torch.randn(width) * 0.02)
        self.no_descriptor = nn.Parameter(torch.randn(descriptor_tokens, width) * 0.02)
        self.register_buffer("mean", torch.zeros(descriptor_dim))
        self.register_buffer("std", torch.ones(descriptor_dim))

    def forward(self, condition: Condition) -> Tensor:
        count = len(condition)
        assert condition.query.shape == (count, self.query_dim), f"query {tuple(condition.query.shape)}"
        assert condition.descriptor.shape == (count, self.descriptor_dim), f"{tuple(condition.descriptor.shape)}"
        query = self.from_query(condition.query * self.query_dim**0.5)  # unit vectors to unit variance
        query = torch.where(condition.has_query[:, None], query, self.no_query)  # (B, W)
        scaled = ((condition.descriptor - self.mean) / self.std).clamp(-5.0, 5.0)
        rows = self.from_descriptor(scaled).unflatten(1, (self.tokens, -1))  # (B, K, W)
        rows = torch.where(condition.has_descriptor[:, None, None], rows, self.no_descriptor)
        return torch.cat([query[:, None], rows], dim=1)  # (B, 1 + K, W)


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
    distilled: bool = False  # the guidance scale is an input

    @property
    def frame_dim(self) -> int:
        return self.latent_channels * self.latent_bins

    @property
    def token_dim(self) -> int:
        return self.frame_dim * self.frames_per_token


class RectifiedFlow(nn.Module):
    """Noisy tokens (B, N, token_dim), time (B,), Condition of B -> clean tokens of the same shape."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.enter = nn.Linear(config.token_dim, width)
        self.condition = ConditionEncoder(config.query_dim, config.descriptor_dim, width, config.descriptor_tokens)
        self.time = nn.Sequential(nn.Linear(128, width), nn.SiLU(), nn.Linear(width, width))
        if config.distilled:
            self.scale = nn.Linear(128, width)
            nn.init.zeros_(self.scale.weight)
            nn.init.zeros_(self.scale.bias)
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.blocks = nn.ModuleList(TransformerBlock(width, config.heads) for _ in range(config.depth))
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

    def forward(self, noisy: Tensor, t: Tensor, condition: Condition, guidance: Tensor | None = None) -> Tensor:
        """Tokens (B, N, token_dim) at time t (B,), 0 = noise, 1 = sound -> predicted clean tokens, same shape.

        guidance: (B,) scales, of a distilled flow alone.
        """
        config = self.config
        count, length = noisy.shape[0], noisy.shape[1]
        assert noisy.shape == (count, length, config.token_dim), f"tokens {tuple(noisy.shape)}"
        assert t.shape == (count,) and len(condition) == count, f"t {tuple(t.shape)}, {len(condition)} conditions"
        prefix = self.condition(condition)  # (B, P, W)
        positions = torch.cat([torch.zeros(prefix.shape[1]), torch.arange(1, length + 1)])
        rotary = rotary_table(positions.to(noisy.device), config.width // config.heads)
        summary = self.time(timestep_embedding(t)) + prefix.mean(dim=1)  # (B, W)
        assert (guidance is not None) == config.distilled, "a distilled flow reads the guidance scale, no other does"
        if guidance is not None:
            summary = summary + self.scale(timestep_embedding(guidance / MAX_GUIDANCE))
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
        noisy = torch.lerp(noise, clean, t[:, None, None])
        predicted = self(noisy, t, condition).float()
        return ((predicted - clean) / (1 - t[:, None, None]).clamp(min=MIN_REMAINING_TIME)).pow(2).mean()

    def initial_noise(self, frames: int, generators: list[torch.Generator]) -> Tensor:
        """Tokens (B, N, token_dim) at time 0 for `frames` latent frames, one generator a sound."""
        tokens = -(-frames // self.config.frames_per_token)
        return torch.stack([torch.randn(tokens, self.config.token_dim, generator=g) for g in generators])

    @torch.inference_mode()
    def integrate(
        self, x: Tensor, condition: Condition, times: list[float], request: FlowRequest
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Euler steps from times[0] to times[-1]: tokens x (B, N, token_dim) -> (tokens at times[-1], the clean tokens
        that the last step predicted), both as x. A sound may be integrated in several calls, so a schedule of a
        request's settings follows the time, 0 (noise) to 1, not the number of the step."""
        assert len(x) == len(condition), f"{len(x)} sounds for {len(condition)} conditions"
        return self.walk(x, condition, times, torch.full((len(x),), request.guidance))

    def walk(self, x: Tensor, condition: Condition, times: list[float], guidance: Tensor) -> tuple[Tensor, Tensor]:
        """As `integrate`, with a guidance scale for each sound (B,); what it returns may take part in a training."""
        clean = x
        for now, then in pairwise(times):
            clean = self.guided(x, now, condition, guidance)
            x = x + (then - now) / max(1.0 - now, 1e-6) * (clean - x)
        return x, clean

    def guided(self, x: Tensor, now: float, condition: Condition, guidance: Tensor) -> Tensor:
        """Clean tokens as x (B, N, token_dim) that are predicted at time `now` with guidance scales (B,)."""
        if self.config.distilled:
            return self(x, torch.full((len(x),), now), condition, guidance)
        if bool((guidance == 1.0).all()):
            return self(x, torch.full((len(x),), now), condition)
        both = condition.concat(condition.unconditional())
        conditional, unconditional = self(torch.cat([x, x]), torch.full((2 * len(x),), now), both).chunk(2)
        return unconditional + guidance[:, None, None] * (conditional - unconditional)

    def sample(
        self, condition: Condition, frames: int, generators: list[torch.Generator], request: FlowRequest
    ) -> Tensor:
        """Latents (B, 8, frames, 16) for B conditions, one generator each: a sound does not depend on its batch."""
        x, _ = self.integrate(self.initial_noise(frames, generators), condition, uniform_times(request.steps), request)
        return self.to_latents(x)[:, :, :frames]

    def save(self, folder: Path) -> None:
        """Writes flow.json and flow.safetensors (eight bits)."""
        save_checkpoint(folder, self.config, self.state_dict(), config_file="flow.json",
                        weights_file="flow.safetensors", quantise=True)  # fmt: skip

    @staticmethod
    def load(folder: Path) -> RectifiedFlow:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(
            folder, what="The mapper's folder", trained_by="training.image_to_sound.train_flow",
            config_file="flow.json", weights_file="flow.safetensors", quantised=True,
        )  # fmt: skip
        flow = RectifiedFlow(FlowConfig(**fields))
        flow.load_state_dict(tensors)
        return flow.eval()


def uniform_times(steps: int) -> list[float]:
    """steps + 1 times from 0 to 1, evenly spaced."""
    assert 1 <= steps <= 100, f"steps must be 1 to 100, got {steps}"
    return torch.linspace(0.0, 1.0, steps + 1).tolist()
