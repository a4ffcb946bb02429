"""Hand-made scenes: example pictures for the page, and the case study's objects without a name.

The case study's combinations (a metal ball with fur, a wooden bottle, a cardboard box made of glass) appear in no
training scene: `materials.EXCLUDED` keeps the latter two out, and fur is used here alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from synesthesia.core.vocabulary import MaterialName
from tools.blender.meshes import rotation_matrix
from tools.blender.plan import PlacedObject, ScenePlan, contents_of, ground_plane, make_object
from tools.blender.sample import frame_objects
from tools.blender.shader_graph import ShaderGraph

FURRY = "furry"  # kind of the ball that gets fur
# Kind, material, variant, size, x and y in metres, heading in degrees.
Row = tuple[str, MaterialName, str, float, float, float, float]


def grow_fur(plan: ScenePlan, objects: Sequence[Any]) -> None:
    """Adds fur to furry objects; it is visible, but never part of the ground truth."""
    for placed, obj in zip(plan.objects, objects, strict=True):
        if placed.kind == FURRY:
            _fur(obj, placed)


def _fur(obj: Any, placed: PlacedObject) -> None:
    """Long, thin steel hair all over the object; the metal shows through."""
    import bpy

    steel = bpy.data.materials.new("hair")
    g = ShaderGraph(steel.node_tree, np.random.default_rng(placed.seed), placed.body.size_m)
    g.node("OutputMaterial", {"Surface": g.surface("#b9b4ae", 0.28, None, 0.9)})
    obj.data.materials.append(steel)
    obj.modifiers.new("fur", "PARTICLE_SYSTEM")
    system = obj.particle_systems[0]
    system.seed = placed.seed % 10_000
    hair = system.settings
    hair.type, hair.count, hair.hair_step, hair.material = "HAIR", 1500, 5, 2
    hair.hair_length = 0.16 * placed.body.size_m
    hair.child_type, hair.rendered_child_count = "INTERPOLATED", 14
    hair.clump_factor, hair.roughness_2 = 0.35, 0.012
    hair.root_radius, hair.tip_radius, hair.radius_scale = 1.0, 0.2, 0.0006


def _view_direction(elevation_deg: float, heading_deg: float) -> np.ndarray:
    """Unit vector towards the camera; heading -90: camera at negative y, so x points right in the picture."""
    e, h = np.deg2rad(elevation_deg), np.deg2rad(heading_deg)
    return np.array([np.cos(e) * np.cos(h), np.cos(e) * np.sin(h), np.sin(e)])


def _plan(seed: int, rows: Sequence[Row], way: np.ndarray, below: tuple[MaterialName | None, str], light: str,
          filled: Mapping[str, str] | None = None, wall: tuple[MaterialName | None, str] | None = None
          ) -> ScenePlan:  # fmt: skip
    """Objects at the rows' positions on a ground; filled: kind of vessel -> liquid in it."""
    rng = np.random.default_rng([seed, 768])
    placed: list[PlacedObject] = []
    for kind, material, variant, size, x, y, yaw in rows:
        obj = make_object(rng, "ball" if kind == FURRY else kind, material, variant, size)
        heading = rotation_matrix(2, np.deg2rad(yaw))
        placed.append(replace(obj, kind=kind, rotation=heading, position=np.array([x, y, 0.0])))
        if filled and kind in filled:
            placed.append(contents_of(rng, placed[-1], filled[kind]))
    fill = 0.6 if rows[0][0] == FURRY else 0.85  # the fur extends beyond the ball
    camera = frame_objects(placed, way, 50.0, fill, np.zeros(3))
    reach = max(float(np.abs(obj.world_vertices()[:, :2]).max()) for obj in placed)
    turned, wide = rotation_matrix(2, 0.3), 2 * reach + 0.1
    placed.append(PlacedObject(*below, "ground", seed, ground_plane(24.0, 0.03), turned, np.zeros(3), wide))
    if wall is not None:
        ahead = -way * [1, 1, 0] / np.linalg.norm(way[:2])
        stands = rotation_matrix(2, float(np.arctan2(ahead[0], -ahead[1]))) @ rotation_matrix(0, np.pi / 2)
        behind = ahead * (1.6 * reach + 0.1)
        placed.append(PlacedObject(*wall, "wall", seed, ground_plane(14.0, 0.12), stands, behind, 0.8))
    return ScenePlan(seed, seed, "case", tuple(placed), camera, light, seed)


# Name, kind, material, variant, size in metres, elevation of the camera in degrees, surface below, light.
CASES: tuple[tuple[str, str, MaterialName, str, float, float, tuple[MaterialName, str], str], ...] = (
    ("furry_metal_ball", FURRY, "metal", "steel", 0.2, 22, ("wood", "oak"), "window"),
    ("wooden_bottle", "bottle", "wood", "oak", 0.3, 14, ("stone", "marble"), "window"),
    ("glass_cardboard_box", "carton", "glass", "clear_glass", 0.35, 30, ("wood", "oak"), "studio"),
    ("leather_wine_glass", "tumbler", "leather", "stitched_leather", 0.14, 22, ("fabric", "canvas"), "window"),
    ("concrete_cushion", "cushion", "concrete", "cracked_concrete", 0.45, 30, ("fabric", "velvet"), "window"),
    ("knitted_pipe", "pipe", "fabric", "knit", 0.35, 20, ("concrete", "rough_concrete"), "sun"),
)


def case_study() -> list[tuple[str, ScenePlan]]:
    """Objects whose material contradicts their shape: name and plan."""
    return [
        (name, _plan(seed, [(kind, material, variant, size, 0, 0, 25)], _view_direction(elevation, -80), below, light))
        for seed, (name, kind, material, variant, size, elevation, below, light) in enumerate(CASES, start=1)
    ]


def examples() -> list[tuple[str, ScenePlan]]:
    """Example pictures for the page: name and plan."""
    return [
        ("kitchen_table", _plan(11, [
            ("bowl", "ceramic", "decorated", 0.2, 0.02, -0.1, 0),
            ("bottle", "glass", "green_glass", 0.3, 0.24, 0.16, 0),
            ("cup", "ceramic", "coloured_glaze", 0.1, 0.24, -0.08, -30),
            ("pot", "metal", "copper", 0.2, -0.02, 0.18, 20),
            ("slab", "wood", "beech", 0.3, -0.26, 0.0, 70),
        ], _view_direction(30, -88), ("wood", "walnut"), "window", {"bowl": "water", "cup": "coffee"},
            (None, "plaster"))),
        ("workshop", _plan(12, [
            ("can", "metal", "painted_metal", 0.16, -0.22, 0.1, 0),
            ("ring", "rubber", "treaded_rubber", 0.26, 0.02, -0.1, 0),
            ("pipe", "metal", "rusted", 0.22, 0.02, 0.2, 0),
            ("block", "wood", "pine", 0.18, 0.28, 0.04, 30),
            ("hollow_ball", "plastic", "glossy_plastic", 0.12, -0.24, -0.12, 0),
        ], _view_direction(28, -86), ("concrete", "stained_concrete"), "sun", None, ("ceramic", "bricks"))),
        ("garden", _plan(13, [
            ("pot", "ceramic", "terracotta", 0.22, -0.18, 0.14, 0),
            ("rock", "stone", "granite", 0.24, 0.18, -0.12, 40),
            ("block", "concrete", "rough_concrete", 0.25, 0.2, 0.2, 20),
            ("vase", "metal", "brass", 0.26, -0.36, -0.1, 0),
            ("ball", "stone", "sandstone", 0.14, -0.08, -0.16, 0),
        ], _view_direction(26, -92), ("stone", "cobbles"), "sun")),
        ("parcel", _plan(14, [
            ("carton", "cardboard", "taped_cardboard", 0.32, 0.0, 0.14, 20),
            ("sheet", "paper", "newsprint", 0.32, -0.34, 0, 65),
            ("ball", "paper", "crumpled_paper", 0.1, -0.1, -0.2, 0),
            ("cushion", "fabric", "knit", 0.34, 0.38, 0.12, 15),
            ("box", "leather", "stitched_leather", 0.2, 0.2, -0.2, -20),
        ], _view_direction(34, -88), ("wood", "planks"), "window")),
        ("drinks", _plan(15, [
            ("tumbler", "glass", "clear_glass", 0.13, -0.1, -0.04, 0),
            ("cup", "ceramic", "white_glazed", 0.1, 0.06, -0.08, -20),
            ("jar", "glass", "amber_glass", 0.16, 0.02, 0.14, 0),
            ("tray", "metal", "hammered", 0.26, 0.26, 0.08, 0),
        ], _view_direction(36, -88), ("fabric", "striped"), "window", {"tumbler": "water", "cup": "milk"})),
    ]  # fmt: skip
