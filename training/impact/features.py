"""Cache of frozen backbone features of rendered scenes and photographs, the input of both trainings.

    python -m training.impact.features --renders DIR --data DIR --out runs/tap_features     # existing files are kept

A shard of renders becomes <out>/NAME-00000-0.npz (NAME: its folder, several may be given); of the training split also
<out>/NAME-00000-1.npz and on: augmented crops of the same scenes, of which only the early stages' maps are stored.
Photographs become <out>/photos-<source>-<split>.npz and .json. Pictures are cropped to a square, so that every grid has
16 x 16 patches. Of a render the object at each patch's centre is known; of a photograph only its material.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from synesthesia.core import presets
from synesthesia.core.vocabulary import MATERIALS, SHAPES
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from training.common.cli import run
from training.impact.data import CELLS, FeatureSet
from training.impact.photo_manifest import TRAINING_SOURCES, Source, list_photos, open_photos
from training.impact.render_reader import RenderedScene, read_shard

CROP_SIDES = (0.35, 1.0)  # of an augmented crop, in sides of the picture
BATCH = 16


@dataclass(frozen=True)
class FeatureCache:
    out: Path
    renders: tuple[Path, ...] = ()  # folders of tools.blender.scenes
    data: Path | None = None  # folder with images_manifest.csv and pairs.csv
    preset: Literal["embedded", "hub"] = "embedded"  # whose vision network
    sources: tuple[Source, ...] = TRAINING_SOURCES  # of photographs
    views: int = 6  # of each training scene
    threads: int = 2


def square(picture: Image.Image) -> Image.Image:
    """Centre crop."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def crop_features(grid: PatchGrid) -> Tensor:
    """(5, D) float16 of a square picture: the whole, then the four close crops (a corner's patch has one of them)."""
    corners = grid.crop_features[[0, 0, -1, -1], [0, -1, 0, -1]]  # (4, 2, D)
    return torch.cat([corners[:1, 0], corners[:, 1]])


def extract_features(encoder: PatchEncoder, pictures: Iterable[Image.Image]) -> FeatureSet:
    features, crops, maps = [], [], []
    for picture in pictures:
        grid = encoder.encode(square(picture))
        assert grid.features.shape[:2] == (CELLS, CELLS), tuple(grid.features.shape)
        features.append(grid.features.flatten(0, 1).half())
        crops.append(crop_features(grid))
        maps.append(grid.stage_maps)
    stacked = tuple(torch.stack(layer) for layer in zip(*maps, strict=True))
    return FeatureSet(torch.stack(features), torch.stack(crops), stacked, torch.arange(len(features)))


def extract_stage_maps(encoder: PatchEncoder, pictures: Iterable[Image.Image]) -> FeatureSet:
    """Maps of the early stages alone, in batches."""
    pixels = [encoder.preprocess(square(picture)) for picture in pictures]
    outputs = [encoder.forward_stages(torch.cat(pixels[at : at + BATCH])) for at in range(0, len(pixels), BATCH)]
    dim = outputs[0][0].shape[-1]
    maps = tuple(torch.cat(layer).half().contiguous() for layer in zip(*(out[2] for out in outputs), strict=True))
    none, no_crops = (torch.zeros(0, rows, dim, dtype=torch.float16) for rows in (CELLS**2, 5))
    return FeatureSet(none, no_crops, maps, torch.full((len(pixels),), -1))


@dataclass(frozen=True)
class SquareCrop:
    """left, top, side: pixels."""

    left: int
    top: int
    side: int

    @staticmethod
    def sample(side_px: int, random: np.random.Generator) -> SquareCrop:
        side = round(side_px * random.uniform(*CROP_SIDES))
        left, top = (int(random.integers(0, side_px - side + 1)) for _ in range(2))
        return SquareCrop(left, top, side)

    def centres(self, first: int) -> np.ndarray:
        """(16,) pixels at the centres of patches that begin at left or top."""
        return first + ((np.arange(CELLS) + 0.5) * self.side / CELLS).astype(int)


def patch_labels(scene: RenderedScene, crop: SquareCrop) -> tuple[np.ndarray, np.ndarray]:
    """(256,) number of the object at each patch's centre, 0 for none, and (256, 2) the strike point there, 0 to 255."""
    at = np.ix_(crop.centres(crop.top), crop.centres(crop.left))
    return scene.object_index[at].ravel(), scene.points[at].reshape(-1, 2)


def augmented(scene: RenderedScene, crop: SquareCrop, random: np.random.Generator | None) -> Image.Image:
    """The crop with random exposure, contrast, colour, blur and JPEG compression; without a generator as it is."""
    picture = Image.fromarray(scene.picture).crop((crop.left, crop.top, crop.left + crop.side, crop.top + crop.side))
    if random is None:
        return picture
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = change(picture).enhance(float(np.exp(random.normal(0, 0.25))))
    tint = np.exp(random.normal(0, 0.06, 3)) * 255
    picture = Image.fromarray((np.asarray(picture) / 255.0 * tint).clip(0, 255).astype(np.uint8))
    if random.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=int(random.integers(35, 95)))
    return Image.open(stored).convert("RGB")


def object_rows(scene: RenderedScene, number: int) -> list[list[float]]:
    """A row per object: scene, material, shape, size, middle, least, thickness, whether its surface is held out."""
    return [
        [number, MATERIALS.index(o.material), SHAPES.index(o.shape), o.size_m, o.middle, o.least, o.thickness_m,
         float(o.held_out)]
        for o in scene.objects
    ]  # fmt: skip


def cache_scenes(encoder: PatchEncoder, shard: Path, view: int, out: Path) -> None:
    """view: 0 for the pictures as they are, larger numbers for augmented ones."""
    scenes = list(read_shard(shard))
    randoms = [np.random.default_rng([scene.index, view]) if view else None for scene in scenes]
    sides = [scene.picture.shape[0] for scene in scenes]
    crops = [SquareCrop.sample(side, random) if random else SquareCrop(0, 0, side)
             for side, random in zip(sides, randoms, strict=True)]  # fmt: skip
    extract = extract_stage_maps if view else extract_features
    features = extract(encoder, (augmented(*one) for one in zip(scenes, crops, randoms, strict=True)))
    labels = [patch_labels(scene, crop) for scene, crop in zip(scenes, crops, strict=True)]
    numbers, points = (np.stack(part) for part in zip(*labels, strict=True))
    objects = np.array([row for number, scene in enumerate(scenes) for row in object_rows(scene, number)])
    save(out, features, {"thing": numbers, "place": points, "things": objects, "split": np.array(scenes[0].split)})


def cache_photos(encoder: PatchEncoder, data: Path, source: str, split: str, out: Path) -> None:
    photos = list_photos(data, source, split)
    if not photos:
        return
    labels = {name: np.array([getattr(photo, name) for photo in photos]) for name in ("material", "weight")}
    save(out, extract_features(encoder, open_photos(data, photos)), {**labels, "split": np.array(split)})
    out.with_suffix(".json").write_text(json.dumps([asdict(photo) for photo in photos]), encoding="utf-8")


def save(path: Path, features: FeatureSet, labels: dict[str, np.ndarray]) -> None:
    part = path.with_suffix(".part.npz")
    np.savez(part, **features.arrays(), **labels)  # type: ignore[arg-type]  # an archive names its arrays by keywords
    part.rename(path)


def main(config: FeatureCache) -> None:
    torch.set_num_threads(config.threads)
    config.out.mkdir(parents=True, exist_ok=True)
    encoder = PatchEncoder.load(presets.preset(config.preset).vision)
    for view in range(config.views):
        for shard in (shard for folder in config.renders for shard in sorted(folder.glob("scenes-*.tar"))):
            path = config.out / f"{shard.parent.name}-{shard.stem[-5:]}-{view}.npz"
            if not path.exists() and (view == 0 or next(read_shard(shard)).split == "train"):
                cache_scenes(encoder, shard, view, path)
                print(path.stem, flush=True)
    for source in config.sources if config.data else ():
        for split in ("train", "val"):
            path = config.out / f"photos-{source}-{split}.npz"
            if config.data and not path.exists():
                cache_photos(encoder, config.data, source, split, path)
                print(path.stem, flush=True)


if __name__ == "__main__":
    run(main, FeatureCache, __doc__)
