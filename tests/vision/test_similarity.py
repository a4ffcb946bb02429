"""Similarity maps and PCA images: similarity is 1 at the click, and colour distinguishes regions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.similarity import pca_image, similarity_map


@pytest.fixture
def halves() -> PatchGrid:
    """Left half one feature, right half another, both positive (as rectified features are), with a little noise."""
    features = torch.rand(14, 16, 8, generator=torch.Generator().manual_seed(0)) * 0.1
    features[:, :8, 0] += 3.0
    features[:, 8:, 1] += 3.0
    return PatchGrid(features, features.mean((0, 1)), features[:, :, None], 160, 140, "key")


def test_likeness_follows_the_regions(halves: PatchGrid) -> None:
    likeness = similarity_map(halves, 3, 2)
    assert likeness.shape == (14, 16)
    assert likeness[3, 2] == 1.0
    assert likeness[:, :8].min() > 0.9
    assert likeness[:, 8:].max() < 0
    with pytest.raises(UserError):
        similarity_map(halves, 14, 0)


def test_colours_tell_regions_apart_and_are_the_same_every_time(halves: PatchGrid) -> None:
    picture = pca_image(halves)
    assert picture.shape == (14, 16, 3)
    assert picture.dtype == np.uint8
    red = picture[..., 0].astype(int)
    assert abs(red[:, :8].mean() - red[:, 8:].mean()) > 150
    assert np.array_equal(picture, pca_image(halves))


def test_a_flat_picture_has_no_direction_and_no_nan() -> None:
    grid = PatchGrid(torch.ones(14, 14, 8), torch.ones(8), torch.ones(14, 14, 2, 8), 140, 140, "key")
    likeness = similarity_map(grid, 0, 0)
    assert np.isfinite(likeness).all()
    assert likeness[0, 0] == 1.0
    assert pca_image(grid).shape == (14, 14, 3)
