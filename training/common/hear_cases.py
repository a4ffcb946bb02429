"""Held-out pictures and recordings for `evaluate_hear`, and agreement of sounds with their labels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from training.common.audio_data import SAMPLE_RATE_HZ, SoundStore, place_in_canvas
from training.common.pairs import sound_pairs
from training.common.pictures import Picture, load_core


@dataclass(frozen=True)
class HeldOutPicture:
    """A held-out picture and the labels that count as right (its direct pairings)."""

    picture: Picture
    accepted: frozenset[str]

    @property
    def image(self) -> Image.Image:
        return Image.fromarray(self.picture.pixels)


@dataclass(frozen=True)
class Agreement:
    """Whether the evaluation tagger finds an accepted label. hits, hits5: (N,) bool; embeddings: (N, D)."""

    hits: np.ndarray
    hits5: np.ndarray
    embeddings: np.ndarray

    @property
    def top1(self) -> ConfidenceInterval:
        return wilson(int(self.hits.sum()), len(self.hits))

    @property
    def top5(self) -> ConfidenceInterval:
        return wilson(int(self.hits5.sum()), len(self.hits5))

    @property
    def figures(self) -> dict[str, dict[str, float]]:
        return {"top1": asdict(self.top1), "top5": asdict(self.top5)}


def load_cases(data: Path, labels: set[str], per_label: int, seed: int) -> list[HeldOutPicture]:
    """Held-out high-resolution pictures with a direct sound among `labels`, at most per_label of a label, shuffled."""
    pairs = sound_pairs(data)
    rng = np.random.default_rng(seed)
    pictures = load_core(data, "val")
    count: dict[str, int] = defaultdict(int)
    chosen = []
    for number in rng.permutation(len(pictures)):
        picture = pictures[number]
        direct = {s for s, weight in pairs.get((picture.source, picture.label), {}).items() if weight >= 1}
        missing = [s for s in direct & labels if count[s] < per_label]
        if missing:
            for sound in direct:
                count[sound] += 1
            chosen.append(HeldOutPicture(picture, frozenset(direct)))
    return chosen


def excerpt(store: SoundStore, row: int, seconds: float, rng: np.random.Generator) -> Tensor:
    """(n,) samples of a recording, cut or placed to `seconds` as in training, peak as stored."""
    return torch.from_numpy(place_in_canvas(store.waveform(row), int(seconds * SAMPLE_RATE_HZ), rng))


def agreement(tagger: EvalTagger, sounds: list[Tensor], accepted: list[frozenset[str]]) -> Agreement:
    """sounds: N waveforms of one length; accepted: the labels that count as right for each."""
    assert len(sounds) == len(accepted), f"{len(sounds)} sounds, {len(accepted)} answers"
    scores, embeddings = tagger.predict(torch.stack(sounds))
    ranks = scores.argsort(dim=1, descending=True)[:, :5].tolist()
    names = tagger.config.labels
    hits5 = np.array([[names[k] in right for k in row] for row, right in zip(ranks, accepted, strict=True)])
    return Agreement(hits5[:, 0], np.asarray(hits5.any(axis=1)), embeddings.numpy())
