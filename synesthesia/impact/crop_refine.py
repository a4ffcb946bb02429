"""Re-encode a crop around the click and fuse both predictions by a log-opinion pool (Genest and Zidek 1986).

A cell is a sixteenth of the photograph; smaller objects mix with their surroundings. In so narrow a crop late layers
mistake the object's category, so only early layers are used. Both predictions come from one network about one place
and are combined by a geometric mean, which assumes that they err together (C. Genest and J. V. Zidek 1986, Combining
probability distributions, Statist. Sci. 1, 114-135). Whether there is anything to strike, and the strike point, come
from the whole photograph alone.
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

CROP_SIDE = 0.45  # in short sides of the photograph
MIN_CROP_PX = 48
CROP_WEIGHT = 0.3


def crop_box(width_px: int, height_px: int, x: float, y: float) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the square around natural pixel (x, y), moved into the photograph."""
    side = round(CROP_SIDE * min(width_px, height_px))
    left, top = (round(min(max(at - side / 2, 0), length - side)) for at, length in ((x, width_px), (y, height_px)))
    return left, top, left + side, top + side


@torch.inference_mode()
def refine_with_crop(
    predictor: ImpactPredictor, encode: Callable[[Image], PatchGrid], image: Image, grid: PatchGrid,
    posterior: PhysicsPosterior, x: float, y: float,
) -> PhysicsPosterior:  # fmt: skip
    """The fused posterior (1, .) of natural pixel (x, y). encode: as `PatchEncoder.encode_stage_maps`; grid, posterior:
    of the whole image. UserError outside it."""
    row, col = grid.cell(x, y)
    whole, box = posterior.patch(row * grid.cols + col), crop_box(image.width, image.height, x, y)
    if box[2] - box[0] < MIN_CROP_PX:
        return whole
    crop = encode(image.crop(box))
    row, col = crop.cell(x - box[0], y - box[1])
    near = predictor.predict(crop).patch(row * crop.cols + col)
    return PhysicsPosterior(
        log_opinion_pool(whole.codes, near.codes), whole.solid, log_opinion_pool(whole.shape, near.shape),
        tuple(log_opinion_pool(a, b) for a, b in zip(whole.by_shape, near.by_shape, strict=True)), whole.along,
        whole.across,
    )  # fmt: skip


def log_opinion_pool(whole: Tensor, crop: Tensor) -> Tensor:
    """Log probabilities (..., K) of both -> (..., K)."""
    return ((1 - CROP_WEIGHT) * whole + CROP_WEIGHT * crop).log_softmax(dim=-1)
