"""Per-pixel ground truth by ray casting, and the shard format (WebP, PNG and JSON in a tar).

One ray through each pixel's centre, without lens blur or mixing at edges, so a click on glass means the glass.
A scene is four members of a tar:

    000123.webp     the picture
    000123.i.png    object index (0: none of the materials), surface coordinates along and across, in R, G, B
    000123.n.png    normals in the camera's frame (x right, y up, z to the viewer), each 128 + 127 * component
    000123.json     the objects in the order of their index, the camera, the light
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synesthesia.impact.modal.objects import MAX_SIZE_M
from tools.blender.plan import Camera, PlacedObject, ScenePlan

NO_HIT = -1


@dataclass(frozen=True)
class GroundTruth:
    """object_index (H, W) uint8; normals (H, W, 3) int8, 127 * unit vectors in the camera's frame, 0 in the sky;
    points (H, W, 2) uint8: `surface_coordinates`, 0 to 255."""

    object_index: np.ndarray
    normals: np.ndarray
    points: np.ndarray


def pixel_rays(camera: Camera, frame: np.ndarray, px: int) -> np.ndarray:
    """(px * px, 3) unit directions through the pixels' centres, row by row from the upper left; frame (3, 3): columns
    right, up and backward."""
    step = (np.arange(px) + 0.5) / px * 2 - 1
    right, down = np.meshgrid(step * camera.half_tangent, step * camera.half_tangent)
    local = np.stack([right, -down, -np.ones_like(right)], axis=-1).reshape(-1, 3)
    return (local @ frame.T) / np.linalg.norm(local, axis=1, keepdims=True)


def cast_rays(plan: ScenePlan, px: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Casts a ray per pixel into the scene that `build_scene` made: number in the plan (N,) or NO_HIT, hit point
    (N, 3), face normal (N, 3)."""
    import bpy

    from tools.blender.render import PLAN_INDEX, camera_frame

    stage, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    rays = pixel_rays(plan.camera, camera_frame(plan.camera), px)
    eye = plan.camera.eye.tolist()
    number = np.full(len(rays), NO_HIT, dtype=np.int64)
    where, normal = np.zeros((len(rays), 3)), np.zeros((len(rays), 3))
    for k, ray in enumerate(rays.tolist()):
        hit, location, facing, _, obj, _ = stage.ray_cast(graph, eye, ray)
        if hit:
            number[k], where[k], normal[k] = obj[PLAN_INDEX], location, facing
    away = (normal * rays).sum(axis=1) > 0
    normal[away] *= -1
    return number, where, normal


def surface_coordinates(placed: PlacedObject, points: np.ndarray) -> np.ndarray:
    """(N, 3) points in the world -> (N, 2) along and across in [0, 1]: on the longest and on the middle axis of the
    object's bounding box (of the middle 2 m of anything wider)."""
    vertices = placed.body.mesh.vertices
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    order = np.argsort(-(high - low), kind="stable")[:2]
    local = (points - placed.position) @ placed.rotation
    extents = np.minimum(high - low, MAX_SIZE_M)[order]
    return np.clip((local[:, order] - (low + high)[order] / 2) / extents + 0.5, 0.0, 1.0)


def labelled_objects(plan: ScenePlan) -> list[int]:
    """Numbers in the plan of the objects that have a material; object index k (from 1) is the k-th."""
    return [number for number, placed in enumerate(plan.objects) if placed.material is not None]


def ground_truth(
    plan: ScenePlan, hits: tuple[np.ndarray, np.ndarray, np.ndarray], frame: np.ndarray, px: int
) -> GroundTruth:
    """hits: from `cast_rays`; frame (3, 3): of the camera."""
    number, where, normal = hits
    index = np.zeros(len(number), dtype=np.uint8)
    points = np.zeros((len(number), 2), dtype=np.uint8)
    for k, own in enumerate(labelled_objects(plan), start=1):
        mine = number == own
        index[mine], points[mine] = k, np.round(surface_coordinates(plan.objects[own], where[mine]) * 255)
    local = np.round((normal @ frame) * 127).astype(np.int8)
    return GroundTruth(index.reshape(px, px), local.reshape(px, px, 3), points.reshape(px, px, 2))


ENCODINGS: Mapping[str, Mapping[str, int]] = {"WEBP": {"quality": 92, "method": 4}, "PNG": {"compress_level": 9}}


def _image(array: np.ndarray, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **ENCODINGS[kind])
    return out.getvalue()


def metadata(plan: ScenePlan) -> dict[str, Any]:
    objects = [
        {**asdict(placed.physical_object), "variant": placed.variant, "kind": placed.kind, "seed": placed.seed,
         "liquid": placed.material == "liquid"}
        for placed in (plan.objects[number] for number in labelled_objects(plan))
    ]  # fmt: skip
    camera = plan.camera
    seen_from = {"distance_m": float(np.linalg.norm(camera.eye - camera.target)), "lens_mm": camera.lens_mm}
    return {"seed": plan.seed, "index": plan.index, "split": plan.split, "light": plan.light, "things": objects,
            "camera": seen_from}  # fmt: skip


def scene_files(plan: ScenePlan, picture: np.ndarray, truth: GroundTruth) -> dict[str, bytes]:
    """File contents of a scene by file name ending."""
    indexed = np.concatenate([truth.object_index[..., None], truth.points], axis=-1)
    shifted = (truth.normals.astype(np.int16) + 128).astype(np.uint8)
    text = json.dumps(metadata(plan), separators=(",", ":"))
    return {"webp": _image(picture, "WEBP"), "i.png": _image(indexed, "PNG"), "n.png": _image(shifted, "PNG"),
            "json": text.encode()}  # fmt: skip


def write_shard(path: Path, scenes: Sequence[tuple[int, Mapping[str, bytes]]], settings: Mapping[str, int]) -> None:
    """Writes a tar of numbered scenes, settings first, and renames it into place when it is complete."""
    part = path.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        members = [("shard.json", json.dumps(dict(settings)).encode())]
        members += [(f"{index:06d}.{ending}", data) for index, files in scenes for ending, data in files.items()]
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    part.replace(path)
