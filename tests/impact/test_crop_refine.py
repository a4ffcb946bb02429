"""Refinement with a crop: where the crop lies, and how both predictions are fused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.impact.crop_refine import CROP_SIDE, CROP_WEIGHT, crop_box, log_opinion_pool, refine_with_crop
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.vision.grid import PatchGrid
from tests.impact.tiny import random_grid


@pytest.mark.parametrize(("x", "y"), [(0, 0), (399, 299), (200, 150), (10, 290), (399.9, 0.0)])
def test_the_crop_lies_inside_and_around_the_click(x: float, y: float) -> None:
    left, top, right, bottom = crop_box(400, 300, x, y)
    assert right - left == bottom - top == round(CROP_SIDE * 300)
    assert left >= 0 and top >= 0 and right <= 400 and bottom <= 300
    assert left <= x < right + 1e-9 and top <= y < bottom + 1e-9
    if (x, y) == (200, 150):
        assert (left + right) / 2 == pytest.approx(200, abs=0.5) and (top + bottom) / 2 == pytest.approx(150, abs=0.5)


def test_equal_predictions_stay_and_different_ones_meet_between() -> None:
    one, other = torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([[0.1, 0.2, 0.7]]).log()
    assert torch.allclose(log_opinion_pool(one, one), one, atol=1e-6)
    both = log_opinion_pool(one, other).exp()[0]
    assert float(both.sum()) == pytest.approx(1.0, abs=1e-6)
    assert 0.1 < float(both[2]) < float(both[0]) < 0.7, "the whole photograph weighs more"
    assert float(both[0] / both[2]) == pytest.approx(7 ** (1 - 2 * CROP_WEIGHT), rel=1e-4)


class SameGrid:
    """Encodes every image to the same grid, and records the sizes."""

    def __init__(self, grid: PatchGrid) -> None:
        self.grid, self.sizes = grid, list[tuple[int, int]]()

    def __call__(self, picture: Image.Image) -> PatchGrid:
        self.sizes.append(picture.size)
        return replace(self.grid, width_px=picture.width, height_px=picture.height)


def test_a_click_encodes_a_crop_that_changes_the_object_but_not_where_it_is(predictor: ImpactPredictor) -> None:
    whole, near = random_grid(seed=1), random_grid(seed=2)
    whole = replace(whole, width_px=480, height_px=360)
    encode, posterior = SameGrid(near), predictor.predict(whole)
    found = refine_with_crop(predictor, encode, Image.new("RGB", (480, 360)), whole, posterior, 240.0, 180.0)
    assert encode.sizes == [(162, 162)]
    row, col = whole.cell(240.0, 180.0)
    first, second = posterior.patch(row * whole.cols + col), predictor.predict(near)
    middle = second.patch((near.rows // 2) * near.cols + near.cols // 2)
    assert torch.allclose(found.codes, log_opinion_pool(first.codes, middle.codes))
    assert torch.allclose(found.by_shape[0], log_opinion_pool(first.by_shape[0], middle.by_shape[0]))
    assert torch.equal(found.solid, first.solid) and torch.equal(found.along, first.along)
    assert not torch.allclose(found.codes, first.codes)


def test_a_photograph_too_small_for_a_crop_is_encoded_once(predictor: ImpactPredictor) -> None:
    grid = replace(random_grid(), width_px=80, height_px=60)
    encode, posterior = SameGrid(grid), predictor.predict(grid)
    found = refine_with_crop(predictor, encode, Image.new("RGB", (80, 60)), grid, posterior, 79.0, 59.0)
    assert not encode.sizes and torch.equal(found.codes, posterior.codes[-1:])
    with pytest.raises(UserError):
        refine_with_crop(predictor, encode, Image.new("RGB", (80, 60)), grid, posterior, 80.0, 10.0)
