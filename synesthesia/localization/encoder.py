"""SpatialFeatureExtractor: the cues of two ears -> one vector of 256 numbers, and the maps of what it rests on.

Two branches, one for level differences (with both ears' spectra, in which the outer ear leaves its mark) and one for
the phase between the ears. Each looks at cells of 40 ms and four bands; attention decides which cells count, and its
weights are the maps that are shown. What was found asks both branches a second time, for the cells that it doesn't
explain yet or that would tell front from back, and what these say is added. Cells are computed once: any stretch of
time can then be pooled on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.localization.cues import RANGE, Cues

FRAMES_PER_CELL = 4
BANDS_PER_CELL = 4
TOGETHER = 32  # stretches that are pooled at once


@dataclass(frozen=True)
class SpatialEncoderConfig:
    bands: int = 64
    widths: tuple[int, int, int] = (24, 48, 96)
    heads: int = 4
    token: int = 256  # both branches together
    again: int = 4  # heads of the second look
    again_width: int = 32  # of each, for what a cell says
    again_key: int = 16  # of each, for what a cell is asked

    @property
    def cells_high(self) -> int:
        return self.bands // BANDS_PER_CELL


@dataclass(frozen=True)
class Stretches:
    """Parts of a clip that are pooled on their own. starts: (W,) first cells; length: cells, the same for all."""

    starts: Tensor
    length: int

    @staticmethod
    def whole(cells: int) -> Stretches:
        return Stretches(torch.zeros(1, dtype=torch.long), cells)

    @staticmethod
    def sliding(cells: int, length: int, hop: int) -> Stretches:
        """`length` cells every `hop`, the last ones at the end; one stretch if the clip is shorter."""
        length = min(length, cells)
        starts = list(range(0, cells - length + 1, hop))
        if starts[-1] + length < cells:
            starts.append(cells - length)
        return Stretches(torch.tensor(starts), length)

    @property
    def cells(self) -> Tensor:
        """(W, L) moments of each."""
        return self.starts[:, None] + torch.arange(self.length, device=self.starts.device)

    @property
    def middles(self) -> Tensor:
        """(W,) in cells."""
        return self.starts + self.length / 2


@dataclass(frozen=True)
class Cells:
    """One branch over a clip. values: (B, T', K', D); scores: (B, T', K', heads), before the softmax over cells; keys,
    more: (B, T', K', again, ...), for the second look."""

    values: Tensor
    scores: Tensor
    keys: Tensor
    more: Tensor

    def pool(self, stretches: Stretches) -> tuple[Tensor, Tensor]:
        """Tokens (B, W, D) of W stretches and the attention within each (B, W, L, K'), averaged over heads, which sums
        to 1 over a stretch."""
        times, high, heads = self.scores.shape[1:]
        assert int(stretches.cells.max()) < times, (
            f"stretches end at {int(stretches.cells.max())}, the clip has {times} moments"
        )
        weight = self.scores[:, stretches.cells].flatten(2, 3).softmax(dim=2)  # (B, W, L K', heads)
        values = self.values.unflatten(3, (heads, -1))
        pooled = [_weighed(values, part, at) for part, at in _parts(weight, stretches)]
        return torch.cat(pooled, dim=1), weight.mean(dim=3).unflatten(2, (stretches.length, high))

    def pool_again(self, stretches: Stretches, query: Tensor) -> Tensor:
        """What the cells of W stretches answer to a query (B, W, again, key) of each: (B, W, again * width)."""
        pooled = []
        for asked, at in _parts(query, stretches):
            first, last = int(at.min()), int(at.max()) + 1
            keys = self.keys[:, first:last]
            every = torch.einsum("bwhk,btchk->bwtch", asked, keys)  # (B, w, t, K', again)
            rows = torch.arange(len(at), device=at.device)[:, None]
            liked = every[:, rows, at - first].flatten(2, 3).div(query.shape[3] ** 0.5)  # (B, w, L K', again)
            pooled.append(_weighed(self.more, liked.softmax(dim=2), at))
        return torch.cat(pooled, dim=1)


def _parts(rows: Tensor, stretches: Stretches) -> Iterator[tuple[Tensor, Tensor]]:
    """(B, W, ...) and the moments (W, L) of the stretches, TOGETHER at a time: neighbours share most of their cells."""
    for first in range(0, rows.shape[1], TOGETHER):
        yield rows[:, first : first + TOGETHER], stretches.cells[first : first + TOGETHER]


def _weighed(values: Tensor, weight: Tensor, at: Tensor) -> Tensor:
    """values (B, T', K', heads, d), weights (B, w, L K', heads) of the moments `at` (w, L) -> (B, w, heads * d).
    Weights are spread over all moments that any of the stretches has, which is cheaper than taking values apart."""
    first, last = int(at.min()), int(at.max()) + 1
    spread = weight.new_zeros(weight.shape[0], len(at), last - first, *values.shape[2:4])
    rows = torch.arange(len(at), device=at.device)[:, None]
    spread[:, rows, at - first] = weight.unflatten(2, (at.shape[1], -1))
    return torch.einsum("bwtch,btchd->bwhd", spread, values[:, first:last]).flatten(2)


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut; the first may halve the axes. (B, C, T, K) -> (B, D, T', K')."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == (1, 1)
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second_norm(self.second(F.silu(self.first_norm(self.first(x)))))
        return F.silu(y + self.shortcut(x))


class Branch(nn.Module):
    """Pictures of one kind of cue (B, C, T, bands) -> Cells with D = token / 2."""

    def __init__(self, inputs: int, config: SpatialEncoderConfig) -> None:
        super().__init__()
        first, second, third = config.widths
        half = config.token // 2
        self.stem = nn.Conv2d(inputs + 1, first, (3, 5), (2, 1), (1, 2), bias=False)  # + 1: the band's position
        self.stem_norm = nn.BatchNorm2d(first)
        self.body = nn.Sequential(
            Residual(first, second, (2, 2)), Residual(second, third, (1, 2)), Residual(third, third, (1, 1))
        )
        self.place = nn.Parameter(torch.randn(config.cells_high, third) * 0.1)  # a cell knows its bands
        self.value = nn.Sequential(nn.Linear(third, half), nn.GELU(), nn.Linear(half, half))
        self.score = nn.Linear(third, config.heads)
        self.again = nn.Linear(third, config.again * (config.again_key + config.again_width))
        self.again_heads, self.again_key = config.again, config.again_key

    def forward(self, x: Tensor) -> Cells:
        bands = torch.linspace(-1.0, 1.0, x.shape[3], dtype=x.dtype, device=x.device).expand_as(x[:, :1])
        x = torch.cat([x, bands], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.body(F.silu(self.stem_norm(self.stem(x)))).permute(0, 2, 3, 1)  # (B, T', K', D)
        x = x + self.place
        again = self.again(x).float().unflatten(3, (self.again_heads, -1))
        keys, more = again[..., : self.again_key], again[..., self.again_key :]
        return Cells(self.value(x).float(), self.score(x).float(), keys, more)


class SpatialEncoder(nn.Module):
    """Cues of B clips -> the level branch's and the phase branch's Cells; `token` pools both."""

    def __init__(self, config: SpatialEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.level = Branch(4, config)
        self.phase = Branch(4, config)
        asked = (config.again, config.again_key)
        self.question = nn.Sequential(
            nn.LayerNorm(config.token), nn.Linear(config.token, 2 * asked[0] * asked[1]), nn.Unflatten(2, (2, *asked))
        )
        self.refine = nn.Linear(2 * config.again * config.again_width, config.token)
        nn.init.zeros_(self.refine.weight)
        nn.init.zeros_(self.refine.bias)

    def forward(self, cues: Cues) -> tuple[Cells, Cells]:
        loudness = cues.level.amax(dim=1, keepdim=True) / RANGE + 0.5  # (B, 1, T, K) in -0.5..0.5
        shape = cues.level / RANGE + 0.5
        level = torch.cat([shape, cues.ild.clamp(-3.0, 3.0), loudness], dim=1)
        phase = torch.cat([cues.phase, loudness], dim=1)
        return self.level(level), self.phase(phase)

    def token(self, cells: tuple[Cells, Cells], stretches: Stretches) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, W, 256), level map and phase map (B, W, L, K')."""
        level, level_map = cells[0].pool(stretches)
        phase, phase_map = cells[1].pool(stretches)
        first = torch.cat([level, phase], dim=2)
        query = self.question(first)  # (B, W, 2, again, key)
        again = [branch.pool_again(stretches, query[:, :, i]) for i, branch in enumerate(cells)]
        return first + self.refine(torch.cat(again, dim=2)), level_map, phase_map
