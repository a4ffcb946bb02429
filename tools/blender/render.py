"""Builds a plan as a Blender scene and renders it with Cycles (path tracing); bpy is imported inside the functions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tools.blender.lighting import add_lights, tone_map
from tools.blender.materials import build_material
from tools.blender.meshes import TRIANGLE
from tools.blender.plan import Camera, PlacedObject, ScenePlan

PLAN_INDEX = "place_in_plan"  # custom property of a Blender object: its number in the plan, from 0


def _mesh(placed: PlacedObject) -> Any:
    import bpy

    source = placed.body.mesh
    triangle = source.faces[:, 3] == TRIANGLE
    counts = np.where(triangle, 3, 4)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    used = source.faces != TRIANGLE
    mesh = bpy.data.meshes.new(placed.kind)
    mesh.vertices.add(len(source.vertices))
    mesh.vertices.foreach_set("co", source.vertices.astype(np.float32).ravel())
    mesh.loops.add(int(counts.sum()))
    mesh.loops.foreach_set("vertex_index", source.faces[used].astype(np.int32))
    mesh.polygons.add(len(counts))
    mesh.polygons.foreach_set("loop_start", starts.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.full(len(counts), source.smooth))
    layer = mesh.uv_layers.new(name="metres")
    layer.data.foreach_set("uv", source.uv[used].astype(np.float32).ravel())
    mesh.update(calc_edges=True)
    if source.smooth and placed.body.shape != "bottle":
        mesh.set_sharp_from_angle(angle=np.deg2rad(50))
    return mesh


def _link(name: str, data: Any, rotation: np.ndarray, position: np.ndarray) -> Any:
    """Adds mesh or camera data to the scene at a pose; returns the Blender object."""
    import bpy
    from mathutils import Matrix

    obj, matrix = bpy.data.objects.new(name, data), np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, position
    obj.matrix_world = Matrix(matrix.tolist())
    bpy.context.scene.collection.objects.link(obj)
    return obj


def add_object(placed: PlacedObject, number: int) -> Any:
    """Adds the object to the Blender scene."""
    import bpy

    mesh = _mesh(placed)
    material = bpy.data.materials.new(placed.variant)
    longest = int(np.argmax(placed.body.mesh.extents))
    build_material(material.node_tree, placed.material, placed.variant, placed.seed, placed.pattern_m, longest)
    mesh.materials.append(material)
    obj = _link(placed.kind, mesh, placed.rotation, placed.position)
    obj[PLAN_INDEX] = number
    return obj


def camera_frame(camera: Camera) -> np.ndarray:
    """(3, 3) columns: the camera's right, up and backward axes in the world."""
    back = camera.eye - camera.target
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right = right / max(float(np.linalg.norm(right)), 1e-9) if np.linalg.norm(right) > 1e-6 else np.array([1.0, 0, 0])
    up = np.cross(back, right)
    c, s = np.cos(camera.roll), np.sin(camera.roll)
    return np.stack([c * right + s * up, c * up - s * right, back], axis=1)


def _add_camera(camera: Camera) -> None:
    import bpy

    data = bpy.data.cameras.new("camera")
    data.sensor_width, data.lens, data.clip_start = 36.0, camera.lens_mm, 0.005
    if camera.f_number > 0:
        data.dof.use_dof = True
        data.dof.focus_distance = float(np.linalg.norm(camera.eye - camera.target))
        data.dof.aperture_fstop = camera.f_number
    bpy.context.scene.camera = _link("camera", data, camera_frame(camera), camera.eye)


def build_scene(plan: ScenePlan) -> list[Any]:
    """Replaces the Blender scene by the plan's objects, camera and lights; returns the objects in the plan's order."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    objects = [add_object(placed, number) for number, placed in enumerate(plan.objects)]
    _add_camera(plan.camera)
    add_lights(plan)
    bpy.context.view_layer.update()
    return objects


def render(plan: ScenePlan, px: int, samples: int, threads: int) -> np.ndarray:
    """(px, px, 3) uint8 picture of the scene that `build_scene` made. threads 0: all cores."""
    import bpy

    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = px
    scene.render.resolution_percentage = 100
    scene.render.threads_mode, scene.render.threads = ("FIXED", threads) if threads else ("AUTO", 1)
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, plan.light_seed % 2**31
    cycles.use_adaptive_sampling = False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_prefilter = "ACCURATE"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 8, 2, 4
    cycles.transmission_bounces, cycles.transparent_max_bounces = 8, 12
    cycles.use_fast_gi, cycles.fast_gi_method, cycles.ao_bounces_render = True, "REPLACE", 1
    scene.world.light_settings.distance = 3.0  # metres within which the fast indirect light looks for occluders
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect, cycles.blur_glossy = 6.0, 0.5
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_depth = "16"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.exr"
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        loaded = bpy.data.images.load(str(path))
        radiance = np.empty(px * px * 4, dtype=np.float32)
        loaded.pixels.foreach_get(radiance)
        bpy.data.images.remove(loaded)
    upright = np.ascontiguousarray(radiance.reshape(px, px, 4)[::-1, :, :3])
    return tone_map(upright, np.random.default_rng([plan.light_seed, 5]))
