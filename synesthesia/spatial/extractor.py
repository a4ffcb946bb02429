"""SpatialFeatureExtractor: the cues of two ears -> one vector of 256 numbers, and the maps of what it rests on.

Two branches, one for level differences (with both ears' spectra, in which the outer ear leaves its mark) and one for
the phase between the ears. Each looks at cells of 40 ms and four bands; attention decides which cells count, and its
weights are the maps that are shown. Cells are looked at once: any stretch of time can then be pooled on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.spatial.cues import RANGE, Cues

FRAMES_PER_CELL = 4
BANDS_PER_CELL = 4


@dataclass(frozen=True)
class ExtractorConfig:
    bands: int = 64
    widths: tuple[int, int, int] = (24, 48, 96)
    heads: int = 4
    token: int = 256  # both branches together

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
    def middles(self) -> Tensor:
        """(W,) in cells."""
        return self.starts + self.length / 2


@dataclass(frozen=True)
class Cells:
    """One branch over a clip. values: (B, T', K', D); scores: (B, T', K', heads), before the softmax over cells."""

    values: Tensor
    scores: Tensor

    def pool(self, stretches: Stretches) -> tuple[Tensor, Tensor]:
        """Tokens (B, W, D) of W stretches and the attention within each (B, W, L, K'), averaged over heads, which sums
        to 1 over a stretch."""
        times, high, heads = self.scores.shape[1:]
        at = stretches.starts[:, None] + torch.arange(stretches.length, device=stretches.starts.device)  # (W, L)
        assert int(at.max()) < times, f"stretches end at {int(at.max())}, the clip has {times} moments"
        scores, values = self.scores[:, at], self.values[:, at].unflatten(4, (heads, -1))  # (B, W, L, K', ...)
        weight = scores.flatten(2, 3).softmax(dim=2)  # (B, W, L K', heads)
        pooled = torch.einsum("bwch,bwchd->bwhd", weight, values.flatten(2, 3)).flatten(2)
        return pooled, weight.mean(dim=3).unflatten(2, (stretches.length, high))


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

    def __init__(self, inputs: int, config: ExtractorConfig) -> None:
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

    def forward(self, x: Tensor) -> Cells:
        bands = torch.linspace(-1.0, 1.0, x.shape[3], dtype=x.dtype, device=x.device).expand_as(x[:, :1])
        x = torch.cat([x, bands], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.body(F.silu(self.stem_norm(self.stem(x)))).permute(0, 2, 3, 1)  # (B, T', K', D)
        x = x + self.place
        return Cells(self.value(x).float(), self.score(x).float())


class SpatialFeatureExtractor(nn.Module):
    """Cues of B clips -> the level branch's and the phase branch's Cells; `token` pools both."""

    def __init__(self, config: ExtractorConfig) -> None:
        super().__init__()
        self.config = config
        self.level = Branch(4, config)
        self.phase = Branch(4, config)

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
        return torch.cat([level, phase], dim=2), level_map, phase_map
