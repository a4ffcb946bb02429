"""Training set of the prior: region features of picture patches with target distributions over sound labels.

Whole pictures, and pairs of pictures pasted side by side or above each other, so that the prior must separate a region
from the rest of the photograph. A class without a sound teaches silence; some of these classes are held out, so that
silence can be measured on classes never seen.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synesthesia.image_to_sound.region_features import RegionFeatures, region_features
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from training.common.pairs import sound_pairs
from training.common.pictures import Picture, decode_picture, load_tiny, manifest_rows

PATCHES = 6  # kept of each picture


@dataclass(frozen=True)
class LabelledPatches:
    """views (N, 6, D) float16; position (N, 4); targets (N, labels + 1), the last is silence; trust (N,): weight of the
    target; sounding (N,): 1, 0, or -1 for unknown; group (N,): number of the picture."""

    views: Tensor
    position: Tensor
    targets: Tensor
    trust: Tensor
    sounding: Tensor
    group: Tensor

    def region(self, rows: Tensor) -> RegionFeatures:
        return RegionFeatures(self.views[rows].float(), self.position[rows])


def is_held_out_class(source: str, label: str) -> bool:
    """Whether a class without a sound is in the seventh that is never trained on, by a checksum of its name."""
    return zlib.crc32(f"{source}/{label}".encode()) % 7 == 0


class Targets:
    """Picture -> (labels + 1,) shares: its sounds by weight (1 direct, 0.5 weak), or silence."""

    def __init__(self, data: Path, labels: list[str]) -> None:
        self.pairs, self.row_of = sound_pairs(data), {label: i for i, label in enumerate(labels)}

    def trained_on(self, source: str, label: str) -> bool:
        return bool(self.pairs.get((source, label))) or not is_held_out_class(source, label)

    def shares(self, picture: Picture) -> Tensor:
        target = torch.zeros(len(self.row_of) + 1)
        for sound, weight in self.pairs.get((picture.source, picture.label), {}).items():
            target[self.row_of[sound]] = weight
        if target.sum() == 0:
            target[-1] = 1.0
        return target / target.sum()


def sample_pictures(
    data: Path, source_is_tiny: bool, count: int, rng: np.random.Generator, accept: Callable[[str, str], bool]
) -> list[Picture]:
    """About `count` training pictures, balanced over all classes of `accept(source, label)`. Only the chosen ones are
    decoded, which saves most of the time."""
    if source_is_tiny:
        pictures = [p for p in load_tiny(data, "train", 5 * count) if accept(p.source, p.label)]
        return [pictures[i] for i in rng.permutation(len(pictures))[:count]]
    by_class: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in manifest_rows(data):
        if row["split"] == "train" and row["label"] != "*" and accept(row["source"], row["label"]):
            by_class[row["source"], row["label"]].append(row)
    orders = {key: rng.permutation(len(rows)) for key, rows in by_class.items()}
    chosen: list[dict[str, str]] = []
    for depth in range(max(map(len, by_class.values()))):
        chosen += [rows[orders[key][depth]] for key, rows in by_class.items() if len(rows) > depth]
        if len(chosen) >= count:
            break
    rng.shuffle(chosen)  # type: ignore[arg-type]
    return [decode_picture(data, row) for row in chosen[:count]]


def paste(first: np.ndarray, second: np.ndarray, beside: bool = True) -> Image.Image:
    """Two pictures (H, W, 3) uint8, each cut to its middle square of 256 px, side by side or one above the other."""
    squares = []
    for pixels in (first, second):
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        cut = Image.fromarray(pixels[top : top + side, left : left + side])
        squares.append(np.asarray(cut.resize((256, 256), Image.Resampling.BILINEAR)))
    return Image.fromarray(np.concatenate(squares, axis=1 if beside else 0))


class PatchCollector:
    """Encodes pictures one by one and keeps a few informative patches of each."""

    def __init__(self, encoder: PatchEncoder, targets: Targets, classify: torch.nn.Linear | None, table: Tensor,
                 rng: np.random.Generator) -> None:  # fmt: skip
        self.encoder, self.targets, self.classify, self.table, self.rng = encoder, targets, classify, table, rng
        self.rows: list[tuple[Tensor, Tensor, Tensor, float, int, int]] = []
        self.pictures = 0

    @torch.inference_mode()
    def add(self, grid: PatchGrid, inside: Tensor, picture: Picture) -> None:
        """inside: (R * C,) bool, the patches that belong to `picture`."""
        region = region_features(grid)
        target = self.targets.shares(picture)
        silent = bool(target[-1] > 0)
        score = torch.from_numpy(self.rng.random(len(region)).astype(np.float32)) * 0.05
        right = torch.zeros(len(region))
        if self.classify is not None and not silent:  # probability of the picture's classes in each patch
            classes = self.classify(region.views[:, 2]).softmax(dim=1)  # (N, 1000)
            right = classes @ (self.table @ (target[:-1] > 0).float()).clamp(max=1.0)
            score = score + right
        score[~inside] = -1.0
        order = score.argsort(descending=True)
        count = int(inside.sum())
        rest = order[PATCHES // 2 : count]
        rest = rest[torch.from_numpy(self.rng.permutation(len(rest)))[: PATCHES - PATCHES // 2]]
        for rank, place in enumerate([*order[: min(PATCHES // 2, count)].tolist(), *rest.tolist()]):
            informative = rank < PATCHES // 2
            sounding = 0 if silent else (1 if informative or right[place] > 0.2 else (0 if right[place] < 0.02 else -1))
            trust = 1.0 if informative else (0.5 if silent else 0.25)
            self.rows.append(
                (region.views[place].half(), region.position[place], target, trust, sounding, self.pictures)
            )
        self.pictures += 1

    def add_picture(self, picture: Picture) -> None:
        grid = self.encoder.encode(Image.fromarray(picture.pixels))
        self.add(grid, torch.ones(grid.rows * grid.cols, dtype=torch.bool), picture)

    def add_pair(self, first: Picture, second: Picture, beside: bool) -> None:
        grid = self.encoder.encode(paste(first.pixels, second.pixels, beside))
        along = torch.arange(grid.cols if beside else grid.rows)
        half = along < len(along) // 2
        inside = (half[None].expand(grid.rows, -1) if beside else half[:, None].expand(-1, grid.cols)).flatten()
        self.add(grid, inside, first)
        self.add(grid, ~inside, second)

    def patches(self) -> LabelledPatches:
        views, position, targets, trust, sounding, group = zip(*self.rows, strict=True)
        tensors = (torch.stack(views), torch.stack(position), torch.stack(targets))
        return LabelledPatches(*tensors, torch.tensor(trust), torch.tensor(sounding), torch.tensor(group))
