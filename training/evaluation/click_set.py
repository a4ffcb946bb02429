"""What `evaluate_hear` loads once: the product, held-out clicks, recordings by label, the judges."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from torch import Tensor

from synesthesia.core.requests import FlowRequest, checked
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.studio import Studio
from synesthesia.vision.grid import PatchGrid
from training.common.audio_data import SoundStore
from training.common.hear_cases import HeldOutPicture, excerpt, load_cases, load_silent
from training.evaluation.judges import AudioSetJudge, Bench, OurJudge


@dataclass(frozen=True)
class ClickSettings:
    """seconds, steps, guidance: of the generated sounds. sources: of the pictures, all if none is named; splits: add
    train for sources that the prior was trained without."""

    data: Path
    judge: Path = Path("checkpoints/judge")  # the evaluation tagger
    cache: Path = Path("runs/cache")
    sources: tuple[str, ...] = ()
    splits: tuple[Literal["val", "train"], ...] = ("val",)
    per_label: int = 10  # clicks of a label in a source, at most
    limit: int = 150  # clicks in all, 0: all there are
    silent: int = 60  # places that make no sound, 0: all there are
    seconds: float = 4.0
    steps: int = 12
    guidance: float = 3.0
    seed: int = 29  # which of the held-out pictures are drawn


@dataclass(frozen=True)
class Click:
    """A case looked at by the product. patch: (row, column); presence: there; wish: (label, probability) of the prior's
    class probabilities, largest first."""

    number: int
    case: HeldOutPicture
    grid: PatchGrid
    x: float
    y: float
    patch: tuple[int, int]
    presence: float
    wish: tuple[tuple[str, float], ...]

    @property
    def flat_patch(self) -> int:
        return self.patch[0] * self.grid.cols + self.patch[1]


class ClickSet:
    """Cases, silent places, and the recordings of each label. studio: the product; by default the embedded preset."""

    def __init__(self, settings: ClickSettings, studio: Studio | None = None, bench: Bench | None = None) -> None:
        self.settings, self.studio = settings, studio or Studio.load("embedded")
        self.bench = bench or Bench(
            (OurJudge.load(settings.judge), AudioSetJudge.load(settings.data)), settings.cache, settings.seconds
        )
        self.store = SoundStore.open(settings.data, settings.cache)
        self.train: dict[str, list[int]] = defaultdict(list)  # label -> rows of the store
        self.held_out: dict[str, list[int]] = defaultdict(list)
        for rows, by_label in ((self.store.train_rows, self.train), (self.store.held_out_rows, self.held_out)):
            for row in rows:
                by_label[self.store.clips[row].label].append(row)
        chosen = {"seed": settings.seed, "sources": settings.sources, "splits": settings.splits}
        self.cases = load_cases(settings.data, per_label=settings.per_label, limit=settings.limit, **chosen)
        self.silent = load_silent(settings.data, limit=settings.silent, **chosen)

    @property
    def pipeline(self) -> ImageToSoundPipeline:
        return self.studio.services.image_to_sound.pipeline

    @property
    def class_names(self) -> list[str]:
        """Labels of the product, in the order of its class probabilities."""
        return list(self.pipeline.tagger.labels)

    def look(self, number: int, case: HeldOutPicture, shown: int = 5) -> Click:
        """Encodes the picture; no sound is made."""
        grid = self.studio.look(case.image)
        x, y = case.click(grid.width_px, grid.height_px)
        row, col = grid.cell(x, y)
        presence = float(self.pipeline.presence_map(grid)[row, col])
        probs = self.pipeline.class_probs(grid, row, col)
        first = probs.topk(min(shown, len(probs)))
        wish = [(self.class_names[int(i)], float(p)) for p, i in zip(first.values, first.indices, strict=True)]
        return Click(number, case, grid, x, y, (row, col), presence, tuple(wish))

    def rng(self, number: int) -> np.random.Generator:
        """Of one click: its draws don't depend on what else is evaluated."""
        return np.random.default_rng([self.settings.seed, number])

    def true_label(self, click: Click) -> str:
        """One of the right labels: if possible one with held-out recordings that the product knows."""
        known = frozenset(self.class_names)
        for among in (frozenset(self.held_out) & known, frozenset(self.held_out), frozenset(self.train)):
            labels = sorted(click.case.accepted & among)
            if labels:
                return str(self.rng(click.number).choice(labels))
        return min(click.case.accepted)

    def recording(self, row: int) -> Tensor:
        """(n,) excerpt of a recording, the same one each time."""
        path = self.store.clips[row].path
        return excerpt(self.store, row, self.settings.seconds, np.random.default_rng(zlib.crc32(path.encode())))

    def request(self, path: str) -> FlowRequest:
        """The sampling settings of the evaluation; path: "flow" or "mlp"."""
        fields = {name: getattr(self.settings, name) for name in ("seconds", "steps", "guidance")}
        return checked(FlowRequest, {"path": path, **fields})
