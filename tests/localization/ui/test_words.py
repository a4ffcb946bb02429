"""Directions in words are unambiguous: an arc of the circle can't be read as the rest of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from synesthesia.ui.localization import words

SIDES = {"front": 0, "right": 90, "back": 180, "left": -90}


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (27, 59, "27° right to 59° right"),
        (-59, -27, "59° left to 27° left"),
        (-10, 20, "10° left to 20° right"),
        (0, 40, "0° to 40° right"),
        (-90, 90, "90° left to 90° right"),
        (150, -160, "150° right, round the back, to 160° left"),
        (90, -90, "90° right, round the back, to 90° left"),
        (150, 180, "150° right to 180°"),
        (180, -150, "180° to 150° left"),
        (0, 180, "0°, round the right, to 180°"),
        (180, 0, "180°, round the left, to 0°"),
        (-3, -177, "3° left, round the right, to 177° left"),
        (-110, 120, "110° left, round the front, to 120° right"),
        (80, 30, "almost anywhere: all but 30° right to 80° right"),
        (-170, 170, "almost anywhere: all but 170° right, round the back, to 170° left"),
        (-180, 180, "anywhere"),
        (40.3, 40.1, "anywhere"),
        (39.9, 40.1, "40° right"),
    ],
)
def test_an_arc_in_words(low: float, high: float, said: str) -> None:
    assert words.arc(low, high) == said


def test_the_words_decide_between_an_arc_and_the_rest_of_the_circle() -> None:
    rng = np.random.default_rng(0)
    corners = [(a, b) for a in range(-180, 181, 15) for b in range(-180, 181, 15)]
    for low, high in [*corners, *rng.integers(-179, 181, (3000, 2)).tolist()]:
        low, high = words.wrapped(low), words.wrapped(high)
        if low != high:
            assert understood(words.arc(low, high)) == (low, high), words.arc(low, high)


def test_fractions_of_a_degree_change_no_side() -> None:
    rng = np.random.default_rng(1)
    for low, high in rng.uniform(-180, 180, (3000, 2)):
        ends = words.wrapped(round(low)), words.wrapped(round(high))
        if ends[0] != ends[1]:
            assert understood(words.arc(low, high)) == ends


def understood(said: str) -> tuple[int, int]:
    """(low, high), clockwise, as a reader takes it who doesn't know in which order ends are named."""
    rest = said.removeprefix("almost anywhere: all but ")
    assert said.startswith("almost") == (rest != said)
    one, other = (int(whole) * (-1 if side == "left" else 1) for whole, side in re.findall(r"(\d+)°(?: (\w+))?", rest))
    by = re.search("round the (front|right|back|left),", rest)
    fits = [arc for arc in ((one, other), (other, one)) if (passes(*arc, SIDES[by[1]]) if by else narrow(*arc))]
    assert len(fits) == 1, f"{said} fits {fits}"
    low, high = fits[0]
    return (high, low) if rest != said else (low, high)


def passes(low: int, high: int, through: int) -> bool:
    return 0 < (through - low) % 360 < (high - low) % 360


def narrow(low: int, high: int) -> bool:
    """Without a way: less than half the circle, or just half of it through the front."""
    wide = (high - low) % 360
    return wide < 180 or (wide == 180 and passes(low, high, 0))
