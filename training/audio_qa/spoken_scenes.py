"""Clips with the truth about them in words' terms: what the audio language model is taught with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.audio_qa.questions import Exchange, Kind, Language, Scene, Split, exchange, kinds
from training.binaural.scenes import Scenes
from training.binaural.simulate import Example

WITHOUT_DIRECTION = 0.06  # of the clips: the same in both ears, or only louder in one
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Spoken:
    """waveform: (B, 2, n) at 16 kHz, left ear first; truths: B scenes."""

    waveform: Tensor
    truths: tuple[Scene, ...]

    @property
    def mono(self) -> list[np.ndarray]:
        """What the audio tower hears: (n,) each."""
        return list(self.waveform.mean(dim=1).numpy())


def draw(scenes: Scenes, count: int, seconds: float, second_share: float) -> Spoken:
    """Clips of a training; some have lost their direction."""
    rng = scenes.rng
    batch = scenes.draw(count, seconds, second_share)
    batch = batch.mirrored(torch.from_numpy(rng.random(count) < 0.5))
    waveform, truths = batch.waveform.clone(), []
    for i in range(count):
        rows = [int(row) for row in batch.sounds[i] if row >= 0]
        labels = tuple(scenes.store.clips[row].label for row in rows)
        azimuths = tuple(float(a) for a in batch.azimuth[i][: len(rows)])
        if rng.random() < WITHOUT_DIRECTION:
            pan_db = 0.0 if rng.random() < 0.5 else rng.uniform(-20, 20)
            gains = torch.tensor([-pan_db, pan_db]) / 40
            waveform[i] = waveform[i].mean(dim=0) * (10**gains)[:, None]
            azimuths = ()
        if len(set(labels)) < len(labels):  # one label was all there was
            labels, azimuths = labels[:1], azimuths[:1]
        truths.append(Scene(labels, azimuths))
    return Spoken(waveform, tuple(truths))


def truth_of(example: Example) -> Scene:
    """What a frozen example of an evaluation holds."""
    two = bool(example.second_label) and example.second_label != example.label
    labels = (example.label, example.second_label) if two else (example.label,)
    directions = (example.azimuth_deg, example.second_deg)[: len(labels)]
    return Scene(labels, () if np.isnan(example.azimuth_deg) else tuple(float(a) for a in directions))


def ask(truth: Scene, rng: np.random.Generator, wanted: tuple[Kind, ...], split: Split = "train") -> Exchange:
    """A question of one of the wanted kinds that this scene allows, in either language."""
    allowed = [kind for kind in wanted if kind in kinds(truth)]
    kind = allowed[int(rng.integers(len(allowed)))]
    return exchange(truth, kind, LANGUAGES[int(rng.integers(2))], rng, split)
