"""The way of a finger over the photograph: which patches it struck and when, and their strikes as one clip."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from synesthesia.core.errors import UserError
from synesthesia.core.recipe import to_json
from synesthesia.ui.impact import words as tap_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synesthesia.core.results import Heard
    from synesthesia.vision.grid import PatchGrid

MOST = 12  # strikes of one drag
LONGEST_S = 4.0  # from the first strike of a drag to the last
MOST_POINTS = 700  # of a path; the page sends fewer
SOONEST_S = 0.03  # after another strike
FADE_S = 0.008  # a strike ends with it when the next one begins


@dataclass(frozen=True)
class Touch:
    """A patch that the finger came to. x, y: natural pixels; at_s: seconds after the first touch of the path."""

    row: int
    col: int
    x: float
    y: float
    at_s: float


@dataclass(frozen=True)
class Strike:
    """at_s: when it begins in its clip."""

    at_s: float
    heard: Heard


@dataclass(frozen=True)
class Clip:
    """What one click or one drag sounds like. strikes: at least one, by time, none of them silent; waveform: (1, n)
    float32 in [-1, 1]."""

    strikes: tuple[Strike, ...]
    waveform: NDArray[np.float32]
    sample_rate: int

    @property
    def last(self) -> Heard:
        return self.strikes[-1].heard

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
        raise UserError(tap_words.NO_PATH) from None
    if not 0 < len(found) <= MOST_POINTS or not all(math.isfinite(value) for point in found for value in point):
        raise UserError(tap_words.NO_PATH)
    return found


def touches(path: list[tuple[float, float, float]], grid: PatchGrid) -> list[Touch]:
    """Each patch when the path (x, y, milliseconds) comes to it: at most MOST, evenly chosen, over at most LONGEST_S.

    Between two points the finger is taken to have moved straight and evenly. What lies outside the photograph is left
    out. UserError when nothing remains.
    """
    found: list[Touch] = []
    last = None
    width, height = grid.width_px, grid.height_px
    near = [(min(max(x, -width), 2 * width), min(max(y, -height), 2 * height), ms) for x, y, ms in path]
    for x, y, ms in finely(near, min(width / grid.cols, height / grid.rows) / 4):
        if not (0 <= x < width and 0 <= y < height):
            last = None  # coming back to the patch from outside is a strike again
            continue
        cell = grid.cell(x, y)
        if cell != last:
            found.append(Touch(*cell, x, y, ms / 1000))
            last = cell
    if not found:
        raise UserError(tap_words.NO_PATH)
    found = apart(in_time(found))
    if len(found) > MOST:
        found = [found[at] for at in np.linspace(0, len(found) - 1, MOST).round().astype(int)]
    return found


def finely(path: list[tuple[float, float, float]], step_px: float) -> list[tuple[float, float, float]]:
    """The same path with points between its own, at most step_px apart."""
    fine = [path[0]]
    for start, end in pairwise(path):
        count = max(math.ceil(math.dist(start[:2], end[:2]) / step_px), 1)
        (x1, y1, t1), (x2, y2, t2) = start, end
        steps = [at / count for at in range(1, count + 1)]
        fine += [(x1 + (x2 - x1) * at, y1 + (y2 - y1) * at, t1 + (t2 - t1) * at) for at in steps]
    return fine


def in_time(found: list[Touch]) -> list[Touch]:
    """From 0 on, rising; a slower drag is sped up to LONGEST_S."""
    begin = found[0].at_s
    length_s = max(each.at_s for each in found) - begin
    squeeze = min(1.0, LONGEST_S / length_s) if length_s > 0 else 1.0
    times_s = np.maximum.accumulate([max(each.at_s - begin, 0.0) * squeeze for each in found])
    return [replace(each, at_s=float(at)) for each, at in zip(found, times_s, strict=True)]


def apart(found: list[Touch]) -> list[Touch]:
    """Without those that the next one would cut off before they were heard, such as a corner that was brushed."""
    kept = found[-1:]
    for each in reversed(found[:-1]):
        if kept[-1].at_s - each.at_s >= SOONEST_S:
            kept.append(each)
    return kept[::-1]


def ring_s(touched: list[Touch], index: int, seconds: float, shortest_s: float) -> float:
    """How long a strike has to be made: to the next one's beginning, as far as `seconds` goes; the last one for all of
    it. shortest_s: what can be asked for."""
    if index == len(touched) - 1:
        return seconds
    return min(seconds, max(touched[index + 1].at_s - touched[index].at_s, shortest_s))


def one_clip(strikes: list[Strike]) -> Clip:
    """The first begins at once, each other one when it was that much later, and the one before it has faded out by
    then."""
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
    told = [{"at_s": round(each.at_s, 4), "recipe": json.loads(to_json(each.heard.recipe))} for each in clip.strikes]
    return json.dumps({"strikes": told}, indent=2) + "\n"
