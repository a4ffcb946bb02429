"""What the prior looks at for a click: the patch, its neighbourhood, the thing it belongs to, the picture, windows
around the click looked at alone, the place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.vision.grid import PatchGrid

VIEWS = 6  # patch, 3 x 3 neighbourhood, thing, whole picture, wide window, close window
PLACE = 4


@dataclass(frozen=True)
class PatchContext:
    """views: (N, 6, dim) features; place: (N, 4): row and column in -1..1 and their squares. N patches."""

    views: Tensor
    place: Tensor

    def __len__(self) -> int:
        return len(self.views)


def region_features(grid: PatchGrid, spread: float = 0.14, sharpness: float = 14.0) -> PatchContext:
    """All R * C patches of a grid, row by row.

    The thing: patches near the click and like it, weighted by exp(-distance^2 / 2 spread^2) exp(sharpness (cosine -
    1)), distances in units of the longer side. It follows an outline where a square window would mix in the background.
    """
    rows, cols = grid.rows, grid.cols
    flat = grid.features.reshape(rows * cols, -1).float()  # (N, D)
    image = grid.features.float().permute(2, 0, 1)[None]  # (1, D, R, C)
    around = (
        F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)[0].permute(1, 2, 0).reshape(rows * cols, -1)
    )
    unit = F.normalize(around, dim=1)
    alike = unit @ unit.T  # (N, N)
    row, col = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    at = torch.stack([row.flatten(), col.flatten()], dim=1).float() / max(rows, cols)
    apart = torch.cdist(at, at)
    weight = torch.exp(-(apart**2) / (2 * spread**2) + sharpness * (alike - 1.0))
    thing = (weight / weight.sum(dim=1, keepdim=True)) @ flat  # (N, D)
    whole = grid.picture.float().expand_as(flat)
    windows = grid.closer.flatten(0, 1).float()  # (N, 2, D)
    views = torch.cat([torch.stack([flat, around, thing, whole], dim=1), windows], dim=1)
    y = row.flatten().float() / max(rows - 1, 1) * 2 - 1
    x = col.flatten().float() / max(cols - 1, 1) * 2 - 1
    return PatchContext(views, torch.stack([y, x, y * y, x * x], dim=1))
