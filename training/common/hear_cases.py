"""Held-out pictures and recordings for `evaluate_hear`, and the judge's verdicts over a set of sounds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from training.common.audio_data import SoundStore
from training.common.crop_placing import place_in_canvas
from training.common.pairs import sound_pairs
from training.common.pictures import Picture, load_core

RATE_HZ = 16_000


@dataclass(frozen=True)
class Case:
    """A held-out picture and the labels that count as right (its direct pairings)."""

    picture: Picture
    accepted: frozenset[str]

    @property
    def image(self) -> Image.Image:
        return Image.fromarray(self.picture.pixels)


@dataclass(frozen=True)
class Verdict:
    """What the judge made of a set of sounds. hits, hits5: (N,) bool; embeddings: (N, D)."""

    hits: np.ndarray
    hits5: np.ndarray
    embeddings: np.ndarray

    @property
    def top1(self) -> ConfidenceInterval:
        return wilson(int(self.hits.sum()), len(self.hits))

    @property
    def top5(self) -> ConfidenceInterval:
        return wilson(int(self.hits5.sum()), len(self.hits5))


def cases(data: Path, judgeable: set[str], per_label: int, seed: int) -> list[Case]:
    """Held-out high-resolution pictures with a direct sound among `judgeable`, at most per_label of a label,
    shuffled."""
    pairs = sound_pairs(data)
    rng = np.random.default_rng(seed)
    pictures = load_core(data, "val")
    count: dict[str, int] = defaultdict(int)
    chosen = []
    for number in rng.permutation(len(pictures)):
        picture = pictures[number]
        direct = {s for s, weight in pairs.get((picture.source, picture.label), {}).items() if weight >= 1}
        room = [s for s in direct & judgeable if count[s] < per_label]
        if room:
            for sound in direct:
                count[sound] += 1
            chosen.append(Case(picture, frozenset(direct)))
    return chosen


def excerpt(store: SoundStore, row: int, seconds: float, rng: np.random.Generator) -> Tensor:
    """(n,) samples of a recording, cut or placed to `seconds` as in training, peak as stored."""
    return torch.from_numpy(place_in_canvas(store.waveform(row), int(seconds * RATE_HZ), rng))


def judged(judge: EvalTagger, sounds: list[Tensor], accepted: list[frozenset[str]]) -> Verdict:
    """sounds: N waveforms of one length; accepted: the labels that count as right for each."""
    assert len(sounds) == len(accepted), f"{len(sounds)} sounds, {len(accepted)} answers"
    scores, embeddings = judge.predict(torch.stack(sounds))
    ranks = scores.argsort(dim=1, descending=True)[:, :5].tolist()
    names = judge.config.labels
    hits5 = np.array([[names[k] in right for k in row] for row, right in zip(ranks, accepted, strict=True)])
    return Verdict(hits5[:, 0], hits5.any(axis=1), embeddings.numpy())


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the receiver operating curve: the chance that a positive scores above a negative, ties half."""
    positive, negative = scores[truth], scores[~truth]
    above = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(above)


def calibration_error(scores: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Guo et al. 2017)."""
    which = np.minimum((scores * bins).astype(int), bins - 1)
    parts = [(which == b).mean() * abs(scores[which == b].mean() - truth[which == b].mean()) for b in np.unique(which)]
    return float(sum(parts))


def likeness(first: np.ndarray, second: np.ndarray, lags: int = 100) -> float:
    """Largest correlation of two log-mels (T, 64) over shifts of up to `lags` frames: 1 is a copy, a copy at another
    level or through another microphone too: each band's mean is taken out. One slides over the other."""
    best = -1.0
    for lag in range(-lags, lags + 1, 4):
        a, b = first[max(0, lag) :], second[max(0, -lag) :]
        size = min(len(a), len(b))
        if size >= 50:
            x, y = a[:size] - a[:size].mean(axis=0), b[:size] - b[:size].mean(axis=0)
            best = max(best, float((x * y).sum() / max(np.sqrt((x * x).sum() * (y * y).sum()), 1e-6)))
    return best
