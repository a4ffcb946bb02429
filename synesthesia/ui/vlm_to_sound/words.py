"""The sentences about the path "language": its tokens, where it looked, and its two ears."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.core.results import Tokens, Writing

NOTES = {  # voice -> what it is
    "flow": "Flow samples a new sound from the patch.",
    "mlp": "MLP predicts an average sound of the patch.",
    "language": "A picture language model thinks about the place and writes stereo sound in tokens.",
    "all": "Flow, MLP and Language on the same click and seed, side by side.",
}
TEMPERATURE = "Temperature"
TEMPERATURE_INFO = "Language only: more is bolder; 0 takes the likeliest token and drones on."
TOP_K = "Top-k"
TOP_K_INFO = "Language only: how many of the likeliest tokens may be drawn."

LOOKED = "Where the tokens looked"
LOOKED_FIRST = ("Hear this place with Language first.", "The map then shows where its tokens looked.")
EARS = "Between the two ears"
EVEN_DB, EVEN_S = 0.05, 0.5e-6  # below these the page would print a nought
MIDDLE = 0.05  # of the picture's width to either side


def writing(step: Writing, take: int = 0, takes: int = 1) -> str:
    """take: counted from 0, of so many that are made one after the other."""
    which = f"Take {take + 1} of {takes}: writing" if takes > 1 else "Writing"
    return f"{which} tokens, {step.done} of {step.total}"


def timeline(tokens: Tokens) -> str:
    each = f"Each column is {1000 / tokens.per_second:.0f} ms: one code from each codebook for each ear."
    kept = f" Of {tokens.takes} takes the classifier kept number {tokens.take + 1}." if tokens.takes > 1 else ""
    return f"{each} Row 1 is the coarsest; the colour tells the code.{kept}"


def looked(times: float) -> str:
    """times: its even share."""
    return f"put {times:.1f} times an even share on the clicked place"


def ears(level_db: float, lead_s: float, aside: float) -> tuple[str, str]:
    """(what sets the ears apart, whether it follows the click). level_db: of the right ear over the left; lead_s: by
    which the right ear leads; aside: of the clicked patch, as a share of the width, from the middle to the right."""
    louder = "" if abs(level_db) < EVEN_DB else side(level_db)
    first = "" if abs(lead_s) < EVEN_S else side(lead_s)
    level, time = f"{abs(level_db):.1f} dB louder", f"{abs(lead_s) * 1e6:.0f} µs earlier"
    if louder and louder == first:
        apart = f"{louder} ear {level} and {time}"
    else:
        apart = ", ".join(
            (f"{louder} ear {level}" if louder else "both as loud", f"{first} ear {time}" if first else "at one time")
        )
    if abs(aside) < MIDDLE:
        return apart, "The click was in the middle, where both ears should hear alike."
    clicked = side(aside)
    told = {
        (True, True): "level and time follow it",
        (True, False): "the level follows it, the time doesn't",
        (False, True): "the time follows it, the level doesn't",
        (False, False): "neither level nor time follows it",
    }
    return apart, f"The click was {clicked} of the middle: {told[louder == clicked, first == clicked]}."


def side(signed: float) -> str:
    return "right" if signed > 0 else "left"
