"""A checked clip -> where it comes from, how sure, and what that rests on: everything the page and the API show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from synesthesia.spatial.clip import Clip
from synesthesia.spatial.extractor import BANDS_PER_CELL, FRAMES_PER_CELL, stretches
from synesthesia.spatial.gcc import ItdTable, itd_s
from synesthesia.spatial.geometry import is_front
from synesthesia.spatial.localiser import ELEVATIONS, Localiser, peak, second_peak, shortest_arc

TRACK_WINDOW_S = 0.4
TRACK_HOP_S = 0.08


@dataclass(frozen=True)
class AttentionMap:
    """weights: (T, K) float32, sums to 1: how much each cell of time and frequency counted; times_s: (T,) middles of
    the cells; frequencies_hz: (K,) middles of their bands."""

    weights: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray


@dataclass(frozen=True)
class Direction:
    """What the localiser makes of a clip. Degrees, 0 in front, positive to the right.

    distribution: (bins,) float32, sums to 1, at azimuths_deg (bins,); interval_deg: 90 %, clockwise from lo to hi, may
    wrap; second_deg: None when one source is likelier; track: (times_s, azimuth_deg) of sliding stretches;
    baseline_deg: GCC-PHAT's answer, front half only; itd_s: its delay.
    """

    azimuth_deg: float
    interval_deg: tuple[float, float]
    front_probability: float
    elevation: str
    second_probability: float
    second_deg: float | None
    distribution: np.ndarray
    azimuths_deg: np.ndarray
    track: tuple[np.ndarray, np.ndarray]
    level_map: AttentionMap
    phase_map: AttentionMap
    token: np.ndarray
    baseline_deg: float
    itd_s: float


def locate(localiser: Localiser, clip: Clip, table: ItdTable) -> Direction:
    """The whole answer; a clip whose `kind` holds no direction gets one too, and the caller says what it is worth."""
    config = localiser.config
    waveform = torch.from_numpy(clip.waveform)[None]  # (1, 2, n)
    frames = 1 + waveform.shape[2] // config.cues.hop_samples
    cells = -(-frames // FRAMES_PER_CELL)
    cell_s = FRAMES_PER_CELL / config.cues.frames_per_second
    moving = stretches(cells, max(1, round(TRACK_WINDOW_S / cell_s)), max(1, round(TRACK_HOP_S / cell_s)))
    inside = torch.cat([torch.ones(1, cells, dtype=torch.bool), moving])  # the whole clip first
    share, answer = localiser.symmetric(waveform, inside)
    every = share[0].numpy()  # (W, bins)
    azimuths = config.azimuths_deg.numpy()
    whole = every[0]
    first = peak(whole, azimuths)
    second_probability = float(answer.second[0, 0].sigmoid())
    at = torch.arange(cells, dtype=torch.float32)
    middles = ((moving * at).sum(dim=1) / moving.sum(dim=1) + 0.5) * cell_s
    times_s = ((at + 0.5) * cell_s).numpy()
    filters = localiser.cues.filters  # (F, K)
    hz = torch.arange(len(filters)) * (config.cues.sample_rate_hz / 2 / (len(filters) - 1))
    middle_hz = (filters * hz[:, None]).sum(dim=0) / filters.sum(dim=0).clamp(min=1e-6)  # (K,)
    high_hz = middle_hz.unflatten(0, (-1, BANDS_PER_CELL)).mean(dim=1).numpy()
    delay_s = itd_s(clip.waveform, config.cues.sample_rate_hz)
    return Direction(
        azimuth_deg=first,
        interval_deg=shortest_arc(whole, azimuths, config.interval_mass),
        front_probability=float(whole[is_front(azimuths)].sum()),
        elevation=ELEVATIONS[int(answer.elevation[0, 0].argmax())],
        second_probability=second_probability,
        second_deg=second_peak(whole, azimuths, first) if second_probability >= config.second_threshold else None,
        distribution=whole.astype(np.float32),
        azimuths_deg=azimuths,
        track=(middles.numpy(), np.array([peak(row, azimuths) for row in every[1:]], dtype=np.float32)),
        level_map=AttentionMap(answer.level_map[0, 0].numpy(), times_s, high_hz),
        phase_map=AttentionMap(answer.phase_map[0, 0].numpy(), times_s, high_hz),
        token=answer.token[0, 0].numpy(),
        baseline_deg=table.azimuth(delay_s),
        itd_s=delay_s,
    )
