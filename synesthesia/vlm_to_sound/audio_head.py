"""From a thought about a place to sound tokens: the audio head of the language path.

A modality adaptor turns the hidden states of the picture language model into a memory; an autoregressive transformer
writes both ears' tokens in turn, L1 R1 L2 R2 ..., looking at the memory by cross-attention. Within a position a depth
predictor goes from the coarse codebook to the fine ones (as in RQ-Transformer, Lee et al. 2022, and UniAudio, Yang et
al. 2023), each told what the ones before it stand for. What a position is told of the last one is not a code's number
but the piece of log-mel that its codes stand for. The right ear's positions also say by how much that ear leads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.nn.transformer import rotary_table, rotate
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.sampling import EARS, Step, TokenSampler, write

if TYPE_CHECKING:
    from synesthesia.vlm_to_sound.thinker import HiddenStates

WAVES = 4  # of a patch's place on the picture, for either coordinate
CELL_SCALE = 2.5  # deviation of the log-mel, nepers


@dataclass(frozen=True)
class AudioHeadConfig:
    thought: int = 256  # numbers of a hidden state of the thinker
    width: int = 256
    layers: int = 5
    heads: int = 4
    leads: int = 33  # classes of the time by which the right ear leads, the middle one 0
    lead_step_s: float = 50e-6
    kinds: int = 132  # learned ones, among which a thought chooses softly
    tokens: MelTokenConfig = field(default_factory=MelTokenConfig)

    @property
    def leads_s(self) -> Tensor:
        return (torch.arange(self.leads) - self.leads // 2) * self.lead_step_s


@dataclass(frozen=True)
class Memory:
    """What B thoughts hold for the decoder. keys, values: for every layer (B, heads, S, d); mask: (B, 1, 1, S), -inf
    where there is nothing to see; patches: (B, S) bool; gist: (B, W), what every position is told at once."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Tensor
    patches: Tensor
    gist: Tensor

    def rows(self, which: Tensor) -> Memory:
        return Memory(
            tuple(x[which] for x in self.keys), tuple(x[which] for x in self.values), self.mask[which],
            self.patches[which], self.gist[which],
        )  # fmt: skip

    def repeated(self, count: int) -> Memory:
        """One thought for `count` takes."""
        return self.rows(torch.zeros(count, dtype=torch.long, device=self.mask.device))


@dataclass(frozen=True)
class Written:
    """What teacher forcing gives. codes: (B, P, K, codes) logits, positions L1 R1 L2 ...; lead: (B, F, leads) logits;
    looks: (B, P, S) where each position looked, averaged over heads of the last layer."""

    codes: Tensor
    lead: Tensor
    looks: Tensor


class DecoderLayer(nn.Module):
    """Causal self-attention with rotary positions, cross-attention, perceptron; each normalised before it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.own_norm, self.look_norm, self.last_norm = (nn.LayerNorm(width) for _ in range(3))
        self.qkv, self.own_out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.ask, self.tell = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, P, d)

    def forward(
        self, x: Tensor, turn: tuple[Tensor, Tensor], keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """x: (B, P, W) -> (x, where it looked (B, heads, P, S))."""
        q, k, v = (self._split(part) for part in self.qkv(self.own_norm(x)).chunk(3, dim=2))
        q, k = rotate(q, turn), rotate(k, turn)
        own = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.own_out(own.transpose(1, 2).flatten(2))
        asked = self._split(self.ask(self.look_norm(x)))
        looks = (asked @ keys.transpose(2, 3) * asked.shape[3] ** -0.5 + mask).softmax(dim=3)
        x = x + self.tell((looks @ values).transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.last_norm(x)), approximate="tanh")), looks


class AudioHead(nn.Module):
    """Thoughts -> tokens of both ears. tokens: the codebooks, frozen and kept elsewhere."""

    def __init__(self, config: AudioHeadConfig, tokens: MelTokens) -> None:
        super().__init__()
        self.config, width = config, config.width
        self._tokens = (tokens.requires_grad_(False),)  # in a tuple: no part of the state
        cell, books = config.tokens.cell, config.tokens.codebooks
        self.adapt = nn.Sequential(
            nn.LayerNorm(config.thought), nn.Linear(config.thought, width), nn.GELU(), nn.Linear(width, width)
        )
        self.place = nn.Linear(4 * WAVES, width, bias=False)
        self.memory_norm = nn.LayerNorm(width)
        self.remember = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in range(config.layers))
        self.gist = nn.Linear(width, width, bias=False)
        self.choose = nn.Linear(config.thought, config.kinds)
        self.kind = nn.Linear(config.kinds, width, bias=False)
        self.nothing = nn.Parameter(torch.randn(width) * 0.5)  # the memory of no thought, for guidance
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.ear = nn.Embedding(EARS, width)
        self.last = nn.Sequential(nn.Linear(cell, width), nn.GELU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.so_far = nn.ModuleList(nn.Linear(cell, width, bias=False) for _ in range(books))
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(books))
        self.outer = nn.ModuleList(nn.Linear(width, config.tokens.codes) for _ in range(books))
        self.lead = nn.Linear(width, config.leads)

    @property
    def tokens(self) -> MelTokens:
        return self._tokens[0]

    def memory(self, thought: HiddenStates) -> Memory:
        """What the audio tokens look at: every hidden state through the adaptor, patches with their place and the last
        with that of the box; and what they are told wherever they look, from the last state: itself through the
        adaptor, and the kinds that it chooses."""
        placed = thought.patches.clone()
        placed[:, -1] = True
        at = thought.at[..., None] * (torch.pi * 2.0 ** torch.arange(WAVES, device=thought.at.device))  # (B, S, 2, 4)
        waves = torch.cat([at.sin(), at.cos()], dim=3).flatten(2) * placed[..., None]
        states = self.adapt(thought.states.float()) + self.place(waves)
        memory = self._memory(states, thought.mask, thought.patches)
        chosen = self.kind(self.choose(thought.states[:, -1].float()).softmax(dim=1))
        return replace(memory, gist=memory.gist + chosen)

    def no_memory(self, count: int) -> Memory:
        """The unconditional twin."""
        seen = torch.ones(count, 1, dtype=torch.bool, device=self.nothing.device)
        return self._memory(self.nothing.expand(count, 1, -1), seen, ~seen)

    def _memory(self, states: Tensor, mask: Tensor, patches: Tensor) -> Memory:
        states, heads = self.memory_norm(states), self.config.heads
        pairs = [layer(states).unflatten(2, (2, heads, -1)).permute(2, 0, 3, 1, 4) for layer in self.remember]
        hidden = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, float("-inf"))
        gist = self.gist(states[:, -1])
        return Memory(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), hidden[:, None, None], patches, gist)

    def cells(self, codes: Tensor, books: int | None = None) -> Tensor:
        """(..., K) codes -> (..., 256): the log-mel that the first `books` of them stand for, about unit deviation."""
        count = codes.shape[-1] if books is None else books
        total = torch.zeros(*codes.shape[:-1], self.config.tokens.cell, device=codes.device)
        for book in range(count):
            total = total + self.cell(book, codes[..., book])
        return total

    def cell(self, book: int, codes: Tensor) -> Tensor:
        """(...) codes of one book -> (..., 256): their share of the log-mel."""
        return self.tokens.books[book][codes] / CELL_SCALE

    def forward(self, memory: Memory, codes: Tensor, unheard: Tensor | None = None) -> Written:
        """codes: (B, 2, K, F), left ear first, as they are to be written; unheard: (B, P) bool, positions that are not
        told what was written before them."""
        inline = codes.permute(0, 3, 1, 2).flatten(1, 2)  # (B, P, K), L1 R1 L2 R2 ...
        before = torch.cat([self.start.expand(len(codes), 1, -1), self.last(self.cells(inline[:, :-1]))], dim=1)
        if unheard is not None:
            before = torch.where(unheard[..., None], self.start.to(before.dtype), before)
        hidden, looks = self._run(before, memory)
        logits = torch.stack(
            [self._depth(hidden, book, self.cells(inline, book)) for book in range(inline.shape[2])], dim=2
        )
        return Written(logits, self.lead(hidden[:, 1::EARS]), looks)

    def _run(self, x: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Inputs (B, P, W) of all positions -> hidden states, where the last layer looked."""
        positions = torch.arange(x.shape[1], device=x.device)
        x = x + self.ear(positions % EARS) + memory.gist[:, None]
        turn = rotary_table(positions, self.config.width // self.config.heads)
        turn = (turn[0].to(x.device), turn[1].to(x.device))
        for number, layer in enumerate(self.layers):
            x, looks = layer(x, turn, memory.keys[number], memory.values[number], memory.mask)
        return self.norm(x), looks.mean(dim=1)

    def _depth(self, hidden: Tensor, book: int, so_far: Tensor) -> Tensor:
        inner = F.gelu(self.inner[book](hidden) + self.so_far[book](so_far), approximate="tanh")
        logits: Tensor = self.outer[book](inner)
        return logits

    def write(
        self, memory: Memory, frames: int, generators: list[torch.Generator], *, temperature: float = 1.0,
        top_k: int = 100, guidance: float = 2.0, pull: float = 0.0,
    ) -> Iterator[Step]:  # fmt: skip
        """One step a position, for as many takes as generators; memory: of one thought. temperature: 0 takes the
        likeliest code; guidance: 1 follows the thought as it was learnt, more exaggerates what sets it apart from no
        thought; pull: 0 is none, more keeps to what the thought alone asks for, whatever was written so far."""
        return write(self, memory, frames, generators, TokenSampler(temperature, top_k, guidance, pull))

    def alone(self, memory: Memory, positions: int) -> Tensor:
        """(2, P, W): hidden states of positions that are not told what was written, of one thought and of none."""
        start = self.start.expand(1, positions, -1)
        return torch.cat([self._run(start, one)[0] for one in (memory, self.no_memory(1))])
