"""Held-out evaluation set of `evaluate_hear`: loaded models, held-out pictures with features, held-out recordings."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.codec import LatentCodec
from synesthesia.core import presets
from synesthesia.core.requests import FlowRequest, checked
from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from training.common.audio_data import SoundStore
from training.common.hear_cases import Agreement, HeldOutPicture, agreement, excerpt, load_cases

RATE_HZ = 16_000


@dataclass(frozen=True)
class ClickSettings:
    """seconds, steps, guidance: of the generated sounds."""

    data: Path
    judge: Path = Path("checkpoints/judge")  # the evaluation tagger
    cache: Path = Path("runs/cache")
    per_label: int = 6
    seconds: float = 4.0
    steps: int = 12
    guidance: float = 3.0
    seed: int = 29  # which of the held-out pictures are drawn


@dataclass(frozen=True)
class Variant:
    """How the generator works, as in `SoundGenerator.generate`; takes: None for its own number."""

    mapper: Literal["flow", "mlp"] = "flow"
    retrieve: bool = True
    takes: int | None = None


class ClickSet:
    """Everything loaded once. Sounds of a click are those of the picture's central patch."""

    def __init__(self, settings: ClickSettings) -> None:
        self.settings, self.rng = settings, np.random.default_rng(settings.seed)
        preset = presets.embedded()
        self.encoder, self.codec = PatchEncoder.load(preset.vision), LatentCodec.load(preset.codec)
        self.pipeline = ImageToSoundPipeline.load(preset.image_to_sound, self.codec)
        self.tagger = EvalTagger.load(settings.judge)
        self.store = SoundStore.open(settings.data, settings.cache)
        self.train: dict[str, list[int]] = defaultdict(list)  # label -> rows of the store
        self.held_out: dict[str, list[int]] = defaultdict(list)
        for row, clip in enumerate(self.store.clips):
            if clip.split == "train":
                self.train[clip.label].append(row)
            elif not clip.single_recording:
                self.held_out[clip.label].append(row)
        self.cases = load_cases(settings.data, set(self.held_out), settings.per_label, settings.seed)
        self.labels = sorted({min(case.accepted & set(self.held_out)) for case in self.cases})
        recordings = [self.recording(self.held_out[self.label_of(case)]) for case in self.cases]
        self.real = self.tagger.predict(torch.stack(recordings))[1].numpy()  # (N, D) embeddings
        self.grids = [self.encoder.encode(case.image) for case in self.cases]

    @property
    def class_names(self) -> list[str]:
        """Labels of the product's audio tagger, in the order of class probabilities."""
        return list(self.pipeline.tagger.labels)

    def label_of(self, case: HeldOutPicture) -> str:
        """A random one of the case's right labels that have held-out recordings."""
        return str(self.rng.choice(sorted(case.accepted & set(self.held_out))))

    def recording(self, rows: list[int]) -> Tensor:
        """(n,) excerpt of a random one of these recordings."""
        return excerpt(self.store, int(self.rng.choice(rows)), self.settings.seconds, self.rng)

    def agreement(self, sounds: list[Tensor], accepted: list[frozenset[str]] | None = None) -> Agreement:
        """accepted: by default those of the cases."""
        return agreement(self.tagger, sounds, accepted or [case.accepted for case in self.cases])

    def generate(self, query: Tensor, class_probs: Tensor, seed: int, variant: Variant) -> Tensor:
        """(n,) waveform of one condition."""
        return self.pipeline.generator.generate(
            query, class_probs, self.request(variant.mapper), seed=seed, retrieve=variant.retrieve, takes=variant.takes
        ).waveform

    def request(self, mapper: str) -> FlowRequest:
        """The sampling settings of the evaluation."""
        fields = {name: getattr(self.settings, name) for name in ("seconds", "steps", "guidance")}
        return checked(FlowRequest, {"path": mapper, **fields})

    def condition(self, grid: PatchGrid, col: int | None = None) -> tuple[Tensor, Tensor]:
        """(query, class probabilities) of a patch in the middle row; col: the middle one by default."""
        prediction = self.pipeline.predict(grid)
        patch = grid.rows // 2 * grid.cols + (grid.cols // 2 if col is None else col)
        return prediction.query[patch], prediction.class_probs[patch]

    def clicks(self, variant: Variant) -> list[Tensor]:
        """A sound for the centre of every picture."""
        return [self.generate(*self.condition(grid), number, variant) for number, grid in enumerate(self.grids)]
