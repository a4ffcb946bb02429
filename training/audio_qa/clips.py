"""Simulated binaural clips with ground-truth annotations: the data of the audio question answering trainings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.tagger import AudioTagger
from training.audio_qa.examples import SceneAnnotation
from training.binaural.clip_sampler import ClipBatch, ClipSampler, training_responses
from training.binaural.response_bank import ResponseBank
from training.binaural.simulate import SimulatedClip
from training.common.audio_data import SoundStore
from training.common.fit import TrainOptions

NO_DIRECTION_SHARE = 0.06  # of the clips: the same in both ears, or only louder in one
SECONDS_SHARES = (0.4, 0.4, 0.2)


@dataclass(frozen=True, kw_only=True)
class ClipTrainOptions(TrainOptions):
    """Which clips a training draws."""

    tagger: Path = Path("checkpoints/audio_tower")
    hrtf: Path = Path("checkpoints/head")
    bank: int = 14_400  # head-related impulse responses
    clips: int = 24  # per step and process
    questions: int = 3  # per clip
    clip_seconds: tuple[float, float, float] = (1.0, 2.0, 4.0)  # drawn with probabilities 0.4, 0.4 and 0.2
    second_share: float = 0.3  # of the clips have a second source
    bf16: bool = True


@dataclass(frozen=True)
class AnnotatedClips:
    """waveform: (B, 2, n) at 16 kHz, left ear first; annotations: B scenes."""

    waveform: Tensor
    annotations: tuple[SceneAnnotation, ...]

    @property
    def mono(self) -> list[np.ndarray]:
        """The audio tower's input: (n,) each."""
        return list(self.waveform.mean(dim=1).numpy())


def clip_sampler(
    config: ClipTrainOptions, tagger: AudioTagger, rng: np.random.Generator, responses: ResponseBank | None
) -> ClipSampler:
    """Training recordings whose labels the tagger knows, through training heads. responses: instead of the data
    folder's heads."""
    store = SoundStore.open(config.data, config.cache, config.limit)
    rows = [i for i in store.train_rows if store.clips[i].label in tagger.labels]
    responses = responses or training_responses(config.data, config.hrtf, config.bank, config.cache, config.seed)
    return ClipSampler(store, rows, responses, rng)


def sample_batch(sampler: ClipSampler, count: int, seconds: float, second_share: float) -> ClipBatch:
    """Clips with a direction, half of them with swapped ears."""
    batch = sampler.draw(count, seconds, second_share)
    return batch.mirrored(torch.from_numpy(sampler.rng.random(count) < 0.5))


def sample_seconds(config: ClipTrainOptions, rng: np.random.Generator) -> float:
    return float(rng.choice(config.clip_seconds, p=SECONDS_SHARES))


def sample_clips(sampler: ClipSampler, count: int, seconds: float, second_share: float) -> AnnotatedClips:
    """Clips and annotations; some clips are made mono or panned, and so lose their direction."""
    rng = sampler.rng
    batch = sample_batch(sampler, count, seconds, second_share)
    waveform, annotations = batch.waveform.clone(), []
    for i in range(count):
        rows = [int(row) for row in batch.sounds[i] if row >= 0]
        labels = tuple(sampler.store.clips[row].label for row in rows)
        azimuths = tuple(float(a) for a in batch.azimuth[i][: len(rows)])
        if rng.random() < NO_DIRECTION_SHARE:
            pan_db = 0.0 if rng.random() < 0.5 else rng.uniform(-20, 20)
            gains = torch.tensor([-pan_db, pan_db]) / 40
            waveform[i] = waveform[i].mean(dim=0) * (10**gains)[:, None]
            azimuths = ()
        if len(set(labels)) < len(labels):  # the sampler had one label only
            labels, azimuths = labels[:1], azimuths[:1]
        annotations.append(SceneAnnotation(labels, azimuths))
    return AnnotatedClips(waveform, tuple(annotations))


def annotate(clip: SimulatedClip) -> SceneAnnotation:
    """Annotation of a simulated clip of an evaluation."""
    two = bool(clip.second_label) and clip.second_label != clip.label
    labels = (clip.label, clip.second_label) if two else (clip.label,)
    directions = (clip.azimuth_deg, clip.second_deg)[: len(labels)]
    return SceneAnnotation(labels, () if np.isnan(clip.azimuth_deg) else tuple(float(a) for a in directions))
