"""Spatial encoder: interaural cues (levels, ILD, IPD, coherence) -> two-branch CNN with attention pooling -> one token.

Mel magnitudes carry no fine-structure time difference (it is below 0.8 ms, a frame is 10 ms), so the interaural phase
difference (IPD) of every band is taken from the cross-spectrum. Its length over three frames is the interaural
coherence, which separates direct sound from reverberation (Faller and Merimaa 2004).

The level branch reads the level difference (ILD) with both ears' spectra, in which the outer ears leave their mark;
the phase branch reads IPD and coherence. Both divide a clip into cells of 40 ms and four bands. Attention over cells
gives the token; its weights are the maps that are shown. The token then queries both branches once more (cross
attention) and the result is added. Cells are computed once, so any segment of time can be pooled on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

SILENCE = 1e-5  # magnitude
RANGE = 9.0  # nepers below the loudest bin that still count, 78 dB
FRAMES_PER_CELL = 4
BANDS_PER_CELL = 4
SEGMENTS_AT_ONCE = 32  # pooled together, to bound memory


@dataclass(frozen=True)
class CueConfig:
    sample_rate_hz: int = 16_000
    fft_samples: int = 512
    hop_samples: int = 160
    bands: int = 64
    low_hz: float = 50.0
    high_hz: float = 8_000.0

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate_hz / self.hop_samples


@dataclass(frozen=True)
class BinauralCues:
    """All (B, C, T, K). level: C = 2, left and right, log magnitude relative to the loudest bin of both, -RANGE..0;
    ild: C = 1, right minus left in nepers; phase: C = 3, cosine and sine of the phase by which the right ear leads,
    and the coherence 0..1."""

    level: Tensor
    ild: Tensor
    phase: Tensor

    def mirrored(self) -> BinauralCues:
        """Left and right ear swapped."""
        cos, sin, coherence = self.phase.split(1, dim=1)
        return BinauralCues(self.level.flip(1), -self.ild, torch.cat([cos, -sin, coherence], dim=1))


class CueExtractor(nn.Module):
    """Waveform (B, 2, n) at the config's rate, left ear first -> BinauralCues with T = 1 + n / hop frames."""

    window: Tensor
    filters: Tensor

    def __init__(self, config: CueConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("window", torch.hann_window(config.fft_samples), persistent=False)
        filters = melscale_fbanks(
            config.fft_samples // 2 + 1, config.low_hz, config.high_hz, config.bands, config.sample_rate_hz,
            norm=None, mel_scale="slaney",
        )  # (F, K)  # fmt: skip
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveform: Tensor) -> BinauralCues:
        assert waveform.ndim == 3 and waveform.shape[1] == 2, f"waveform must be (B, 2, n), got {tuple(waveform.shape)}"
        config, count = self.config, len(waveform)
        spectrum = torch.stft(
            waveform.flatten(0, 1), config.fft_samples, config.hop_samples, window=self.window,
            pad_mode="constant", return_complex=True,
        ).unflatten(0, (count, 2)).transpose(2, 3)  # (B, 2, T, F)  # fmt: skip
        left, right = spectrum.unbind(1)
        power = (spectrum.real.square() + spectrum.imag.square()) @ self.filters  # (B, 2, T, K)
        magnitude = power.clamp(min=SILENCE**2).sqrt()
        loudest = magnitude.amax(dim=(1, 2, 3), keepdim=True)
        level = (magnitude / loudest).log().clamp(min=-RANGE)
        ild = level[:, 1:] - level[:, :1]
        cross = right * left.conj()  # its phase is positive where the right ear leads
        real, imag = _three_frames(cross.real @ self.filters), _three_frames(cross.imag @ self.filters)  # (B, T, K)
        magnitude = (real.square() + imag.square()).sqrt()
        both = (_three_frames(power[:, 0]) * _three_frames(power[:, 1])).sqrt()
        floor = (loudest[:, 0] * torch.tensor(-RANGE).exp()) ** 2
        phase = torch.stack([real / (magnitude + floor), imag / (magnitude + floor), magnitude / (both + floor)], dim=1)
        return BinauralCues(level, ild, phase)


def _three_frames(x: Tensor) -> Tensor:
    """(B, T, K) averaged over each frame and its neighbours."""
    return F.avg_pool1d(F.pad(x.transpose(1, 2), (1, 1), mode="replicate"), 3, 1).transpose(1, 2)


@dataclass(frozen=True)
class SpatialEncoderConfig:
    bands: int = 64
    widths: tuple[int, int, int] = (24, 48, 96)
    heads: int = 4
    token: int = 256  # both branches together
    query_heads: int = 4  # of the cross attention
    value_dim: int = 32  # of each of its heads
    key_dim: int = 16

    @property
    def bands_of_cells(self) -> int:
        return self.bands // BANDS_PER_CELL


@dataclass(frozen=True)
class Segments:
    """Parts of a clip that are pooled on their own. starts: (W,) first cells; length: cells, the same for all."""

    starts: Tensor
    length: int

    @staticmethod
    def whole(cells: int) -> Segments:
        return Segments(torch.zeros(1, dtype=torch.long), cells)

    @staticmethod
    def sliding(cells: int, length: int, hop: int) -> Segments:
        """`length` cells every `hop`, the last ones at the end; one segment if the clip is shorter."""
        length = min(length, cells)
        starts = list(range(0, cells - length + 1, hop))
        if starts[-1] + length < cells:
            starts.append(cells - length)
        return Segments(torch.tensor(starts), length)

    @property
    def cells(self) -> Tensor:
        """(W, L) time index of each cell."""
        return self.starts[:, None] + torch.arange(self.length, device=self.starts.device)

    @property
    def centers(self) -> Tensor:
        """(W,) in cells."""
        return self.starts + self.length / 2


@dataclass(frozen=True)
class CellFeatures:
    """One branch over a clip of T' x K' cells. values: (B, T', K', D) and scores: (B, T', K', heads), before the
    softmax over cells, for attention pooling; keys: (B, T', K', query_heads, key_dim) and query_values: (B, T', K',
    query_heads, value_dim) for cross attention."""

    values: Tensor
    scores: Tensor
    keys: Tensor
    query_values: Tensor

    def pool(self, segments: Segments) -> tuple[Tensor, Tensor]:
        """Attention pooling: tokens (B, W, D) of W segments, and the attention (B, W, L, K') averaged over heads, which
        sums to 1 over a segment."""
        times, bands, heads = self.scores.shape[1:]
        last = int(segments.cells.max())
        assert last < times, f"segments end at cell {last}, the clip has {times}"
        weight = self.scores[:, segments.cells].flatten(2, 3).softmax(dim=2)  # (B, W, L K', heads)
        values = self.values.unflatten(3, (heads, -1))
        pooled = [_weighted_sum(values, part, at) for part, at in _chunks(weight, segments)]
        return torch.cat(pooled, dim=1), weight.mean(dim=3).unflatten(2, (segments.length, bands))

    def cross_attend(self, segments: Segments, query: Tensor) -> Tensor:
        """Queries (B, W, query_heads, key_dim), one set a segment -> (B, W, query_heads * value_dim)."""
        pooled = []
        for part, at in _chunks(query, segments):
            first, last = int(at.min()), int(at.max()) + 1
            keys = self.keys[:, first:last]
            every = torch.einsum("bwhk,btchk->bwtch", part, keys)  # (B, w, t, K', query_heads)
            rows = torch.arange(len(at), device=at.device)[:, None]
            logits = every[:, rows, at - first].flatten(2, 3).div(query.shape[3] ** 0.5)  # (B, w, L K', query_heads)
            pooled.append(_weighted_sum(self.query_values, logits.softmax(dim=2), at))
        return torch.cat(pooled, dim=1)


def _chunks(rows: Tensor, segments: Segments) -> Iterator[tuple[Tensor, Tensor]]:
    """(B, W, ...) and cells (W, L) of SEGMENTS_AT_ONCE segments at a time: neighbours share most of their cells."""
    for first in range(0, rows.shape[1], SEGMENTS_AT_ONCE):
        chunk = slice(first, first + SEGMENTS_AT_ONCE)
        yield rows[:, chunk], segments.cells[chunk]


def _weighted_sum(values: Tensor, weight: Tensor, at: Tensor) -> Tensor:
    """values (B, T', K', heads, d), weights (B, w, L K', heads) of the cells `at` (w, L) -> (B, w, heads * d).
    Weights are spread over all cells of any of the segments, which is cheaper than gathering values."""
    first, last = int(at.min()), int(at.max()) + 1
    spread = weight.new_zeros(weight.shape[0], len(at), last - first, *values.shape[2:4])
    rows = torch.arange(len(at), device=at.device)[:, None]
    spread[:, rows, at - first] = weight.unflatten(2, (at.shape[1], -1))
    return torch.einsum("bwtch,btchd->bwhd", spread, values[:, first:last]).flatten(2)


class ResidualConv(nn.Module):
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


class CueBranch(nn.Module):
    """Maps of one kind of cue (B, C, T, bands) -> CellFeatures with D = token / 2."""

    def __init__(self, inputs: int, config: SpatialEncoderConfig) -> None:
        super().__init__()
        first, second, third = config.widths
        half = config.token // 2
        self.stem = nn.Conv2d(inputs + 1, first, (3, 5), (2, 1), (1, 2), bias=False)  # + 1: the band's position
        self.stem_norm = nn.BatchNorm2d(first)
        self.body = nn.Sequential(
            ResidualConv(first, second, (2, 2)), ResidualConv(second, third, (1, 2)), ResidualConv(third, third, (1, 1))
        )
        self.band_embedding = nn.Parameter(torch.randn(config.bands_of_cells, third) * 0.1)
        self.value = nn.Sequential(nn.Linear(third, half), nn.GELU(), nn.Linear(half, half))
        self.score = nn.Linear(third, config.heads)
        self.key_value = nn.Linear(third, config.query_heads * (config.key_dim + config.value_dim))
        self.query_heads, self.key_dim = config.query_heads, config.key_dim

    def forward(self, x: Tensor) -> CellFeatures:
        bands = torch.linspace(-1.0, 1.0, x.shape[3], dtype=x.dtype, device=x.device).expand_as(x[:, :1])
        x = torch.cat([x, bands], dim=1).contiguous(memory_format=torch.channels_last)
        x = self.body(F.silu(self.stem_norm(self.stem(x)))).permute(0, 2, 3, 1)  # (B, T', K', D)
        x = x + self.band_embedding
        key_value = self.key_value(x).float().unflatten(3, (self.query_heads, -1))
        keys, query_values = key_value[..., : self.key_dim], key_value[..., self.key_dim :]
        return CellFeatures(self.value(x).float(), self.score(x).float(), keys, query_values)


class SpatialEncoder(nn.Module):
    """Cues of B clips -> CellFeatures of the level branch and of the phase branch; `token` pools both."""

    def __init__(self, config: SpatialEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.level = CueBranch(4, config)
        self.phase = CueBranch(4, config)
        shape = (2, config.query_heads, config.key_dim)
        self.query = nn.Sequential(
            nn.LayerNorm(config.token), nn.Linear(config.token, shape[0] * shape[1] * shape[2]), nn.Unflatten(2, shape)
        )
        self.output = nn.Linear(2 * config.query_heads * config.value_dim, config.token)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, cues: BinauralCues) -> tuple[CellFeatures, CellFeatures]:
        loudness = cues.level.amax(dim=1, keepdim=True) / RANGE + 0.5  # (B, 1, T, K) in -0.5..0.5
        spectra = cues.level / RANGE + 0.5
        level = torch.cat([spectra, cues.ild.clamp(-3.0, 3.0), loudness], dim=1)
        phase = torch.cat([cues.phase, loudness], dim=1)
        return self.level(level), self.phase(phase)

    def token(self, cells: tuple[CellFeatures, CellFeatures], segments: Segments) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens (B, W, 256), level map and phase map (B, W, L, K')."""
        level, level_map = cells[0].pool(segments)
        phase, phase_map = cells[1].pool(segments)
        pooled = torch.cat([level, phase], dim=2)
        query = self.query(pooled)  # (B, W, 2, query_heads, key_dim)
        attended = [branch.cross_attend(segments, query[:, :, i]) for i, branch in enumerate(cells)]
        return pooled + self.output(torch.cat(attended, dim=2)), level_map, phase_map
