"""Reads rendered scenes: the picture, and what is true at each of its pixels.

    for scene in scenes(Path("renders"), "train"):
        thing = scene.at(x=100, y=80)  # the thing under a click, or None

Split train and val differ in more than their seeds: 4 of 10 things of val wear a surface that training never shows
(`tools.blender.materials.HELD_OUT`; `RenderedThing.held_out` tells).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.impact.modal.things import MATERIALS, PhysicalObject, StrikePoint

NO_MATERIAL = 255
Split = Literal["train", "val"]


@dataclass(frozen=True)
class RenderedThing(PhysicalObject):
    """kind: of `render_vessels.KINDS`, or ground, floor, wall, poured; variant: its surface; held_out: one that
    training never shows."""

    kind: str
    variant: str
    seed: int
    liquid: bool
    held_out: bool


@dataclass(frozen=True)
class Rendered:
    """picture (H, W, 3) uint8; object_index (H, W) uint8: 0 nothing, k things[k - 1]; material_index (H, W) uint8: into
    MATERIALS, NO_MATERIAL for nothing; normals (H, W, 3) int8: 127 * unit vectors, x right, y up, z to the viewer;
    place (H, W, 2) uint8: along and across, 0 to 255."""

    picture: np.ndarray
    object_index: np.ndarray
    material_index: np.ndarray
    normals: np.ndarray
    place: np.ndarray
    things: tuple[RenderedThing, ...]
    index: int
    split: str

    def at(self, x: int, y: int) -> RenderedThing | None:
        """The thing under a pixel."""
        number = int(self.object_index[y, x])
        return self.things[number - 1] if number else None

    def place_at(self, x: int, y: int) -> StrikePoint:
        along, across = self.place[y, x] / 255
        return StrikePoint(float(along), float(across))


def unpacked(files: Mapping[str, bytes]) -> Rendered:
    """A scene from its files by their endings (see `tools.blender.truth`)."""
    from tools.blender.materials import HELD_OUT

    told = json.loads(files["json"])
    things = tuple(RenderedThing(**thing, held_out=thing["variant"] in HELD_OUT) for thing in told["things"])
    picture, indexed, shifted = (
        np.asarray(Image.open(io.BytesIO(files[ending])).convert("RGB")) for ending in ("webp", "i.png", "n.png")
    )
    table = np.full(256, NO_MATERIAL, dtype=np.uint8)
    table[1 : 1 + len(things)] = [MATERIALS.index(thing.material) for thing in things]
    object_index = np.ascontiguousarray(indexed[..., 0])
    normals = (shifted.astype(np.int16) - 128).astype(np.int8)
    place = np.ascontiguousarray(indexed[..., 1:])
    return Rendered(picture, object_index, table[object_index], normals, place, things, told["index"], told["split"])


def shard_paths(folder: Path, split: Split) -> list[Path]:
    """The finished shards of a split, in order."""
    from tools.blender.plan import SHARD, split_of

    found = sorted(folder.glob("scenes-*.tar"))
    if not found:
        raise UserError(f"{folder} holds no rendered scenes: make them with python -m tools.blender.scenes.")
    return [path for path in found if split_of(int(path.stem.split("-")[1]) * SHARD) == split]


def read_shard(path: Path) -> Iterator[Rendered]:
    """The scenes of one shard, in order."""
    with tarfile.open(path) as tar:
        files: dict[str, bytes] = {}
        for member in tar:
            stem, _, ending = member.name.partition(".")
            source = tar.extractfile(member)
            if stem == "shard" or source is None:
                continue
            files[ending] = source.read()
            if ending == "json":  # the last of a scene's members
                yield unpacked(files)
                files = {}


def scenes(folder: Path, split: Split, seed: int | None = None) -> Iterator[Rendered]:
    """All scenes of a split once; seed: shards in a drawn order instead of their own."""
    paths = shard_paths(folder, split)
    if seed is not None:
        paths = [paths[int(k)] for k in np.random.default_rng(seed).permutation(len(paths))]
    for path in paths:
        yield from read_shard(path)
