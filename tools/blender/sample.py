"""Samples the plan of scene i: objects, ground, wall, camera and light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synesthesia.core.vocabulary import MaterialName
from synesthesia.impact.modal.objects import MAX_SIZE_M
from tools.blender import materials, plan
from tools.blender.materials import SurfaceSampler
from tools.blender.meshes import rotation_matrix
from tools.blender.plan import LIGHTS, Camera, PlacedObject, ScenePlan

CLOSE_UP_SHARE = 0.16  # share of scenes in which one surface fills the picture
SCALE_REFERENCES = ("pencil", "brick", "coin")
CROWDED_COUNT = (7, 13)  # objects of a crowded scene


def _sample_objects(
    rng: np.random.Generator, surfaces: SurfaceSampler, crowded: bool
) -> tuple[list[PlacedObject], set[int]]:
    """Posed objects of different materials and similar size (the first sets the scale), and the seeds of the vessels
    that are filled."""
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.26, 0.26, 0.22, 0.15, 0.11]))
    if crowded:
        count = int(rng.integers(CROWDED_COUNT[0], CROWDED_COUNT[1] + 1))
    around: float | None = None
    out: list[PlacedObject] = []
    filled: set[int] = set()
    for material in plan.distinct_materials(rng, count):
        owner, poured = material, material == "liquid" and rng.random() >= 0.25
        if poured:
            kind = str(rng.choice(list(materials.VESSEL_MATERIALS)))
            options = materials.VESSEL_MATERIALS[kind]
            owner = options[int(rng.integers(len(options)))]
        else:
            kind = "puddle" if material == "liquid" else plan.sample_kind(rng, material)
        variant = surfaces.sample(rng, owner)
        if materials.ONLY_ON.get(kind, ("", ""))[0] == material and rng.random() < 0.5:
            variant = str(materials.ONLY_ON[kind][1])
        obj = plan.make_object(rng, kind, owner, variant, plan.sample_size(rng, kind, around))
        if poured:
            filled.add(obj.seed)
        out.append(obj if poured else plan.random_pose(rng, obj))
        around = around or obj.body.size_m
    if around and 0.05 < around < 0.6 and rng.random() < 0.2:
        kind = str(rng.choice(SCALE_REFERENCES))
        owner, surface = materials.ONLY_ON[kind]
        variant = surface or surfaces.sample(rng, owner)
        reference = plan.make_object(rng, kind, owner, variant, plan.sample_size(rng, kind, None))
        out.append(plan.random_pose(rng, reference))
    return out, filled


def _weighted(rng: np.random.Generator, table_: Sequence[tuple[MaterialName | None, str, float]]
              ) -> tuple[MaterialName | None, str]:  # fmt: skip
    weights = np.array([row[2] for row in table_])
    material, variant, _ = table_[int(rng.choice(len(table_), p=weights / weights.sum()))]
    return material, variant


def _wide_variant(
    rng: np.random.Generator, material: MaterialName | None, variant: str, surfaces: SurfaceSampler
) -> str:
    while material is not None and not variant:
        candidate = surfaces.sample(rng, material)
        variant = "" if candidate in materials.NOT_WIDE else candidate
    return variant


def sample_ground(
    rng: np.random.Generator, reach_m: float, surfaces: SurfaceSampler, material: MaterialName | None, variant: str
) -> PlacedObject:
    """A table top for small objects, else a floor; the pattern is scaled to the visible part."""
    variant = _wide_variant(rng, material, variant, surfaces)
    outdoors = material is None or variant in ("cobbles", "tiles", "deep_water", "planks") or reach_m > 0.7
    thickness = {"fabric": 0.004, "paper": 0.0015, "leather": 0.003, "liquid": 0.3}.get(str(material), 0.03)
    body = plan.ground_plane(24.0, thickness) if outdoors or rng.random() < 0.35 else plan.table_top(rng, reach_m)
    return PlacedObject(material, variant, "ground", int(rng.integers(2**31)), body,
                        rotation_matrix(2, rng.uniform(0, 6.3)), np.zeros(3),
                        float(np.clip(2.5 * reach_m, 0.15, 1.5)))  # fmt: skip


def _floor(rng: np.random.Generator, surfaces: SurfaceSampler) -> PlacedObject:
    """The floor under a table."""
    material, variant = _weighted(rng, materials.FLOORS)
    return PlacedObject(material, _wide_variant(rng, material, variant, surfaces), "floor", int(rng.integers(2**31)),
                        plan.ground_plane(24.0, 0.03), rotation_matrix(2, rng.uniform(0, 6.3)), np.array([0, 0, -0.72]),
                        1.5)  # fmt: skip


def _wall(rng: np.random.Generator, camera: Camera, reach_m: float, surfaces: SurfaceSampler) -> PlacedObject:
    """A wall behind the objects as seen from the camera."""
    ahead = camera.target - camera.eye
    ahead[2] = 0
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    heading = np.arctan2(ahead[0], -ahead[1]) + rng.normal(0, 0.25)
    material, variant = _weighted(rng, materials.WALLS)
    rotation = rotation_matrix(2, heading) @ rotation_matrix(0, np.pi / 2)
    distance = reach_m * rng.uniform(1.15, 2.2) + rng.choice([0.0, 0.3, 1.0])
    return PlacedObject(material, _wide_variant(rng, material, variant, surfaces), "wall", int(rng.integers(2**31)),
                        plan.ground_plane(14.0, 0.12), rotation, camera.target * [1, 1, 0] + ahead * distance,
                        float(np.clip(2.5 * reach_m, 0.3, 1.5)))  # fmt: skip


def _view_direction(rng: np.random.Generator, least_deg: float = 5, usual_deg: float = 30) -> np.ndarray:
    """Unit vector from the objects to the camera."""
    elevation = np.deg2rad(np.clip(rng.normal(usual_deg, 17), least_deg, 85))
    heading = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(elevation) * np.cos(heading), np.cos(elevation) * np.sin(heading), np.sin(elevation)])


def _close_camera(rng: np.random.Generator, subject: PlacedObject, lens_mm: float) -> Camera:
    """A camera so close that one surface fills most of the picture."""
    points, normals = subject.world_vertices(), subject.body.mesh.normals() @ subject.rotation.T
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


def frame_objects(
    objects: Sequence[PlacedObject], way: np.ndarray, lens_mm: float, fill: float, shift: np.ndarray
) -> Camera:
    """A camera looking along -`way`, at a distance where the objects reach to `fill` of half the picture. shift (3,):
    of the target, in radii of the objects."""
    points = np.concatenate([obj.world_vertices() for obj in objects])
    low, high = points.min(axis=0), points.max(axis=0)
    target = (low + high) / 2 + shift * float(np.linalg.norm(high - low)) / 2
    right = np.cross([0.0, 0.0, 1.0], way) / np.linalg.norm(way[:2])
    beside, above, before = ((points - target) @ axis for axis in (right, np.cross(way, right), way))
    distance = float((before + np.maximum(np.abs(beside), np.abs(above)) / (fill * 18.0 / lens_mm)).max())
    return Camera(target + way * max(distance, float(before.max()) + 0.05), target, lens_mm, 0.0, 0.0)


def _camera(rng: np.random.Generator, objects: Sequence[PlacedObject], crowded: bool) -> Camera:
    """A camera on all objects, on one of them or close to one surface; crowded scenes are seen from above."""
    lens = float(np.exp(rng.uniform(np.log(26), np.log(85))))
    if not crowded and rng.random() < CLOSE_UP_SHARE:
        return _close_camera(rng, objects[int(rng.integers(len(objects)))], lens)
    subjects = list(objects) if crowded or rng.random() < 0.6 else [objects[int(rng.integers(len(objects)))]]
    inside = any(obj.kind == "poured" for obj in subjects)  # liquids must be visible
    way = _view_direction(rng, 25, 48) if crowded else _view_direction(rng, 32 if inside else 5)
    fill = rng.uniform(0.95, 1.4) if crowded else rng.uniform(0.5, 1.15)
    camera = frame_objects(subjects, way, lens, fill, rng.normal(0, 0.1, 3) * [1, 1, 0.5])
    distance, f_number = float(np.linalg.norm(camera.eye - camera.target)), 0.0
    visible = distance * camera.half_tangent
    if rng.random() < 0.6:  # blur of points half a picture width behind, as a share of the picture
        blur = float(np.exp(rng.uniform(np.log(0.002), np.log(0.025))))
        aperture = blur * 2 * distance * (18.0 / lens) * (distance + visible) / visible
        f_number = float(np.clip(lens / 1000 / aperture, 1.4, 64))
    eye = camera.eye.copy()
    eye[2] = max(eye[2], 0.03 + 0.1 * visible)
    return replace(camera, eye=eye, f_number=f_number, roll=float(rng.normal(0, 0.04)))


def sample_scene(seed: int, index: int, crowded: bool = False, extra: bool = False) -> ScenePlan:
    """The plan of scene `index`; the same seed and index give the same plan. crowded: many objects that fill the
    picture; extra: also from `materials.EXTRA_VARIANTS`."""
    rng = np.random.default_rng([seed, index])
    surfaces = SurfaceSampler(plan.split_of(index), extra)
    objects, filled = _sample_objects(rng, surfaces, crowded)
    placed: list[PlacedObject] = []
    for obj in plan.arrange(rng, objects):
        placed.append(obj)
        if obj.seed in filled:
            placed.append(plan.contents_of(rng, obj, surfaces.sample(rng, "liquid")))
        elif obj.kind in ("jar", "pot", "bottle") and plan.is_upright(obj) and rng.random() < 0.3:
            placed.append(plan.lid_on(rng, obj, surfaces))
    camera = _camera(rng, placed, crowded)
    reach = max(float(np.linalg.norm(plan.footprint(t)[0])) + plan.footprint(t)[1] for t in placed)
    material, variant = _weighted(rng, materials.GROUNDS)
    if reach > 1.0 and material in ("paper", "leather", "glass", "rubber"):
        material, variant = "concrete", ""
    placed.append(sample_ground(rng, reach, surfaces, material, variant))
    if placed[-1].body.size_m < MAX_SIZE_M:
        placed.append(_floor(rng, surfaces))
    if rng.random() < 0.4:
        placed.append(_wall(rng, camera, reach, surfaces))
    light = LIGHTS[int(rng.choice(len(LIGHTS), p=[0.2, 0.13, 0.17, 0.13, 0.1, 0.1, 0.06, 0.11]))]
    return ScenePlan(seed, index, surfaces.split, tuple(placed), camera, light, int(rng.integers(2**31)))
