"""Scene plans: objects, materials, poses, camera and light as plain data.

Everything depends on (seed, i) alone. Blender is not needed here: a plan holds finished meshes and numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synesthesia.core.vocabulary import MATERIALS, MaterialName
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M, PhysicalObject
from tools.blender import materials
from tools.blender.materials import SurfaceSampler
from tools.blender.meshes import Mesh, rotation_matrix, rounded_box
from tools.blender.vessels import KINDS, ObjectMesh, build_mesh, liquid_mesh

SHARD = 100  # scenes per shard; every tenth shard is validation
LIGHTS = ("sun", "overcast", "window", "studio", "lamp", "backlight", "flash", "mixed")
ANY_KIND_SHARE = 0.3  # share of objects whose kind is sampled regardless of their material
GENERAL = tuple(kind for kind in KINDS if kind not in ("lid", "puddle", "pencil", "brick", "coin"))
LYING_PROBABILITY = {"bottle": 0.25, "can": 0.25, "pipe": 0.7, "jar": 0.1, "tumbler": 0.12, "roll": 0.5, "vase": 0.1,
                     "drum": 0.25, "cup": 0.12, "egg": 0.9}  # fmt: skip
TURNABLE = ("block", "box", "brick", "beam")
ROUND = ("ball", "rock", "hollow_ball")


@dataclass(frozen=True)
class PlacedObject:
    """One object in the scene. rotation (3, 3), position (3,): object frame to world; material None: a ground that is
    none of the materials; pattern_m: a length to which the surface's pattern is scaled."""

    material: MaterialName | None
    variant: str
    kind: str
    seed: int
    body: ObjectMesh
    rotation: np.ndarray
    position: np.ndarray
    pattern_m: float

    @property
    def physical_object(self) -> PhysicalObject:
        assert self.material is not None
        b = self.body
        size, middle = float(np.clip(b.size_m, MIN_SIZE_M, MAX_SIZE_M)), min(b.middle, 1.0)
        return PhysicalObject(self.material, b.shape, size, middle, min(b.least, middle), b.thickness_m)

    def world_vertices(self) -> np.ndarray:
        """(V, 3) vertices in the world."""
        return self.body.mesh.vertices @ self.rotation.T + self.position


@dataclass(frozen=True)
class Camera:
    """eye, target (3,) metres; lens_mm for a 36 mm wide sensor; f_number 0: no depth of field."""

    eye: np.ndarray
    target: np.ndarray
    lens_mm: float
    f_number: float
    roll: float

    @property
    def half_tangent(self) -> float:
        return 18.0 / self.lens_mm


@dataclass(frozen=True)
class ScenePlan:
    seed: int
    index: int
    split: str
    objects: tuple[PlacedObject, ...]
    camera: Camera
    light: str
    light_seed: int


def split_of(index: int) -> str:
    return "val" if (index // SHARD) % 10 == 9 else "train"


def sample_kind(rng: np.random.Generator, material: MaterialName) -> str:
    for _ in range(100):
        usual = materials.KINDS_OF[material] if rng.random() > ANY_KIND_SHARE else GENERAL
        kind = usual[int(rng.integers(len(usual)))]
        if (material, kind) not in materials.EXCLUDED:
            return kind
    raise AssertionError("no kind for " + material)


def sample_size(rng: np.random.Generator, kind: str, around: float | None) -> float:
    """Log-uniform within the kind's range and near the size `around` of the other objects (metres)."""
    _, low, high, _ = KINDS[kind]
    if around is not None:
        low, high = min(max(low, around / 3.5), high), max(min(high, around * 1.4), low)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low)))))


def make_object(
    rng: np.random.Generator, kind: str, material: MaterialName, variant: str, size_m: float
) -> PlacedObject:
    """An upright object at the origin."""
    seed = int(rng.integers(2**31))
    body = build_mesh(kind, size_m, material, variant == "crumpled_paper" and kind in ("ball", "sheet"), seed)
    return PlacedObject(material, variant, kind, seed, body, np.eye(3), np.zeros(3), size_m)


def random_pose(rng: np.random.Generator, placed: PlacedObject) -> PlacedObject:
    """Upright, lying or tilted, with a random heading; the lowest point at height 0."""
    rotation = np.eye(3)
    if placed.kind in ROUND:
        if placed.kind != "rock":
            rotation = rotation_matrix(0, rng.uniform(0, 6.3)) @ rotation_matrix(1, rng.uniform(0, 6.3))
    elif rng.random() < LYING_PROBABILITY.get(placed.kind, 0.0):
        rotation = rotation_matrix(0, np.pi / 2) @ rotation_matrix(2, rng.uniform(0, 6.3))
    elif placed.kind in TURNABLE and rng.random() < 0.35:
        rotation = rotation_matrix(int(rng.integers(2)), np.pi / 2)
    elif placed.kind in ("slab", "disc", "tile", "tray") and rng.random() < 0.12:
        rotation = rotation_matrix(0, np.deg2rad(rng.uniform(66, 82)))
    rotation = rotation_matrix(2, rng.uniform(0, 6.3)) @ rotation
    placed = replace(placed, rotation=rotation)
    return replace(placed, position=np.array([0, 0, -placed.world_vertices()[:, 2].min()]))


def is_upright(placed: PlacedObject) -> bool:
    return bool(abs(placed.rotation[2, 2]) > 0.999)


def footprint(placed: PlacedObject) -> tuple[np.ndarray, float]:
    """Centre (2,) and radius on the ground, metres."""
    points = placed.world_vertices()[:, :2]
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    return centre, float(np.linalg.norm(points - centre, axis=1).max())


def outline(placed: PlacedObject) -> np.ndarray:
    """(64, 2) extreme points of the ground outline in 64 directions (its convex hull)."""
    points, angle = placed.world_vertices()[:, :2], np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return points[(points @ np.stack([np.cos(angle), np.sin(angle)])).argmax(axis=0)]


def separated(points: np.ndarray, others: Sequence[np.ndarray], gap: float) -> bool:
    """Separating-axis test in 12 directions: whether outlines (V, 2) keep a gap, so that their hulls do not overlap."""
    angle = np.linspace(0, np.pi, 12, endpoint=False)
    ways = np.stack([np.cos(angle), np.sin(angle)])
    low, high = (points @ ways).min(axis=0), (points @ ways).max(axis=0)
    alongs = (other @ ways for other in others)
    return all(((low > a.max(axis=0) + gap) | (high < a.min(axis=0) - gap)).any() for a in alongs)


def arrange(rng: np.random.Generator, objects: Sequence[PlacedObject]) -> list[PlacedObject]:
    """Places the objects side by side, some on top of another, without intersections."""
    out: list[PlacedObject] = []
    outlines: list[np.ndarray] = []
    for obj in objects:
        _, radius = footprint(obj)
        edge = outline(obj)
        carriers = [p for p in out if is_upright(p) and np.isfinite(p.body.top) and p.position[2] < 0.01
                    and 0.45 * p.body.mesh.extents[:2].min() > radius]  # fmt: skip
        if carriers and rng.random() < 0.35:
            base = carriers[0]
            out.append(replace(obj, position=obj.position + base.position + [0, 0, base.body.top]))
            continue
        best: tuple[float, np.ndarray] | None = None
        far = 2.2 * radius + 2 * max((float(np.abs(o).max()) for o in outlines), default=0.0)
        for _ in range(90 if out else 1):
            way, away = rng.uniform(0, 2 * np.pi), far * rng.uniform() if out else 0.0
            shift = away * np.array([np.cos(way), np.sin(way)])
            cost = away * rng.uniform(1, 1.6)  # close to the others, but not always in the nearest gap
            if (best is None or cost < best[0]) and separated(edge + shift, outlines, 0.03 * radius):
                best = cost, shift
        if best is not None:
            out.append(replace(obj, position=obj.position + np.append(best[1], 0.0)))
            outlines.append(edge + best[1])
    return out


def contents_of(rng: np.random.Generator, vessel: PlacedObject, liquid: str) -> PlacedObject:
    """The liquid in an upright vessel."""
    mesh = liquid_mesh(vessel.body, rng.uniform(0.45, 0.9), vessel.material in ("glass", "plastic"))
    extents = np.sort(mesh.extents)[::-1]
    body = ObjectMesh(mesh, "solid", float(extents[0]), float(extents[1] / extents[0]), float(extents[2] / extents[0]),
                      float(extents[2]))  # fmt: skip
    return replace(vessel, material="liquid", variant=liquid, kind="poured", body=body, pattern_m=float(extents[0]))


def lid_on(rng: np.random.Generator, vessel: PlacedObject, surfaces: SurfaceSampler) -> PlacedObject:
    assert vessel.body.inner is not None
    material = materials.LIDS[int(rng.integers(len(materials.LIDS)))]
    rim = 2 * (vessel.body.inner[-1, 0] + vessel.body.thickness_m)
    lid = make_object(rng, "lid", material, surfaces.sample(rng, material), max(1.06 * rim, MIN_SIZE_M))
    height = vessel.body.inner[:, 1].max()
    offset = vessel.rotation @ np.array([*vessel.body.axis, height])
    return replace(lid, rotation=vessel.rotation, position=vessel.position + offset)


def ground_plane(mesh_m: float, thickness_m: float) -> ObjectMesh:
    """A wide plane at height 0; MAX_SIZE_M of it count as one object."""
    h = mesh_m / 2
    points = np.array([[-h, -h, 0], [h, -h, 0], [h, h, 0], [-h, h, 0]])
    mesh = Mesh(points, np.array([[0, 1, 2, 3]]), points[None, :, :2], smooth=False)
    return ObjectMesh(mesh, "plate", MAX_SIZE_M, 1.0, thickness_m / MAX_SIZE_M, thickness_m, top=0.0)


def table_top(rng: np.random.Generator, reach_m: float) -> ObjectMesh:
    """A table top, its upper face at height 0."""
    length = float(np.clip(2.4 * reach_m, 0.5, MAX_SIZE_M))
    width, thick = length * rng.uniform(0.6, 1), rng.uniform(0.018, 0.05)
    mesh = rounded_box((length, width, thick), thick * rng.uniform(0.05, 0.45), 20).translated((0, 0, -thick / 2))
    return ObjectMesh(mesh, "plate", length, width / length, thick / length, thick, top=0.0)


def distinct_materials(rng: np.random.Generator, count: int) -> list[MaterialName]:
    """`count` different materials, uniformly sampled."""
    return [MATERIALS[int(k)] for k in rng.permutation(len(MATERIALS))[:count]]
