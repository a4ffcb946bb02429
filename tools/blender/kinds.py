"""Parametric object shapes: from kind, size and wall thickness to a mesh with known extents.

A kind belongs to one of the SHAPES of impact sounds. Its proportions are sampled from the seed, so a bottle may be
slender or squat, round or square. Every mesh is in its own frame with z up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from synesthesia.core.vocabulary import MaterialName, ShapeName
from tools.blender.meshes import (
    Mesh,
    bent_tube,
    crumple_mesh,
    lathe,
    merge_meshes,
    rotation_matrix,
    rounded_box,
    rounded_profile,
    warp,
)

Rng = np.random.Generator


@dataclass(frozen=True)
class UnitMesh:
    """A mesh about 1 m long. wall: thickness, 0 for a full body; inner: profile (P, 2) of the inside from the axis up
    to the rim, where a liquid can stand; top: height of a flat top that can carry another object, nan for none."""

    mesh: Mesh
    wall: float = 0.0
    inner: np.ndarray | None = None
    squareness: float = 2.0
    top: float = float("nan")


def _ball(rng: Rng, wall: float) -> UnitMesh:
    return UnitMesh(rounded_box((1, 1, 1), 0.5, 12), wall)


def _block(rng: Rng, wall: float) -> UnitMesh:
    sides = np.array([1.0, rng.uniform(0.4, 1), rng.uniform(0.25, 1)])
    radius = sides.min() * rng.choice([0.01, 0.04, 0.1, 0.22])
    return UnitMesh(rounded_box(sides, radius), wall, top=sides[2])


def _egg(rng: Rng, wall: float) -> UnitMesh:
    t = np.linspace(0, np.pi, 40)
    width = rng.uniform(0.32, 0.42)
    radius = width * np.sin(t) * (1 + rng.uniform(0.05, 0.2) * np.cos(t))
    return UnitMesh(lathe(np.stack([radius, -0.5 * np.cos(t)], axis=1)))


def _cone(rng: Rng, wall: float) -> UnitMesh:
    base, tip = rng.uniform(0.25, 0.6), rng.choice([0.004, 0.05, 0.15])
    return UnitMesh(lathe(rounded_profile([(0, 0), (base, 0), (tip, 1), (0, 1)], 0.02, 0.06)))


def _rock(rng: Rng, wall: float) -> UnitMesh:
    mesh = rounded_box((1, 1, 1), 0.5, 22)
    way = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    planes = rng.normal(size=(14, 3))
    planes /= np.linalg.norm(planes, axis=1, keepdims=True)
    reach = rng.uniform(0.6, 1.0, 14) / np.maximum(way @ planes.T, 0.05)
    soft = rng.uniform(5, 22)  # roundness of the edges between the faces
    radius = (np.minimum(reach, 4.0) ** -soft).sum(axis=1) ** (-1 / soft)
    shape = way * radius[:, None] * [1.0, rng.uniform(0.6, 1), rng.uniform(0.4, 0.85)]
    return UnitMesh(warp(replace(mesh, vertices=shape), rng, 0.015, 0.4, 3))


def _cushion(rng: Rng, wall: float) -> UnitMesh:
    side, height = rng.uniform(0.6, 1), rng.uniform(0.2, 0.4)
    mesh = rounded_box((1, side, height), height / 2, 26)
    x, y = np.abs(mesh.vertices[:, 0]) * 2, np.abs(mesh.vertices[:, 1]) * 2 / side
    swell = 0.12 + 0.88 * np.sqrt(np.clip((1 - x**3) * (1 - y**3), 0, 1))
    points = mesh.vertices * np.stack([1 - 0.08 * (1 - y) ** 2, 1 - 0.08 * (1 - x) ** 2, swell], axis=1)
    return UnitMesh(replace(mesh, vertices=points))


def _box(rng: Rng, wall: float) -> UnitMesh:
    width, height = rng.uniform(0.45, 1), rng.uniform(0.3, 0.9)
    body = rounded_box((1, width, height), 0.006)
    if rng.random() < 0.5:  # a lid over the body
        lid = rounded_box((1.02, width + 0.02, height * rng.uniform(0.15, 0.4)), 0.006)
        rise = height / 2 - lid.extents[2] / 2 + 0.01
        return UnitMesh(merge_meshes([body, lid.translated((0, 0, rise))]), wall, top=height + 0.01)
    return UnitMesh(body, wall, top=height)


def _carton(rng: Rng, wall: float) -> UnitMesh:
    """An open box with four flaps."""
    width, height, t = rng.uniform(0.5, 1) * 0.7, rng.uniform(0.35, 0.8) * 0.7, max(wall, 0.004)
    length, parts = 0.7, []

    def plate(sides: tuple[float, float, float], at: tuple[float, float, float]) -> None:
        parts.append(rounded_box(sides, 0.3 * t, 10).translated(at))

    plate((length, width, t), (0, 0, t / 2))
    for sign in (-1, 1):
        plate((length, t, height), (0, sign * (width - t) / 2, height / 2))
        plate((t, width, height), (sign * (length - t) / 2, 0, height / 2))
        for axis, reach in ((0, width), (1, length)):
            size = 0.5 * min(width, length) * rng.uniform(0.8, 0.98)
            flap = rounded_box((reach * 0.97, size, t) if axis == 0 else (size, reach * 0.97, t), 0.3 * t, 10)
            open_by = np.deg2rad(rng.uniform(-60, 50))
            if axis == 0:  # hinged on the sides at +-length/2
                heading, hinge = 0.0 if sign > 0 else np.pi, (sign * length / 2, 0.0, height)
            else:
                flap = flap.rotated(rotation_matrix(2, -np.pi / 2))
                heading, hinge = sign * np.pi / 2, (0.0, sign * width / 2, height)
            flap = flap.rotated(rotation_matrix(2, np.pi / 2)).translated((size / 2, 0, 0))
            flap = flap.rotated(rotation_matrix(1, open_by)).rotated(rotation_matrix(2, heading))
            parts.append(flap.translated(hinge))
    return UnitMesh(merge_meshes(parts), t)


def _can(rng: Rng, wall: float) -> UnitMesh:
    radius, w = rng.uniform(0.22, 0.45), min(wall, 0.03) + 0.004
    ribs = [(radius + 0.012 * (k % 2), 0.3 + 0.04 * k) for k in range(11)] if rng.random() < 0.35 else []
    profile = [(0, 0.02), (radius - 0.04, 0.02), (radius - 0.03, 0), (radius, 0), (radius + 0.008, 0.02),
               (radius, 0.04), *ribs, (radius, 0.95), (radius + 0.008, 0.98), (radius, 1), (radius - 0.02, 1),
               (radius - 0.03, 0.975), (0, 0.975)]  # fmt: skip
    return UnitMesh(lathe(rounded_profile(profile, 0.01, 0.06)), w, top=1.0)


def _drum(rng: Rng, wall: float) -> UnitMesh:
    radius = rng.uniform(0.3, 0.36)
    bulges = ((0.31, 0.0), (0.34, 0.018), (0.37, 0.0), (0.63, 0.0), (0.66, 0.018), (0.69, 0.0))
    rings = [(radius + bulge, height) for height, bulge in bulges]
    profile = [(0, 0.02), (radius - 0.02, 0.02), (radius - 0.02, 0), (radius, 0), *rings,
               (radius, 1), (radius - 0.02, 1), (radius - 0.02, 0.98), (0, 0.98)]  # fmt: skip
    return UnitMesh(lathe(rounded_profile(profile, 0.01, 0.06)), wall, top=1.0)


def _slab(rng: Rng, wall: float) -> UnitMesh:
    sides = np.array([1.0, rng.uniform(0.3, 1), rng.uniform(0.02, 0.09)])
    return UnitMesh(rounded_box(sides, sides[2] * rng.choice([0.05, 0.2, 0.45]), 22), top=sides[2])


def _disc(rng: Rng, wall: float) -> UnitMesh:
    h = rng.uniform(0.02, 0.1)
    profile = rounded_profile([(0, 0), (0.5, 0), (0.5, h), (0, h)], h * rng.choice([0.05, 0.3]), 0.04)
    return UnitMesh(lathe(profile), top=h)


def _tile(rng: Rng, wall: float) -> UnitMesh:
    h = rng.uniform(0.03, 0.09)
    return UnitMesh(rounded_box((1, rng.choice([1.0, 0.5]), h), 0.25 * h, 20), top=h)


def _tray(rng: Rng, wall: float) -> UnitMesh:
    t, h, deep = max(wall, 0.012), rng.uniform(0.05, 0.12), rng.uniform(2.0, 7.0)
    profile = [(0, 0), (0.38, 0), (0.45, h - t), (0.5, h - t), (0.5, h), (0.44, h), (0.37, t), (0, t)]
    return UnitMesh(lathe(rounded_profile(profile, 0.02, 0.03), deep, rng.uniform(0.55, 1), 96))


def _sheet(rng: Rng, wall: float) -> UnitMesh:
    mesh = rounded_box((1, rng.uniform(0.5, 0.75), max(wall, 0.002)), 0.001, 40)
    return UnitMesh(warp(mesh, rng, 0.012, 1.1), wall)


def _folded(rng: Rng, wall: float) -> UnitMesh:
    layers, side, h = int(rng.integers(2, 6)), rng.uniform(0.5, 0.9), rng.uniform(0.035, 0.07)
    parts = [
        rounded_box((1 - rng.uniform(0, 0.03), side - rng.uniform(0, 0.03), h), h / 2, 24)
        .rotated(rotation_matrix(2, rng.normal(0, 0.02))).translated((0, 0, (k + 0.5) * h * 0.93))
        for k in range(layers)
    ]  # fmt: skip
    return UnitMesh(warp(merge_meshes(parts), rng, 0.008, 0.5, 2))


def _rod(rng: Rng, wall: float) -> UnitMesh:
    radius = rng.uniform(0.012, 0.07)
    sides = int(rng.choice([6, 8, 40, 40, 40]))
    x = np.array([-0.5, -0.499, *np.linspace(-0.495, 0.495, 24), 0.499, 0.5])
    body = bent_tube(np.stack([x, 0 * x, 0 * x], axis=1), radius, sides=sides)
    return UnitMesh(warp(body, rng, 0.02, 1.5) if rng.random() < 0.25 else body)


def _beam(rng: Rng, wall: float) -> UnitMesh:
    a, b = np.sort(rng.uniform(0.04, 0.22, 2))[::-1]
    return UnitMesh(rounded_box((1, a, b), b * rng.choice([0.02, 0.08, 0.2]), 24), top=b)


def _ruler(rng: Rng, wall: float) -> UnitMesh:
    h = rng.uniform(0.008, 0.02)
    return UnitMesh(rounded_box((1, rng.uniform(0.06, 0.16), h), 0.2 * h, 24))


def _ring(rng: Rng, wall: float) -> UnitMesh:
    minor, squat, soft = rng.uniform(0.05, 0.16), rng.uniform(0.8, 1.8), rng.uniform(2, 4)
    t = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    stretch = (np.abs(c) ** soft + np.abs(s) ** soft) ** (-1 / soft)
    loop = np.stack([0.5 - minor + minor * stretch * c, squat * minor * stretch * s], axis=1)
    return UnitMesh(lathe(loop, closed=True, segments=96), wall)


def _pipe(rng: Rng, wall: float, radius: float = 0.0, t: float = 0.0) -> UnitMesh:
    radius = radius or rng.uniform(0.05, 0.3)
    t = min(t or max(wall, 0.006), 0.8 * radius)
    loop = [(radius, 0), (radius, 1), (radius - t, 1), (radius - t, 0), (radius, 0)]
    fine = rounded_profile([(radius, 0.5), *loop[1:4], (radius, 0), (radius, 0.5)], 0.2 * t, 0.06)[:-1]
    return UnitMesh(lathe(fine, closed=True), t)


def _roll(rng: Rng, wall: float) -> UnitMesh:
    radius = rng.uniform(0.15, 0.45)
    return _pipe(rng, wall, radius, radius * rng.uniform(0.4, 0.75))


Builder = Callable[[Rng, float], UnitMesh]
SOFT: dict[MaterialName, tuple[float, float]] = {  # displacement and wavelength, relative to the size
    "fabric": (0.010, 0.35), "leather": (0.005, 0.4), "paper": (0.002, 0.5), "cardboard": (0.0016, 0.4),
    "rubber": (0.0012, 0.7), "ceramic": (0.0018, 0.8), "stone": (0.003, 0.25), "concrete": (0.0015, 0.2),
}  # fmt: skip


def soften(mesh: Mesh, material: MaterialName, crumple: bool, rng: Rng) -> Mesh:
    """Deforms the mesh as its material would: fabric sags, hand-made ceramic is uneven, crumpled paper has ridges."""
    size = float(mesh.extents.max())
    if crumple:
        return crumple_mesh(mesh, rng, 0.05 * min(size, 3 * mesh.extents.min()), 0.45 * size)
    if material not in SOFT:
        return mesh
    share, wavelength = SOFT[material]
    amplitude = min(share * size * rng.uniform(0.3, 1.4), 0.12 * mesh.extents.min())
    return warp(mesh, rng, amplitude, wavelength * size, 3 if material in ("fabric", "leather", "stone") else 1)


# Kind: shape, smallest and largest size in metres, builder.
SIMPLE_KINDS: dict[str, tuple[ShapeName, float, float, Builder]] = {
    "ball": ("solid", 0.04, 0.5, _ball), "block": ("solid", 0.04, 0.8, _block), "egg": ("solid", 0.04, 0.25, _egg),
    "cone": ("solid", 0.06, 0.9, _cone), "rock": ("solid", 0.04, 1.2, _rock),
    "cushion": ("solid", 0.15, 0.7, _cushion),
    "box": ("hollow", 0.06, 0.9, _box), "carton": ("hollow", 0.15, 0.9, _carton),
    "hollow_ball": ("hollow", 0.05, 0.5, _ball), "can": ("hollow", 0.06, 0.35, _can),
    "drum": ("hollow", 0.3, 1.2, _drum),
    "slab": ("plate", 0.1, 1.2, _slab), "disc": ("plate", 0.05, 0.6, _disc), "tile": ("plate", 0.05, 0.6, _tile),
    "tray": ("plate", 0.15, 0.6, _tray), "sheet": ("plate", 0.1, 0.8, _sheet),
    "folded": ("plate", 0.15, 0.8, _folded),
    "rod": ("bar", 0.1, 1.2, _rod), "beam": ("bar", 0.15, 1.2, _beam), "ruler": ("bar", 0.12, 1.0, _ruler),
    "pipe": ("tube", 0.06, 1.2, _pipe), "ring": ("tube", 0.04, 0.7, _ring), "roll": ("tube", 0.05, 0.4, _roll),
}  # fmt: skip
