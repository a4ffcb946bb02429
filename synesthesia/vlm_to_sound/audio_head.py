"""Autoregressive audio head: hidden states of a vision-language model -> stereo codec tokens.

A modality adaptor turns the hidden states into cross-attention memory. A causal transformer predicts the tokens of both
ears interleaved, L1 R1 L2 R2 ... Within a position a depth predictor goes from the coarse codebook to the fine ones (as
in RQ-Transformer, Lee et al. 2022, and UniAudio, Yang et al. 2023). The input of a position is not the last code's
index but the log-mel patch that the last codes stand for. The right ear's positions also predict the ITD.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.nn.transformer import apply_rotary, rotary_table
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.thinker import HiddenStates

CHANNELS = 2
FREQUENCIES = 4  # of the sinusoidal encoding of a position on the image, per coordinate
MEL_STD = 2.5  # standard deviation of the log-mel, nepers


@dataclass(frozen=True)
class AudioHeadConfig:
    hidden_size: int = 256  # of the thinker
    width: int = 256
    layers: int = 5
    heads: int = 4
    itd_bins: int = 33  # the middle one is 0
    itd_step_s: float = 50e-6
    classes: int = 132  # learned class embeddings, mixed by a softmax over the last hidden state
    tokens: MelTokenConfig = field(default_factory=MelTokenConfig)

    @property
    def itds_s(self) -> Tensor:
        """(itd_bins,) seconds, positive when the right ear leads."""
        return (torch.arange(self.itd_bins) - self.itd_bins // 2) * self.itd_step_s


@dataclass(frozen=True)
class CrossAttentionMemory:
    """Cross-attention memory of B prompts.

    keys, values: of each layer (B, heads, S, d); mask: (B, 1, 1, S), -inf at padding; image_mask: (B, S) bool; pooled:
    (B, W), added to the input of every position.
    """

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    mask: Tensor
    image_mask: Tensor
    pooled: Tensor

    def select(self, rows: Tensor) -> CrossAttentionMemory:
        return CrossAttentionMemory(
            tuple(x[rows] for x in self.keys), tuple(x[rows] for x in self.values), self.mask[rows],
            self.image_mask[rows], self.pooled[rows],
        )  # fmt: skip


@dataclass(frozen=True)
class AudioHeadOutput:
    """Of a teacher-forced pass. codes: (B, P, K, codes) logits, positions L1 R1 L2 ...; itd: (B, F, itd_bins) logits;
    cross_attention: (B, P, S), the last layer's, averaged over heads."""

    codes: Tensor
    itd: Tensor
    cross_attention: Tensor


class DecoderLayer(nn.Module):
    """Pre-norm layer: causal self-attention with rotary positions, cross-attention, MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.self_norm, self.cross_norm, self.mlp_norm = (nn.LayerNorm(width) for _ in range(3))
        self.self_qkv, self.self_out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.cross_query, self.cross_out = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.mlp_up, self.mlp_down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, P, d)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """x: (B, P, W) -> (x, cross-attention weights (B, heads, P, S))."""
        q, k, v = (self._split(part) for part in self.self_qkv(self.self_norm(x)).chunk(3, dim=2))
        q, k = apply_rotary(q, rotary), apply_rotary(k, rotary)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.self_out(attended.transpose(1, 2).flatten(2))
        query = self._split(self.cross_query(self.cross_norm(x)))
        weights = (query @ keys.transpose(2, 3) * query.shape[3] ** -0.5 + mask).softmax(dim=3)
        x = x + self.cross_out((weights @ values).transpose(1, 2).flatten(2))
        return x + self.mlp(x), weights

    def mlp(self, x: Tensor) -> Tensor:
        out: Tensor = self.mlp_down(F.gelu(self.mlp_up(self.mlp_norm(x)), approximate="tanh"))
        return out


class AudioHead(nn.Module):
    """Hidden states -> tokens of both ears. tokens: the codebooks, frozen and stored elsewhere."""

    def __init__(self, config: AudioHeadConfig, tokens: MelTokens) -> None:
        super().__init__()
        self.config, width = config, config.width
        self._tokens = (tokens.requires_grad_(False),)  # in a tuple, so that they are no part of the state dict
        patch_dim, books = config.tokens.patch_dim, config.tokens.codebooks
        self.adaptor = nn.Sequential(
            nn.LayerNorm(config.hidden_size), nn.Linear(config.hidden_size, width), nn.GELU(), nn.Linear(width, width)
        )
        self.position_embedding = nn.Linear(4 * FREQUENCIES, width, bias=False)
        self.memory_norm = nn.LayerNorm(width)
        self.cross_key_value = nn.ModuleList(nn.Linear(width, 2 * width, bias=False) for _ in range(config.layers))
        self.pooled = nn.Linear(width, width, bias=False)
        self.class_head = nn.Linear(config.hidden_size, config.classes)
        self.class_embedding = nn.Linear(config.classes, width, bias=False)
        self.null_state = nn.Parameter(torch.randn(width) * 0.5)  # the unconditional memory, for guidance
        self.start = nn.Parameter(torch.randn(width) * 0.02)
        self.channel_embedding = nn.Embedding(CHANNELS, width)
        self.patch_embedding = nn.Sequential(nn.Linear(patch_dim, width), nn.GELU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.depth_patch = nn.ModuleList(nn.Linear(patch_dim, width, bias=False) for _ in range(books))
        self.depth_hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(books))
        self.depth_logits = nn.ModuleList(nn.Linear(width, config.tokens.codes) for _ in range(books))
        self.itd_head = nn.Linear(width, config.itd_bins)

    @property
    def tokens(self) -> MelTokens:
        return self._tokens[0]

    def memory(self, hidden_states: HiddenStates) -> CrossAttentionMemory:
        """Every hidden state through the adaptor; image tokens and <think_sound> with an encoding of their position.

        The pooled vector comes from the last state alone: through the adaptor, plus the class embeddings it selects.
        """
        placed = hidden_states.image_mask.clone()
        placed[:, -1] = True
        frequencies = torch.pi * 2.0 ** torch.arange(FREQUENCIES, device=hidden_states.positions.device)
        angles = hidden_states.positions[..., None] * frequencies  # (B, S, 2, 4)
        encoding = torch.cat([angles.sin(), angles.cos()], dim=3).flatten(2) * placed[..., None]
        states = self.adaptor(hidden_states.states.float()) + self.position_embedding(encoding)
        memory = self._memory(states, hidden_states.mask, hidden_states.image_mask)
        classes = self.class_head(hidden_states.states[:, -1].float()).softmax(dim=1)
        return replace(memory, pooled=memory.pooled + self.class_embedding(classes))

    def null_memory(self, count: int) -> CrossAttentionMemory:
        """The unconditional memory."""
        mask = torch.ones(count, 1, dtype=torch.bool, device=self.null_state.device)
        return self._memory(self.null_state.expand(count, 1, -1), mask, ~mask)

    def _memory(self, states: Tensor, mask: Tensor, image_mask: Tensor) -> CrossAttentionMemory:
        states, heads = self.memory_norm(states), self.config.heads
        pairs = [layer(states).unflatten(2, (2, heads, -1)).permute(2, 0, 3, 1, 4) for layer in self.cross_key_value]
        bias = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, float("-inf"))
        pooled = self.pooled(states[:, -1])
        return CrossAttentionMemory(
            tuple(p[0] for p in pairs), tuple(p[1] for p in pairs), bias[:, None, None], image_mask, pooled
        )

    def mel_patches(self, codes: Tensor, books: int | None = None) -> Tensor:
        """(..., K) codes -> (..., 256): the log-mel that the first `books` of them stand for, about unit deviation."""
        count = codes.shape[-1] if books is None else books
        total = torch.zeros(*codes.shape[:-1], self.config.tokens.patch_dim, device=codes.device)
        for book in range(count):
            total = total + self.book_patch(book, codes[..., book])
        return total

    def book_patch(self, book: int, codes: Tensor) -> Tensor:
        """(...) codes of one codebook -> (..., 256): what they add to the log-mel."""
        return self.tokens.books[book][codes] / MEL_STD

    def forward(self, memory: CrossAttentionMemory, codes: Tensor, no_history: Tensor | None = None) -> AudioHeadOutput:
        """Teacher forcing. codes: (B, 2, K, F), left ear first; no_history: (B, P) bool, positions whose input is the
        start vector instead of the previous codes."""
        sequence = codes.permute(0, 3, 1, 2).flatten(1, 2)  # (B, P, K), L1 R1 L2 R2 ...
        previous = self.patch_embedding(self.mel_patches(sequence[:, :-1]))
        inputs = torch.cat([self.start.expand(len(codes), 1, -1), previous], dim=1)  # (B, P, W)
        if no_history is not None:
            inputs = torch.where(no_history[..., None], self.start.to(inputs.dtype), inputs)
        hidden, cross_attention = self._run(inputs, memory)
        logits = torch.stack(
            [self._depth(hidden, book, self.mel_patches(sequence, book)) for book in range(sequence.shape[2])], dim=2
        )
        return AudioHeadOutput(logits, self.itd_head(hidden[:, 1::CHANNELS]), cross_attention)

    def _run(self, x: Tensor, memory: CrossAttentionMemory) -> tuple[Tensor, Tensor]:
        """Inputs (B, P, W) of all positions -> hidden states, cross-attention of the last layer."""
        positions = torch.arange(x.shape[1], device=x.device)
        x = x + self.channel_embedding(positions % CHANNELS) + memory.pooled[:, None]
        rotary = rotary_table(positions, self.config.width // self.config.heads)
        rotary = (rotary[0].to(x.device), rotary[1].to(x.device))
        for number, layer in enumerate(self.layers):
            x, weights = layer(x, rotary, memory.keys[number], memory.values[number], memory.mask)
        return self.norm(x), weights.mean(dim=1)

    def _depth(self, hidden: Tensor, book: int, coarser: Tensor) -> Tensor:
        """Logits of one codebook. coarser: (..., 256) log-mel of the codebooks before it."""
        inner = F.gelu(self.depth_hidden[book](hidden) + self.depth_patch[book](coarser), approximate="tanh")
        logits: Tensor = self.depth_logits[book](inner)
        return logits

    def no_history_states(self, memory: CrossAttentionMemory, positions: int) -> Tensor:
        """(2, P, W): hidden states of positions without history, of one prompt and of the unconditional memory."""
        start = self.start.expand(1, positions, -1)
        return torch.cat([self._run(start, one)[0] for one in (memory, self.null_memory(1))])
