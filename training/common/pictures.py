"""Training photographs in memory: reading the manifest, random crops and side-by-side pairs.

`images_manifest.csv` has a row a picture (path, label, source, licence, split) and a row a shard of 64-pixel
pictures (label `*`, a tar whose members are `<wnid>/<file>`). Everything is decoded once to uint8 and kept.
"""

from __future__ import annotations

import csv
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CROP_PX = 224


@dataclass(frozen=True)
class Picture:
    """One decoded training picture. pixels: (height, width, 3) uint8."""

    pixels: np.ndarray
    label: str
    source: str
    split: str
    path: str


def manifest_rows(data: Path) -> list[dict[str, str]]:
    with (data / "images_manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def load_core(data: Path, split: str, limit: int | None = None) -> list[Picture]:
    """High-resolution pictures of one split, in the manifest's order."""
    rows = [row for row in manifest_rows(data) if row["split"] == split and row["label"] != "*"]
    return [decode_picture(data, row) for row in rows[:limit]]


def decode_picture(data: Path, row: dict[str, str]) -> Picture:
    with Image.open(data / row["path"]) as image:
        return Picture(np.asarray(image.convert("RGB")), row["label"], row["source"], row["split"], row["path"])


def load_tiny(data: Path, split: str, limit: int | None = None) -> list[Picture]:
    """The 64-pixel pictures of one split, read from their tar shards as they are."""
    pictures: list[Picture] = []
    for row in manifest_rows(data):
        if row["split"] != split or row["label"] != "*":
            continue
        with tarfile.open(data / row["path"]) as shard:
            for member in shard:
                if not member.isfile():
                    continue
                stream = shard.extractfile(member)
                assert stream is not None
                with Image.open(io.BytesIO(stream.read())) as image:
                    pixels = np.asarray(image.convert("RGB"))
                wnid = member.name.split("/")[-2]
                pictures.append(Picture(pixels, wnid, row["source"], split, member.name))
                if limit is not None and len(pictures) >= limit:
                    return pictures
    return pictures


def resize(pixels: np.ndarray, size: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    """Bilinear, antialiased; size = (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, box=box))


def random_crop(
    pixels: np.ndarray, rng: np.random.Generator, size_px: int = CROP_PX, min_area: float = 0.15
) -> np.ndarray:
    """A random resized crop: area from min_area to 1, aspect 3:4 to 4:3, half of them mirrored, some recoloured."""
    height, width = pixels.shape[:2]
    area = height * width * rng.uniform(min_area, 1.0)
    aspect = np.exp(rng.uniform(np.log(0.75), np.log(4 / 3)))
    w = min(width, max(8.0, np.sqrt(area * aspect)))
    h = min(height, max(8.0, np.sqrt(area / aspect)))
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    crop = resize(pixels, (size_px, size_px), (left, top, left + w, top + h))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.3:
        gain = rng.uniform(0.75, 1.25, size=3) * rng.uniform(0.8, 1.2)
        crop = np.clip(crop * gain, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(crop)


def centre_crop(pixels: np.ndarray, size_px: int = CROP_PX, short_px: int = 256) -> np.ndarray:
    """The usual evaluation view: short side to `short_px`, the middle `size_px` square."""
    height, width = pixels.shape[:2]
    side = min(height, width) * size_px / short_px
    left, top = (width - side) / 2, (height - side) / 2
    return resize(pixels, (size_px, size_px), (left, top, left + side, top + side))


def random_view(pictures: list[Picture], rng: np.random.Generator, pair_share: float = 0.15) -> np.ndarray:
    """A (224, 224, 3) uint8 crop of one picture, or now and then two pictures beside or above each other."""
    picture = pictures[rng.integers(len(pictures))].pixels
    if rng.random() >= pair_share:
        return random_crop(picture, rng)
    other = pictures[rng.integers(len(pictures))].pixels
    cut = int(rng.integers(CROP_PX // 4, 3 * CROP_PX // 4))
    first, second = random_crop(picture, rng), random_crop(other, rng)
    joined = first.copy()
    if rng.random() < 0.5:
        joined[:, cut:] = second[:, cut:]
    else:
        joined[cut:] = second[cut:]
    return joined
