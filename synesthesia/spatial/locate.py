"""A checked clip -> where it comes from, how sure, and what that rests on: everything the page and the API show."""

from __future__ import annotations

import numpy as np
import torch

from synesthesia import weights
from synesthesia.presets import SpatialConfig
from synesthesia.results import Attention, AttentionMap, Located
from synesthesia.spatial.clip import Clip
from synesthesia.spatial.compact_head import CompactHead
from synesthesia.spatial.extractor import BANDS_PER_CELL, FRAMES_PER_CELL
from synesthesia.spatial.gcc import ItdTable, itd_s
from synesthesia.spatial.geometry import OCTANTS, is_front, octant
from synesthesia.spatial.localiser import ELEVATIONS, Localiser, peak, second_peak, shortest_arc

TRACK_WINDOW_S = 0.4
TRACK_HOP_S = 0.08
NO_DIRECTION = "It holds no direction."


class Locator:
    """A localiser and the reference head of the plain baseline, as a preset names them."""

    def __init__(self, localiser: Localiser, table: ItdTable) -> None:
        self.localiser, self.table = localiser, table

    @staticmethod
    def load(config: SpatialConfig, head: CompactHead) -> Locator:
        """UserError when a file is missing or damaged. head: whose delays the plain baseline looks up."""
        localiser = Localiser.load(weights.folder(config.localiser_weights.folder))
        return Locator(localiser, ItdTable.of(head))

    def locate(self, clip: Clip) -> Located:
        return locate(self.localiser, clip, self.table)


def locate(localiser: Localiser, clip: Clip, table: ItdTable) -> Located:
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
    first = peak(whole, azimuths)
    two = float(found.second[0].sigmoid())
    second = second_peak(whole, azimuths, first) if two >= config.second_threshold else None
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
        track=(middles.numpy(), np.array([peak(row, azimuths) for row in found.track[0].numpy()], dtype=np.float32)),
        attention=Attention(
            AttentionMap(answer.level_map[0, 0].numpy(), times_s, high_hz),
            AttentionMap(answer.phase_map[0, 0].numpy(), times_s, high_hz),
        ),
        token=answer.token[0, 0].numpy(),
        baseline_deg=table.azimuth(delay_s),
        itd_s=delay_s,
        seconds=clip.seconds,
        kind=clip.kind,
        warning=clip.warning,
        sentence=sentence(first, interval, second) if clip.kind == "stereo" else NO_DIRECTION,
    )


def cell_frequencies_hz(localiser: Localiser) -> np.ndarray:
    """(K',) middles of the bands that one cell of the maps covers, in hertz."""
    filters = localiser.cues.filters  # (F, K)
    hz = torch.arange(len(filters)) * (localiser.config.cues.sample_rate_hz / 2 / (len(filters) - 1))
    middle_hz = (filters * hz[:, None]).sum(dim=0) / filters.sum(dim=0).clamp(min=1e-6)  # (K,)
    return middle_hz.unflatten(0, (-1, BANDS_PER_CELL)).mean(dim=1).numpy()


def sentence(azimuth_deg: float, interval_deg: tuple[float, float], second_deg: float | None) -> str:
    """The answer in words."""
    low, high = interval_deg
    words = f"From {side(azimuth_deg)}; 90 % between {low:.0f} and {high:.0f} degrees, clockwise."
    return words if second_deg is None else f"{words} A second source from {side(second_deg)}."


def side(azimuth_deg: float) -> str:
    """About where, and how many degrees to which side."""
    turned = round(abs(azimuth_deg))
    name = OCTANTS[octant(azimuth_deg)]
    return f"the {name}" if turned in (0, 180) else f"the {name}, {turned} degrees {_hand(azimuth_deg)}"


def _hand(azimuth_deg: float) -> str:
    return "to the right" if azimuth_deg > 0 else "to the left"
