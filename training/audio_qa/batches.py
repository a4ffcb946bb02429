"""Batches for instruction tuning (Liu et al. 2023): clips with questions about them, and the loss on the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthesia.audio_qa.prompt import tokenize
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from training.audio_qa.clips import AnnotatedClips
from training.audio_qa.examples import QAExample


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


def answer_loss(model: SpatialQwen2Audio, batch: QABatch, spatial: Tensor | None) -> Tensor:
    """Cross-entropy of the answers; each clip is encoded once. spatial: (Q, 256) tokens, None for prompts without."""
    audio = model.audio_embeddings(batch.features, batch.mask).split(model.audio_token_counts(batch.mask))
    embeds = model.merge_embeddings(batch.input_ids, torch.cat([audio[int(row)] for row in batch.rows]), spatial)
    loss: Tensor = model(inputs_embeds=embeds, attention_mask=batch.attention_mask, labels=batch.labels).loss
    return loss.float()
