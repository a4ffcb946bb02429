"""Puts a plan on Blender's stage and takes its picture with Cycles; bpy is imported inside the functions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tools.blender.light import develop, light_up
from tools.blender.materials import draw
from tools.blender.meshes import TRIANGLE
from tools.blender.plan import Camera, Placed, Plan

INDEX = "place_in_plan"  # custom property of an object: its number in the plan, from 0


def _mesh(placed: Placed) -> Any:
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


def put(placed: Placed, number: int) -> Any:
    """The thing as an object of the scene."""
    import bpy
    from mathutils import Matrix

    mesh = _mesh(placed)
    material = bpy.data.materials.new(placed.variant)
    longest = int(np.argmax(placed.body.mesh.extents))
    draw(material.node_tree, placed.material, placed.variant, placed.seed, placed.pattern_m, longest)
    mesh.materials.append(material)
    thing = bpy.data.objects.new(placed.kind, mesh)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = placed.rotation, placed.position
    thing.matrix_world = Matrix(matrix.tolist())
    thing[INDEX] = number
    bpy.context.scene.collection.objects.link(thing)
    return thing


def camera_frame(camera: Camera) -> np.ndarray:
    """(3, 3) columns: the camera's right, up and backward in the world."""
    back = camera.eye - camera.target
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right = right / max(float(np.linalg.norm(right)), 1e-9) if np.linalg.norm(right) > 1e-6 else np.array([1.0, 0, 0])
    up = np.cross(back, right)
    c, s = np.cos(camera.roll), np.sin(camera.roll)
    return np.stack([c * right + s * up, c * up - s * right, back], axis=1)


def _look(camera: Camera) -> None:
    import bpy
    from mathutils import Matrix

    data = bpy.data.cameras.new("camera")
    data.sensor_width, data.lens, data.clip_start = 36.0, camera.lens_mm, 0.005
    if camera.f_number > 0:
        data.dof.use_dof = True
        data.dof.focus_distance = float(np.linalg.norm(camera.eye - camera.target))
        data.dof.aperture_fstop = camera.f_number
    eye = bpy.data.objects.new("camera", data)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = camera_frame(camera), camera.eye
    eye.matrix_world = Matrix(matrix.tolist())
    bpy.context.scene.collection.objects.link(eye)
    bpy.context.scene.camera = eye


def set_up(plan: Plan) -> list[Any]:
    """An empty Blender with the plan's things, camera and lights; the things' objects in the plan's order."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    objects = [put(placed, number) for number, placed in enumerate(plan.placed)]
    _look(plan.camera)
    light_up(plan)
    bpy.context.view_layer.update()
    return objects


def take(plan: Plan, px: int, samples: int, threads: int) -> np.ndarray:
    """(px, px, 3) uint8: the picture of what `set_up` has put on the stage. threads 0: all cores."""
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
    return develop(upright, np.random.default_rng([plan.light_seed, 5]))
