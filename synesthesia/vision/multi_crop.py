"""Multi-crop features: overlapping square crops at several scales, encoded one by one and interpolated to patches.

In one pass over a whole photograph the receptive field of a deep network is wider than the picture, so the features of
a patch of the cat contain the dog beside it. Crops that are encoded alone don't mix. The crops of each scale cover the
photograph; a patch gets the bilinear mixture of the crops whose centres surround it. That costs a dozen crops instead
of one for every patch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

CROP_SCALES = (1.0, 0.6)  # side of the crops, as a share of the photograph's short side
MAX_STRIDE = 0.7  # largest distance between neighbouring crops, as a share of their side


@dataclass(frozen=True)
class CropGrid:
    """Square crops of one scale over a photograph of width x height (any unit). side: of every crop."""

    side: float
    tops: tuple[float, ...]
    lefts: tuple[float, ...]

    @property
    def boxes(self) -> list[tuple[float, float, float, float]]:
        """(left, top, right, bottom) of every crop, row by row."""
        return [(left, top, left + self.side, top + self.side) for top in self.tops for left in self.lefts]

    def interpolate(self, features: Tensor, rows: int, cols: int, height: float, width: float) -> Tensor:
        """Features of the crops (crops, D), row by row -> bilinear at the patches of a rows x cols grid, (rows, cols,
        D)."""
        assert len(features) == len(self.tops) * len(self.lefts), f"{len(features)} features, {len(self.boxes)} crops"
        down = _linear_weights(torch.tensor(self.tops) + self.side / 2, (torch.arange(rows) + 0.5) * (height / rows))
        along = _linear_weights(torch.tensor(self.lefts) + self.side / 2, (torch.arange(cols) + 0.5) * (width / cols))
        return torch.einsum("rt,cl,tld->rcd", down, along, features.unflatten(0, (len(self.tops), len(self.lefts))))


def crop_grid(width: float, height: float, scale: float) -> CropGrid:
    """The crops of side `scale` x the short side, evenly spaced and reaching every border."""
    side = scale * min(width, height)
    return CropGrid(side, _starts(height, side), _starts(width, side))


def _starts(length: float, side: float) -> tuple[float, ...]:
    gaps = math.ceil(round((length - side) / (MAX_STRIDE * side), 6))
    return tuple(k * (length - side) / gaps for k in range(gaps + 1)) if gaps else (0.0,)


def _linear_weights(centres: Tensor, points: Tensor) -> Tensor:
    """Weights (M, N) of linear interpolation at M points between N rising centres, clamped to the outer centres."""
    if len(centres) == 1:
        return torch.ones(len(points), 1)
    offset = (points.clamp(centres[0], centres[-1]) - centres[0]) / (centres[1] - centres[0])  # in units of the spacing
    return (1 - (offset[:, None] - torch.arange(len(centres))).abs()).clamp(min=0.0)
