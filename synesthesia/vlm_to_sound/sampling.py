"""Autoregressive sampling with a key-value cache, for several takes of one prompt at once.

It computes what `AudioHead.forward` does without repeating work: keys and values of earlier positions are cached, the
memory is shared by all takes, and the unconditional memory holds one state, so its cross-attention is a constant.
Training excerpts have at most `CONTEXT_FRAMES` frames, so a longer sound continues in a fresh context that begins with
its last `PRIMED_FRAMES`: no position is beyond those trained, and memory use stays flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.nn.transformer import apply_rotary, rotary_table
from synesthesia.vlm_to_sound.audio_head import CHANNELS, AudioHead, CrossAttentionMemory, DecoderLayer

CONTEXT_FRAMES, PRIMED_FRAMES = 100, 50


@dataclass(frozen=True)
class DecodingStep:
    """One position of all takes. codes: (takes, K); itd: (takes, itd_bins) logits at the right ear's positions;
    cross_attention: (takes, S)."""

    codes: Tensor
    itd: Tensor | None
    cross_attention: Tensor


@dataclass(frozen=True)
class TokenSampler:
    """Top-k sampling with classifier-free guidance in two terms.

    temperature: 0 takes the likeliest code; top_k: codes to sample from; guidance: scale, 1 is none; no_history_share:
    fraction of the guidance computed at positions without history. Generated history soon outweighs the prompt, and an
    error would be continued; the second term ignores history (two guided conditions: Brooks et al. 2023,
    InstructPix2Pix).
    """

    temperature: float = 1.0
    top_k: int = 100
    guidance: float = 3.0
    no_history_share: float = 0.3

    @property
    def history_scale(self) -> float:
        """Guidance scale of the term that is given the history; 1 is none."""
        return 1 + (self.guidance - 1) * (1 - self.no_history_share)

    @property
    def no_history_scale(self) -> float:
        """Weight of the term without history; 0 is none."""
        return (self.guidance - 1) * self.no_history_share

    def __call__(self, logits: Tensor, uniform: Tensor) -> Tensor:
        """(takes, codes), (takes,) in [0, 1) -> (takes,) codes, by the inverse of the cumulative distribution."""
        if self.temperature <= 0:
            return logits.argmax(dim=1)
        best = logits.topk(min(self.top_k, logits.shape[1]), sorted=False)
        cumulative = (best.values / self.temperature).softmax(dim=1).cumsum(dim=1)
        rank = (cumulative <= uniform[:, None]).sum(dim=1).clamp(max=cumulative.shape[1] - 1)
        return best.indices.gather(1, rank[:, None])[:, 0]


class KeyValueCache:
    """Up to `positions` positions of `takes` takes, and as many without the prompt when `guided`."""

    def __init__(self, head: AudioHead, memory: CrossAttentionMemory, takes: int, guided: bool, positions: int) -> None:
        self.head, self.memory, self.takes, self.filled = head, memory, takes, 0
        self.rows, config = takes * (1 + guided), head.config
        shape = (self.rows, config.heads, positions, config.width // config.heads)
        self.keys = [torch.empty(shape) for _ in head.layers]
        self.values = [torch.empty(shape) for _ in head.layers]
        self.rotary = rotary_table(torch.arange(positions), shape[3])
        self.channels = head.channel_embedding.weight[torch.arange(positions) % CHANNELS]
        null = head.null_memory(1)
        self.null_cross = [  # attention to a single state returns that state
            layer.cross_out(x.flatten(1)) for layer, x in zip(head.layers, null.values, strict=True)
        ]
        pooled = torch.cat([memory.pooled, null.pooled])[: 1 + guided]
        self.pooled = pooled.repeat_interleave(takes, dim=0)[:, None]  # (rows, 1, W)

    def run(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (takes, P, W) of the next positions -> of the last one: hidden states (rows, W), conditional ones
        first, and the last layer's cross-attention (takes, S)."""
        begin, self.filled = self.filled, self.filled + x.shape[1]
        x = x + self.channels[begin : self.filled]
        x = x.repeat(self.rows // self.takes, 1, 1) + self.pooled
        for number, layer in enumerate(self.head.layers):
            x, weights = self._layer(number, layer, x, begin)
        return self.head.norm(x[:, -1]), weights[:, -1]

    def _layer(self, number: int, layer: DecoderLayer, x: Tensor, begin: int) -> tuple[Tensor, Tensor]:
        heads, end = layer.heads, self.filled
        qkv = layer.self_qkv(layer.self_norm(x)).unflatten(2, (3 * heads, -1)).transpose(1, 2)  # (rows, 3 heads, P, d)
        rotated = apply_rotary(qkv[:, : 2 * heads], (self.rotary[0][begin:end], self.rotary[1][begin:end]))
        keys, values = self.keys[number], self.values[number]
        keys[:, :, begin:end], values[:, :, begin:end] = rotated[:, heads:], qkv[:, 2 * heads :]
        attended = _self_attention(rotated[:, :heads], keys[:, :, :end], values[:, :, :end])
        x = x + layer.self_out(attended.transpose(1, 2).flatten(2))
        cross, weights = self._cross_attention(number, layer, x[: self.takes])
        if self.rows > self.takes:
            cross = torch.cat([cross, self.null_cross[number].expand_as(cross)])
        x = x + cross
        return x + layer.mlp(x), weights

    def _cross_attention(self, number: int, layer: DecoderLayer, x: Tensor) -> tuple[Tensor, Tensor]:
        """All takes attend to one memory: (takes, P, W) -> (output, weights (takes, P, S))."""
        query = layer.cross_query(layer.cross_norm(x)).flatten(0, 1)[None]
        query = query.unflatten(2, (layer.heads, -1)).transpose(1, 2)  # (1, heads, takes P, d)
        keys, values = self.memory.keys[number], self.memory.values[number]
        weights = (query @ keys.transpose(2, 3) * query.shape[3] ** -0.5 + self.memory.mask).softmax(dim=3)
        out = layer.cross_out((weights @ values).transpose(1, 2).flatten(2))
        return out.view(x.shape), weights.mean(dim=1).view(*x.shape[:2], -1)


def _self_attention(q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Queries of all positions, or of the last one alone, where the fused kernel is slower on a CPU."""
    if q.shape[2] > 1:
        return F.scaled_dot_product_attention(q, keys, values, is_causal=True)
    return (q @ keys.transpose(2, 3) * q.shape[3] ** -0.5).softmax(dim=3) @ values


@torch.inference_mode()
def decode(
    head: AudioHead, memory: CrossAttentionMemory, frames: int, generators: list[torch.Generator], sampler: TokenSampler
) -> Iterator[DecodingStep]:
    """One step per position, for as many takes as generators; memory: of one prompt."""
    assert len(memory.image_mask) == 1, f"one prompt, got {len(memory.image_mask)}"
    takes, positions, books = len(generators), CHANNELS * frames, head.config.tokens.codebooks
    uniform = torch.stack([torch.rand(positions, books, generator=each) for each in generators])  # (takes, P, K)
    longest, primed = CHANNELS * CONTEXT_FRAMES, CHANNELS * PRIMED_FRAMES
    cache = KeyValueCache(head, memory, takes, sampler.history_scale != 1.0, min(positions, longest))
    no_history = head.no_history_states(memory, min(positions, longest)) if sampler.no_history_scale else None
    patches: list[Tensor] = []  # (takes, 256) log-mel of the last positions
    x = head.start.expand(takes, 1, -1)
    for position in range(positions):
        if cache.filled == longest:
            cache.filled = 0
            x = torch.cat([head.start.expand(takes, 1, -1), head.patch_embedding(torch.stack(patches, dim=1))], 1)
        hidden, weights = cache.run(x)
        free = None if no_history is None else no_history[:, cache.filled - 1]  # (2, W)
        codes, patch = _sample_codes(head, hidden, free, uniform[:, position], sampler)
        yield DecodingStep(codes, head.itd_head(hidden[:takes]) if position % CHANNELS else None, weights)
        patches = [*patches[1 - primed :], patch]
        x = head.patch_embedding(patch)[:, None]


def _sample_codes(
    head: AudioHead, hidden: Tensor, no_history: Tensor | None, uniform: Tensor, sampler: TokenSampler
) -> tuple[Tensor, Tensor]:
    """Codes (takes, K), coarse to fine, and the log-mel patch (takes, 256) that they stand for.

    hidden: (rows, W); no_history: (2, W), conditional and unconditional; uniform: (takes, K). Guidance and the last
    layer are linear, so the guided hidden state passes through that layer once.
    """
    takes, codes = len(uniform), []
    patch = torch.zeros(takes, head.config.tokens.patch_dim)
    for book in range(uniform.shape[1]):
        coarser = head.depth_patch[book](patch)
        inner = head.depth_hidden[book](hidden).unflatten(0, (-1, takes)) + coarser
        inner = F.gelu(inner, approximate="tanh")
        guided = inner[0] if len(inner) == 1 else torch.lerp(inner[1], inner[0], sampler.history_scale)
        if no_history is not None:
            free = F.gelu(head.depth_hidden[book](no_history)[:, None] + coarser, approximate="tanh")  # (2, takes, W)
            guided = guided + sampler.no_history_scale * (free[0] - free[1])
        codes.append(sampler(head.depth_logits[book](guided), uniform[:, book]))
        patch = patch + head.book_patch(book, codes[-1])
    return torch.stack(codes, dim=1), patch
