"""Attention relative to uniform attention, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synesthesia.vlm_to_sound.attention import near_mask, relative_attention
from training.vlm_to_sound.losses import near_box


def test_uniform_attention_is_one_and_sharp_attention_by_hand() -> None:
    even = np.full((10, 20), 1 / 200, np.float32)
    for cell in ((0, 0), (5, 10), (9, 19)):
        assert relative_attention(even, cell) == pytest.approx(1.0, rel=1e-4)
    sharp = np.zeros((10, 20), np.float32)
    sharp[5, 10] = 1.0
    # a tenth of the height is one row more to either side, a tenth of the width two columns
    assert near_mask((10, 20), (5, 10)).sum() == 3 * 5 and near_mask((10, 20), (0, 0)).sum() == 2 * 3
    assert relative_attention(sharp, (5, 10)) == pytest.approx(200 / 15)
    assert relative_attention(sharp, (5, 12)) == pytest.approx(200 / 15)
    assert relative_attention(sharp, (5, 13)) == relative_attention(sharp, (8, 10)) == 0.0


def test_the_neighbourhood_is_that_of_training() -> None:
    for rows, cols, row, col in ((16, 24, 3, 5), (15, 15, 0, 14), (7, 31, 6, 0)):
        middles = torch.cartesian_prod((torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols)
        box = torch.tensor([[col / cols, row / rows, (col + 1) / cols, (row + 1) / rows]])
        wanted = near_box(middles.flip(1)[None], box)[0].reshape(rows, cols).numpy()
        assert np.array_equal(near_mask((rows, cols), (row, col)), wanted)
