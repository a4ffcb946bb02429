"""Pairs of pictures and sounds: `pairs.csv` in the forms that trainings and evaluations need."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

IMAGENET_SAMPLE = "imagenet-sample"


def sound_pairs(data: Path) -> dict[tuple[str, str], dict[str, float]]:
    """(picture source, picture label) -> {sound label: weight}, weight 1 direct or 0.5 weak."""
    pairs: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with (data / "pairs.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["sound_label"]:
                pairs[row["source"], row["label"]][row["sound_label"]] = float(row["weight"])
    return dict(pairs)


def sound_labels(data: Path) -> list[str]:
    """Every label that has sounds, sorted."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return sorted({row["label"] for row in csv.DictReader(file)})


def imagenet_labels(data: Path) -> list[str]:
    """The 1,000 class names in wnid order as pictures of the sample set are labelled (lower case, underscores)."""
    with (data / "teachers" / "imagenet_labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[1:]  # without the background class
    names = {"n02113186": "cardigan_dog", "n02012849": "crane_bird"}  # two classes share a name with a thing
    return [names.get(row["wnid"], row["words"].split(",")[0].strip().lower().replace(" ", "_")) for row in rows]


def imagenet_to_sound(data: Path, labels: list[str]) -> np.ndarray:
    """(1000, len(labels)) float32: how much an ImageNet class sounds as a label; silent classes are 0. Sounds that are
    not among the labels are left out."""
    pairs, column_of = sound_pairs(data), {label: i for i, label in enumerate(labels)}
    table = np.zeros((1000, len(labels)), dtype=np.float32)
    for row, name in enumerate(imagenet_labels(data)):
        for sound, weight in pairs.get((IMAGENET_SAMPLE, name), {}).items():
            if sound in column_of:
                table[row, column_of[sound]] = weight
    return table
