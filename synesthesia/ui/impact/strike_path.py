"""A pointer path over the photograph: which patches it strikes when, and their sounds as one clip."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from synesthesia.core.errors import UserError
from synesthesia.core.recipe import to_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synesthesia.core.results import Heard, Impact
    from synesthesia.vision.grid import PatchGrid

NO_PATH = "That place is not on the photograph; please try again."
MAX_STRIKES = 12  # of one drag
MAX_DRAG_S = 4.0  # from the first strike of a drag to the last
MAX_POINTS = 700  # of a path; the page sends fewer
MIN_GAP_S = 0.03  # between two strikes
FADE_S = 0.008  # fade-out of a strike when the next one begins


@dataclass(frozen=True)
class Touch:
    """The pointer enters a patch. x, y: natural pixels; at_s: seconds after the first touch of the path."""

    row: int
    col: int
    x: float
    y: float
    at_s: float


def struck_object(heard: Heard) -> Impact:
    assert heard.blow is not None, "a silent place was not struck"
    return heard.blow


@dataclass(frozen=True)
class Strike:
    """at_s: when it begins in its clip."""

    at_s: float
    heard: Heard

    @property
    def blow(self) -> Impact:
        return struck_object(self.heard)


@dataclass(frozen=True)
class Clip:
    """The sound of one click or drag. strikes: at least one, by time, none silent; waveform: (1, n) float32 in
    [-1, 1]."""

    strikes: tuple[Strike, ...]
    waveform: NDArray[np.float32]
    sample_rate: int

    @property
    def last(self) -> Heard:
        return self.strikes[-1].heard

    @property
    def blow(self) -> Impact:
        return self.strikes[-1].blow

    @property
    def dragged(self) -> bool:
        return len(self.strikes) > 1

    @property
    def seconds(self) -> float:
        return self.waveform.shape[1] / self.sample_rate

    def spans(self) -> list[tuple[float, float]]:
        """(begin, end) of each strike in seconds."""
        begins = [strike.at_s for strike in self.strikes]
        return list(zip(begins, [*begins[1:], self.seconds], strict=True))


def points(path: Any) -> list[tuple[float, float, float]]:
    """[(x, y, milliseconds), ...] as the browser sends it. UserError for anything else."""
    try:
        found = [(float(x), float(y), float(t)) for x, y, t in path]
    except (TypeError, ValueError):
        raise UserError(NO_PATH) from None
    if not 0 < len(found) <= MAX_POINTS or not all(math.isfinite(value) for point in found for value in point):
        raise UserError(NO_PATH)
    return found


def touches(path: list[tuple[float, float, float]], grid: PatchGrid) -> list[Touch]:
    """Each patch at the time when the path (x, y, milliseconds) enters it: at most MAX_STRIKES, evenly chosen, within
    MAX_DRAG_S.

    Between two points the path is interpolated linearly. Parts outside the photograph are dropped. UserError when
    nothing remains.
    """
    found: list[Touch] = []
    last = None
    width, height = grid.width_px, grid.height_px
    near = [(min(max(x, -width), 2 * width), min(max(y, -height), 2 * height), ms) for x, y, ms in path]
    for x, y, ms in interpolated(near, min(width / grid.cols, height / grid.rows) / 4):
        if not (0 <= x < width and 0 <= y < height):
            last = None  # re-entering the patch from outside strikes it again
            continue
        cell = grid.cell(x, y)
        if cell != last:
            found.append(Touch(*cell, x, y, ms / 1000))
            last = cell
    if not found:
        raise UserError(NO_PATH)
    found = spaced(normalised_times(found))
    if len(found) > MAX_STRIKES:
        found = [found[at] for at in np.linspace(0, len(found) - 1, MAX_STRIKES).round().astype(int)]
    return found


def interpolated(path: list[tuple[float, float, float]], step_px: float) -> list[tuple[float, float, float]]:
    """The path with points inserted so that neighbours are at most step_px apart."""
    dense = [path[0]]
    for start, end in pairwise(path):
        count = max(math.ceil(math.dist(start[:2], end[:2]) / step_px), 1)
        (x1, y1, t1), (x2, y2, t2) = start, end
        steps = [at / count for at in range(1, count + 1)]
        dense += [(x1 + (x2 - x1) * at, y1 + (y2 - y1) * at, t1 + (t2 - t1) * at) for at in steps]
    return dense


def normalised_times(found: list[Touch]) -> list[Touch]:
    """Times from 0, rising; a slower drag is sped up to MAX_DRAG_S."""
    begin = found[0].at_s
    length_s = max(each.at_s for each in found) - begin
    squeeze = min(1.0, MAX_DRAG_S / length_s) if length_s > 0 else 1.0
    times_s = np.maximum.accumulate([max(each.at_s - begin, 0.0) * squeeze for each in found])
    return [replace(each, at_s=float(at)) for each, at in zip(found, times_s, strict=True)]


def spaced(found: list[Touch]) -> list[Touch]:
    """Without touches that the next one would cut off before they are heard, such as a brushed corner."""
    kept = found[-1:]
    for each in reversed(found[:-1]):
        if kept[-1].at_s - each.at_s >= MIN_GAP_S:
            kept.append(each)
    return kept[::-1]


def strike_seconds(touched: list[Touch], index: int, seconds: float, shortest_s: float) -> float:
    """Duration to generate for a strike: until the next one begins, at most `seconds`; for the last one all of it.
    shortest_s: minimum of a request."""
    if index == len(touched) - 1:
        return seconds
    return min(seconds, max(touched[index + 1].at_s - touched[index].at_s, shortest_s))


def one_clip(strikes: list[Strike]) -> Clip:
    """The strikes at their times after the first; each fades out before the next one begins."""
    assert strikes, "a clip needs a strike"
    strikes = [replace(strike, at_s=strike.at_s - strikes[0].at_s) for strike in strikes]
    rate = strikes[0].heard.sample_rate
    begins = [round(strike.at_s * rate) for strike in strikes]
    whole = np.zeros((1, begins[-1] + strikes[-1].heard.waveform.shape[1]), dtype=np.float32)
    for strike, begin, end in zip(strikes, begins, [*begins[1:], whole.shape[1]], strict=True):
        sound = strike.heard.waveform[:1, : end - begin].copy()
        if sound.shape[1] == end - begin < strike.heard.waveform.shape[1]:
            fade = min(round(FADE_S * rate), sound.shape[1])
            sound[:, sound.shape[1] - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        whole[:, begin : begin + sound.shape[1]] = sound
    return Clip(tuple(strikes), whole, rate)


def recipes_json(clip: Clip) -> str:
    """One strike: its recipe, as the command line reads it. Several: a list of {"at_s", "recipe"}."""
    if not clip.dragged:
        return to_json(clip.last.recipe)
    record = [{"at_s": round(each.at_s, 4), "recipe": json.loads(to_json(each.heard.recipe))} for each in clip.strikes]
    return json.dumps({"strikes": record}, indent=2) + "\n"
