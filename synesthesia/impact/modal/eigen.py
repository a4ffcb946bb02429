"""Eigenvalues and eigenvectors of symmetric matrices whose gradient stays finite when eigenvalues meet."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

BROADENING = 1e-5  # of the mean eigenvalue: nearer ones than this count as one


class _SymmetricEigen(torch.autograd.Function):
    """The gradient of torch.linalg.eigh with 1 / d replaced by d / (d^2 + e^2), after Liao, Liu, Wang and Xiang 2019,
    Differentiable programming tensor networks, Phys. Rev. X 9, 031041: a sphere's modes come in groups."""

    @staticmethod
    def forward(ctx: Any, matrices: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(matrices)
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, values_gradient: Tensor, vectors_gradient: Tensor) -> Tensor:
        values, vectors = ctx.saved_tensors
        apart = values[..., None, :] - values[..., :, None]
        near = BROADENING * values.abs().mean(dim=-1)[..., None, None]
        inner = vectors.mT @ vectors_gradient * (apart / (apart**2 + near**2))
        inner = inner + torch.diag_embed(values_gradient)
        gradient = vectors @ inner @ vectors.mT
        return (gradient + gradient.mT) / 2


def symmetric_eigen(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """(B, D, D) symmetric -> (B, D) rising eigenvalues and (B, D, D) eigenvectors in columns."""
    return _SymmetricEigen.apply(matrices)
