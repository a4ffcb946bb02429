"""Held-out clicks of `evaluate_hear`: places of photographs with the sound labels that count as right, or silent ones.

Two manifests are read: the core pictures (`images_manifest.csv`, labels by `pairs.csv`) and the photographs with boxes
(`pictures_manifest.csv`). The click is the centre of the box, or of the picture where there is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.common.audio_data import SAMPLE_RATE_HZ, SoundStore, place_in_canvas
from training.common.pairs import sound_pairs
from training.common.pictures import SILENT, manifest_rows, place_rows

Item = TypeVar("Item")
KINDS = {  # what the pictures of a source show; sources that are not named here show objects
    "objects": ("caltech101", "imagenet-sample", "trashnet", "waste", "guitars", "jray", "potcur", "clothing",
                "tuxpaint"),
    "scenes": ("bsds", "corel", "cair", "weather", "grocery"),
    "materials": ("pave", "dtd", "sweethome3d", "arch"),
}  # fmt: skip


@dataclass(frozen=True)
class HeldOutPicture:
    """A place of a picture. accepted: the labels that count as right, none for a silent place; box: of the thing, in
    pixels of the file."""

    file: Path
    label: str
    source: str
    accepted: frozenset[str]
    box: tuple[int, int, int, int] | None = None

    @property
    def image(self) -> Image.Image:
        """Decoded anew each time."""
        with Image.open(self.file) as image:
            return image.convert("RGB")

    @property
    def silent(self) -> bool:
        return not self.accepted

    @property
    def kind(self) -> str:
        return next((kind for kind, sources in KINDS.items() if self.source in sources), "objects")

    def click(self, width_px: int, height_px: int) -> tuple[float, float]:
        """Natural pixel (x, y) of a picture of this size."""
        x0, y0, x1, y1 = self.box or (0, 0, width_px, height_px)
        return min((x0 + x1) / 2, width_px - 1), min((y0 + y1) / 2, height_px - 1)


def load_cases(
    data: Path, *, per_label: int, limit: int, seed: int, sources: Iterable[str] = (), splits: Iterable[str] = ("val",)
) -> list[HeldOutPicture]:
    """Places with a direct sound: at most `per_label` of a label in a source, at most `limit` in all (0: no limit).
    The sources come in turn and so do the labels of a source, so that small ones are not lost. sources: these alone, if
    any are named."""
    cases = [case for case in _labelled(data, set(sources), set(splits)) if not case.silent]
    count: dict[tuple[str, str], int] = defaultdict(int)
    ranked = []
    for number in np.random.default_rng(seed).permutation(len(cases)):
        case = cases[number]
        keys = [(case.source, sound) for sound in case.accepted]
        ranked.append((min(count[key] for key in keys), case))
        for key in keys:
            count[key] += 1
    ranked.sort(key=lambda pair: pair[0])
    return in_turn([case for rank, case in ranked if rank < per_label], limit)


def load_silent(
    data: Path, *, limit: int, seed: int, sources: Iterable[str] = (), splits: Iterable[str] = ("val",)
) -> list[HeldOutPicture]:
    """Places that make no sound, the sources in turn: rows labelled `none`, and core pictures of classes without any
    sound. The prior may have seen other pictures of these classes."""
    cases = [case for case in _labelled(data, set(sources), set(splits)) if case.silent]
    return in_turn([cases[i] for i in np.random.default_rng(seed).permutation(len(cases))], limit)


def in_turn(cases: list[HeldOutPicture], limit: int) -> list[HeldOutPicture]:
    """One of each source, then a second of each, ...; the first `limit` of them (0: all)."""
    turn: dict[str, int] = defaultdict(int)
    ranks = []
    for case in cases:
        ranks.append(turn[case.source])
        turn[case.source] += 1
    order = sorted(range(len(cases)), key=lambda i: (ranks[i], cases[i].source))
    return [cases[i] for i in order][: limit or None]


def by_group(items: Iterable[Item], case_of: Callable[[Item], HeldOutPicture]) -> dict[str, list[Item]]:
    """ "all", then kinds, then sources by name -> their items; empty groups are left out."""
    groups: dict[str, list[Item]] = {"all": [], **{kind: [] for kind in KINDS}}
    for item in sorted(items, key=lambda item: case_of(item).source):
        case = case_of(item)
        for group in ("all", case.kind, case.source):
            groups.setdefault(group, []).append(item)
    return {group: members for group, members in groups.items() if members}


def _labelled(data: Path, sources: set[str], splits: set[str]) -> list[HeldOutPicture]:
    """Every place of these sources (none named: all) and splits that has a direct sound or none at all."""
    pairs = sound_pairs(data)
    found = []
    for row in manifest_rows(data):
        if row["label"] == "*" or row["split"] not in splits or (sources and row["source"] not in sources):
            continue
        sounds = pairs.get((row["source"], row["label"]), {})
        direct = frozenset(sound for sound, weight in sounds.items() if weight >= 1)
        if direct or not sounds:
            found.append(HeldOutPicture(data / row["path"], row["label"], row["source"], direct))
    for place in place_rows(data):
        if place.split in splits and (not sources or place.source in sources) and place.weight >= 1 and place.sound:
            accepted = frozenset() if place.sound == SILENT else frozenset([place.sound])
            found.append(HeldOutPicture(data / place.path, place.label, place.source, accepted, place.box))
    return found


def excerpt(store: SoundStore, row: int, seconds: float, rng: np.random.Generator) -> Tensor:
    """(n,) samples of a recording, cut or placed to `seconds` as in training, peak as stored."""
    return torch.from_numpy(place_in_canvas(store.waveform(row), int(seconds * SAMPLE_RATE_HZ), rng))
