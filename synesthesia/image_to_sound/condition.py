"""What a generator of sound is told: a point in the ear's space, and the statistics of a neighbouring sound.

Either part may be missing; a learned vector then stands in for it. Both missing is the unconditional case that
classifier-free guidance needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Condition:
    """query: (B, Q) unit vectors in the ear's space; descriptor: (B, D), see `descriptor.py`; masks: (B,) bool."""

    query: Tensor
    descriptor: Tensor
    has_query: Tensor
    has_descriptor: Tensor

    @staticmethod
    def of(query: Tensor, descriptor: Tensor | None, descriptor_dim: int) -> Condition:
        """All queries present; descriptors present when given."""
        count = len(query)
        given = torch.full((count,), descriptor is not None)
        rows = query.new_zeros(count, descriptor_dim) if descriptor is None else descriptor
        return Condition(query, rows, torch.ones(count, dtype=torch.bool), given)

    def nothing(self) -> Condition:
        """The unconditional twin."""
        absent = torch.zeros_like(self.has_query)
        return Condition(self.query, self.descriptor, absent, absent)

    def rows(self, which: Tensor) -> Condition:
        """Those of the batch at the indices `which`."""
        return Condition(
            self.query[which], self.descriptor[which], self.has_query[which], self.has_descriptor[which]
        )  # fmt: skip

    def joined(self, other: Condition) -> Condition:
        """Both batches one after the other."""
        return Condition(
            torch.cat([self.query, other.query]), torch.cat([self.descriptor, other.descriptor]),
            torch.cat([self.has_query, other.has_query]), torch.cat([self.has_descriptor, other.has_descriptor]),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.query)


class ConditionTokens(nn.Module):
    """Condition -> tokens (B, 1 + descriptor_tokens, width): one for the query, several for the descriptor."""

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
