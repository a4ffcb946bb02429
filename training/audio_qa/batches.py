"""Batches for instruction tuning (Liu et al. 2023): clips with questions about them, and the loss on the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio_qa.prompt import tokenize
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from training.audio_qa.answer_templates import KINDS, Kind
from training.audio_qa.clips import AnnotatedClips, ClipTrainOptions, sample_clips, sample_seconds
from training.audio_qa.examples import QAExample, direction_notes, sample_example
from training.binaural.clip_sampler import ClipSampler

CONTENT: tuple[Kind, ...] = ("what", "describe")


@dataclass(frozen=True)
class QABatch:
    """B clips and Q questions. waveform: (B, 2, n); features, mask: the audio tower's input; rows: (Q,) the clip that a
    question is about; input_ids, attention_mask, labels: (Q, S), see `prompt.TokenBatch`."""

    waveform: Tensor
    features: Tensor
    mask: Tensor
    rows: Tensor
    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> QABatch:
        return QABatch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def make_batch(
    language_model: AudioLM, clips: AnnotatedClips, rows: Sequence[int], examples: Sequence[QAExample],
    notes: Sequence[str] | None = None,
) -> QABatch:  # fmt: skip
    """rows: the clip of each example. notes: directions as text instead of a spatial token."""
    features, mask = language_model.frontend(clips.mono)
    counts = language_model.model.audio_token_counts(mask)
    tokens = tokenize(
        language_model.tokenizer, [counts[row] for row in rows], [one.question for one in examples],
        [one.answer for one in examples], spatial=notes is None, notes=notes,
        system_prompt=language_model.system_prompt,
    )  # fmt: skip
    assert tokens.labels is not None
    return QABatch(
        clips.waveform, features, mask, torch.tensor(rows), tokens.input_ids, tokens.attention_mask, tokens.labels
    )


def question_batch(
    language_model: AudioLM, config: ClipTrainOptions, sampler: ClipSampler, rng: np.random.Generator, *,
    pretraining: bool = False,
) -> QABatch:  # fmt: skip
    """New clips with questions about anything. pretraining: the first question about a clip is about content, and
    directions stand as text in the place of the spatial token."""
    clips = sample_clips(sampler, config.clips, sample_seconds(config, rng), config.second_share)
    rows = [row for row in range(config.clips) for _ in range(config.questions)]
    examples = [
        sample_example(clips.annotations[row], rng, CONTENT if pretraining and index % config.questions == 0 else KINDS)
        for index, row in enumerate(rows)
    ]
    notes = [direction_notes(clips.annotations[row], rng) for row in rows] if pretraining else None
    return make_batch(language_model, clips, rows, examples, notes)


def answer_loss(model: SpatialQwen2Audio, batch: QABatch, spatial: Tensor | None) -> Tensor:
    """Cross-entropy of the answers; each clip is encoded once. spatial: (Q, 256) tokens, None for prompts without."""
    audio = model.audio_embeddings(batch.features, batch.mask).split(model.audio_token_counts(batch.mask))
    embeds = model.merge_embeddings(batch.input_ids, torch.cat([audio[int(row)] for row in batch.rows]), spatial)
    loss: Tensor = model(inputs_embeds=embeds, attention_mask=batch.attention_mask, labels=batch.labels).loss
    return loss.float()
