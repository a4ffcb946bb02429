"""The modules that the language path's trainings change: the thinker with a reader, or with the audio head."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.nn.lora import LoraSettings, add_lora
from synesthesia.vlm_to_sound.audio_head import AudioHead, Memory, Written
from synesthesia.vlm_to_sound.thinker import HiddenStates, Thinker
from training.vlm_to_sound.clicked_sounds import Clicks

UNHEARD = 1.0  # of a sound's positions, at most


class Reader(nn.Module):
    """The thinker with a linear reader of what sounds: scores (B, voices) of the click and (patches, voices)."""

    def __init__(self, thinker: Thinker, voices: int) -> None:
        super().__init__()
        self.thinker, self.read = thinker, nn.Linear(thinker.width, voices)

    def forward(self, clicks: Clicks) -> tuple[Tensor, Tensor]:
        thought = self.thinker([sight.seen for sight in clicks.sights], clicks.boxes)
        return self.read(thought.states[:, -1].float()), self.read(thought.states[thought.patches].float())


class TrainableAudioHead(nn.Module):
    """The thinker and the audio head in one: clicks and codes -> logits."""

    def __init__(self, thinker: Thinker, decoder: AudioHead) -> None:
        super().__init__()
        self.thinker, self.decoder = thinker, decoder

    def forward(
        self, clicks: Clicks | HiddenStates, codes: Tensor, told: Tensor, unheard: Tensor | None = None
    ) -> tuple[Written, HiddenStates]:
        """clicks: B of them, or what was thought of them already; codes: (B N, 2, K, F), N sounds of each; told: (B N,)
        bool, the others get the memory of no thought; unheard: (B N, P) bool as in `TokenDecoder`. The thought comes
        back N times as well."""
        known = isinstance(clicks, HiddenStates)
        thought = clicks if known else self.thinker([sight.seen for sight in clicks.sights], clicks.boxes)
        which = torch.arange(len(thought.mask), device=codes.device)
        which = which.repeat_interleave(len(codes) // len(thought.mask))
        memory = withheld(self.decoder.memory(thought).rows(which), self.decoder, told)
        return self.decoder(memory, codes, unheard), thought.rows(which)


def withheld(memory: Memory, decoder: AudioHead, told: Tensor) -> Memory:
    """Where `told` (B,) is False nothing but the learned memory of no thought is left, in the first place."""
    nothing = decoder.no_memory(1)
    keep = told[:, None, None, None]

    def first(mine: Tensor, theirs: Tensor) -> Tensor:
        return torch.where(keep, mine, F.pad(theirs, (0, 0, 0, mine.shape[2] - 1)))

    hidden = torch.full_like(memory.mask, -1e9)
    hidden[..., 0] = 0.0
    return Memory(
        tuple(first(*pair) for pair in zip(memory.keys, nothing.keys, strict=True)),
        tuple(first(*pair) for pair in zip(memory.values, nothing.values, strict=True)),
        torch.where(keep, memory.mask, hidden), memory.patches & told[:, None],
        torch.where(told[:, None], memory.gist, nothing.gist),
    )  # fmt: skip


def unheard(shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """(sounds, positions) bool: which positions are not told what was written before them. None in half of the sounds,
    up to all in the others: what is heard so far soon tells kind and side, and a head that always hears it hardly
    learns to ask the thought."""
    share = rng.uniform(0.0, UNHEARD, (shape[0], 1)) * (rng.random((shape[0], 1)) < 0.5)
    return torch.from_numpy(rng.random(shape) < share)


def opened(thinker: Thinker, settings: LoraSettings, *, words: bool) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Lays LoRA over a frozen thinker, in place: what may be changed of it now, LoRA and the new words if `words`."""
    add_lora(thinker.model, settings)
    lora = [parameter for name, parameter in thinker.named_parameters() if ".lora_" in name]
    table = list(thinker.words.parameters()) if words else []
    for parameter in [*lora, *table]:
        parameter.data = parameter.data.float()  # small steps would vanish in the hub model's bfloat16
        parameter.requires_grad_(True)
    return lora, table


def table(speaker: TrainableAudioHead) -> str:
    """Parameters by part, and how many of them train."""
    parts = {"audio head": "decoder.", "LoRA": ".lora_", "new words": "thinker.words.", "visual tower": ".visual."}
    counted = {part: [0, 0] for part in (*parts, "language model")}
    for name, parameter in speaker.named_parameters():
        part = next((part for part, mark in parts.items() if mark in name), "language model")
        counted[part][0] += parameter.numel()
        counted[part][1] += parameter.numel() if parameter.requires_grad else 0
    rows = [f"{part:16} {every:>14,} {some:>14,}" for part, (every, some) in counted.items()]
    return "\n".join([f"{'part':16} {'parameters':>14} {'trainable':>14}", *rows])
