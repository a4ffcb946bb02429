"""Writing sound tokens position by position: the audio head at work, for several takes of one thought at once.

It computes what `TokenDecoder.forward` does, with what can be kept kept: keys and values of the positions before; the
memory once for all takes; of no thought, for guidance, the one vector that looking at it always gives. Training never
showed more than `CONTEXT_FRAMES` at once, so a longer sound is written on in a fresh context that begins with the last
`PRIMED_FRAMES` of what is there: no position is asked that was not learnt, and memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.nn.transformer import rotary_table, rotate

if TYPE_CHECKING:
    from synesthesia.vlm_to_sound.audio_head import AudioHead, DecoderLayer, Memory

EARS = 2
CONTEXT_FRAMES, PRIMED_FRAMES = 100, 50


@dataclass(frozen=True)
class Step:
    """One position of all takes. codes: (takes, K); lead: (takes, leads) logits at the right ear's positions; looks:
    (takes, S)."""

    codes: Tensor
    lead: Tensor | None
    looks: Tensor


@dataclass(frozen=True)
class TokenSampler:
    """How a code is drawn. temperature: 0 takes the likeliest; top_k: codes that may be drawn; guidance: how many times
    what the thought changes is added to no thought, given what was written; pull: how many times what it changes where
    nothing was written is added to that. What was written soon outweighs the thought, and a slip would be gone on
    with; the second term knows nothing of it (two conditions guided apart: Brooks et al. 2023, InstructPix2Pix)."""

    temperature: float
    top_k: int
    guidance: float = 1.0
    pull: float = 0.0

    def __call__(self, logits: Tensor, uniform: Tensor) -> Tensor:
        """(takes, codes), (takes,) in [0, 1) -> (takes,) codes, by the inverse of the cumulative distribution."""
        if self.temperature <= 0:
            return logits.argmax(dim=1)
        best = logits.topk(min(self.top_k, logits.shape[1]), sorted=False)
        up_to = (best.values / self.temperature).softmax(dim=1).cumsum(dim=1)
        rank = (up_to <= uniform[:, None]).sum(dim=1).clamp(max=up_to.shape[1] - 1)
        return best.indices.gather(1, rank[:, None])[:, 0]


class Context:
    """Up to `positions` positions of `takes` takes, and as many again without the thought when `guided`."""

    def __init__(self, decoder: AudioHead, memory: Memory, takes: int, guided: bool, positions: int) -> None:
        self.decoder, self.memory, self.takes, self.filled = decoder, memory, takes, 0
        self.rows, config = takes * (1 + guided), decoder.config
        shape = (self.rows, config.heads, positions, config.width // config.heads)
        self.keys = [torch.empty(shape) for _ in decoder.layers]
        self.values = [torch.empty(shape) for _ in decoder.layers]
        self.turn = rotary_table(torch.arange(positions), shape[3])
        self.ears = decoder.ear.weight[torch.arange(positions) % EARS]
        nothing = decoder.no_memory(1)
        self.untold = [  # one state: whoever looks at it sees it whole
            layer.tell(x.flatten(1)) for layer, x in zip(decoder.layers, nothing.values, strict=True)
        ]
        gists = torch.cat([memory.gist, nothing.gist])[: 1 + guided]
        self.gist = gists.repeat_interleave(takes, dim=0)[:, None]  # (rows, 1, W)

    def run(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (takes, P, W) of the next positions -> hidden states (rows, W) of the last of them, the takes' own
        first, and where its last layer looked (takes, S)."""
        begin, self.filled = self.filled, self.filled + x.shape[1]
        x = x + self.ears[begin : self.filled]
        x = x.repeat(self.rows // self.takes, 1, 1) + self.gist
        for number, layer in enumerate(self.decoder.layers):
            x, looks = self._layer(number, layer, x, begin)
        return self.decoder.norm(x[:, -1]), looks[:, -1]

    def _layer(self, number: int, layer: DecoderLayer, x: Tensor, begin: int) -> tuple[Tensor, Tensor]:
        heads, end = layer.heads, self.filled
        qkv = layer.qkv(layer.own_norm(x)).unflatten(2, (3 * heads, -1)).transpose(1, 2)  # (rows, 3 heads, P, d)
        turned = rotate(qkv[:, : 2 * heads], (self.turn[0][begin:end], self.turn[1][begin:end]))
        keys, values = self.keys[number], self.values[number]
        keys[:, :, begin:end], values[:, :, begin:end] = turned[:, heads:], qkv[:, 2 * heads :]
        own = _attended(turned[:, :heads], keys[:, :, :end], values[:, :, :end])
        x = x + layer.own_out(own.transpose(1, 2).flatten(2))
        told, looks = self._look(number, layer, x[: self.takes])
        if self.rows > self.takes:
            told = torch.cat([told, self.untold[number].expand_as(told)])
        x = x + told
        return x + layer.down(F.gelu(layer.up(layer.last_norm(x)), approximate="tanh")), looks

    def _look(self, number: int, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor]:
        """All takes ask the same memory: (takes, P, W) -> (what they are told, where they looked (takes, P, S))."""
        asked = layer.ask(layer.look_norm(x)).flatten(0, 1)[None].unflatten(2, (layer.heads, -1)).transpose(1, 2)
        keys, values = self.memory.keys[number], self.memory.values[number]
        looks = (asked @ keys.transpose(2, 3) * asked.shape[3] ** -0.5 + self.memory.mask).softmax(dim=3)
        told = layer.tell((looks @ values).transpose(1, 2).flatten(2))
        return told.view(x.shape), looks.mean(dim=1).view(*x.shape[:2], -1)


def _attended(q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Queries of all positions, or of the last one alone, for which the fused kernel is the slower way on a CPU."""
    if q.shape[2] > 1:
        return F.scaled_dot_product_attention(q, keys, values, is_causal=True)
    return (q @ keys.transpose(2, 3) * q.shape[3] ** -0.5).softmax(dim=3) @ values


@torch.inference_mode()
def write(
    decoder: AudioHead, memory: Memory, frames: int, generators: list[torch.Generator], drawing: TokenSampler
) -> Iterator[Step]:
    """One step a position, for as many takes as generators; memory: of one thought."""
    assert len(memory.patches) == 1, f"one thought, got {len(memory.patches)}"
    takes, positions, books = len(generators), EARS * frames, decoder.config.tokens.codebooks
    uniform = torch.stack([torch.rand(positions, books, generator=each) for each in generators])  # (takes, P, K)
    longest, primed = EARS * CONTEXT_FRAMES, EARS * PRIMED_FRAMES
    context = Context(decoder, memory, takes, drawing.guidance != 1.0, min(positions, longest))
    alone = decoder.alone(memory, min(positions, longest)) if drawing.pull else None  # (2, P, W)
    cells: list[Tensor] = []  # (takes, cell) of what was written last
    x = decoder.start.expand(takes, 1, -1)
    for position in range(positions):
        if context.filled == longest:
            context.filled = 0
            x = torch.cat([decoder.start.expand(takes, 1, -1), decoder.last(torch.stack(cells, dim=1))], 1)
        hidden, looks = context.run(x)
        told = None if alone is None else alone[:, context.filled - 1]
        codes, cell = _depth(decoder, hidden, told, uniform[:, position], drawing)
        yield Step(codes, decoder.lead(hidden[:takes]) if position % EARS else None, looks)
        cells = [*cells[1 - primed :], cell]
        x = decoder.last(cell)[:, None]


def _depth(
    decoder: AudioHead, hidden: Tensor, alone: Tensor | None, uniform: Tensor, drawing: TokenSampler
) -> tuple[Tensor, Tensor]:
    """hidden: (rows, W); alone: (2, W) with and without the thought where nothing was written; uniform: (takes, K) ->
    codes (takes, K), coarse to fine, and the cell (takes, 256) that they stand for. Guidance is linear, and so is the
    last layer: what is away from no thought goes through it once."""
    takes, codes = len(uniform), []
    cell = torch.zeros(takes, decoder.config.tokens.cell)
    for book in range(uniform.shape[1]):
        so_far = decoder.so_far[book](cell)
        inner = decoder.inner[book](hidden).unflatten(0, (-1, takes)) + so_far
        inner = F.gelu(inner, approximate="tanh")
        guided = inner[0] if len(inner) == 1 else torch.lerp(inner[1], inner[0], drawing.guidance)
        if alone is not None:
            free = F.gelu(decoder.inner[book](alone)[:, None] + so_far, approximate="tanh")  # (2, takes, W)
            guided = guided + drawing.pull * (free[0] - free[1])
        codes.append(drawing(decoder.outer[book](guided), uniform[:, book]))
        cell = cell + decoder.cell(book, codes[-1])
    return torch.stack(codes, dim=1), cell
