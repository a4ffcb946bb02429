"""HTML of the tab "Tap": the physics state with its uncertainty, and two strikes side by side. All data is escaped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.impact import material_map, quantities, words
from synesthesia.ui.impact.figures import audible_modes, strongest_hz
from synesthesia.ui.impact.quantities import DENSITIES, FREQUENCIES, LENGTHS, PRESSURES, TIMES
from synesthesia.ui.impact.strike_path import struck_object
from synesthesia.ui.shared.cards import all_settings, bar

if TYPE_CHECKING:
    from synesthesia.core.results import Estimate, Heard, Impact, LabelScore
    from synesthesia.ui.impact.strike_path import Clip

ROWS_SHOWN = 4  # materials, shapes


@dataclass(frozen=True)
class Scale:
    """How a quantity of the state is drawn. field: of PhysicsState; about: its exact meaning; low, high: ends of its
    bar, which is logarithmic for a quantity with units and linear for a share."""

    field: str
    name: str
    about: str
    low: float
    high: float
    units: tuple[quantities.Unit, ...] = ()

    @property
    def log(self) -> bool:
        return bool(self.units)

    def value(self, value: float) -> str:
        return quantities.amount(value, self.units) if self.units else quantities.share(value)

    def interval(self, found: Estimate) -> str:
        return (
            quantities.span(found, self.units)
            if self.units
            else f"{quantities.share(found.low)} to {quantities.share(found.high)}"
        )

    def at(self, value: float) -> float:
        """Position 0..1 along the bar, clamped to its ends."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(here)
        return (here - low) / (high - low)


SCALES = (
    Scale("size_m", "Size", "longest extent", 0.03, 2.0, LENGTHS),
    Scale("thickness_m", "Wall", "thickness of the wall, or of the object if it is solid", 0.0003, 2.0, LENGTHS),
    Scale("hollowness", "Hollowness", "0 solid, 1 a thin wall", 0.0, 1.0),
    Scale("density", "Density", "mass by volume", 50.0, 20_000.0, DENSITIES),
    Scale("youngs_modulus_pa", "Stiffness", "Young's modulus of the body", 1e4, 1e12, PRESSURES),
    Scale("hardness_pa", "Hardness", "Young's modulus of the surface", 1e4, 1e12, PRESSURES),
    Scale("t60_s", "Decay at 1 kHz", "T60, in which a mode of 1 kHz falls by 60 dB", 0.003, 30.0, TIMES),
)


def heading(letter: str, what: str, note: str) -> str:
    """letter: A as seen, B what if."""
    return (
        f"<div class='plot-head'><span class='letter'>{letter}</span><b>{escape(what)}</b> "
        f"<span>{escape(note)}</span></div>"
    )


def as_seen(clip: Clip) -> str:
    """Heading of what was struck."""
    if clip.dragged:
        return heading("A", f"{len(clip.strikes)} strikes in a row", f"{clip.seconds:.1f} s")
    return heading("A", words.thing(clip.blow), f"{words.AS_SEEN} · seed {clip.last.recipe.seed}")


def state(heard: Heard, code_name: str) -> str:
    """The predicted state: names with probabilities, quantities with intervals, and what they mean. code_name: the
    material after which the code is named."""
    blow = struck_object(heard)
    found = blow.state
    unsure = words.doubt(found, code_name)
    note = f"<p class='faint'>{escape(unsure.capitalize())}.</p>" if unsure else ""
    return (
        f"<section class='state' aria-label='{words.STATE}'><h3>{words.STATE}</h3>"
        f"<div class='columns'><div><h4>{words.CODE}</h4><p class='code'>{escape(words.code(found, code_name))}</p>"
        f"{shares(words.MATERIAL, found.materials, code_name, coloured=True)}{note}"
        f"{shares(words.SHAPE, found.shapes, blow.shape)}</div>"
        f"<div>{''.join(quantity(scale, getattr(found, scale.field)) for scale in SCALES)}</div></div>"
        f"<p class='faint'>{words.STATE_ABOUT}</p>{meanings()}{all_settings(heard.recipe)}</section>"
    )


def shares(name: str, scores: tuple[LabelScore, ...], struck: str, *, coloured: bool = False) -> str:
    """Bars of the likeliest and of the one that is struck. coloured: as in the material map."""
    shown = [*scores[:ROWS_SHOWN], *(each for each in scores[ROWS_SHOWN:] if each.label == struck)]
    rows = "".join(
        bar(
            each.label, each.score, style=f";background:rgb{material_map.colour(each.label)}" if coloured else "",
            classes="struck" if each.label == struck else "",
        )
        for each in shown
    )  # fmt: skip
    return f"<h4>{name}</h4>{rows}"


def quantity(scale: Scale, found: Estimate) -> str:
    """Value and interval as text and drawn: the band from low to high, the tick at the value."""
    low, high, middle = (100 * scale.at(value) for value in (found.low, found.high, found.value))
    ends = f"scale from {scale.value(scale.low)} to {scale.value(scale.high)}{', logarithmic' if scale.log else ''}"
    about = escape(f"{scale.about[:1].upper()}{scale.about[1:]}; {ends}")
    label = escape(f"{scale.name}: {scale.value(found.value)}, 90 % interval {scale.interval(found)}; {ends}")
    return (
        f"<div class='quantity' title='{about}'><span>{scale.name}</span><b>{escape(scale.value(found.value))}</b>"
        f"<small>{escape(scale.interval(found))}</small><span class='scale' role='img' aria-label='{label}'>"
        f"<i class='band' style='left:{low:.1f}%;width:{max(high - low, 0.0):.1f}%'></i>"
        f"<i class='tick' style='left:{middle:.1f}%'></i></span></div>"
    )


def meanings() -> str:
    """What each number means, folded."""
    rows = "".join(f"<li>{scale.name}: {scale.about}.</li>" for scale in SCALES)
    return (
        f"<details><summary>{words.MEANINGS}</summary><p class='faint'>{words.CODE_ABOUT}</p>"
        f"<ul class='faint'>{rows}</ul></details>"
    )


# ---- two strikes -----------------------------------------------------------------------------------------------------
def numbers(blow: Impact) -> list[tuple[str, str]]:
    """(name, value) of what decides how a strike sounds."""
    audible, _ = audible_modes(blow)
    rings = bool(audible.any())
    t60_s = float(blow.t60_s[int(np.abs(blow.gains).argmax())])  # of the strongest mode
    return [
        (words.MATERIAL, blow.material),
        ("Size", quantities.length(blow.size_m)),
        ("Wall", quantities.length(blow.thickness_m)),
        ("Contact", quantities.amount(blow.contact_s, TIMES)),
        ("Modes", f"{int(audible.sum())}" if rings else "none"),
        ("Strongest mode", quantities.amount(strongest_hz(blow), FREQUENCIES) if rings else "–"),
        ("Decay time (T60)", quantities.amount(t60_s, TIMES) if rings else "–"),
    ]


def compared(first: Impact, second: Impact, variation: str) -> str:
    """A beside B in numbers; differences stand out. Each column's head plays its sound."""
    rows = "".join(
        f"<tr{'' if one == other else ' class=differs'}><th scope='row'>{escape(name)}</th>"
        f"<td>{escape(one)}</td><td>{escape(other)}</td></tr>"
        for (name, one), (_, other) in zip(numbers(first), numbers(second), strict=True)
    )
    heads = play_button("A", words.AS_SEEN, "tap-audio-a") + play_button("B", variation, "tap-audio-b")
    return f"<table class='compared'><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def play_button(letter: str, what: str, player: str) -> str:
    """A head of the table. player: element id of the sound that its button plays from the beginning."""
    label, shown = escape(f"{words.PLAY} {letter}, {what}"), f"<span class='what'>{escape(what)}</span>"
    return (
        f"<th scope='col'><button type='button' data-plays='{player}' aria-label='{label}'>"
        f"<span aria-hidden='true'>▶</span> <span class='letter'>{letter}</span>{shown}</button></th>"
    )
