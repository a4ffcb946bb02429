"""Vessels as surfaces of revolution, their lids and contents, and `build_mesh` for every kind of object."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from synesthesia.core.vocabulary import MaterialName, ShapeName
from synesthesia.impact.modal.objects import THIN_WALLED
from tools.blender.kinds import SIMPLE_KINDS, Builder, Rng, UnitMesh, soften
from tools.blender.meshes import (
    Mesh,
    WaveNoise,
    bent_tube,
    lathe,
    merge_meshes,
    rotation_matrix,
    rounded_box,
    rounded_profile,
)

# Wall thickness of an object of 0.2 m: smallest and largest, metres; it grows with size^0.6.
WALL_M: dict[MaterialName, tuple[float, float]] = {
    "wood": (0.005, 0.012), "metal": (0.0007, 0.003), "glass": (0.002, 0.005), "ceramic": (0.003, 0.007),
    "stone": (0.008, 0.02), "concrete": (0.012, 0.025), "plastic": (0.001, 0.003), "rubber": (0.003, 0.008),
    "cardboard": (0.002, 0.006), "paper": (0.0006, 0.0015), "fabric": (0.0015, 0.004), "leather": (0.0015, 0.004),
    "liquid": (0.002, 0.005),
}  # fmt: skip


@dataclass(frozen=True)
class ObjectMesh:
    """A finished object in its own frame. size_m, middle, least, thickness_m: as in PhysicalObject; inner, squareness,
    top: as in UnitMesh, in metres; axis (2,): position of the axis of revolution."""

    mesh: Mesh
    shape: ShapeName
    size_m: float
    middle: float
    least: float
    thickness_m: float
    top: float = float("nan")
    inner: np.ndarray | None = None
    squareness: float = 2.0
    axis: np.ndarray = field(default_factory=lambda: np.zeros(2))


def _vessel(outside: list[tuple[float, float]], wall: float, rounding: float, rng: Rng, square: bool = False,
            foot: float = 0.0) -> UnitMesh:  # fmt: skip
    """A vessel from its outline between foot and rim, with a wall on the inside."""
    line = rounded_profile([(0.0, foot), *outside], rounding, 0.04)[1:]
    line = line[line[:, 0] > 1e-6]
    ahead = np.gradient(line, axis=0)
    inward = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    wall = min(wall, 0.6 * line[:, 0].min(), 0.5 * line[line[:, 1] > 0.5 * line[:, 1].max(), 0].min())
    inside = line + wall * inward
    inside[:, 1] = np.maximum(inside[:, 1], foot + wall)
    inside = inside[inside[:, 0] > 0.3 * wall]
    inside[-1] = (line[-1, 0] - wall, line[-1, 1])
    rim = [(line[-1, 0] - 0.5 * wall, line[-1, 1] + 0.35 * wall)]
    profile = np.concatenate([[(0, foot)], line, rim, inside[::-1], [(0, foot + wall)]])
    squareness = rng.uniform(3, 7) if square else 2.0
    mesh = lathe(profile, squareness, segments=80)
    inner = np.concatenate([[(0, foot + wall)], inside])
    return UnitMesh(mesh, wall, inner, squareness)


def _handle(vessel: UnitMesh, low: float, high: float, thick: float, rng: Rng) -> Mesh:
    """A handle on the outside between two heights; its ends stay within the wall."""
    t = np.linspace(0, np.pi, 18)
    flat, points = rng.uniform(0.5, 1.0), vessel.mesh.vertices
    outside = [float(points[np.abs(points[:, 2] - z) < 0.05, 0].max()) for z in (low, high)]
    at = np.interp(t, [0, np.pi], outside) - min(0.5 * vessel.wall, 0.3 * thick)
    reach = (high - low) * rng.uniform(0.35, 0.6)
    return bent_tube(np.stack([at + reach * np.sin(t), 0 * t, (low + high) / 2 - (high - low) / 2 * np.cos(t)], axis=1),
                     thick, flat)  # fmt: skip


def _bowl(rng: Rng, wall: float) -> UnitMesh:
    h, foot, bulge = rng.uniform(0.22, 0.55), rng.uniform(0.15, 0.28), rng.uniform(0.75, 1.0)
    t = np.linspace(0, 1, 9)[1:]
    outside = [(foot, 0.0), *zip(foot + (0.5 - foot) * t ** (0.45 * bulge + 0.1), h * t, strict=True)]
    return _vessel(outside, wall, 0.03, rng)


def _cup(rng: Rng, wall: float) -> UnitMesh:
    top, bottom = rng.uniform(0.36, 0.5), rng.uniform(0.26, 0.42)
    built = _vessel([(bottom, 0), ((top + bottom) / 2 * 1.03, 0.45), (top, 1.0)], wall, 0.06, rng)
    handle = _handle(built, 0.22, 0.8, rng.uniform(0.035, 0.06), rng)
    return replace(built, mesh=merge_meshes([built.mesh, handle]))


def _tumbler(rng: Rng, wall: float) -> UnitMesh:
    top = rng.uniform(0.25, 0.42)
    return _vessel([(top * rng.uniform(0.7, 1), 0), (top, 1)], wall, 0.03, rng, rng.random() < 0.2)


def _pot(rng: Rng, wall: float) -> UnitMesh:
    h, lower = rng.uniform(0.4, 0.9), rng.uniform(0.7, 1)
    built = _vessel([(0.45 * lower, 0), (0.45, h * 0.96), (0.47, h)], wall, 0.05, rng)
    if rng.random() < 0.5:
        return built
    one = _handle(built, 0.6 * h, 0.82 * h, 0.02, rng)
    return replace(built, mesh=merge_meshes([built.mesh, one, one.rotated(rotation_matrix(2, np.pi))]))


def _bottle(rng: Rng, wall: float) -> UnitMesh:
    r, neck = rng.uniform(0.12, 0.2), rng.uniform(0.035, 0.055)
    shoulder, end = rng.uniform(0.5, 0.68), rng.uniform(0.72, 0.82)
    return _vessel([(r, 0), (r, shoulder), (neck * 1.1, end), (neck, 0.95), (neck * 1.25, 0.95), (neck * 1.25, 1)],
                   min(wall, 0.6 * neck), rng.uniform(0.03, 0.12), rng, rng.random() < 0.2)  # fmt: skip


def _jar(rng: Rng, wall: float) -> UnitMesh:
    r, mouth = rng.uniform(0.3, 0.46), rng.uniform(0.65, 0.9)
    return _vessel([(r, 0), (r, 0.8), (r * mouth, 0.9), (r * mouth, 1)], wall, 0.08, rng, rng.random() < 0.25)


def _vase(rng: Rng, wall: float) -> UnitMesh:
    foot, belly, neck, mouth = rng.uniform([0.1, 0.2, 0.06, 0.1], [0.18, 0.36, 0.14, 0.2])
    at = rng.uniform(0.3, 0.6)
    heights = np.array([0, at * 0.5, at, 0.82, 1.0])
    radii = np.array([foot, (foot + belly) / 2 * 1.12, belly, neck, mouth])
    z = np.linspace(0, 1, 28)
    smooth = np.interp(z, heights, radii)
    for _ in range(6):
        smooth[1:-1] = (smooth[:-2] + 2 * smooth[1:-1] + smooth[2:]) / 4
    return _vessel(list(zip(smooth, z, strict=True)), min(wall, 0.05), 0.004, rng)


def _lid(rng: Rng, wall: float) -> UnitMesh:
    h = rng.uniform(0.12, 0.3)
    cap = lathe(rounded_profile([(0, 0), (0.5, 0), (0.5, h), (0, h)], 0.02, 0.05))
    if rng.random() < 0.5:
        return UnitMesh(cap)
    knob = rounded_box((0.2, 0.2, 0.2), 0.1, 8).translated((0, 0, h + 0.07))
    return UnitMesh(merge_meshes([cap, knob]))


def _pencil(rng: Rng, wall: float) -> UnitMesh:
    """Hexagonal, with a sharpened end."""
    x = np.array([-0.5, -0.499, -0.2, 0.1, 0.3799, 0.38, 0.44, 0.5])
    body = bent_tube(np.stack([x, 0 * x, 0 * x], axis=1), 0.021, sides=6)
    thin = np.interp(body.vertices[:, 0], [0.38, 0.5], [1, 0.05])
    return UnitMesh(replace(body, vertices=body.vertices * np.stack([0 * thin + 1, thin, thin], axis=1), smooth=False))


def _brick(rng: Rng, wall: float) -> UnitMesh:
    return UnitMesh(rounded_box((1, 0.477, 0.302), 0.02), top=0.302)


def _coin(rng: Rng, wall: float) -> UnitMesh:
    profile = [(0, 0), (0.5, 0), (0.5, 0.08), (0.46, 0.08), (0.45, 0.07), (0, 0.07)]
    return UnitMesh(lathe(rounded_profile(profile, 0.01, 0.05)))


def _puddle(rng: Rng, wall: float) -> UnitMesh:
    """A flat puddle with an irregular outline."""
    mesh = lathe(rounded_profile([(0, 0), (0.5, 0), (0.47, 0.014), (0, 0.014)], 0.012, 0.03), segments=96)
    angle = np.arctan2(mesh.vertices[:, 1], mesh.vertices[:, 0])
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    stretch = 1 + 0.16 * np.clip(WaveNoise(rng, 1.6, 3)(ring), -2, 2)
    return UnitMesh(replace(mesh, vertices=mesh.vertices * np.stack([stretch, stretch * 0.8, 0 * stretch + 1], axis=1)))


VESSEL_KINDS: dict[str, tuple[ShapeName, float, float, Builder]] = {
    "bowl": ("bowl", 0.08, 0.5, _bowl), "cup": ("bowl", 0.08, 0.14, _cup), "pot": ("bowl", 0.1, 0.45, _pot),
    "tumbler": ("bowl", 0.07, 0.16, _tumbler),
    "bottle": ("bottle", 0.12, 0.45, _bottle), "jar": ("bottle", 0.07, 0.3, _jar), "vase": ("bottle", 0.1, 0.7, _vase),
    "lid": ("plate", 0.03, 0.4, _lid), "puddle": ("plate", 0.08, 1.0, _puddle),
    # Objects of well-known size: they give a scene its scale.
    "pencil": ("bar", 0.17, 0.18, _pencil), "brick": ("solid", 0.21, 0.22, _brick),
    "coin": ("plate", 0.03, 0.031, _coin),
}  # fmt: skip
KINDS = {**SIMPLE_KINDS, **VESSEL_KINDS}


def build_mesh(kind: str, size_m: float, material: MaterialName, crumple: bool, seed: int) -> ObjectMesh:
    """An object of `kind` whose longest extent is size_m; the same seed gives the same mesh."""
    shape, _, _, make = KINDS[kind]
    rng = np.random.default_rng([seed, 1])
    low, high = WALL_M[material]
    wall = float(np.exp(rng.uniform(np.log(low), np.log(high)))) * (size_m / 0.2) ** 0.6
    built = make(rng, min(wall / size_m, 0.2))
    mesh = soften(built.mesh, material, crumple, rng)
    factor = size_m / float(mesh.extents.max())
    low_z = mesh.vertices[:, 2].min()
    axis = -(mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0))[:2] / 2 * factor
    mesh, middle = mesh.scaled(factor).grounded(), np.sort(mesh.extents)
    least = float(middle[0]) * factor
    inner = None if built.inner is None else (built.inner - [0, low_z]) * factor
    if kind == "sheet":
        thickness = least = built.wall * factor  # bent, so its extents do not give the thickness
    elif kind == "ring":
        thickness = least / 2  # a full ring: the wall is half its section
    elif shape in THIN_WALLED:
        thickness = min(built.wall * factor, 0.5 * least)
    else:
        thickness = least
    return ObjectMesh(mesh, shape, size_m, float(middle[1]) * factor / size_m, least / size_m, float(thickness),
                      built.top * factor, inner, built.squareness, axis)  # fmt: skip


def liquid_mesh(vessel: ObjectMesh, level: float, clear: bool) -> Mesh:
    """The liquid in an upright vessel up to `level` (0 to 1 of its depth), with a flat surface. It reaches into the
    wall, because an air gap would reflect all light; in a clear vessel a gap is better than two overlapping media."""
    assert vessel.inner is not None, "this kind cannot hold a liquid"
    inner = vessel.inner
    bottom, rim = inner[0, 1], inner[:, 1].max()
    surface = bottom + level * (rim - bottom)
    wet = inner[inner[:, 1] < surface]
    after = inner[len(wet)] if len(wet) < len(inner) else inner[-1]
    share = (surface - wet[-1, 1]) / max(after[1] - wet[-1, 1], 1e-9)
    edge = wet[-1] + np.clip(share, 0, 1) * (after - wet[-1])
    outline = np.concatenate([wet, [edge]])
    soak = (-0.15 if clear else 0.3) * vessel.thickness_m
    outline[1:, 0] += soak
    across = np.linspace(outline[-1, 0], 0, 8)[1:]
    profile = np.concatenate([outline, np.stack([across, np.full(7, surface)], axis=1)])
    profile[: len(outline) - 1, 1] -= soak
    return lathe(profile, vessel.squareness, segments=80).translated([*vessel.axis, 0])
