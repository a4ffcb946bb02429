"""The two judges of a sound: the project's evaluation tagger, and an outside one that knows none of its data.

A judge ranks its classes for a waveform; a verdict says whether a right one comes first or among the first five. Each
verdict is given twice: over all classes (strict), and with generic classes left out of the ranking (see
`audioset_classes`), which differs for the outside judge alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.checkpoints import sha256
from synesthesia.evaluation.eval_tagger import EvalTagger
from training.common.outside_judge import MODEL_FILE, OutsideJudge
from training.evaluation.audioset_classes import AcceptedClasses, AudioSetClasses

OURS, OUTSIDE = "ours", "outside"  # names of the judges
KEY_DIGITS = 12  # of a file's checksum


@dataclass(frozen=True)
class Verdict:
    """lenient1, lenient5: with generic classes left out of the ranking; best: largest score of a right class;
    heard: (class, score) of the first classes, best first."""

    top1: bool
    top5: bool
    lenient1: bool
    lenient5: bool
    best: float
    heard: tuple[tuple[str, float], ...]


SILENCE = Verdict(False, False, False, False, 0.0, ())  # of a place that should sound


class Judge(Protocol):
    """key: changes with the judge's weights; names: of its classes, in the order of the scores."""

    name: str
    key: str

    @property
    def names(self) -> tuple[str, ...]: ...
    def scores(self, waveform: Tensor) -> Tensor: ...
    def accepted(self, labels: Iterable[str]) -> AcceptedClasses: ...


class OurJudge:
    """The evaluation tagger of a folder."""

    name = OURS

    def __init__(self, tagger: EvalTagger, key: str = "") -> None:
        self.tagger, self.key = tagger, key

    @classmethod
    def load(cls, folder: Path) -> OurJudge:
        return cls(EvalTagger.load(folder), sha256(folder / "model.safetensors")[:KEY_DIGITS])

    @property
    def names(self) -> tuple[str, ...]:
        return self.tagger.config.labels

    def scores(self, waveform: Tensor) -> Tensor:
        """(labels,) probabilities of a waveform (n,) at 16 kHz."""
        return self.tagger.predict(waveform[None])[0][0]

    def accepted(self, labels: Iterable[str]) -> AcceptedClasses:
        return AcceptedClasses(frozenset(labels) & frozenset(self.names), frozenset())


class AudioSetJudge:
    """The outside judge, with the classes that count for each label."""

    name = OUTSIDE

    def __init__(self, judge: OutsideJudge, classes: AudioSetClasses, key: str = "") -> None:
        self.judge, self.classes, self.key = judge, classes, key

    @classmethod
    def load(cls, data: Path) -> AudioSetJudge:
        return cls(OutsideJudge.load(data), AudioSetClasses.load(), sha256(data / MODEL_FILE)[:KEY_DIGITS])

    @property
    def names(self) -> tuple[str, ...]:
        return self.judge.names

    def scores(self, waveform: Tensor) -> Tensor:
        """(521,) scores of a waveform (n,) at 16 kHz."""
        return self.judge.scores(waveform)

    def accepted(self, labels: Iterable[str]) -> AcceptedClasses:
        return self.classes.accepted(labels)


def verdict(names: tuple[str, ...], scores: Tensor, accepted: AcceptedClasses, shown: int = 3) -> Verdict:
    """scores: (classes,) in the order of `names`."""
    order = [names[i] for i in scores.argsort(descending=True)]
    lenient = [name for name in order[: 5 + len(accepted.skipped)] if name not in accepted.skipped][:5]
    of = dict(zip(names, scores.tolist(), strict=True))
    return Verdict(
        top1=order[0] in accepted.right,
        top5=not accepted.right.isdisjoint(order[:5]),
        lenient1=lenient[0] in accepted.right,
        lenient5=not accepted.right.isdisjoint(lenient),
        best=max((of[name] for name in accepted.right), default=0.0),
        heard=tuple((name, of[name]) for name in order[:shown]),
    )


class Bench:
    """Judges with their remembered scores of recordings. cache: folder of the remembered scores, None to forget."""

    def __init__(self, judges: tuple[Judge, ...], cache: Path | None = None, seconds: float = 4.0) -> None:
        self.judges = judges
        self._files = {j.name: cache / f"scores-{j.name}-{j.key}-{seconds:g}s.npz" if cache else None for j in judges}
        self._known: dict[str, dict[str, np.ndarray]] = {name: _read(file) for name, file in self._files.items()}
        self._new = False

    def verdicts(self, waveform: Tensor | None, labels: frozenset[str], recording: str = "") -> dict[str, Verdict]:
        """By judge, without those who know no class for these labels. waveform: (n,), None for silence; recording: name
        under which the scores of this waveform are remembered."""
        found = {}
        for judge in self.judges:
            accepted = judge.accepted(labels)
            if not accepted.right:
                continue
            if waveform is None:
                found[judge.name] = SILENCE
            else:
                found[judge.name] = verdict(judge.names, self._scores(judge, waveform, recording), accepted)
        return found

    def save(self) -> None:
        """Writes what was learnt about recordings."""
        for name, file in self._files.items():
            if file and self._new:
                file.parent.mkdir(parents=True, exist_ok=True)
                np.savez(file, **self._known[name])

    def _scores(self, judge: Judge, waveform: Tensor, recording: str) -> Tensor:
        known = self._known[judge.name]
        if recording in known:
            return torch.from_numpy(known[recording])
        scores = judge.scores(waveform)
        if recording:
            known[recording], self._new = scores.numpy(), True
        return scores


def _read(file: Path | None) -> dict[str, np.ndarray]:
    if file is None or not file.is_file():
        return {}
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
