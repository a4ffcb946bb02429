"""Trainable modules: the thinker with a linear classifier, and with LoRA and the audio head."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.nn.lora import LoraSettings, add_lora, is_lora
from synesthesia.vlm_to_sound.audio_head import AudioHead, AudioHeadOutput, CrossAttentionMemory
from synesthesia.vlm_to_sound.thinker import HiddenStates, Thinker
from training.common.parameter_table import count_parameters, format_counts
from training.vlm_to_sound.clicked_sounds import Clicks

MAX_NO_HISTORY = 1.0  # fraction of a sound's positions


class RegionClassifier(nn.Module):
    """The thinker with a linear classifier of what sounds: logits (B, classes) of the region at <think_sound>, and
    (image tokens, classes)."""

    def __init__(self, thinker: Thinker, classes: int) -> None:
        super().__init__()
        self.thinker, self.classifier = thinker, nn.Linear(thinker.hidden_size, classes)

    def forward(self, clicks: Clicks) -> tuple[Tensor, Tensor]:
        hidden = self.thinker([image.tower_input for image in clicks.images], clicks.boxes)
        return self.classifier(hidden.states[:, -1].float()), self.classifier(hidden.states[hidden.image_mask].float())


class TrainableAudioHead(nn.Module):
    """Thinker and audio head in one: clicks and codes -> logits."""

    def __init__(self, thinker: Thinker, head: AudioHead) -> None:
        super().__init__()
        self.thinker, self.head = thinker, head

    def forward(
        self, clicks: Clicks | HiddenStates, codes: Tensor, conditioned: Tensor, no_history: Tensor | None = None
    ) -> tuple[AudioHeadOutput, HiddenStates]:
        """Teacher forcing of N sounds for each of B clicks.

        clicks: or their cached hidden states; codes: (B N, 2, K, F); conditioned: (B N,) bool, the others get the
        unconditional memory; no_history: (B N, P) bool as in `AudioHead`. The hidden states are returned N times too.
        """
        cached = isinstance(clicks, HiddenStates)
        hidden = clicks if cached else self.thinker([image.tower_input for image in clicks.images], clicks.boxes)
        rows = torch.arange(len(hidden.mask), device=codes.device)
        rows = rows.repeat_interleave(len(codes) // len(hidden.mask))
        memory = drop_condition(self.head.memory(hidden).select(rows), self.head, conditioned)
        return self.head(memory, codes, no_history), hidden.select(rows)


def drop_condition(memory: CrossAttentionMemory, head: AudioHead, conditioned: Tensor) -> CrossAttentionMemory:
    """Condition dropout for classifier-free guidance: where `conditioned` (B,) is False, only the learned
    unconditional state remains, at the first position."""
    null = head.null_memory(1)
    keep = conditioned[:, None, None, None]

    def choose(mine: Tensor, unconditional: Tensor) -> Tensor:
        return torch.where(keep, mine, F.pad(unconditional, (0, 0, 0, mine.shape[2] - 1)))

    first_only = torch.full_like(memory.mask, -1e9)
    first_only[..., 0] = 0.0
    return CrossAttentionMemory(
        tuple(choose(*pair) for pair in zip(memory.keys, null.keys, strict=True)),
        tuple(choose(*pair) for pair in zip(memory.values, null.values, strict=True)),
        torch.where(keep, memory.mask, first_only), memory.image_mask & conditioned[:, None],
        torch.where(conditioned[:, None], memory.pooled, null.pooled),
    )  # fmt: skip


def sample_no_history(shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """(sounds, positions) bool: positions that are not given the previous codes.

    None in half of the sounds, up to all in the others: history soon reveals kind and side, and a head that always has
    it barely learns to attend to the hidden states.
    """
    share = rng.uniform(0.0, MAX_NO_HISTORY, (shape[0], 1)) * (rng.random((shape[0], 1)) < 0.5)
    return torch.from_numpy(rng.random(shape) < share)


def add_trainable_lora(
    thinker: Thinker, settings: LoraSettings, *, new_embeddings: bool
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Injects LoRA into a frozen thinker, in place.

    Returns the parameters to train: LoRA's, and the new tokens' embeddings if `new_embeddings`.
    """
    add_lora(thinker.model, settings)
    lora = [parameter for name, parameter in thinker.named_parameters() if is_lora(name)]
    embeddings = list(thinker.new_embeddings.parameters()) if new_embeddings else []
    for parameter in [*lora, *embeddings]:
        parameter.data = parameter.data.float()  # small steps would vanish in the hub model's bfloat16
        parameter.requires_grad_(True)
    return lora, embeddings


def parameter_table(model: TrainableAudioHead) -> str:
    parts = {
        "audio head": "head.",
        "LoRA": ".lora_",
        "new tokens": "thinker.new_embeddings.",
        "visual tower": ".visual.",
    }
    return format_counts(count_parameters(model, parts, "language model"))
