"""Where a sound comes from: a distribution over the full circle, and what can be read from it.

The network is asked twice, about the clip and about its mirror image, and both answers are averaged: swapping the ears
then mirrors the answer exactly, by construction. The distribution's temperature and the mass of the interval are fitted
on clips kept aside (split conformal prediction, Angelopoulos and Bates 2021), so that 90 % means 90 %.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.binaural.geometry import wrap
from synesthesia.core.errors import UserError
from synesthesia.localization.cues import BinauralCues, CueConfig, Cues
from synesthesia.localization.encoder import Cells, SpatialEncoder, SpatialEncoderConfig, Stretches

ELEVATIONS = ("below", "level", "above")
ELEVATION_EDGES_DEG = (-15.0, 15.0)
BF16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # three times faster there


@dataclass(frozen=True)
class LocalizerConfig:
    cues: CueConfig = field(default_factory=CueConfig)
    extractor: SpatialEncoderConfig = field(default_factory=SpatialEncoderConfig)
    bins: int = 180  # of the circle, 2 degrees each; bin k is centred on 2 k - 180 degrees
    hidden: int = 512
    temperature: float = 1.0  # divides the azimuth logits
    interval_mass: float = 0.9  # of the distribution that holds 90 % of truths, see `calibrate`
    second_threshold: float = 0.5

    @property
    def bin_deg(self) -> float:
        return 360.0 / self.bins

    @property
    def azimuths_deg(self) -> Tensor:
        """(bins,) centres, from -180."""
        return torch.arange(self.bins) * self.bin_deg - 180.0


@dataclass(frozen=True)
class Answer:
    """Logits for W stretches of B clips. azimuth: (B, W, bins); pair: (B, W, 2, bins), one source each and in no order,
    if there are two; elevation: (B, W, 3); second: (B, W), a second source; level_map, phase_map: (B, W, L, K')
    attention; token: (B, W, 256)."""

    azimuth: Tensor
    pair: Tensor
    elevation: Tensor
    second: Tensor
    level_map: Tensor
    phase_map: Tensor
    token: Tensor


@dataclass(frozen=True)
class Symmetric:
    """Both looks together: swapping the ears mirrors `share`, `pair` and `track` exactly. share: (B, bins), sums to 1;
    pair: (B, 2, bins), sum to 1 each, what to make of two sources; elevation: (B, 3) and second: (B,) logits; clip: the
    look at the clip itself (W = 1), for its maps and token; track: (B, W, bins) of stretches in the middle of
    `track_cells` (W,), or None."""

    share: Tensor
    pair: Tensor
    elevation: Tensor
    second: Tensor
    clip: Answer
    track: Tensor | None
    track_cells: Tensor | None


class Deeper(nn.Module):
    """(..., width) plus what two layers make of it; nothing at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.first, self.second = nn.LayerNorm(width), nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(self.norm(x))))


class Localizer(nn.Module):
    """Waveform (B, 2, n) at 16 kHz, left ear first -> Answer."""

    def __init__(self, config: LocalizerConfig) -> None:
        super().__init__()
        self.config = config
        self.cues = BinauralCues(config.cues)
        self.extractor = SpatialEncoder(config.extractor)
        self.trunk = nn.Sequential(
            nn.LayerNorm(config.extractor.token), nn.Linear(config.extractor.token, config.hidden), nn.GELU()
        )
        self.deeper = Deeper(config.hidden)
        self.azimuth = nn.Linear(config.hidden, config.bins)
        self.pair = nn.Linear(config.hidden, 2 * config.bins)
        self.elevation = nn.Linear(config.hidden, len(ELEVATIONS))
        self.second = nn.Linear(config.hidden, 1)

    def read(self, cells: tuple[Cells, Cells], stretches: Stretches) -> Answer:
        """What stretches of a clip say."""
        token, level_map, phase_map = self.extractor.token(cells, stretches)
        hidden = self.deeper(self.trunk(token))
        return Answer(
            azimuth=self.azimuth(hidden), pair=self.pair(hidden).unflatten(2, (2, -1)),
            elevation=self.elevation(hidden), second=self.second(hidden)[..., 0], level_map=level_map,
            phase_map=phase_map, token=token,
        )  # fmt: skip

    def answer(self, cues: Cues) -> Answer:
        """One look at whole clips (W = 1), not symmetric."""
        cells = self.extractor(cues)
        return self.read(cells, Stretches.whole(cells[0].scores.shape[1]))

    def forward(self, waveform: Tensor) -> Answer:
        return self.answer(self.cues(waveform))

    @torch.inference_mode()
    def symmetric(self, waveform: Tensor, track: tuple[int, int] | None = None) -> Symmetric:
        """Two looks, at the clip and at its mirror image. track: (length, hop) in cells of the stretches that are
        looked at one by one as well; none by default."""
        cues = self.cues(waveform)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            seen = self.extractor(cues), self.extractor(cues.mirrored())
        count = seen[0][0].scores.shape[1]
        mine, theirs = (self.read(cells, Stretches.whole(count)) for cells in seen)
        share, moving, at = self._both(mine, theirs)[:, 0], None, None
        if track is not None:
            at = Stretches.sliding(count, *track)
            moving = self._both(*(self.read(cells, at) for cells in seen))
        return Symmetric(
            share=share,
            pair=both_pairs(mine.pair[:, 0].softmax(dim=2), mirror(theirs.pair[:, 0].softmax(dim=2))),
            elevation=(mine.elevation + theirs.elevation)[:, 0] / 2,
            second=(mine.second + theirs.second)[:, 0] / 2,
            clip=mine,
            track=moving,
            track_cells=None if at is None else at.middles,
        )

    def _both(self, mine: Answer, theirs: Answer) -> Tensor:
        """(B, W, bins) that sum to 1."""
        heat = self.config.temperature
        return ((mine.azimuth / heat).softmax(dim=2) + mirror((theirs.azimuth / heat).softmax(dim=2))) / 2

    def save(self, folder: Path) -> None:
        """Writes config.json and model.safetensors (matrices in float16)."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {k: (v.half() if v.ndim > 1 else v).contiguous() for k, v in self.state_dict().items()}
        save_file(tensors, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(asdict(self.config), indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> Localizer:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise UserError(
                f"The localiser's folder {folder} is incomplete; train it with training.localization.train."
            ) from error
        fields["cues"] = CueConfig(**fields["cues"])
        fields["extractor"]["widths"] = tuple(fields["extractor"]["widths"])
        fields["extractor"] = SpatialEncoderConfig(**fields["extractor"])
        localiser = Localizer(LocalizerConfig(**fields))
        localiser.load_state_dict({k: v.float() if v.dtype == torch.float16 else v for k, v in tensors.items()})
        return localiser.eval().requires_grad_(False)


def mirror(distribution: Tensor) -> Tensor:
    """(..., bins) -> left for right. Bin 0 is straight behind and stays, bin k and bin `bins` - k change places."""
    return distribution.flip(-1).roll(1, -1)


def both_pairs(mine: Tensor, theirs: Tensor) -> Tensor:
    """(B, 2, bins) twice, sources in no order -> their mean, in the order in which the two agree better."""

    def alike(other: Tensor) -> Tensor:
        return (mine * other).sqrt().sum(dim=(1, 2))

    swapped = theirs.flip(1)
    theirs = torch.where((alike(swapped) > alike(theirs))[:, None, None], swapped, theirs)
    return (mine + theirs) / 2


def peak(distribution: np.ndarray, azimuths_deg: np.ndarray, reach: int = 3) -> float:
    """(bins,) -> degrees: the circular mean of the highest bin and its neighbours, finer than a bin."""
    top = int(distribution.argmax())
    near = (top + np.arange(-reach, reach + 1)) % len(distribution)
    angle = np.exp(1j * np.deg2rad(azimuths_deg[near]))
    return float(wrap(np.rad2deg(np.angle((distribution[near] * angle).sum()))))


def two_peaks(
    pair: np.ndarray, share: np.ndarray, azimuths_deg: np.ndarray, reach_deg: float = 10.0
) -> tuple[float, float]:
    """(2, bins) of two sources -> azimuths in degrees, that one first which has more of `share` (bins,) around it."""
    found = [peak(row, azimuths_deg) for row in pair]
    mass = [float(share[np.abs(wrap(azimuths_deg - at)) <= reach_deg].sum()) for at in found]
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
