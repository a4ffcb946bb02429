"""What stands in scene number i: which things of which material, where, seen from where, in which light.

Everything follows from (seed, i) alone. No Blender is needed here: a plan holds finished meshes and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synesthesia.impact.modal.things import MATERIALS, MAX_SIZE_M, MIN_SIZE_M, MaterialName, PhysicalObject, ShapeName
from tools.blender import materials
from tools.blender.materials import Surfaces
from tools.blender.meshes import TRIANGLE, Mesh, rounded_box, turn
from tools.blender.vessels import KINDS, Body, build, poured

SHARD = 100  # scenes; every tenth shard is val
LIGHTS = ("sun", "overcast", "window", "studio", "lamp", "backlight", "flash", "mixed")
UNUSUAL = 0.3  # share of things whose shape says nothing about their material
GENERAL = tuple(kind for kind in KINDS if kind not in ("lid", "puddle", "pencil", "brick", "coin"))
LYING = {"bottle": 0.25, "can": 0.25, "pipe": 0.7, "jar": 0.1, "tumbler": 0.12, "roll": 0.5, "vase": 0.1, "drum": 0.25,
         "cup": 0.12, "egg": 0.9}  # fmt: skip
TURNABLE = ("block", "box", "brick", "beam")
ROUND = ("ball", "rock", "hollow_ball")


@dataclass(frozen=True)
class Placed:
    """One thing in the scene. rotation (3, 3) and position (3,) bring its own frame into the world; material None: a
    ground that is none of the materials."""

    material: MaterialName | None
    variant: str
    kind: str
    seed: int
    body: Body
    rotation: np.ndarray
    position: np.ndarray
    pattern_m: float  # a length to which the surface's pattern is fitted

    @property
    def thing(self) -> PhysicalObject:
        assert self.material is not None
        b = self.body
        size = float(np.clip(b.size_m, MIN_SIZE_M, MAX_SIZE_M))
        return PhysicalObject(
            self.material, b.shape, size, min(b.middle, 1.0), min(b.least, b.middle, 1.0), b.thickness_m
        )

    def world(self) -> np.ndarray:
        """(V, 3) vertices in the world."""
        return self.body.mesh.vertices @ self.rotation.T + self.position


@dataclass(frozen=True)
class Camera:
    """eye, target (3,) metres; lens_mm for a 36 mm wide sensor; f_number 0: everything sharp."""

    eye: np.ndarray
    target: np.ndarray
    lens_mm: float
    f_number: float
    roll: float

    @property
    def half_tangent(self) -> float:
        return 18.0 / self.lens_mm


@dataclass(frozen=True)
class Plan:
    seed: int
    index: int
    split: str
    placed: tuple[Placed, ...]
    camera: Camera
    light: str
    light_seed: int


def split_of(index: int) -> str:
    return "val" if (index // SHARD) % 10 == 9 else "train"


def draw_kind(rng: np.random.Generator, material: MaterialName) -> str:
    for _ in range(100):
        usual = materials.KINDS_OF[material] if rng.random() > UNUSUAL else GENERAL
        kind = usual[int(rng.integers(len(usual)))]
        if (material, kind) not in materials.EXCLUDED:
            return kind
    raise AssertionError("no kind for " + material)


def draw_size(rng: np.random.Generator, kind: str, around: float | None) -> float:
    """Log-uniform within what the kind allows, and near the other things' size."""
    _, low, high, _ = KINDS[kind]
    if around is not None:
        low, high = min(max(low, around / 3.5), high), max(min(high, around * 1.4), low)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))


def make(rng: np.random.Generator, kind: str, material: MaterialName, variant: str, size_m: float) -> Placed:
    """A thing at the origin, standing."""
    seed = int(rng.integers(2**31))
    body = build(kind, size_m, material, variant == "crumpled_paper" and kind in ("ball", "sheet"), seed)
    return Placed(material, variant, kind, seed, body, np.eye(3), np.zeros(3), size_m)


def posed(rng: np.random.Generator, placed: Placed) -> Placed:
    """Standing, lying or turned over, with any heading, its lowest point at height 0."""
    rotation = np.eye(3)
    if placed.kind in ROUND:
        rotation = turn(0, rng.uniform(0, 6.3)) @ turn(1, rng.uniform(0, 6.3)) if placed.kind != "rock" else rotation
    elif rng.random() < LYING.get(placed.kind, 0.0):
        rotation = turn(0, np.pi / 2) @ turn(2, rng.uniform(0, 6.3))
    elif placed.kind in TURNABLE and rng.random() < 0.35:
        rotation = turn(int(rng.integers(2)), np.pi / 2)
    elif placed.kind in ("slab", "disc", "tile", "tray") and rng.random() < 0.12:
        rotation = turn(0, np.deg2rad(rng.uniform(66, 82)))
    rotation = turn(2, rng.uniform(0, 6.3)) @ rotation
    placed = replace(placed, rotation=rotation)
    return replace(placed, position=np.array([0, 0, -placed.world()[:, 2].min()]))


def upright(placed: Placed) -> bool:
    return bool(abs(placed.rotation[2, 2]) > 0.999)


def footprint(placed: Placed) -> tuple[np.ndarray, float]:
    """Centre and radius on the ground."""
    points = placed.world()[:, :2]
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    return centre, float(np.linalg.norm(points - centre, axis=1).max())


def outline(placed: Placed) -> np.ndarray:
    """(64, 2) the points of its ground outline that lie furthest out, direction by direction."""
    points, angle = placed.world()[:, :2], np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return points[(points @ np.stack([np.cos(angle), np.sin(angle)])).argmax(axis=0)]


def apart(points: np.ndarray, others: Sequence[np.ndarray], gap: float) -> bool:
    """Whether ground outlines (V, 2) keep apart along one of 12 directions (so their hulls do not meet)."""
    angle = np.linspace(0, np.pi, 12, endpoint=False)
    ways = np.stack([np.cos(angle), np.sin(angle)])
    low, high = (points @ ways).min(axis=0), (points @ ways).max(axis=0)
    for other in others:
        along = other @ ways
        if not ((low > along.max(axis=0) + gap) | (high < along.min(axis=0) - gap)).any():
            return False
    return True


def spread_out(rng: np.random.Generator, things: Sequence[Placed]) -> list[Placed]:
    """The things side by side (some on top of another), none through another."""
    out: list[Placed] = []
    outlines: list[np.ndarray] = []
    for thing in things:
        _, radius = footprint(thing)
        edge = outline(thing)
        carriers = [p for p in out if upright(p) and np.isfinite(p.body.top) and p.position[2] < 0.01
                    and 0.45 * p.body.mesh.extents[:2].min() > radius]  # fmt: skip
        if carriers and rng.random() < 0.35:
            base = carriers[0]
            out.append(replace(thing, position=thing.position + base.position + [0, 0, base.body.top]))
            continue
        best: tuple[float, np.ndarray] | None = None
        far = 2.2 * radius + 2 * max((float(np.abs(o).max()) for o in outlines), default=0.0)
        for _ in range(90 if out else 1):
            way, away = rng.uniform(0, 2 * np.pi), far * rng.uniform() if out else 0.0
            shift = away * np.array([np.cos(way), np.sin(way)])
            cost = away * rng.uniform(1, 1.6)  # near the others, but not always in the nearest gap
            if (best is None or cost < best[0]) and apart(edge + shift, outlines, 0.03 * radius):
                best = cost, shift
        if best is not None:
            out.append(replace(thing, position=thing.position + np.append(best[1], 0.0)))
            outlines.append(edge + best[1])
    return out


def with_contents(rng: np.random.Generator, vessel: Placed, liquid: str) -> Placed:
    """What is poured into a standing vessel."""
    mesh = poured(vessel.body, rng.uniform(0.45, 0.9), vessel.material in ("glass", "plastic"))
    extents = np.sort(mesh.extents)[::-1]
    body = Body(mesh, "solid", float(extents[0]), float(extents[1] / extents[0]), float(extents[2] / extents[0]),
                float(extents[2]), None, 2.0, 1.0, float("nan"), np.zeros(2))  # fmt: skip
    return replace(vessel, material="liquid", variant=liquid, kind="poured", body=body, pattern_m=float(extents[0]))


def with_lid(rng: np.random.Generator, vessel: Placed, surfaces: Surfaces) -> Placed:
    assert vessel.body.inner is not None
    material = materials.LIDS[int(rng.integers(len(materials.LIDS)))]
    rim = 2 * (vessel.body.inner[-1, 0] + vessel.body.thickness_m)
    lid = make(rng, "lid", material, surfaces.draw(rng, material), max(1.06 * rim, MIN_SIZE_M))
    height = vessel.body.inner[:, 1].max()
    offset = vessel.rotation @ np.array([*vessel.body.axis, height])
    return replace(lid, rotation=vessel.rotation, position=vessel.position + offset)


def flat(mesh_m: float, thickness_m: float, shape: ShapeName = "plate") -> Body:
    """A wide plane at height 0, of which 2 m count as one thing."""
    h = mesh_m / 2
    points = np.array([[-h, -h, 0], [h, -h, 0], [h, h, 0], [-h, h, 0]])
    mesh = Mesh(points, np.array([[0, 1, 2, 3]]), points[None, :, :2], smooth=False)
    assert TRIANGLE not in mesh.faces
    return Body(mesh, shape, MAX_SIZE_M, 1.0, thickness_m / MAX_SIZE_M, thickness_m, None, 2.0, 1.0, 0.0, np.zeros(2))


def table(rng: np.random.Generator, reach_m: float) -> Body:
    """A table's top, its upper face at height 0."""
    length = float(np.clip(2.4 * reach_m, 0.5, MAX_SIZE_M))
    width, thick = length * rng.uniform(0.6, 1), rng.uniform(0.018, 0.05)
    mesh = rounded_box((length, width, thick), thick * rng.uniform(0.05, 0.45), 20).moved((0, 0, -thick / 2))
    return Body(mesh, "plate", length, width / length, thick / length, thick, None, 2.0, 1.0, 0.0, np.zeros(2))


def material_cycle(rng: np.random.Generator, count: int) -> list[MaterialName]:
    """`count` different materials, every one as likely as another."""
    return [MATERIALS[int(k)] for k in rng.permutation(len(MATERIALS))[:count]]
