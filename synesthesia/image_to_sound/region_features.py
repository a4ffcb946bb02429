"""Region features: four views of each patch (its object, the whole image, a wide and a close crop)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.vision.grid import PatchGrid

VIEWS = 4  # object, whole image, wide crop, close crop


@dataclass(frozen=True)
class RegionFeatures:
    """views: (N, 4, dim) features of N patches."""

    views: Tensor

    def __len__(self) -> int:
        return len(self.views)


def region_features(grid: PatchGrid, spread: float = 0.14, sharpness: float = 14.0) -> RegionFeatures:
    """All R * C patches of a grid, row by row.

    The object view is a bilateral average: patches near this one and similar to it, weighted by exp(-distance^2 / 2
    spread^2) exp(sharpness (cosine - 1)), distances in units of the longer side. It follows an outline where a square
    window would mix in the background.
    """
    rows, cols = grid.rows, grid.cols
    patch = grid.features.reshape(rows * cols, -1).float()  # (N, D)
    image = grid.features.float().permute(2, 0, 1)[None]  # (1, D, R, C)
    neighbourhood = (
        F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)[0].permute(1, 2, 0).reshape(rows * cols, -1)
    )
    unit = F.normalize(neighbourhood, dim=1)
    cosine = unit @ unit.T  # (N, N)
    row, col = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    at = torch.stack([row.flatten(), col.flatten()], dim=1).float() / max(rows, cols)
    distance = torch.cdist(at, at)
    weight = torch.exp(-(distance**2) / (2 * spread**2) + sharpness * (cosine - 1.0))
    segment = (weight / weight.sum(dim=1, keepdim=True)) @ patch  # (N, D)
    whole = grid.global_feature.float().expand_as(patch)
    crops = grid.crop_features.flatten(0, 1).float()  # (N, 2, D)
    return RegionFeatures(torch.cat([torch.stack([segment, whole], dim=1), crops], dim=1))
