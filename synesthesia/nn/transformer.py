"""Diffusion-transformer blocks: pre-norm, rotary positions (Su et al. 2021), adaLN-single (Chen et al. 2023, PixArt).

Every block reads the same modulation plus a small table of its own, at a tenth of the cost of separate modulations.
Queries and keys are normalised per head, which keeps bfloat16 training stable.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def rotary_table(positions: Tensor, dim: int, base: float = 2000.0) -> tuple[Tensor, Tensor]:
    """positions: (L,) -> cosines and sines (L, dim / 2). Position 0 is the identity."""
    assert dim % 2 == 0, f"rotary positions need an even head size, got {dim}"
    rate = base ** (-torch.arange(0, dim, 2, dtype=torch.float32, device=positions.device) / dim)
    angle = positions.float()[:, None] * rate
    return angle.cos(), angle.sin()


def apply_rotary(x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """x: (B, heads, L, dim) with each pair of halves rotated by its position."""
    cos, sin = table[0].to(x.dtype), table[1].to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


class TransformerBlock(nn.Module):
    """Self-attention and a two-layer perceptron, both gated and modulated. (B, L, W) -> (B, L, W)."""

    def __init__(self, width: int, heads: int, ratio: int = 4) -> None:
        super().__init__()
        assert width % heads == 0, f"width {width} does not divide into {heads} heads"
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.query_scale = nn.Parameter(
            torch.full((width // heads,), 3.0)
        )  # 3 * 3: logits of -9 to 9 at initialisation
        self.key_scale = nn.Parameter(torch.full((width // heads,), 3.0))
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, ratio * width)
        self.down = nn.Linear(ratio * width, width)
        self.table = nn.Parameter(torch.randn(6, width) * width**-0.5)

    def forward(self, x: Tensor, modulation: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            (modulation + self.table).unsqueeze(2).unbind(1)
        )  # (B, 1, W) each
        width = x.shape[-1]
        h = F.layer_norm(x, (width,)) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, L, W/H) each
        q = apply_rotary(F.normalize(q, dim=-1) * self.query_scale, rotary)
        k = apply_rotary(F.normalize(k, dim=-1) * self.key_scale, rotary)
        # explicit: at these lengths the fused kernel's backward pass is the slowest part of a training step on a CPU
        weight = (q @ k.transpose(2, 3)).softmax(dim=-1).to(v.dtype)  # (B, H, L, L)
        mixed = (weight @ v).transpose(1, 2).flatten(2)  # (B, L, W)
        x = x + gate1 * self.out(mixed)
        h = F.layer_norm(x, (width,)) * (1 + scale2) + shift2
        return x + gate2 * self.down(F.gelu(self.up(h), approximate="tanh"))


def timestep_embedding(t: Tensor, dim: int = 128) -> Tensor:
    """t: (B,) in 0..1 -> (B, dim) sines and cosines of 1 to 1000 turns, geometrically spaced."""
    rate = torch.exp(torch.linspace(0.0, 6.9, dim // 2))
    angle = t.float()[:, None] * rate
    return torch.cat([angle.cos(), angle.sin()], dim=1)
