"""Batches for distillation, produced by a second process: the teacher runs on crops while the student trains.

The producer also sums up what a ridge regression of the teacher's logits on its mean features needs, so that the
student's classifier comes from one linear solve.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader, IterableDataset

from training.common.pictures import load_core, load_tiny, random_view
from training.vision.image_teacher import ImageTeacher
from training.vision.units import SHARE, UNITS, Pair, unit_pairs

BATCH, MAP_BATCH = 64, 32  # pictures, of the stages `blocks` and `end_to_end`


@dataclass(frozen=True)
class UnitBatch:
    """pairs[u] = (entering, leaving), each (n_u, C, H, W) float16, n_u = SHARE[u]."""

    pairs: list[Pair]
    means: np.ndarray  # (64, 1280) float16
    logits: np.ndarray  # (64, 1001) float16


@dataclass(frozen=True)
class MapBatch:
    """crops (n, 224, 224, 3) uint8; hints (n, 96, 14, 14) float16: unit 12; maps (n, 1280, 7, 7) float16."""

    crops: np.ndarray
    hints: np.ndarray
    maps: np.ndarray
    means: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class Source(IterableDataset):
    """Endless batches of one stage."""

    data: Path
    seed: int
    tiny_share: float
    stage: str  # "blocks" | "end_to_end"
    limit: int | None = None  # pictures, for tests

    def __iter__(self) -> Iterator[UnitBatch | MapBatch]:
        core = load_core(self.data, "train", self.limit)
        tiny = load_tiny(self.data, "train", self.limit) if self.tiny_share > 0 else []
        teacher, rng = ImageTeacher(self.data), np.random.default_rng(self.seed)

        def view() -> np.ndarray:
            return random_view(tiny if tiny and rng.random() < self.tiny_share else core, rng)

        while True:
            if self.stage == "blocks":
                yield _unit_batch(teacher, [view() for _ in range(BATCH)], rng)
            else:
                yield _map_batch(teacher, [view() for _ in range(MAP_BATCH)])


def _unit_batch(teacher: ImageTeacher, views: list[np.ndarray], rng: np.random.Generator) -> UnitBatch:
    columns: list[list[Pair]] = [[] for _ in range(UNITS)]
    means, logits = [], []
    for index, view in enumerate(views):
        teacher.run(view)
        first = next(u for u in range(UNITS) if index < SHARE[u])
        for unit, pair in enumerate(unit_pairs(teacher, rng, view, first), start=first):
            columns[unit].append(pair)
        means.append(teacher.features().mean((0, 1)))
        logits.append(teacher.logits())
    pairs = [(np.stack([a for a, _ in column]), np.stack([b for _, b in column])) for column in columns]
    return UnitBatch(pairs, np.stack(means).astype(np.float16), np.stack(logits).astype(np.float16))


def _map_batch(teacher: ImageTeacher, views: list[np.ndarray]) -> MapBatch:
    hints, maps, logits = [], [], []
    for view in views:
        teacher.run(view)
        hints.append(teacher.joined(12).transpose(2, 0, 1).astype(np.float16))
        maps.append(teacher.features().transpose(2, 0, 1).astype(np.float16))
        logits.append(teacher.logits().astype(np.float16))
    stacked = np.stack(maps)
    means = stacked.astype(np.float32).mean((2, 3)).astype(np.float16)
    return MapBatch(np.stack(views), np.stack(hints), stacked, means, np.stack(logits))


def batches(source: Source) -> DataLoader:
    """Endless batches from one producer process."""
    return DataLoader(
        source, batch_size=None, num_workers=1, prefetch_factor=4, multiprocessing_context="spawn", timeout=300
    )
