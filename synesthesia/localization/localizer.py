"""Localizer network: binaural waveform -> distribution over azimuth on the full circle, with calibrated uncertainty.

The network runs on the clip and on its mirror image and both outputs are averaged (test-time augmentation), so
swapping the ears mirrors the prediction exactly. The temperature of the distribution and the mass of the interval are
fitted on held-out clips (split conformal prediction, Angelopoulos and Bates 2021), so that 90 % means 90 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.binaural.geometry import wrap
from synesthesia.core.checkpoints import read_checkpoint
from synesthesia.localization.encoder import (
    BinauralCues,
    CellFeatures,
    CueConfig,
    CueExtractor,
    Segments,
    SpatialEncoder,
    SpatialEncoderConfig,
)
from synesthesia.nn.checkpoint_file import half_precision, save_checkpoint

ELEVATIONS = ("below", "level", "above")
ELEVATION_EDGES_DEG = (-15.0, 15.0)
BF16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # three times faster there
STORED_FIELDS = {"query_heads": "again", "value_dim": "again_width", "key_dim": "again_key"}  # in config.json
STORED_KEYS = {  # attributes: their names in the keys of model.safetensors
    "encoder": "extractor", "residual": "deeper", "band_embedding": "place", "key_value": "again", "query": "question",
    "output": "refine",
}  # fmt: skip
Value = TypeVar("Value")


@dataclass(frozen=True)
class LocalizerConfig:
    cues: CueConfig = field(default_factory=CueConfig)
    encoder: SpatialEncoderConfig = field(default_factory=SpatialEncoderConfig)
    bins: int = 180  # of the circle, 2 degrees each; bin k is centred on 2 k - 180 degrees
    hidden: int = 512
    temperature: float = 1.0  # divides the azimuth logits
    interval_mass: float = 0.9  # of the distribution that holds 90 % of truths
    second_threshold: float = 0.5

    @property
    def bin_deg(self) -> float:
        return 360.0 / self.bins

    @property
    def azimuths_deg(self) -> Tensor:
        """(bins,) centres, from -180."""
        return torch.arange(self.bins) * self.bin_deg - 180.0


@dataclass(frozen=True)
class LocalizerOutput:
    """Logits for W segments of B clips. azimuth: (B, W, bins); pair: (B, W, 2, bins), one of two sources each, in no
    order; elevation: (B, W, 3); second: (B, W), a second source; level_map, phase_map: (B, W, L, K') attention; token:
    (B, W, 256)."""

    azimuth: Tensor
    pair: Tensor
    elevation: Tensor
    second: Tensor
    level_map: Tensor
    phase_map: Tensor
    token: Tensor


@dataclass(frozen=True)
class SymmetricPrediction:
    """Average over clip and mirror image: swapping the ears mirrors `distribution`, `pair` and `track` exactly.

    distribution: (B, bins), sums to 1; pair: (B, 2, bins), sum to 1 each, if there are two sources; elevation: (B, 3)
    and second: (B,) logits; clip: output for the clip itself (W = 1), for its maps and token; track: (B, W, bins) of
    segments centred at `track_cells` (W,), or None.
    """

    distribution: Tensor
    pair: Tensor
    elevation: Tensor
    second: Tensor
    clip: LocalizerOutput
    track: Tensor | None
    track_cells: Tensor | None


class ResidualMlp(nn.Module):
    """Pre-norm residual MLP (..., width), the identity at initialisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(self.norm(x))))


class Localizer(nn.Module):
    """Waveform (B, 2, n) at 16 kHz, left ear first -> LocalizerOutput."""

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        self.cues = CueExtractor(config.cues)
        self.encoder = SpatialEncoder(config.encoder)
        self.trunk = nn.Sequential(
            nn.LayerNorm(config.encoder.token), nn.Linear(config.encoder.token, config.hidden), nn.GELU()
        )
        self.residual = ResidualMlp(config.hidden)
        self.azimuth = nn.Linear(config.hidden, config.bins)
        self.pair = nn.Linear(config.hidden, 2 * config.bins)
        self.elevation = nn.Linear(config.hidden, len(ELEVATIONS))
        self.second = nn.Linear(config.hidden, 1)

    def forward(self, waveform: Tensor) -> LocalizerOutput:
        return self.forward_cues(self.cues(waveform))

    def forward_cues(self, cues: BinauralCues) -> LocalizerOutput:
        """Whole clips (W = 1), not averaged with the mirror image."""
        cells = self.encoder(cues)
        return self.forward_segments(cells, Segments.whole(cells[0].scores.shape[1]))

    def forward_segments(self, cells: tuple[CellFeatures, CellFeatures], segments: Segments) -> LocalizerOutput:
        token, level_map, phase_map = self.encoder.token(cells, segments)
        hidden = self.residual(self.trunk(token))
        return LocalizerOutput(
            azimuth=self.azimuth(hidden), pair=self.pair(hidden).unflatten(2, (2, -1)),
            elevation=self.elevation(hidden), second=self.second(hidden)[..., 0], level_map=level_map,
            phase_map=phase_map, token=token,
        )  # fmt: skip

    @torch.inference_mode()
    def predict(self, waveform: Tensor, track: tuple[int, int] | None = None) -> SymmetricPrediction:
        """Clip and mirror image averaged. track: (length, hop) in cells of the segments that are located one by one as
        well; none by default."""
        cues = self.cues(waveform)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            cells, mirrored_cells = self.encoder(cues), self.encoder(cues.mirrored())
        count = cells[0].scores.shape[1]
        clip, mirrored = (self.forward_segments(each, Segments.whole(count)) for each in (cells, mirrored_cells))
        distribution, track_distribution, segments = self._average(clip, mirrored)[:, 0], None, None
        if track is not None:
            segments = Segments.sliding(count, *track)
            track_distribution = self._average(
                *(self.forward_segments(each, segments) for each in (cells, mirrored_cells))
            )
        return SymmetricPrediction(
            distribution=distribution,
            pair=average_pairs(clip.pair[:, 0].softmax(dim=2), mirror(mirrored.pair[:, 0].softmax(dim=2))),
            elevation=(clip.elevation + mirrored.elevation)[:, 0] / 2,
            second=(clip.second + mirrored.second)[:, 0] / 2,
            clip=clip,
            track=track_distribution,
            track_cells=None if segments is None else segments.centers,
        )

    def _average(self, clip: LocalizerOutput, mirrored: LocalizerOutput) -> Tensor:
        """(B, W, bins) that sum to 1."""
        temperature = self.config.temperature
        return (
            (clip.azimuth / temperature).softmax(dim=2) + mirror((mirrored.azimuth / temperature).softmax(dim=2))
        ) / 2

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors (matrices in float16)."""
        fields = asdict(self.config)
        stored = {("extractor" if name == "encoder" else name): value for name, value in fields.items()}
        stored["extractor"] = _renamed(fields["encoder"], STORED_FIELDS)
        save_checkpoint(folder, stored, _renamed(half_precision(self.state_dict()), STORED_KEYS))

    @staticmethod
    def load(folder: Path) -> Localizer:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = read_checkpoint(
            folder, load_file, what="The localizer's folder", trained_by="training.localization.train"
        )
        encoder = _renamed(fields.pop("extractor"), _inverse(STORED_FIELDS))
        encoder["widths"] = tuple(encoder["widths"])
        cues = CueConfig(**fields.pop("cues"))
        localizer = Localizer(LocalizerConfig(cues=cues, encoder=SpatialEncoderConfig(**encoder), **fields))
        state = {k: v.float() if v.dtype == torch.float16 else v for k, v in tensors.items()}
        localizer.load_state_dict(_renamed(state, _inverse(STORED_KEYS)))
        return localizer.eval().requires_grad_(False)


def _inverse(names: Mapping[str, str]) -> dict[str, str]:
    return {stored: name for name, stored in names.items()}


def _renamed(values: Mapping[str, Value], names: Mapping[str, str]) -> dict[str, Value]:
    """Each part of a dotted key replaced by its entry in `names`."""
    return {".".join(names.get(part, part) for part in key.split(".")): value for key, value in values.items()}


def mirror(distribution: Tensor) -> Tensor:
    """(..., bins) -> left for right. Bin 0 is straight behind and stays, bins k and `bins` - k are swapped."""
    return distribution.flip(-1).roll(1, -1)


def average_pairs(first: Tensor, second: Tensor) -> Tensor:
    """(B, 2, bins) twice, sources in no order -> their mean, in the order in which the two agree better."""

    def overlap(other: Tensor) -> Tensor:
        return (first * other).sqrt().sum(dim=(1, 2))

    swapped = second.flip(1)
    second = torch.where((overlap(swapped) > overlap(second))[:, None, None], swapped, second)
    return (first + second) / 2


def peak(distribution: np.ndarray, azimuths_deg: np.ndarray, reach: int = 3) -> float:
    """(bins,) -> degrees: the circular mean of the highest bin and its neighbours, finer than a bin."""
    top = int(distribution.argmax())
    near = (top + np.arange(-reach, reach + 1)) % len(distribution)
    angle = np.exp(1j * np.deg2rad(azimuths_deg[near]))
    return float(wrap(np.rad2deg(np.angle((distribution[near] * angle).sum()))))


def two_peaks(
    pair: np.ndarray, distribution: np.ndarray, azimuths_deg: np.ndarray, reach_deg: float = 10.0
) -> tuple[float, float]:
    """(2, bins) of two sources -> azimuths in degrees, first the one with more of `distribution` (bins,) around it."""
    found = [peak(row, azimuths_deg) for row in pair]
    mass = [float(distribution[np.abs(wrap(azimuths_deg - at)) <= reach_deg].sum()) for at in found]
    first = int(mass[1] > mass[0])
    return found[first], found[1 - first]


def shortest_arc(distribution: np.ndarray, azimuths_deg: np.ndarray, mass: float) -> tuple[float, float]:
    """(lo, hi) in degrees, clockwise from lo to hi: the shortest arc that holds `mass` of (bins,)."""
    bins, width = len(distribution), 360.0 / len(distribution)
    if mass >= 1.0:
        return -180.0, 180.0
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([distribution, distribution]))])
    ends = np.searchsorted(total, total[:bins] + mass - 1e-12)  # the first end that holds enough, for every start
    start = int((ends - np.arange(bins)).argmin())
    low = azimuths_deg[start] - width / 2
    high = azimuths_deg[(int(ends[start]) - 1) % bins] + width / 2
    return float(wrap(low)), float(wrap(high))
