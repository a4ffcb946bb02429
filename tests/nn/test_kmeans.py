"""k-means on points whose centres are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synesthesia.nn.kmeans import kmeans_centres, nearest_centre


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def heaps() -> Tensor:
    """40 points around each of two places far apart."""
    points = 0.1 * torch.randn(80, 3, generator=seeded(1))
    points[:40] += torch.tensor([5.0, 0.0, -5.0])
    return points[torch.randperm(80, generator=seeded(2))]


def error(points: Tensor, centres: Tensor) -> float:
    return float((points - centres[nearest_centre(points, centres)]).square().sum(dim=1).mean())


def test_nearest_is_the_smallest_distance() -> None:
    points, centres = torch.randn(50, 7, generator=seeded()), torch.randn(9, 7, generator=seeded(1))
    by_hand = (points[:, None] - centres).square().sum(dim=2).argmin(dim=1)
    assert torch.equal(nearest_centre(points, centres), by_hand) and len(by_hand.unique()) > 4


def test_two_heaps_have_their_means_for_centres() -> None:
    points = heaps()
    far = points[:, 0] > 2.5
    assert int(far.sum()) == 40
    for seed in range(5):  # also when both centres begin in one heap
        centres = kmeans_centres(points, 2, seeded(seed), rounds=10)
        centres = centres[centres[:, 0].argsort()]
        assert torch.allclose(centres, torch.stack([points[~far].mean(dim=0), points[far].mean(dim=0)]), atol=1e-5)


def test_more_rounds_and_more_centres_come_closer() -> None:
    points = torch.randn(300, 4, generator=seeded())
    by_rounds = [error(points, kmeans_centres(points, 8, seeded(), rounds)) for rounds in (0, 1, 4)]
    assert by_rounds[0] > by_rounds[1] > by_rounds[2]
    assert by_rounds[2] > error(points, kmeans_centres(points, 32, seeded(), 4))


def test_the_generator_alone_decides() -> None:
    points = torch.randn(60, 4, generator=seeded())
    assert torch.equal(kmeans_centres(points, 8, seeded(3), 2), kmeans_centres(points, 8, seeded(3), 2))
    assert not torch.equal(kmeans_centres(points, 8, seeded(3), 2), kmeans_centres(points, 8, seeded(4), 2))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_points_than_centres_leave_no_holes(count: int) -> None:
    points = torch.randn(count, 3, generator=seeded())
    centres = kmeans_centres(points, 16, seeded(), rounds=3)
    assert centres.shape == (16, 3) and centres.isfinite().all()
    assert error(centres, points) < 1e-4, "a centre that owns no point stays beside the one that it began at"
    assert error(points, centres) < 1e-4


def test_points_are_left_as_they_are() -> None:
    points = torch.randn(20, 3, generator=seeded())
    there = points.clone()
    kmeans_centres(points, 20, seeded(), rounds=2)
    assert torch.equal(points, there)
