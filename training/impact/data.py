"""Training data of the physics adapter: cached backbone features of renders and photographs, with labels per patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.physics_net import BackboneFeatures, PhysicsNet, PhysicsPosterior, grid_positions
from synesthesia.vision.multi_crop import CROP_SCALES, crop_grid

CELLS = 16  # patches along each side of a square picture
SOURCE_WEIGHT = {"caltech101": 0.4}  # many pictures of few kinds, most of them motorcycles and aeroplanes
CENTRE_CELLS = 2.5  # standard deviation of the weights over a photograph's centre, in cells
CROPS, STAGE = "windows", "early"  # names of crop_features and of stage_maps in the .npz files


@lru_cache(maxsize=1)
def crop_weights() -> Tensor:
    """(256, 2, 5): weight of each crop for each patch, by scale. One crop is the whole picture, four are closer."""
    grids = [crop_grid(1.0, 1.0, scale) for scale in CROP_SCALES]
    parts = torch.eye(5).split([len(grid.boxes) for grid in grids])
    levels = [grid.interpolate(part, CELLS, CELLS, 1.0, 1.0) for grid, part in zip(grids, parts, strict=True)]
    return torch.stack(levels, dim=2).flatten(0, 1)


@dataclass(frozen=True)
class FeatureSet:
    """Backbone features of N square pictures, float16. features (M, 256, D), crop_features (M, 5, D): late layers, of M
    of the pictures; stage_maps: (N, C, h, w) per early stage, see PatchGrid; late: (N,) int64 row of the late layers,
    -1 for none."""

    features: Tensor
    crop_features: Tensor
    stage_maps: tuple[Tensor, ...]
    late: Tensor

    def __len__(self) -> int:
        return len(self.late)

    def views(self, at: Tensor, mirrored: Tensor | None = None, late: Tensor | None = None) -> BackboneFeatures:
        """A batch of pictures `at` (B,). mirrored: (B,) bool, which to flip; late: (B,) rows of late layers to use
        instead of their own, -1 for zeros."""
        late = self.late[at] if late is None else late
        features, crops = (
            torch.where((late >= 0)[:, None, None], rows[late.clamp(min=0)], torch.zeros((), dtype=rows.dtype))
            for rows in (self.features, self.crop_features)
        )
        maps = [layer[at] for layer in self.stage_maps]
        if mirrored is not None:
            features = mirror(features, mirrored)
            maps = [torch.where(mirrored[:, None, None, None], layer.flip(3), layer) for layer in maps]
            flipped = crops[:, [0, 2, 1, 4, 3]]  # the four close crops lie row by row
            crops = torch.where(mirrored[:, None, None], flipped, crops)
        return BackboneFeatures(
            features.bfloat16(), crops.bfloat16(), tuple(layer.bfloat16() for layer in maps),
            grid_positions(CELLS, CELLS).expand(len(at), -1, -1), crop_weights(),
        )  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """By their names in a .npz file."""
        maps = {f"{STAGE}{level}": layer.numpy() for level, layer in enumerate(self.stage_maps)}
        return {"features": self.features.numpy(), CROPS: self.crop_features.numpy(), **maps}

    @staticmethod
    def from_arrays(stored: Mapping[str, np.ndarray]) -> FeatureSet:
        levels = sum(name.startswith(STAGE) for name in stored)
        maps = tuple(torch.from_numpy(stored[f"{STAGE}{level}"]) for level in range(levels))
        features = torch.from_numpy(stored["features"])
        late = torch.arange(len(features)) if len(features) else torch.full((len(maps[0]),), -1)
        return FeatureSet(features, torch.from_numpy(stored[CROPS]), maps, late)

    @staticmethod
    def concatenate(parts: Sequence[FeatureSet]) -> FeatureSet:
        first = np.cumsum([0, *(len(part.features) for part in parts)])
        late = [torch.where(part.late >= 0, part.late + int(k), -1) for part, k in zip(parts, first, strict=False)]
        features, crops = (torch.cat([getattr(p, name) for p in parts]) for name in ("features", "crop_features"))
        maps = tuple(torch.cat(layers) for layers in zip(*(part.stage_maps for part in parts), strict=True))
        return FeatureSet(features, crops, maps, torch.cat(late))


def mirror(cells: Tensor, chosen: Tensor) -> Tensor:
    """(B, 256, ...) with left and right exchanged in the chosen (B,) rows."""
    flipped = cells.unflatten(1, (CELLS, CELLS)).flip(2).flatten(1, 2)
    return torch.where(chosen.view(-1, *[1] * (cells.ndim - 1)), flipped, cells)


@dataclass(frozen=True)
class SceneData:
    """Rendered scenes. object_at: (N, 256) int64, row of `objects` at each patch's centre, -1 for none; points:
    (N, 256, 2) strike point there, 0..1; objects: (T, 8) float32, see `features.object_rows`."""

    pictures: FeatureSet
    object_at: Tensor
    points: Tensor
    objects: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class PhotoData:
    """Photographs of which only the object in the centre is known. material: (N,) int64, -1 for what nobody would
    strike; weight: (N,) confidence of the label."""

    pictures: FeatureSet
    material: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


def read_scenes(folder: Path, split: str, most: int = 10**6, of: str = "") -> SceneData:
    """All cached shards and views of a split, at most `most`. of: name of the folder of renders, "" for all."""
    pictures: list[FeatureSet] = []
    object_at, points, objects = [], [], list[np.ndarray]()
    for path in sorted(set(folder.glob(f"{of}-*.npz" if of else "*.npz")) - set(folder.glob("photos-*.npz"))):
        with np.load(path) as stored:
            if str(stored["split"]) != split or len(pictures) >= most:
                continue
            rows, before = stored["things"], sum(map(len, objects))
            first = np.searchsorted(rows[:, 0], np.arange(len(stored["thing"])))  # rows are sorted by scene
            number = stored["thing"].astype(np.int64)
            object_at.append(np.where(number > 0, number - 1 + first[:, None] + before, -1))
            points.append(stored["place"])
            rows[:, 0] += sum(map(len, pictures))
            objects.append(rows)
            pictures.append(FeatureSet.from_arrays(stored))
    return SceneData(
        FeatureSet.concatenate(pictures),
        torch.from_numpy(np.concatenate(object_at)),
        torch.from_numpy(np.concatenate(points)).float() / 255,
        torch.from_numpy(np.concatenate(objects)).float(),
    )


def read_photos(folder: Path, sources: Sequence[str], split: str) -> PhotoData:
    """Cached photographs of the sources, as far as they are there."""
    pictures, material, weight = [], [], []
    for source in sources:
        path = folder / f"photos-{source}-{split}.npz"
        if path.exists():
            with np.load(path) as stored:
                pictures.append(FeatureSet.from_arrays(stored))
                material.append(torch.from_numpy(stored["material"]))
                weight.append(SOURCE_WEIGHT.get(source, 1.0) * torch.from_numpy(stored["weight"]).float())
    return PhotoData(FeatureSet.concatenate(pictures), torch.cat(material), torch.cat(weight))


def centre_weights() -> Tensor:
    """(256,) that sum to 1: probability that a patch of a photograph shows the object in its centre."""
    return (-0.5 * grid_positions(CELLS, CELLS).square().sum(dim=1) * (CELLS / CENTRE_CELLS) ** 2).softmax(dim=0)


def cell_weights(object_at: Tensor) -> Tensor:
    """(B, 256) rows of objects -> (B, 256) that sum to 1 per scene: half by area, half equally for each object."""
    solid = object_at >= 0
    area = (object_at[:, :, None] == object_at[:, None, :]).sum(dim=2).float()  # (B, 256) cells of the same object
    parts = [solid.float(), torch.where(solid, 1 / area, 0.0)]
    by_area, by_object = (part / part.sum(dim=1, keepdim=True).clamp(min=1e-9) for part in parts)
    return 0.5 * (by_area + by_object)


def class_weights(photos: PhotoData) -> Tensor:
    """(1 + M,) sampling weights by material, "nobody would strike it" first: inverse square roots of the counts."""
    counts = torch.bincount(photos.material + 1, weights=photos.weight, minlength=len(MATERIALS) + 1).float()
    return 1 / counts.clamp(min=1).sqrt()


def forward_bf16(net: PhysicsNet, views: BackboneFeatures) -> PhysicsPosterior:
    """The network in bfloat16 autocast, its posterior in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        posterior = net(views)
    parts = (getattr(posterior, field.name) for field in fields(PhysicsPosterior))
    return PhysicsPosterior(
        *(tuple(p.float() for p in part) if isinstance(part, tuple) else part.float() for part in parts)
    )
