"""Chat template and tokenisation: Qwen2-Audio's ChatML prompt, with the spatial token after the audio tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SPATIAL = "<|SPATIAL|>"
AUDIO, AUDIO_BEGIN, AUDIO_END = "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"
TURN, TURN_END = "<|im_start|>", "<|im_end|>"
PAD = "<|endoftext|>"
SPECIAL = (PAD, TURN, TURN_END, AUDIO, AUDIO_BEGIN, AUDIO_END, SPATIAL)
SYSTEM = f"{TURN}system\nYou are a helpful assistant.{TURN_END}\n"  # the system prompt Qwen2-Audio was trained with
IGNORED = -100


@dataclass(frozen=True)
class TokenBatch:
    """A padded batch. input_ids, attention_mask: (B, S); labels: (B, S), -100 outside the answers, None without
    answers."""

    input_ids: Tensor
    attention_mask: Tensor
    labels: Tensor | None = None


def format_prompt(question: str, audio_tokens: int, spatial: bool, notes: str = "") -> str:
    """notes: text in place of the spatial token, for pre-training a language model on it."""
    where = SPATIAL if spatial else f"({notes})" if notes else ""
    return f"{TURN}user\n{AUDIO_BEGIN}{AUDIO * audio_tokens}{AUDIO_END}{where}\n{question}{TURN_END}\n{TURN}assistant\n"


def tokenize(
    tokenizer: PreTrainedTokenizerBase,
    audio_tokens: Sequence[int],
    questions: Sequence[str],
    answers: Sequence[str] | None = None,
    *,
    spatial: bool,
    notes: Sequence[str] | None = None,
    system_prompt: str = "",
) -> TokenBatch:
    """audio_tokens: embeddings per clip. With answers: right-padded, for training; without: left-padded, for
    generation."""
    notes = notes or [""] * len(questions)
    rows, targets = [], []
    for i, question in enumerate(questions):
        ids = _ids(tokenizer, system_prompt + format_prompt(question, audio_tokens[i], spatial, notes[i]))
        answer = _ids(tokenizer, answers[i] + TURN_END) if answers else []
        rows.append(ids + answer)
        targets.append([IGNORED] * len(ids) + answer)
    longest, pad = max(map(len, rows)), int(tokenizer.convert_tokens_to_ids(PAD))

    def padded(values: list[list[int]], filler: int) -> Tensor:
        fills = [[filler] * (longest - len(row)) for row in values]
        pairs = zip(values, fills, strict=True)
        return torch.tensor([row + fill if answers else fill + row for row, fill in pairs])

    mask = padded([[1] * len(row) for row in rows], 0)
    labels = padded(targets, IGNORED) if answers else None
    return TokenBatch(padded(rows, pad), mask, labels)


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
