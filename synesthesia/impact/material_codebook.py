"""The material codebook: patches that would sound alike share a code, and no name is needed for that.

A patch becomes a unit vector and is quantised to the nearest of K codes (van den Oord et al. 2017, Neural discrete
representation learning, arXiv:1711.00937; soft at first and harder later, Agustsson et al. 2017, arXiv:1704.00648).
Every code holds the acoustic properties of what it stands for (density, stiffness, hardness, damping, residual noise),
so the codes are the components of a mixture density over properties (Bishop 1994, Mixture density networks). Which
materials lie under a code is counted afterwards: `votes`.
"""

from __future__ import annotations

from dataclasses import fields, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.impact.modal.materials import SCALES, Properties
from synesthesia.impact.modal.things import MATERIALS

QUANTITIES = tuple(field.name for field in fields(Properties))  # P of them, in this order


def numbers_of(properties: Properties) -> Tensor:
    """(B, P): each quantity on the scale on which it blends."""
    columns = []
    for name in QUANTITIES:
        values = getattr(properties, name)
        columns.append(SCALES[name][0](values) if name in SCALES else values)
    return torch.stack(columns, dim=1)


def properties_of(numbers: Tensor) -> Properties:
    """(B, P) -> what `numbers_of` came from."""
    columns = dict(zip(QUANTITIES, numbers.unbind(dim=1), strict=True))
    return Properties(**{name: SCALES[name][1](at) if name in SCALES else at for name, at in columns.items()})


class MaterialCodebook(nn.Module):
    """codes: (K, d); numbers: (K, P) properties of each code, in deviations `spread` (P,) from `middle` (P,); votes:
    (K, M) share of each material among a code's training patches; weight: (K,) share of them that had the code."""

    numbers: Tensor
    middle: Tensor
    spread: Tensor
    votes: Tensor
    weight: Tensor

    def __init__(self, codes: int, dim: int) -> None:
        super().__init__()
        known = numbers_of(Properties.of(list(MATERIALS)))  # (M, P)
        self.codes = nn.Parameter(torch.randn(codes, dim))
        self.log_sharpness = nn.Parameter(torch.tensor(2.3))
        self.register_buffer("numbers", 0.5 * torch.randn(codes, known.shape[1]))
        self.register_buffer("middle", known.mean(dim=0))
        self.register_buffer("spread", known.std(dim=0).clamp(min=1e-3))
        self.register_buffer("votes", torch.full((codes, len(MATERIALS)), 1 / len(MATERIALS)))
        self.register_buffer("weight", torch.full((codes,), 1 / codes))

    def log_shares(self, vectors: Tensor) -> Tensor:
        """(..., d) -> (..., K) logarithms of how far each code is meant; the likeliest is the nearest."""
        near = F.normalize(vectors, dim=-1) @ F.normalize(self.codes, dim=-1).T
        return (self.log_sharpness.exp().clamp(max=40.0) * near).log_softmax(dim=-1)

    def scaled(self, properties: Properties) -> Tensor:
        """(B, P) in deviations."""
        return (numbers_of(properties) - self.middle) / self.spread

    def properties(self, codes: Tensor) -> Properties:
        """(B,) numbers of codes -> what each of them is made of, within what a thing can be: a code that was learnt
        lies near its materials, not on them, and a solid is not a little liquid."""
        near = properties_of((self.numbers * self.spread + self.middle)[codes])
        return replace(
            near,
            poisson=near.poisson.clamp(0.0, 0.49),
            grain=near.grain.clamp(max=1.0),
            crackle=near.crackle.clamp(0.0, 1.0),
            bubbling=(2 * near.bubbling - 0.5).clamp(0.0, 1.0),
        )

    def joint(self, log_shares: Tensor, wanted: Tensor, deviation: float) -> Tensor:
        """(N, K), (N, P) scaled -> (N, K) log of each code's share times the density of the properties under it; their
        logsumexp is the mixture's log density (but for a constant), their softmax which code explains the patch."""
        apart = torch.cdist(wanted, self.numbers).square()
        return log_shares - 0.5 * apart / deviation**2

    def called(self) -> tuple[Tensor, Tensor]:
        """(K,) material that most of a code's patches were of, (K,) their share."""
        purity, name = self.votes.max(dim=1)
        return name, purity
