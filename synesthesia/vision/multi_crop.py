"""Looking closer: which square windows of a photograph a network sees one by one, and how they answer for a patch.

One pass over a whole photograph mixes neighbours: the field of view of a deep network is wider than the picture, so a
patch of the cat has seen the dog beside it. Windows looked at alone can't. Every level covers the photograph with
overlapping squares; a patch takes the linear mixture of the windows whose centres surround it, as an eye that turned
to it would see, at the price of a dozen small pictures instead of one for every patch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LEVELS = (1.0, 0.6)  # side of the windows, as a share of the photograph's short side
STEP = 0.7  # neighbouring windows lie at most this share of their side apart


@dataclass(frozen=True)
class CropGrid:
    """Windows of one level over a photograph of width x height (any unit): tops and lefts of squares of one side."""

    side: float
    tops: tuple[float, ...]
    lefts: tuple[float, ...]

    @property
    def boxes(self) -> list[tuple[float, float, float, float]]:
        """(left, top, right, bottom) of every window, row by row."""
        return [(left, top, left + self.side, top + self.side) for top in self.tops for left in self.lefts]

    def spread(self, seen: Tensor, rows: int, cols: int, height: float, width: float) -> Tensor:
        """What the windows saw (windows, D), row by row -> what each patch of a rows x cols grid takes, (rows, cols,
        D)."""
        assert len(seen) == len(self.tops) * len(self.lefts), f"{len(seen)} answers for {len(self.boxes)} windows"
        down = _hats(torch.tensor(self.tops) + self.side / 2, (torch.arange(rows) + 0.5) * (height / rows))
        along = _hats(torch.tensor(self.lefts) + self.side / 2, (torch.arange(cols) + 0.5) * (width / cols))
        return torch.einsum("rt,cl,tld->rcd", down, along, seen.unflatten(0, (len(self.tops), len(self.lefts))))


def crop_grid(width: float, height: float, share: float) -> CropGrid:
    """The windows of side `share` x the short side, evenly spaced and reaching every border."""
    side = share * min(width, height)
    return CropGrid(side, _starts(height, side), _starts(width, side))


def _starts(length: float, side: float) -> tuple[float, ...]:
    gaps = math.ceil(round((length - side) / (STEP * side), 6))
    return tuple(k * (length - side) / gaps for k in range(gaps + 1)) if gaps else (0.0,)


def _hats(centres: Tensor, at: Tensor) -> Tensor:
    """Weights (M, N) of linear interpolation between N rising centres at M places; outside, the nearest centre's."""
    if len(centres) == 1:
        return torch.ones(len(at), 1)
    place = (at.clamp(centres[0], centres[-1]) - centres[0]) / (centres[1] - centres[0])  # in units of the even gap
    return (1 - (place[:, None] - torch.arange(len(centres))).abs()).clamp(min=0.0)
