"""Directions: signs, seams at the back, mirrors."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural import geometry
from synesthesia.binaural.geometry import OCTANTS

CIRCLE = np.arange(-720.0, 721.0, 7.5)


def test_wrap_keeps_the_direction_and_the_range() -> None:
    wrapped = geometry.wrap(CIRCLE)
    assert (wrapped > -180).all() and (wrapped <= 180).all()
    np.testing.assert_allclose(np.exp(1j * np.radians(wrapped)), np.exp(1j * np.radians(CIRCLE)), atol=1e-9)
    assert [geometry.wrap(a) for a in (180.0, -180.0, 540.0, 190.0)] == [180.0, 180.0, 180.0, -170.0]


def test_sofa_counts_to_the_left() -> None:
    assert [geometry.from_sofa(a) for a in (0.0, 90.0, 270.0, 180.0, -30.0)] == [0.0, -90.0, 90.0, 180.0, 30.0]


def test_difference_is_the_short_way_round() -> None:
    assert geometry.angle_difference(170.0, -170.0) == -20.0 and geometry.angle_difference(-170.0, 170.0) == 20.0
    np.testing.assert_allclose(geometry.angle_difference(CIRCLE + 35, CIRCLE), 35.0, atol=1e-9)


def test_fold_mirrors_the_back_to_the_front() -> None:
    assert geometry.lateral_angle(120.0) == pytest.approx(60.0) and geometry.lateral_angle(-150.0) == pytest.approx(
        -30.0
    )
    np.testing.assert_allclose(geometry.lateral_angle(CIRCLE), geometry.lateral_angle(180.0 - CIRCLE), atol=1e-6)
    np.testing.assert_allclose(geometry.lateral_angle(-CIRCLE), -geometry.lateral_angle(CIRCLE), atol=1e-6)


def test_front_and_sectors_across_the_seam() -> None:
    assert geometry.is_front(0.0) and geometry.is_front(90.0) and geometry.is_front(-90.0)
    assert not geometry.is_front(91.0) and not geometry.is_front(180.0)
    assert geometry.in_arc(180.0, 170.0, -170.0) and not geometry.in_arc(0.0, 170.0, -170.0)
    assert geometry.in_arc(0.0, -10.0, 10.0) and not geometry.in_arc(11.0, -10.0, 10.0)
    assert geometry.in_arc(CIRCLE, -180.0, 180.0).all()


def test_octants_go_clockwise_from_the_front() -> None:
    named = [OCTANTS[geometry.octant(a)] for a in (0.0, 45.0, 90.0, 135.0, 180.0, -135.0, -90.0, -45.0)]
    assert named == list(OCTANTS)
    assert geometry.octant(22.4) == 0 and geometry.octant(22.6) == 1 and geometry.octant(-22.6) == 7
    np.testing.assert_array_equal(geometry.octant(np.array([0.0, 360.0, 180.0, -180.0])), [0, 0, 4, 4])


def test_unit_vectors_and_back() -> None:
    np.testing.assert_allclose(geometry.unit_vector(90.0, 0.0), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(geometry.unit_vector(0.0, 90.0), [0, 0, 1], atol=1e-12)
    azimuth, elevation = geometry.fibonacci_sphere(300)
    vectors = geometry.unit_vector(azimuth, elevation)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    np.testing.assert_allclose(vectors.mean(axis=0), 0.0, atol=0.02)  # spread evenly
    again, height = geometry.vector_angles(3.0 * vectors)
    np.testing.assert_allclose(geometry.angle_difference(again, azimuth), 0.0, atol=1e-6)
    np.testing.assert_allclose(height, elevation, atol=1e-6)
