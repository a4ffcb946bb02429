"""Draws the plan of scene i: its things, what they stand on, what is behind them, the camera, the light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synesthesia.impact.modal.things import MAX_SIZE_M, MaterialName
from tools.blender import materials
from tools.blender.materials import Surfaces
from tools.blender.meshes import turn
from tools.blender.plan import (
    LIGHTS,
    Camera,
    Placed,
    Plan,
    draw_kind,
    draw_size,
    flat,
    footprint,
    make,
    material_cycle,
    posed,
    split_of,
    spread_out,
    table,
    upright,
    with_contents,
    with_lid,
)  # fmt: skip

CLOSE = 0.16  # share of scenes in which one surface fills the picture
KNOWN = ("pencil", "brick", "coin")
CROWD = (7, 13)  # things of a crowded scene


def _things(rng: np.random.Generator, surfaces: Surfaces, crowded: bool) -> tuple[list[Placed], set[int]]:
    """Posed things of different materials about one size, the first of which sets the scale; the seeds of the vessels
    that are filled."""
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.26, 0.26, 0.22, 0.15, 0.11]))
    if crowded:
        count = int(rng.integers(CROWD[0], CROWD[1] + 1))
    around: float | None = None
    out: list[Placed] = []
    filled: set[int] = set()
    for material in material_cycle(rng, count):
        if material == "liquid" and rng.random() < 0.25:
            liquid = surfaces.draw(rng, material)
            thing = make(rng, "puddle", material, liquid, draw_size(rng, "puddle", around))
        elif material == "liquid":
            kind = str(rng.choice(list(materials.POURED_INTO)))
            options = materials.POURED_INTO[kind]
            container = options[int(rng.integers(len(options)))]
            thing = make(rng, kind, container, surfaces.draw(rng, container), draw_size(rng, kind, around))
            filled.add(thing.seed)
        else:
            kind = draw_kind(rng, material)
            variant = surfaces.draw(rng, material)
            if materials.ONLY_ON.get(kind, ("", ""))[0] == material and rng.random() < 0.5:
                variant = str(materials.ONLY_ON[kind][1])
            thing = make(rng, kind, material, variant, draw_size(rng, kind, around))
        out.append(thing if thing.seed in filled else posed(rng, thing))
        around = around or thing.body.size_m
    if around and 0.05 < around < 0.6 and rng.random() < 0.2:
        kind = str(rng.choice(KNOWN))
        owner, surface = materials.ONLY_ON[kind]
        variant = surface or surfaces.draw(rng, owner)
        out.append(posed(rng, make(rng, kind, owner, variant, draw_size(rng, kind, None))))
    return out, filled


def _weighted(rng: np.random.Generator, table_: Sequence[tuple[MaterialName | None, str, float]]
              ) -> tuple[MaterialName | None, str]:  # fmt: skip
    weights = np.array([row[2] for row in table_])
    material, variant, _ = table_[int(rng.choice(len(table_), p=weights / weights.sum()))]
    return material, variant


def _wide_variant(rng: np.random.Generator, material: MaterialName | None, variant: str, surfaces: Surfaces) -> str:
    while material is not None and not variant:
        candidate = surfaces.draw(rng, material)
        variant = "" if candidate in materials.NOT_WIDE else candidate
    return variant


def ground(
    rng: np.random.Generator, reach_m: float, surfaces: Surfaces, material: MaterialName | None, variant: str
) -> Placed:
    """A table's top for small things, else a floor; its pattern is fitted to what is seen of it."""
    variant = _wide_variant(rng, material, variant, surfaces)
    outdoors = material is None or variant in ("cobbles", "tiles", "deep_water", "planks") or reach_m > 0.7
    thickness = {"fabric": 0.004, "paper": 0.0015, "leather": 0.003, "liquid": 0.3}.get(str(material), 0.03)
    body = flat(24.0, thickness) if outdoors or rng.random() < 0.35 else table(rng, reach_m)
    return Placed(material, variant, "ground", int(rng.integers(2**31)), body, turn(2, rng.uniform(0, 6.3)),
                  np.zeros(3), float(np.clip(2.5 * reach_m, 0.15, 1.5)))  # fmt: skip


def _floor(rng: np.random.Generator, surfaces: Surfaces) -> Placed:
    """What the table stands on."""
    material, variant = _weighted(rng, materials.FLOORS)
    return Placed(material, _wide_variant(rng, material, variant, surfaces), "floor", int(rng.integers(2**31)),
                  flat(24.0, 0.03), turn(2, rng.uniform(0, 6.3)), np.array([0, 0, -0.72]), 1.5)  # fmt: skip


def _wall(rng: np.random.Generator, camera: Camera, reach_m: float, surfaces: Surfaces) -> Placed:
    """Upright behind the things, as the camera sees them."""
    ahead = camera.target - camera.eye
    ahead[2] = 0
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    heading = np.arctan2(ahead[0], -ahead[1]) + rng.normal(0, 0.25)
    material, variant = _weighted(rng, materials.WALLS)
    rotation = turn(2, heading) @ turn(0, np.pi / 2)
    distance = reach_m * rng.uniform(1.15, 2.2) + rng.choice([0.0, 0.3, 1.0])
    return Placed(material, _wide_variant(rng, material, variant, surfaces), "wall", int(rng.integers(2**31)),
                  flat(14.0, 0.12), rotation, camera.target * [1, 1, 0] + ahead * distance,
                  float(np.clip(2.5 * reach_m, 0.3, 1.5)))  # fmt: skip


def _way(rng: np.random.Generator, least_deg: float = 5, usual_deg: float = 30) -> np.ndarray:
    """Unit vector from the things to the camera."""
    elevation = np.deg2rad(np.clip(rng.normal(usual_deg, 17), least_deg, 85))
    heading = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(elevation) * np.cos(heading), np.cos(elevation) * np.sin(heading), np.sin(elevation)])


def _close_camera(rng: np.random.Generator, subject: Placed, lens_mm: float) -> Camera:
    """Near enough that one surface fills most of the picture."""
    points, normals = subject.world(), subject.body.mesh.normals() @ subject.rotation.T
    for _ in range(60):
        k = int(rng.integers(len(points)))
        if normals[k, 2] > -0.1:
            break
    way = normals[k] + 0.8 * rng.normal(size=3)
    way[2] = abs(way[2]) + 0.1
    way /= np.linalg.norm(way)
    size = subject.body.size_m * (0.4 + 0.6 * subject.body.middle)
    distance = max(size * rng.uniform(0.35, 0.8), 0.05) / (2 * 18.0 / lens_mm)
    return Camera(points[k] + way * distance, points[k], lens_mm, 0.0, rng.uniform(-0.5, 0.5))


def framed(things: Sequence[Placed], way: np.ndarray, lens_mm: float, fill: float, shift: np.ndarray) -> Camera:
    """A camera that looks against `way` so that the things reach to `fill` of the half picture; shift (3,): of what it
    looks at, in radii of the things."""
    points = np.concatenate([thing.world() for thing in things])
    low, high = points.min(axis=0), points.max(axis=0)
    target = (low + high) / 2 + shift * float(np.linalg.norm(high - low)) / 2
    right = np.cross([0.0, 0.0, 1.0], way) / np.linalg.norm(way[:2])
    beside, above, before = ((points - target) @ axis for axis in (right, np.cross(way, right), way))
    distance = float((before + np.maximum(np.abs(beside), np.abs(above)) / (fill * 18.0 / lens_mm)).max())
    return Camera(target + way * max(distance, float(before.max()) + 0.05), target, lens_mm, 0.0, 0.0)


def _camera(rng: np.random.Generator, things: Sequence[Placed], crowded: bool) -> Camera:
    """A camera that looks at all the things or at one of them, or goes close to one surface; at a crowd from above."""
    lens = float(np.exp(rng.uniform(np.log(26), np.log(85))))
    if not crowded and rng.random() < CLOSE:
        return _close_camera(rng, things[int(rng.integers(len(things)))], lens)
    subjects = list(things) if crowded or rng.random() < 0.6 else [things[int(rng.integers(len(things)))]]
    inside = any(thing.kind == "poured" for thing in subjects)  # to be seen
    way = _way(rng, 25, 48) if crowded else _way(rng, 32 if inside else 5)
    fill = rng.uniform(0.95, 1.4) if crowded else rng.uniform(0.5, 1.15)
    camera = framed(subjects, way, lens, fill, rng.normal(0, 0.1, 3) * [1, 1, 0.5])
    distance, f_number = float(np.linalg.norm(camera.eye - camera.target)), 0.0
    seen = distance * camera.half_tangent
    if rng.random() < 0.6:  # what lies half a picture's width behind is blurred over this share of the picture
        blur = float(np.exp(rng.uniform(np.log(0.002), np.log(0.025))))
        aperture = blur * 2 * distance * (18.0 / lens) * (distance + seen) / seen
        f_number = float(np.clip(lens / 1000 / aperture, 1.4, 64))
    eye = camera.eye.copy()
    eye[2] = max(eye[2], 0.03 + 0.1 * seen)
    return replace(camera, eye=eye, f_number=f_number, roll=float(rng.normal(0, 0.04)))


def scene(seed: int, index: int, crowded: bool = False, more: bool = False) -> Plan:
    """The plan of scene `index`: the same seed and index give the same plan. crowded: many things that fill the
    picture, so that one rendered pixel teaches more; more: of more kinds of surface."""
    rng = np.random.default_rng([seed, index])
    surfaces = Surfaces(split_of(index), more)
    things, filled = _things(rng, surfaces, crowded)
    placed: list[Placed] = []
    for thing in spread_out(rng, things):
        placed.append(thing)
        if thing.seed in filled:
            placed.append(with_contents(rng, thing, surfaces.draw(rng, "liquid")))
        elif thing.kind in ("jar", "pot", "bottle") and upright(thing) and rng.random() < 0.3:
            placed.append(with_lid(rng, thing, surfaces))
    camera = _camera(rng, placed, crowded)
    reach = max(float(np.linalg.norm(footprint(t)[0])) + footprint(t)[1] for t in placed)
    material, variant = _weighted(rng, materials.GROUNDS)
    if reach > 1.0 and material in ("paper", "leather", "glass", "rubber"):
        material, variant = "concrete", ""
    placed.append(ground(rng, reach, surfaces, material, variant))
    if placed[-1].body.size_m < MAX_SIZE_M:
        placed.append(_floor(rng, surfaces))
    if rng.random() < 0.4:
        placed.append(_wall(rng, camera, reach, surfaces))
    light = LIGHTS[int(rng.choice(len(LIGHTS), p=[0.2, 0.13, 0.17, 0.13, 0.1, 0.1, 0.06, 0.11]))]
    return Plan(seed, index, surfaces.split, tuple(placed), camera, light, int(rng.integers(2**31)))
