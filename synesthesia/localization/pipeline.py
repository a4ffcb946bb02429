"""Binaural sound localization of a checked clip: `Located`, everything that the page and the API show.

The localizer network gives a distribution over the full circle; GCC-PHAT stands beside it as the baseline.
"""

from __future__ import annotations

import hashlib
from collections import deque

import numpy as np
import torch

from synesthesia.binaural.clip import BinauralClip
from synesthesia.binaural.geometry import OCTANTS, fold, is_front, octant, wrap
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.core import checkpoints
from synesthesia.core.presets import SpatialConfig
from synesthesia.core.results import Attention, AttentionMap, Located
from synesthesia.localization.encoder import BANDS_PER_CELL, FRAMES_PER_CELL
from synesthesia.localization.gcc_phat import ItdTable, itd_s
from synesthesia.localization.localizer import ELEVATIONS, Localizer, peak, shortest_arc, two_peaks
from synesthesia.localization.plausibility import implausibility

TRACK_WINDOW_S = 0.4
TRACK_HOP_S = 0.08
FAR_DEG, LEAP_DEG = 30.0, 25.0  # a way that is gone, and what no source moves in TRACK_HOP_S
LEAST_SMALL, STEADY = 0.6, 0.7  # of the steps that are no leaps; of what was walked that lies between the ends
BESIDE_DEG = 20.0  # nearer to the line through the ears front and back are one
LOBE_DEG, LOBE_SHARE = 15.0, 0.15  # a second direction that is worth a word
GUESS_DEG = 120.0  # an interval that reaches further says little
NO_DIRECTION = "It holds no direction."
KEPT_TOKENS = 64  # spatial tokens of the clips located last: 1 kB each


class LocalizationPipeline:
    """The localizer of a preset and the ITD table of its baseline.

    Of a clip only the spatial token is kept, by content, so that a question about it needn't locate it again.
    """

    def __init__(self, localiser: Localizer, table: ItdTable) -> None:
        self.localiser, self.table = localiser, table
        self._tokens: deque[tuple[bytes, np.ndarray]] = deque(maxlen=KEPT_TOKENS)

    @classmethod
    def load(cls, config: SpatialConfig) -> LocalizationPipeline:
        """UserError when a file is missing or damaged."""
        localiser = Localizer.load(checkpoints.folder(config.localiser_weights.folder))
        hrtf = SphericalHarmonicHRTF.load(checkpoints.folder(config.head_weights.folder))
        return cls(localiser, ItdTable.of(hrtf))

    def token(self, clip: BinauralClip) -> np.ndarray:
        """(256,) float32, the spatial token; a clip among those located last is not located again."""
        known = dict(self._tokens).get(_content(clip))
        return self.locate(clip).token if known is None else known

    def locate(self, clip: BinauralClip) -> Located:
        """A clip whose `kind` holds no direction is located too, with the warning that says so."""
        located = locate(self.localiser, clip, self.table)
        self._tokens.append((_content(clip), located.token.copy()))  # `located` belongs to the caller
        return located


def _content(clip: BinauralClip) -> bytes:
    """The same samples, the same key."""
    return hashlib.sha256(clip.waveform.tobytes()).digest()


def locate(localiser: Localizer, clip: BinauralClip, table: ItdTable) -> Located:
    """The whole answer; a clip whose `kind` holds no direction gets one too, with the warning that says so."""
    config = localiser.config
    waveform = torch.from_numpy(clip.waveform)[None]  # (1, 2, n)
    frames = 1 + waveform.shape[2] // config.cues.hop_samples
    cells = -(-frames // FRAMES_PER_CELL)
    cell_s = FRAMES_PER_CELL / config.cues.frames_per_second
    track = max(1, round(TRACK_WINDOW_S / cell_s)), max(1, round(TRACK_HOP_S / cell_s))
    found = localiser.symmetric(waveform, track)
    assert found.track is not None and found.track_cells is not None
    azimuths = config.azimuths_deg.numpy()
    share, answer = found.share[0].numpy(), found.clip
    whole = share if clip.kind != "silent" else np.full_like(share, 1 / len(azimuths))
    first, second = peak(whole, azimuths), None
    way = np.array([peak(row, azimuths) for row in found.track[0].numpy()], dtype=np.float32)
    moving = moves(way)
    two = 0.0 if moving else float(found.second[0].sigmoid())  # one that moves is in two places
    if two >= config.second_threshold and clip.kind == "stereo":
        first, second = two_peaks(found.pair[0].numpy(), whole, azimuths)
    at = torch.arange(cells, dtype=torch.float32)
    middles = found.track_cells * cell_s
    times_s, high_hz = ((at + 0.5) * cell_s).numpy(), cell_frequencies_hz(localiser)
    delay_s = itd_s(clip.waveform, config.cues.sample_rate_hz)
    interval = shortest_arc(whole, azimuths, config.interval_mass)
    return Located(
        azimuth_deg=first,
        interval_deg=interval,
        front_probability=float(whole[is_front(azimuths)].sum()),
        elevation=ELEVATIONS[int(found.elevation[0].argmax())],
        second_probability=two,
        second_deg=second,
        distribution=whole.astype(np.float32),
        azimuths_deg=azimuths,
        track=(middles.numpy(), way),
        attention=Attention(
            AttentionMap(answer.level_map[0, 0].numpy(), times_s, high_hz),
            AttentionMap(answer.phase_map[0, 0].numpy(), times_s, high_hz),
        ),
        token=answer.token[0, 0].numpy(),
        baseline_deg=table.azimuth(delay_s),
        itd_s=delay_s,
        seconds=clip.seconds,
        kind=clip.kind,
        warning=clip.warning or (implausibility(clip.waveform, delay_s) if clip.kind == "stereo" else ""),
        sentence=sentence(first, interval, second, way if moving else None, other_half(whole, azimuths, first))
        if clip.kind == "stereo"
        else NO_DIRECTION,
    )


def cell_frequencies_hz(localiser: Localizer) -> np.ndarray:
    """(K',) middles of the bands that one cell of the maps covers, in hertz."""
    filters = localiser.cues.filters  # (F, K)
    hz = torch.arange(len(filters)) * (localiser.config.cues.sample_rate_hz / 2 / (len(filters) - 1))
    middle_hz = (filters * hz[:, None]).sum(dim=0) / filters.sum(dim=0).clamp(min=1e-6)  # (K,)
    return middle_hz.unflatten(0, (-1, BANDS_PER_CELL)).mean(dim=1).numpy()


def moves(way_deg: np.ndarray) -> bool:
    """(W,) azimuths of one stretch after the other: whether they go somewhere, most steps small and one way.

    Leaps, to the front from behind and back, are left out; what they mirror goes the same way in its lateral angle.
    """
    if len(way_deg) < 4:
        return False
    for way, turn in ((way_deg, 360.0), (fold(way_deg), np.inf)):
        steps = np.diff(way)
        steps = steps if np.isinf(turn) else (steps + turn / 2) % turn - turn / 2
        small = steps[np.abs(steps) <= LEAP_DEG]
        gone, walked = abs(float(small.sum())), float(np.abs(small).sum())
        if len(small) >= LEAST_SMALL * len(steps) and gone >= FAR_DEG and gone >= STEADY * walked:
            return True
    return False


def middle(azimuths_deg: np.ndarray) -> float:
    """(N,) -> the one with the others nearest to it, which a leap doesn't move."""
    away = np.abs(wrap(azimuths_deg[:, None] - azimuths_deg))
    return float(azimuths_deg[away.sum(axis=1).argmin()])


def other_half(share: np.ndarray, azimuths_deg: np.ndarray, azimuth_deg: float) -> float | None:
    """Where in the other half, front or back, the sound may be as well: the peak there, if enough of (bins,) lies
    around it and the source doesn't stand at the side, where the halves meet."""
    if abs(abs(float(wrap(azimuth_deg))) - 90.0) < BESIDE_DEG:
        return None
    there = np.where(is_front(azimuths_deg) == is_front(azimuth_deg), 0.0, share)
    other = peak(there, azimuths_deg)
    near = float(there[np.abs(wrap(azimuths_deg - other)) <= LOBE_DEG].sum())
    return other if near >= LOBE_SHARE else None


def sentence(
    azimuth_deg: float, interval_deg: tuple[float, float], second_deg: float | None, way_deg: np.ndarray | None = None,
    other_deg: float | None = None,
) -> str:  # fmt: skip
    """The answer in words. way_deg: azimuths of a source that moves; other_deg: where it may be as well."""
    low, high = interval_deg
    if way_deg is not None and second_deg is None:
        return f"It moves from {side(middle(way_deg[:3]))} to {side(middle(way_deg[-3:]))}."
    if other_deg is not None and second_deg is None:
        return f"From {side(azimuth_deg)}; or, less likely, from {side(other_deg)}: front and back sound alike here."
    reach = max((azimuth_deg - low) % 360.0, (high - azimuth_deg) % 360.0)
    sure = "little more than a guess" if reach > GUESS_DEG else f"90 % sure within {np.ceil(reach):.0f} degrees of it"
    words = f"From {side(azimuth_deg)}; {sure}."
    return words if second_deg is None else f"{words} A second source from {side(second_deg)}."


def side(azimuth_deg: float) -> str:
    """About where, and how many degrees to which side."""
    azimuth_deg = float(wrap(azimuth_deg))
    turned = round(abs(azimuth_deg))
    name = OCTANTS[octant(azimuth_deg)]
    return f"the {name}" if turned in (0, 180) else f"the {name}, {turned} degrees {_hand(azimuth_deg)}"


def _hand(azimuth_deg: float) -> str:
    return "to the right" if azimuth_deg > 0 else "to the left"
