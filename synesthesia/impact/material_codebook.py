"""Vector-quantised material codebook: patches that would sound alike share a code, without material names.

A patch becomes a unit vector and is quantised to the nearest of K codes (van den Oord et al. 2017, Neural discrete
representation learning, arXiv:1711.00937; from soft to hard during training, Agustsson et al. 2017, arXiv:1704.00648).
Every code holds acoustic properties (density, stiffness, hardness, damping, residual noise), so the codes are the
components of a mixture density over properties (Bishop 1994, Mixture density networks). The materials under each code
are counted after training: `material_shares`.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.materials import Properties


class MaterialCodebook(nn.Module):
    """codes: (K, d); code_properties: (K, P) of each code, standardised by mean (P,) and std (P,); material_shares:
    (K, M) of each material among a code's training patches; usage: (K,) share of the training patches by code."""

    code_properties: Tensor
    mean: Tensor
    std: Tensor
    material_shares: Tensor
    usage: Tensor

    def __init__(self, codes: int, dim: int) -> None:
        super().__init__()
        known = Properties.of(list(MATERIALS)).to_vector()  # (M, P)
        self.codes = nn.Parameter(torch.randn(codes, dim))
        self.log_sharpness = nn.Parameter(torch.tensor(2.3))
        self.register_buffer("code_properties", 0.5 * torch.randn(codes, known.shape[1]))
        self.register_buffer("mean", known.mean(dim=0))
        self.register_buffer("std", known.std(dim=0).clamp(min=1e-3))
        self.register_buffer("material_shares", torch.full((codes, len(MATERIALS)), 1 / len(MATERIALS)))
        self.register_buffer("usage", torch.full((codes,), 1 / codes))

    def log_probabilities(self, vectors: Tensor) -> Tensor:
        """(..., d) -> (..., K) of the codes, from cosine similarity."""
        near = F.normalize(vectors, dim=-1) @ F.normalize(self.codes, dim=-1).T
        return (self.log_sharpness.exp().clamp(max=40.0) * near).log_softmax(dim=-1)

    def standardised(self, properties: Properties) -> Tensor:
        """(B, P)."""
        return (properties.to_vector() - self.mean) / self.std

    def properties(self, codes: Tensor) -> Properties:
        """(B,) numbers of codes -> their properties, clamped to what is physical: a learnt code lies close to its
        materials, not on them, and a solid has no small share of liquid."""
        near = Properties.from_vector((self.code_properties * self.std + self.mean)[codes])
        return replace(
            near,
            poisson=near.poisson.clamp(0.0, 0.49),
            grain=near.grain.clamp(max=1.0),
            crackle=near.crackle.clamp(0.0, 1.0),
            bubbling=(2 * near.bubbling - 0.5).clamp(0.0, 1.0),
        )

    def joint(self, log_probabilities: Tensor, target: Tensor, deviation: float) -> Tensor:
        """(N, K), (N, P) standardised -> (N, K) log of each code's probability times the density of the target under
        it. The logsumexp is the mixture's log density (up to a constant), the softmax the codes' responsibilities."""
        apart = torch.cdist(target, self.code_properties).square()
        return log_probabilities - 0.5 * apart / deviation**2

    def majority_material(self) -> tuple[Tensor, Tensor]:
        """(K,) index of the most frequent material of each code, (K,) its share (the code's purity)."""
        purity, name = self.material_shares.max(dim=1)
        return name, purity
