"""A second, closer look at the place that was clicked: the textures of a window around it, seen alone and larger.

A cell of the whole photograph is a sixteenth of it; what is smaller is read off with what lies beside it. In so narrow
a window late layers mistake what a thing is, so only early ones look. Both looks are opinions of one network about one
place, and are multiplied (a geometric mean, which assumes that they err together; C. Genest and J. V. Zidek 1986,
Combining probability distributions, Statist. Sci. 1, 114-135). Whether there is anything to strike, and where on the
thing, only the first look says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synesthesia.impact.physics_net import PhysicsPosterior

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from synesthesia.impact.predictor import ImpactPredictor
    from synesthesia.vision.grid import PatchGrid

SIDE = 0.45  # of the window, in short sides of the photograph
LEAST_PX = 48  # of a window that is worth a look
SHARE = 0.3  # of the second look


def window(width_px: int, height_px: int, x: float, y: float) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the square around natural pixel (x, y), moved into the photograph."""
    side = round(SIDE * min(width_px, height_px))
    left, top = (round(min(max(at - side / 2, 0), length - side)) for at, length in ((x, width_px), (y, height_px)))
    return left, top, left + side, top + side


@torch.inference_mode()
def refine_with_crop(
    adapter: ImpactPredictor, textures: Callable[[Image], PatchGrid], picture: Image, grid: PatchGrid, read: PhysicsPosterior,
    x: float, y: float,
) -> PhysicsPosterior:  # fmt: skip
    """What both looks say of natural pixel (x, y), (1, .). textures: as `PatchEncoder.textures`; grid, read: of the
    whole picture. UserError outside it."""
    row, col = grid.cell(x, y)
    whole, box = read.patch(row * grid.cols + col), window(picture.width, picture.height, x, y)
    if box[2] - box[0] < LEAST_PX:
        return whole
    seen = textures(picture.crop(box))
    row, col = seen.cell(x - box[0], y - box[1])
    near = adapter.read(seen).patch(row * seen.cols + col)
    return PhysicsPosterior(
        log_opinion_pool(whole.codes, near.codes), whole.solid, log_opinion_pool(whole.shape, near.shape),
        tuple(log_opinion_pool(a, b) for a, b in zip(whole.by_shape, near.by_shape, strict=True)), whole.along, whole.across,
    )  # fmt: skip


def log_opinion_pool(first: Tensor, second: Tensor) -> Tensor:
    """Logarithms of shares (..., K) of two looks."""
    return ((1 - SHARE) * first + SHARE * second).log_softmax(dim=-1)
