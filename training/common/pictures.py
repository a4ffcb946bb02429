"""Training photographs: rows of the two manifests, decoding.

`images_manifest.csv` has a row a picture (path, label, source, licence, split) and a row a shard of 64-pixel
pictures (label `*`, a tar whose members are `<wnid>/<file>`).
`pictures_manifest.csv`, where there is one, has a row a place: a photograph's sound label (`none`: it makes no sound)
and the box of the thing, if known.
"""

from __future__ import annotations

import csv
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Picture:
    """One decoded training picture. pixels: (height, width, 3) uint8."""

    pixels: np.ndarray
    label: str
    source: str
    split: str
    path: str


SILENT = "none"  # sound label of things that make no sound


@dataclass(frozen=True)
class Place:
    """A row of pictures_manifest.csv; a photograph may have several. sound: its sound label, SILENT for a silent thing,
    "" where unknown; box: (x0, y0, x1, y1) in pixels of the file; weight: 1 direct, 0.5 loose."""

    path: str
    label: str
    source: str
    split: str
    sound: str
    material: str
    weight: float
    box: tuple[int, int, int, int] | None


def place_rows(data: Path) -> list[Place]:
    """Every row of pictures_manifest.csv; none where the data folder has no such file."""
    file = data / "pictures_manifest.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return [
            Place(
                row["path"], row["label"], row["source"], row["split"], row["sound_label"], row["material_label"],
                float(row["weight"]), _box(row["box"]),
            )
            for row in csv.DictReader(stream)
        ]  # fmt: skip


def _box(text: str) -> tuple[int, int, int, int] | None:
    if not text.strip():
        return None
    x0, y0, x1, y1 = (round(float(number)) for number in text.split())
    return x0, y0, x1, y1


def manifest_rows(data: Path) -> list[dict[str, str]]:
    with (data / "images_manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


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
