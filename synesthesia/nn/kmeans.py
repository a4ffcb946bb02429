"""k-means (Lloyd): nearest centres, and centres of a set of points, for vector quantisation."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_centre(points: Tensor, centres: Tensor) -> Tensor:
    """(N,) index of the nearest centre for points (N, D) and centres (K, D)."""
    return (points @ centres.T - 0.5 * centres.square().sum(dim=1)).argmax(dim=1)


def kmeans_centres(points: Tensor, count: int, generator: torch.Generator, rounds: int) -> Tensor:
    """(count, D) k-means centres of points (N, D); with fewer points than centres some points are used twice."""
    if len(points) >= count:
        initial = torch.randperm(len(points), generator=generator)[:count]
    else:
        initial = torch.randint(len(points), (count,), generator=generator)
    centres = points[initial].clone()
    jitter = points.std(dim=0, correction=0).mean() * 1e-3
    centres += jitter * torch.randn(centres.shape, generator=generator)
    for _ in range(rounds):
        owner = nearest_centre(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, owner, points)
        members = torch.bincount(owner, minlength=count)[:, None]
        centres = torch.where(members > 0, sums / members.clamp(min=1), centres)
    return centres
