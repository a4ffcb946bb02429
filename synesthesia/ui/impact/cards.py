"""Pieces of HTML of the tab "Tap": the physics state with its doubts, and two blows side by side in numbers.

Everything that comes from data is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.impact import material_map as tap_map
from synesthesia.ui.impact import words as tap_words
from synesthesia.ui.impact.figures import audible, strongest_hz
from synesthesia.ui.impact.words import DENSITIES, FREQUENCIES, LENGTHS, PRESSURES, TIMES

if TYPE_CHECKING:
    from synesthesia.core.results import Estimate, Heard, Impact, LabelScore, PhysicsState, Recipe
    from synesthesia.ui.impact.strike_path import Clip

SHOWN = 4  # materials, shapes


@dataclass(frozen=True)
class Scale:
    """How a quantity of the state is drawn. field: of PhysicsState; about: what it is, more exactly; low, high: ends of
    its bar; log: equal lengths are equal ratios; value, interval: how they are written."""

    field: str
    name: str
    about: str
    low: float
    high: float
    log: bool
    value: Callable[[float], str]
    interval: Callable[[Estimate], str]

    def at(self, value: float) -> float:
        """0..1 along the bar; beyond its ends, at them."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(here)
        return (here - low) / (high - low)


def logarithmic(field: str, name: str, about: str, low: float, high: float, units: tuple[tap_words.Unit, ...]) -> Scale:
    return Scale(field, name, about, low, high, True, *tap_words.scale_of(units))


SCALES = (
    logarithmic("size_m", "Size", "longest extent", 0.03, 2.0, LENGTHS),
    logarithmic("thickness_m", "Wall", "thickness of the wall, or of the thing if it is full", 0.0003, 2.0, LENGTHS),
    Scale("hollowness", "Hollowness", "0 full, 1 a thin wall", 0.0, 1.0, False, tap_words.share, tap_words.shares),
    logarithmic("density", "Density", "mass by volume", 50.0, 20_000.0, DENSITIES),
    logarithmic("youngs_modulus_pa", "Stiffness", "Young's modulus of the body", 1e4, 1e12, PRESSURES),
    logarithmic("hardness_pa", "Hardness", "Young's modulus of the surface", 1e4, 1e12, PRESSURES),
    logarithmic("t60_s", "Ring at 1 kHz", "in which a mode of 1 kHz falls by 60 dB", 0.003, 30.0, TIMES),
)


def heading(letter: str, what: str, note: str) -> str:
    """letter: A as seen, B what if."""
    return (
        f"<div class='plot-head'><span class='letter'>{letter}</span><b>{escape(what)}</b> "
        f"<span>{escape(note)}</span></div>"
    )


def seen(clip: Clip) -> str:
    """Heading of what was struck."""
    if clip.dragged:
        return heading("A", f"{len(clip.strikes)} strikes along the way", f"{clip.seconds:.1f} s")
    blow = clip.last.blow
    assert blow is not None, "a silent place was not struck"
    note = f"{tap_words.AS_SEEN} · seed {clip.last.recipe.seed}"
    return heading("A", tap_words.thing(blow), note)


def state(heard: Heard, called: str) -> str:
    """What the place was taken for: names with probabilities, quantities with intervals, and what that means. called:
    the material after which its code is called."""
    blow = heard.blow
    assert blow is not None, "a silent place was not struck"
    found = blow.state
    unsure = tap_words.doubt(found, called)
    shape = blow.shape  # a what-if keeps it
    note = f"<p class='faint'>{escape(unsure.capitalize())}.</p>" if unsure else ""
    return (
        f"<section class='state' aria-label='{tap_words.STATE}'><h3>{tap_words.STATE}</h3>"
        f"<div class='columns'><div>{code(found, called)}"
        f"{shares(tap_words.MATERIAL, found.materials, called, coloured=True)}{note}"
        f"{shares(tap_words.SHAPE, found.shapes, shape)}</div>"
        f"<div>{''.join(quantity(scale, getattr(found, scale.field)) for scale in SCALES)}</div></div>"
        f"<p class='faint'>{tap_words.STATE_ABOUT}</p>{meanings()}{settings(heard.recipe)}</section>"
    )


def code(found: PhysicsState, called: str) -> str:
    return f"<h4>{tap_words.CODE}</h4><p class='code'>{escape(tap_words.code(found, called))}</p>"


def shares(name: str, scores: tuple[LabelScore, ...], struck: str, *, coloured: bool = False) -> str:
    """Bars of the likeliest, with their probabilities, and of the one that is struck. coloured: as in the material
    map."""
    shown = [*scores[:SHOWN], *(each for each in scores[SHOWN:] if each.label == struck)]
    rows = "".join(
        f"<div class='bar{' struck' if each.label == struck else ''}'><span>{escape(cards.readable(each.label))}</span>"
        f"<span><i style='width:{100 * cards.bounded(each.score):.0f}%{shade(each.label) if coloured else ''}'></i>"
        f"</span><span>{each.score:.2f}</span></div>"
        for each in shown
    )
    return f"<h4>{name}</h4>{rows}"


def shade(material: str) -> str:
    return f";background:rgb{tap_map.colour(material)}"


def quantity(scale: Scale, found: Estimate) -> str:
    """Value and interval in numbers, and drawn: the band from low to high, the tick at the value."""
    low, high, middle = (100 * scale.at(value) for value in (found.low, found.high, found.value))
    ends = f"scale from {scale.value(scale.low)} to {scale.value(scale.high)}{', logarithmic' if scale.log else ''}"
    about = escape(f"{scale.about[:1].upper()}{scale.about[1:]}; {ends}")
    said = escape(f"{scale.name}: {scale.value(found.value)}, in nine cases of ten {scale.interval(found)}; {ends}")
    return (
        f"<div class='quantity' title='{about}'><span>{scale.name}</span><b>{escape(scale.value(found.value))}</b>"
        f"<small>{escape(scale.interval(found))}</small><span class='scale' role='img' aria-label='{said}'>"
        f"<i class='band' style='left:{low:.1f}%;width:{max(high - low, 0.0):.1f}%'></i>"
        f"<i class='tick' style='left:{middle:.1f}%'></i></span></div>"
    )


def meanings() -> str:
    """What each number is, for whom its name doesn't say enough."""
    rows = "".join(f"<li>{scale.name}: {scale.about}.</li>" for scale in SCALES)
    return (
        f"<details><summary>{tap_words.MEANINGS}</summary><p class='faint'>{tap_words.CODE_ABOUT}</p>"
        f"<ul class='faint'>{rows}</ul></details>"
    )


def settings(recipe: Recipe) -> str:
    return f"<details><summary>All settings</summary>{cards.settings(recipe)}</details>"


# ---- two blows -------------------------------------------------------------------------------------------------------
def numbers(blow: Impact) -> list[tuple[str, str]]:
    """(name, value) of what decides how a blow sounds."""
    heard, _ = audible(blow)
    ringing = f"{int(heard.sum())}" if heard.any() else "none"
    return [
        (tap_words.MATERIAL, blow.material),
        ("Size", tap_words.length(blow.size_m)),
        ("Wall", tap_words.length(blow.thickness_m)),
        ("Contact", tap_words.amount(blow.contact_s, TIMES)),
        ("Modes", ringing),
        ("Strongest mode", tap_words.amount(strongest_hz(blow), FREQUENCIES) if heard.any() else "–"),
        ("It rings for", tap_words.amount(strongest_t60_s(blow), TIMES) if heard.any() else "–"),
    ]


def strongest_t60_s(blow: Impact) -> float:
    return float(blow.t60_s[int(np.abs(blow.gains).argmax())])


def compared(first: Impact, second: Impact, wish: str) -> str:
    """A beside B in numbers; what differs stands out. Each head plays its sound."""
    rows = "".join(
        f"<tr{'' if one == other else ' class=differs'}><th scope='row'>{escape(name)}</th>"
        f"<td>{escape(one)}</td><td>{escape(other)}</td></tr>"
        for (name, one), (_, other) in zip(numbers(first), numbers(second), strict=True)
    )
    heads = play("A", tap_words.AS_SEEN, "tap-audio-a") + play("B", wish, "tap-audio-b")
    return f"<table class='compared'><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def play(letter: str, what: str, player: str) -> str:
    """A head of the table. player: element id of the sound that its button plays from the beginning."""
    label, shown = escape(f"{tap_words.PLAY} {letter}, {what}"), f"<span class='what'>{escape(what)}</span>"
    return (
        f"<th scope='col'><button type='button' data-plays='{player}' aria-label='{label}'>"
        f"<span aria-hidden='true'>▶</span> <span class='letter'>{letter}</span>{shown}</button></th>"
    )
