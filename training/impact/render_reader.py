"""Reader for the shards of `tools.blender.scenes`: pictures with per-pixel ground truth.

    for scene in iter_scenes(Path("renders"), "train"):
        item = scene.at(x=100, y=80)  # the object under a click, or None

The splits differ in more than their seeds: 4 of 10 objects of val have a surface that training never shows
(`tools.blender.materials.HELD_OUT`).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from tools.blender.materials import HELD_OUT
from tools.blender.plan import SHARD, split_of

NO_MATERIAL = 255
GROUNDS = ("ground", "floor", "wall")  # kinds without extents of their own
Split = Literal["train", "val"]


@dataclass(frozen=True)
class RenderedObject(PhysicalObject):
    """kind: of `tools.blender.vessels.KINDS`, or ground, floor, wall, poured; variant: its surface; held_out: whether
    training never shows that surface."""

    kind: str
    variant: str
    seed: int
    liquid: bool
    held_out: bool


@dataclass(frozen=True)
class RenderedScene:
    """picture (H, W, 3) uint8; object_index (H, W) uint8: 0 nothing, k objects[k - 1]; material_index (H, W) uint8:
    into MATERIALS, NO_MATERIAL for nothing; normals (H, W, 3) int8: 127 * unit vectors, x right, y up, z to the viewer;
    points (H, W, 2) uint8: strike point along and across, 0 to 255."""

    picture: np.ndarray
    object_index: np.ndarray
    material_index: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    objects: tuple[RenderedObject, ...]
    index: int
    split: str

    def at(self, x: int, y: int) -> RenderedObject | None:
        """The object under a pixel."""
        number = int(self.object_index[y, x])
        return self.objects[number - 1] if number else None

    def strike_point(self, x: int, y: int) -> StrikePoint:
        along, across = self.points[y, x] / 255
        return StrikePoint(float(along), float(across))


def parse_objects(metadata: Mapping[str, Any]) -> tuple[RenderedObject, ...]:
    """Objects of a scene's JSON file."""
    return tuple(RenderedObject(**row, held_out=row["variant"] in HELD_OUT) for row in metadata["things"])


def decode_scene(files: Mapping[str, bytes]) -> RenderedScene:
    """A scene from its files by file name ending (see `tools.blender.ground_truth`)."""
    metadata = json.loads(files["json"])
    objects = parse_objects(metadata)
    picture, indexed, shifted = (
        np.asarray(Image.open(io.BytesIO(files[ending])).convert("RGB")) for ending in ("webp", "i.png", "n.png")
    )
    table = np.full(256, NO_MATERIAL, dtype=np.uint8)
    table[1 : 1 + len(objects)] = [MATERIALS.index(one.material) for one in objects]
    object_index = np.ascontiguousarray(indexed[..., 0])
    normals = (shifted.astype(np.int16) - 128).astype(np.int8)
    points = np.ascontiguousarray(indexed[..., 1:])
    return RenderedScene(
        picture, object_index, table[object_index], normals, points, objects, metadata["index"], metadata["split"]
    )


def shard_paths(folder: Path, split: Split) -> list[Path]:
    """The complete shards of a split, in order."""
    found = sorted(folder.glob("scenes-*.tar"))
    if not found:
        raise UserError(f"{folder} holds no rendered scenes: make them with python -m tools.blender.scenes.")
    return [path for path in found if split_of(int(path.stem.split("-")[1]) * SHARD) == split]


def read_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """File name ending and content of each file of a shard's scenes, in order; .json is the last of a scene."""
    with tarfile.open(path) as tar:
        for member in tar:
            stem, _, ending = member.name.partition(".")
            source = tar.extractfile(member)
            if stem != "shard" and source is not None:
                yield ending, source.read()


def read_shard(path: Path) -> Iterator[RenderedScene]:
    """The scenes of one shard, in order."""
    files: dict[str, bytes] = {}
    for ending, content in read_members(path):
        files[ending] = content
        if ending == "json":
            yield decode_scene(files)
            files = {}


def iter_scenes(folder: Path, split: Split, seed: int | None = None) -> Iterator[RenderedScene]:
    """All scenes of a split once; seed: shuffles the shards."""
    paths = shard_paths(folder, split)
    if seed is not None:
        paths = [paths[int(k)] for k in np.random.default_rng(seed).permutation(len(paths))]
    for path in paths:
        yield from read_shard(path)


def read_objects(folder: Path, split: Split) -> list[RenderedObject]:
    """All objects of a split but the grounds, without decoding a picture."""
    members = (member for path in shard_paths(folder, split) for member in read_members(path))
    scenes = (parse_objects(json.loads(content)) for ending, content in members if ending == "json")
    return [one for objects in scenes for one in objects if one.kind not in GROUNDS]
