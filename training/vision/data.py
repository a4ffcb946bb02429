"""Batches for distillation, produced by a second process: the teacher runs on crops while the student trains.

The producer also sums up what a ridge regression of the teacher's logits on its mean features needs, so that the
student's classifier comes from one linear solve.
"""

from __future__ import annotations

import multiprocessing as mp
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Full

import numpy as np

from training.common.pictures import Picture, load_core, load_tiny, random_view
from training.vision.image_teacher import ImageTeacher
from training.vision.units import SHARE, UNITS, Pair, unit_pairs

BATCH = 64


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


@dataclass(frozen=True)
class Source:
    data: Path
    seed: int
    tiny_share: float
    stage: str  # "blocks" | "end_to_end"
    limit: int | None = None  # pictures, for tests


def _view(core: list[Picture], tiny: list[Picture], share: float, rng: np.random.Generator) -> np.ndarray:
    return random_view(tiny if tiny and rng.random() < share else core, rng)


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


def _produce(source: Source, queue: mp.Queue, stop: mp.Event) -> None:  # type: ignore[valid-type]
    core = load_core(source.data, "train", source.limit)
    tiny = load_tiny(source.data, "train", source.limit) if source.tiny_share > 0 else []
    teacher = ImageTeacher(source.data)
    rng = np.random.default_rng(source.seed)
    while not stop.is_set():  # type: ignore[attr-defined]
        size = BATCH if source.stage == "blocks" else 32
        views = [_view(core, tiny, source.tiny_share, rng) for _ in range(size)]
        batch = _unit_batch(teacher, views, rng) if source.stage == "blocks" else _map_batch(teacher, views)
        while not stop.is_set():  # type: ignore[attr-defined]
            try:
                queue.put(batch, timeout=1.0)
                break
            except Full:
                continue


def batches(source: Source) -> Iterator[UnitBatch | MapBatch]:
    """Endless batches from one producer process, which ends with the generator."""
    context = mp.get_context("spawn")
    queue: mp.Queue = context.Queue(maxsize=4)
    stop = context.Event()
    process = context.Process(target=_produce, args=(source, queue, stop), daemon=True)
    process.start()
    try:
        while True:
            yield queue.get(timeout=300)
    finally:
        stop.set()
        process.terminate()
        process.join()
