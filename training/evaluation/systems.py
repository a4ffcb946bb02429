"""Systems of the main table: generators, text baseline, retrieval bound, shuffled and random controls."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor

from synesthesia.core import presets
from synesthesia.vision.grid import EncodedImage
from training.common.hear_cases import Agreement
from training.common.imagenet_classifier import imagenet_classifier
from training.common.pairs import imagenet_to_sound
from training.evaluation.click_set import ClickSet, Variant

if TYPE_CHECKING:
    from training.vlm_to_sound.evaluate import LanguageEvaluation

System = Literal[
    "flow", "flow_without_retrieval", "flow_one_take", "mlp", "language", "language_one_take",
    "language_plainly_guided", "language_unguided", "text", "bound", "shuffled", "random",
]  # fmt: skip
SYSTEMS: tuple[System, ...] = get_args(System)
VARIANTS: dict[str, Variant] = {
    "flow_without_retrieval": Variant(retrieve=False), "flow_one_take": Variant(takes=1), "mlp": Variant(mapper="mlp"),
}  # fmt: skip


class Systems:
    """Sounds of each system for the clicks of a set."""

    def __init__(self, clicks: ClickSet) -> None:
        self.clicks = clicks

    @cached_property
    def flow_sounds(self) -> list[Tensor]:
        """The product's own sounds, read by `flow` and `shuffled`."""
        return self.clicks.clicks(Variant())

    @cached_property
    def language(self) -> LanguageEvaluation:
        from training.vlm_to_sound.evaluate import load_evaluation

        pairs = zip(self.clicks.cases, self.clicks.grids, strict=True)
        images = [EncodedImage(case.image, grid.key, grid) for case, grid in pairs]
        return load_evaluation(presets.embedded(), self.clicks.pipeline, images, self.clicks.settings.seconds)

    def text(self) -> list[Tensor]:
        """The vision network's class for the whole picture, through pairs.csv to a label, then a training recording."""
        clicks, classifier = self.clicks, imagenet_classifier(presets.embedded())
        assert classifier is not None, "the text baseline needs the vision network's classifier"
        names = clicks.class_names
        table = torch.from_numpy(imagenet_to_sound(clicks.settings.data, names))
        sounds = []
        for grid in clicks.grids:
            shares = classifier(grid.global_feature[None]).softmax(dim=1)[0] @ table  # (labels,)
            sounds.append(clicks.recording(clicks.train[names[int(shares.argmax())]]))
        return sounds

    def sounds(self, system: System) -> list[Tensor]:
        clicks = self.clicks
        if system == "bound":
            return [clicks.recording(clicks.held_out[clicks.label_of(case)]) for case in clicks.cases]
        if system == "random":
            labels = sorted(clicks.train)
            return [clicks.recording(clicks.train[str(clicks.rng.choice(labels))]) for _ in clicks.cases]
        if system == "text":
            return self.text()
        if system == "shuffled":  # the clicks of the other pictures
            sounds, half = self.flow_sounds, len(clicks.cases) // 2
            return sounds[half:] + sounds[:half]
        if system == "flow":
            return self.flow_sounds
        if system.startswith("language"):
            return self.language.clicks(system, clicks.settings.guidance)
        return clicks.clicks(VARIANTS[system])

    def evaluate(self, system: System) -> tuple[Agreement, float]:
        """Agreement of a system and its seconds a sound."""
        started = time.perf_counter()
        sounds = self.sounds(system)
        latency = (time.perf_counter() - started) / len(self.clicks.cases)
        return self.clicks.agreement(sounds), latency
