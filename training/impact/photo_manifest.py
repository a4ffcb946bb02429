"""Photographs with a material label: read from images_manifest.csv and pairs.csv, balanced, and opened."""

from __future__ import annotations

import csv
import re
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from PIL import Image

from synesthesia.core.vocabulary import MATERIALS
from training.common.pictures import manifest_rows

Source = Literal["trashnet", "imagenet-sample", "caltech101", "tiny-imagenet"]
TRAINING_SOURCES: tuple[Source, ...] = ("trashnet", "imagenet-sample", "caltech101")  # of the shipped adapter
ALIASES = {"water": "liquid"}  # material names in pairs.csv that differ from ours
MAX_PER_MATERIAL = 200  # of the 64 px pictures of tiny-imagenet
LAST_ANIMAL = 2_655_020  # WordNet number in the names of ImageNet's pictures


@dataclass(frozen=True)
class Photo:
    """path: in the data folder; member: inside it, where that is an archive; material: -1 for what nobody would strike
    (animals); weight: confidence of the label."""

    path: str
    member: str
    source: str
    label: str
    material: int
    weight: float
    split: str


def material_labels(data: Path) -> dict[tuple[str, str], tuple[int, float]]:
    """(source, label) -> material and weight. A label that two materials claim equally is left out."""
    claims: dict[tuple[str, str], dict[str, float]] = {}
    with (data / "pairs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = ALIASES.get(row["material_label"], row["material_label"])
            if name in MATERIALS:
                of = claims.setdefault((row["source"], row["label"]), {})
                of[name] = max(of.get(name, 0.0), float(row["weight"]))
    found = {}
    for key, of in claims.items():
        best = max(of.values())
        named = [name for name, weight in of.items() if weight == best]
        if len(named) == 1:
            found[key] = (MATERIALS.index(named[0]), best)
    return found


def is_animal(path: str) -> bool:
    """Whether a picture is named by the WordNet number of an animal."""
    number = re.match(r"n(\d{8})_", Path(path).name)
    return number is not None and int(number[1]) <= LAST_ANIMAL


def list_photos(data: Path, source: str, split: str) -> list[Photo]:
    """All photographs of one source and split with a known material."""
    labels = material_labels(data)
    photos: list[Photo] = []
    archived: list[Photo] = []
    for row in manifest_rows(data):
        if (row["source"], row["split"]) != (source, split):
            continue
        path, label = row["path"], row["label"]
        if label == "*":
            with tarfile.open(data / path) as tar:
                members = [(name, name.split("/")[-2]) for name in tar.getnames() if "/" in name]
            archived += [Photo(path, name, source, folder, *labels[source, folder], split)
                         for name, folder in members if (source, folder) in labels]  # fmt: skip
        elif is_animal(path):
            photos.append(Photo(path, "", source, label, -1, 1.0, split))
        elif (source, label) in labels:
            photos.append(Photo(path, "", source, label, *labels[source, label], split))
    return photos + subsample_per_material(archived, MAX_PER_MATERIAL)


def subsample_per_material(photos: Sequence[Photo], most: int) -> list[Photo]:
    """At most `most` per material, the most confident first and balanced over labels, in their order."""
    seen = Counter[str]()
    ranked: dict[int, list[tuple[float, int, int]]] = {}
    for index, photo in enumerate(photos):
        ranked.setdefault(photo.material, []).append((-photo.weight, seen[photo.label], index))
        seen[photo.label] += 1
    return [photos[index] for index in sorted(index for of in ranked.values() for *_, index in sorted(of)[:most])]


def open_photos(data: Path, photos: Sequence[Photo]) -> Iterator[Image.Image]:
    """The pictures as RGB, in order."""
    for path, group in groupby(photos, key=lambda photo: photo.path):
        members = [photo.member for photo in group]
        with tarfile.open(data / path) if members[0] else nullcontext() as tar:
            for member in members:
                with Image.open(tar.extractfile(member) if tar else data / path) as picture:  # type: ignore[arg-type]
                    yield picture.convert("RGB")
