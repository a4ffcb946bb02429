"""Meshes of rendered objects: closed, of the requested size, with walls and contents in place (without Blender)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from synesthesia.core.vocabulary import SHAPES
from synesthesia.impact.modal.objects import THIN_WALLED
from tools.blender.meshes import TRIANGLE, Mesh, WaveNoise, lathe, rotation_matrix, rounded_box, rounded_profile
from tools.blender.vessels import KINDS, build_mesh, liquid_mesh

VESSELS = ("bowl", "cup", "tumbler", "pot", "jar", "bottle", "vase")


def volume(mesh: Mesh) -> float:
    """Enclosed by the faces; negative where they face inwards."""
    corners = mesh.vertices[np.where(mesh.faces == TRIANGLE, mesh.faces[:, :1], mesh.faces)]
    return sum(float(np.einsum("fd,fd->", corners[:, 0], np.cross(corners[:, a], corners[:, b]))) / 6
               for a, b in ((1, 2), (2, 3)))  # fmt: skip


def open_edges(mesh: Mesh) -> int:
    """Edges that are not met once in either direction."""
    directed: Counter[tuple[int, int]] = Counter()
    for face in mesh.faces.tolist():
        corners = [corner for corner in face if corner != TRIANGLE]
        directed.update(zip(corners, [*corners[1:], corners[0]], strict=True))
    return sum(count != 1 or directed[(b, a)] != 1 for (a, b), count in directed.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_closed_outward_facing_and_of_the_requested_size(kind: str) -> None:
    shape, low, high, _ = KINDS[kind]
    assert shape in SHAPES and low < high
    for seed, size in ((1, low), (2, high)):
        body = build_mesh(kind, size, "ceramic", False, seed)
        extents = np.sort(body.mesh.extents)
        assert open_edges(body.mesh) == 0
        assert volume(body.mesh) > 0
        assert extents[2] == pytest.approx(size, rel=1e-9)
        assert body.middle == pytest.approx(extents[1] / size, rel=1e-6)
        assert 0 < body.least <= body.middle + 1e-9 <= 1 + 1e-9
        assert 0 < body.thickness_m <= size
        assert body.mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-9)
        if shape in THIN_WALLED:
            assert body.thickness_m <= 0.5 * body.least * size + 1e-9
        elif kind != "sheet":
            assert body.thickness_m == pytest.approx(extents[0])


def test_meshes_depend_on_the_seed() -> None:
    one, same, other = (build_mesh("vase", 0.3, "glass", False, seed).mesh.vertices for seed in (4, 4, 5))
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.allclose(one, other)


def test_known_volumes() -> None:
    assert volume(rounded_box((2, 3, 4), 1e-6)) == pytest.approx(24, rel=1e-3)
    assert volume(rounded_box((2, 2, 2), 1.0)) == pytest.approx(4 / 3 * np.pi, rel=0.02)
    cylinder = lathe(rounded_profile([(0, 0), (1, 0), (1, 2), (0, 2)], 0.001, 0.2))
    assert volume(cylinder) == pytest.approx(2 * np.pi, rel=0.01)


def test_rotations_keep_lengths_and_handedness() -> None:
    for axis in range(3):
        rotation = rotation_matrix(axis, 0.7)
        assert np.allclose(rotation @ rotation.T, np.eye(3))
        assert np.linalg.det(rotation) == pytest.approx(1)
    assert np.allclose(rotation_matrix(2, np.pi / 2) @ [1, 0, 0], [0, 1, 0])


def test_normals_of_a_ball_point_away_from_its_centre() -> None:
    ball = rounded_box((1, 1, 1), 0.5)
    assert ((ball.normals() * ball.vertices * 2).sum(axis=1) > 0.99).all()


@pytest.mark.parametrize("kind", VESSELS)
def test_a_liquid_stays_inside_its_vessel(kind: str) -> None:
    """Measured from the vessel's own axis, which a handle moves off the middle."""
    for seed in range(3):
        vessel = build_mesh(kind, KINDS[kind][2], "metal", False, seed)
        liquid = liquid_mesh(vessel, 0.8, clear=False)
        assert volume(liquid) > 0 and open_edges(liquid) == 0
        low, high = vessel.mesh.vertices.min(axis=0), vessel.mesh.vertices.max(axis=0)
        assert (liquid.vertices.min(axis=0) > low - 1e-9).all()
        assert (liquid.vertices.max(axis=0) < high).all()
        away = np.linalg.norm(liquid.vertices[:, :2] - vessel.axis, axis=1).max()
        outside = np.linalg.norm(vessel.mesh.vertices[:, :2] - vessel.axis, axis=1)
        below = vessel.mesh.vertices[:, 2] <= liquid.vertices[:, 2].max() + 0.05 * high[2]
        assert away < outside[below].max()


def test_a_higher_level_is_deeper() -> None:
    vessel = build_mesh("tumbler", 0.12, "glass", False, 1)
    heights = [liquid_mesh(vessel, level, clear=True).vertices[:, 2].max() for level in (0.3, 0.6, 0.9)]
    assert heights[0] < heights[1] < heights[2] < vessel.mesh.vertices[:, 2].max()


def test_soft_objects_sag_and_crumpled_paper_has_ridges() -> None:
    hard, soft = (build_mesh("block", 0.4, material, False, 3).mesh for material in ("metal", "fabric"))
    flat = [abs(mesh.normals()[:, 2]).max() for mesh in (hard, soft)]
    assert volume(soft) == pytest.approx(volume(hard), rel=0.25)
    assert not np.allclose(hard.vertices, soft.vertices, atol=1e-3)
    smooth, crumpled = (build_mesh("ball", 0.1, "paper", crumple, 3).mesh for crumple in (False, True))
    spread = [np.linalg.norm(mesh.vertices - mesh.vertices.mean(axis=0), axis=1).std() for mesh in (smooth, crumpled)]
    assert spread[1] > 3 * spread[0] and flat[0] > 0.99


def test_noise_has_unit_variance_and_its_wavelength() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 5, (4000, 3))
    waves = WaveNoise(rng, wavelength=1.0)
    assert 0.6 < waves(points).std() < 1.6
    near = np.corrcoef(waves(points), waves(points + np.array([0.02, 0, 0])))[0, 1]
    far = np.corrcoef(waves(points), waves(points + np.array([0.37, 0.21, 0.4])))[0, 1]
    assert near > 0.97 and abs(far) < 0.7
