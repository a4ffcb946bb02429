"""Texts about the path "language": its tokens, their cross-attention, and the difference between the two ears."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.core.results import Progress, Tokens

ATTENTION = "Attention of the sound tokens"
ATTENTION_FIRST = ("Generate a sound with Language here first.", "The map then shows where its tokens attended.")
EARS = "Between the two ears"
EQUAL_DB, EQUAL_S = 0.05, 0.5e-6  # below these the page would print zero
CENTRE = 0.05  # of the picture's width to either side


def writing(step: Progress, take: int = 0, takes: int = 1) -> str:
    """take: counted from 0, of the takes that are generated one after the other."""
    prefix = f"Take {take + 1} of {takes}: generating" if takes > 1 else "Generating"
    return f"{prefix} tokens, {step.done} of {step.total}"


def timeline(tokens: Tokens) -> str:
    each = f"Each column is {1000 / tokens.per_second:.0f} ms: one code from each codebook for each ear."
    kept = f" Of {tokens.takes} candidates the classifier kept number {tokens.take + 1}." if tokens.takes > 1 else ""
    return f"{each} Row 1 is the coarsest; the colour is the code.{kept}"


def relative_attention(ratio: float) -> str:
    """ratio: attention of the clicked patch over the average."""
    return f"The clicked patch got {ratio:.{0 if ratio >= 9.95 else 1}f} times the average attention"


def ears(level_db: float, itd_s: float, offset: float) -> tuple[str, str]:
    """(differences between the ears, whether they match the click). level_db: right ear over left; itd_s: lead of the
    right ear; offset: of the clicked patch from the centre to the right, as a share of the width."""
    louder = "" if abs(level_db) < EQUAL_DB else side(level_db)
    earlier = "" if abs(itd_s) < EQUAL_S else side(itd_s)
    level, time = f"{abs(level_db):.1f} dB louder", f"{abs(itd_s) * 1e6:.0f} µs earlier"
    if louder and louder == earlier:
        difference = f"{louder} ear {level} and {time}"
    else:
        loudness = f"{louder} ear {level}" if louder else "equally loud"
        difference = f"{loudness}, {f'{earlier} ear {time}' if earlier else 'at the same time'}"
    if abs(offset) < CENTRE:
        return difference, "The click was in the middle, where both ears should hear the same."
    clicked = side(offset)
    if (louder == clicked) == (earlier == clicked):
        match = "level and time match" if louder == clicked else "neither level nor time matches"
    else:
        right, wrong = ("level", "time") if louder == clicked else ("time", "level")
        match = f"the {right} matches, the {wrong} doesn't"
    return difference, f"The click was {clicked} of the middle: {match}."


def side(signed: float) -> str:
    return "right" if signed > 0 else "left"
