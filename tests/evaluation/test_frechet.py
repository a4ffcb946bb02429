"""Frechet distance: known answers for shifted and scaled Gaussians."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.evaluation.frechet import frechet_distance


def test_frechet_distance_of_a_cloud_to_itself_is_zero_and_to_a_shifted_one_the_squared_shift() -> None:
    cloud = np.random.default_rng(0).normal(size=(500, 6))
    assert frechet_distance(cloud, cloud) == pytest.approx(0.0, abs=1e-8)
    assert frechet_distance(cloud, cloud + np.array([3.0, 0, 0, 0, 0, 4.0])) == pytest.approx(25.0, rel=1e-6)


def test_frechet_distance_of_a_widened_cloud() -> None:
    cloud = np.random.default_rng(0).normal(size=(4000, 2))
    cloud -= cloud.mean(axis=0)
    # C2 = 4 C1, so the distance is tr(C1) (1 + 4 - 2 * 2)
    assert frechet_distance(cloud, 2 * cloud) == pytest.approx(float(np.trace(np.cov(cloud.T))), rel=1e-6)
