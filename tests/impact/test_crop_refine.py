"""The second look at a clicked place: where it falls, and how both looks are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.impact.crop_refine import SHARE, SIDE, log_opinion_pool, refine_with_crop, window
from synesthesia.vision.grid import PatchGrid
from tests.impact.tiny import a_grid, an_adapter


@pytest.mark.parametrize(("x", "y"), [(0, 0), (399, 299), (200, 150), (10, 290), (399.9, 0.0)])
def test_the_window_lies_inside_and_around_the_click(x: float, y: float) -> None:
    left, top, right, bottom = window(400, 300, x, y)
    assert right - left == bottom - top == round(SIDE * 300)
    assert left >= 0 and top >= 0 and right <= 400 and bottom <= 300
    assert left <= x < right + 1e-9 and top <= y < bottom + 1e-9
    if (x, y) == (200, 150):
        assert (left + right) / 2 == pytest.approx(200, abs=0.5) and (top + bottom) / 2 == pytest.approx(150, abs=0.5)


def test_two_looks_that_agree_are_one_and_two_that_differ_meet_between() -> None:
    one, other = torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([[0.1, 0.2, 0.7]]).log()
    assert torch.allclose(log_opinion_pool(one, one), one, atol=1e-6)
    both = log_opinion_pool(one, other).exp()[0]
    assert float(both.sum()) == pytest.approx(1.0, abs=1e-6)
    assert 0.1 < float(both[2]) < float(both[0]) < 0.7, "the first look weighs more"
    assert float(both[0] / both[2]) == pytest.approx(7 ** (1 - 2 * SHARE), rel=1e-4)


class Eyes:
    """Sees the same grid in everything, and notes what it was shown."""

    def __init__(self, grid: PatchGrid) -> None:
        self.grid, self.shown = grid, list[tuple[int, int]]()

    def __call__(self, picture: Image.Image) -> PatchGrid:
        self.shown.append(picture.size)
        return replace(self.grid, width_px=picture.width, height_px=picture.height)


def test_a_click_is_looked_at_twice_and_only_what_it_is_made_of_changes() -> None:
    adapter, whole, near = an_adapter(), a_grid(seed=1), a_grid(seed=2)
    whole = replace(whole, width_px=480, height_px=360)
    eyes, read = Eyes(near), adapter.read(whole)
    found = refine_with_crop(adapter, eyes, Image.new("RGB", (480, 360)), whole, read, 240.0, 180.0)
    assert eyes.shown == [(162, 162)]
    row, col = whole.cell(240.0, 180.0)
    first, second = read.patch(row * whole.cols + col), adapter.read(near)
    middle = second.patch((near.rows // 2) * near.cols + near.cols // 2)
    assert torch.allclose(found.codes, log_opinion_pool(first.codes, middle.codes))
    assert torch.allclose(found.by_shape[0], log_opinion_pool(first.by_shape[0], middle.by_shape[0]))
    assert torch.equal(found.solid, first.solid) and torch.equal(found.along, first.along)
    assert not torch.allclose(found.codes, first.codes)


def test_a_picture_too_small_for_a_window_is_looked_at_once() -> None:
    adapter, grid = an_adapter(), replace(a_grid(), width_px=80, height_px=60)
    eyes, read = Eyes(grid), adapter.read(grid)
    found = refine_with_crop(adapter, eyes, Image.new("RGB", (80, 60)), grid, read, 79.0, 59.0)
    assert not eyes.shown and torch.equal(found.codes, read.codes[-1:])
    with pytest.raises(UserError):
        refine_with_crop(adapter, eyes, Image.new("RGB", (80, 60)), grid, read, 80.0, 10.0)
