"""Crop grids: crops reach every border, overlap, and are interpolated at patches."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from synesthesia.vision.multi_crop import MAX_STRIDE, crop_grid


@pytest.mark.parametrize(("width", "height"), [(100.0, 100.0), (300.0, 100.0), (70.0, 190.0)])
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_windows_reach_every_border_and_overlap(width: float, height: float, share: float) -> None:
    windows = crop_grid(width, height, share)
    assert windows.side == pytest.approx(share * min(width, height))
    for starts, length in ((windows.lefts, width), (windows.tops, height)):
        assert starts[0] == 0 and starts[-1] + windows.side == pytest.approx(length)
        assert all(b - a <= MAX_STRIDE * windows.side + 1e-6 for a, b in pairwise(starts))


def test_a_patch_at_a_window_s_centre_takes_that_window_alone() -> None:
    windows = crop_grid(200.0, 100.0, 1.0)  # three windows along, centres at 50, 100 and 150
    seen = torch.eye(3)
    grid = windows.interpolate(seen, 5, 20, 100.0, 200.0)  # columns 10 wide, their middles at 5, 15, ...
    assert grid.shape == (5, 20, 3)
    assert torch.allclose(grid.sum(dim=2), torch.ones(5, 20))  # shares
    assert torch.allclose(grid[2, 0], torch.tensor([1.0, 0.0, 0.0]))  # left of the first centre
    assert torch.allclose(grid[2, 7], torch.tensor([0.5, 0.5, 0.0]))  # 75, half way
    assert torch.allclose(grid[2, 19], torch.tensor([0.0, 0.0, 1.0]))


def test_a_square_photograph_has_one_window_of_its_own_size() -> None:
    assert crop_grid(90.0, 90.0, 1.0).boxes == [(0.0, 0.0, 90.0, 90.0)]
    assert len(crop_grid(90.0, 90.0, 0.6).boxes) == 4
