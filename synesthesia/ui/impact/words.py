"""Texts of the tab "Tap"."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.core.recipe import ImpactRecipe
from synesthesia.ui.impact.quantities import length, share
from synesthesia.ui.impact.strike_path import struck_object
from synesthesia.ui.shared.cards import guide
from synesthesia.ui.shared.words import detail, place

if TYPE_CHECKING:
    from synesthesia.core.results import Heard, Impact, PhysicsState
    from synesthesia.ui.impact.strike_path import Clip

TAP = "Tap"
PHOTO = "Photograph: click a place to strike it, or drag across several"
OVERLAYS = ("Photo", "Materials", "Certainty")
STRIKE = "Strike"

START = ("Click an object to strike it.", "Drag to strike several places in a row.")
ANALYSING = ("Analysing the photograph …", "Its materials are predicted before anything is struck.")
NO_MODES = "no mode below 8 kHz, only the knock is audible"
QUIET_DB = -33.0  # a peak below this is reported as quiet
ANYWAY = "Strike anyway"
GUIDE = guide(
    ("Click an object", "or drag across several. Choose how hard, and with what."),
    ("Listen.", "The object's physical state is predicted: material, size, wall, stiffness. Its vibration modes follow "
     "from these numbers, and the sound from the modes; no recording is played back."),
    ("Ask what if:", "the same strike on the same object made of metal, or four times as large."),
)  # fmt: skip

STATE = "Physics state"
STATE_ABOUT = (
    "Predicted from the photograph, not measured. Each band is a 90 % interval; where it is wide, the picture leaves "
    "the value open. Hollow and solid objects, for example, often look alike."
)
MATERIAL, SHAPE, CODE = "Material", "Shape", "Material code"
MEANINGS = "What these numbers mean"
CODE_ABOUT = (
    "The codebook was learned from pictures without names. A code is named after the most frequent material of its "
    "training patches; purity is that material's share."
)
MODES, ENVELOPE, BAND = "modes, drawn for their decay time", "predicted envelope (RMS)", "its 90 % band"

WHAT_IF = "What if it were something else?"
WHAT_IF_ABOUT = "The same strike (place, force, mallet, seed) on this object with another material or size."
AS_SEEN = "as seen"
PLAYER_A, PLAYER_B = "A: as seen", "B: what if"
SIZE = "Size"
SIZES = {0.25: "×0.25", 0.5: "×0.5", 1.0: "×1", 2.0: "×2", 4.0: "×4"}
SIZES_IN_WORDS = {0.25: "a quarter as large", 0.5: "half as large", 2.0: "twice as large", 4.0: "four times as large"}
NO_VARIATION = "Choose a material or a size"
NOT_STRUCK = "Strike something first."
PLAY = "Play"
RECIPES = "Download recipes"

CERTAINTY_ENDS = ("uncertain", "certain")
VEILED = "nothing to strike"
CASES = "Objects without a name (test cases)"
CASES_HEAD = ("Object", "True material", "By its name", "By its state", "Sound by name", "Sound by state")
CASES_ABOUT = (
    "Rendered objects that no name fits and that were not in the training data. The last two columns give the distance "
    "of the sound's spectrum from the computed truth in dB; less is better."
)
CLEAR = 0.6  # below this probability of the likeliest material, the second is shown as well


def thing(blow: Impact) -> str:
    """wood, solid, 21 cm; a liquid has no shape of its own."""
    return ", ".join(
        filter(None, (blow.material, "" if blow.material == "liquid" else blow.shape, length(blow.size_m)))
    )


def doubt(state: PhysicsState, played_as: str = "") -> str:
    """The two likeliest materials, where the first is uncertain, and `played_as` if it is another one."""
    if len(state.materials) < 2 or state.materials[0].score >= CLEAR:
        return ""
    first, second = state.materials[:2]
    uncertain = f"uncertain: {first.label} {share(first.score)}, {second.label} {share(second.score)}"
    other = played_as and played_as != first.label
    return f"{uncertain}; played as {played_as}, the closest compromise" if other else uncertain


def code(state: PhysicsState, name: str) -> str:
    """name: most frequent material of the code's training patches."""
    return f"code {state.code}{f' ({name})' if name else ''}, purity {share(state.purity)}"


def strike_of(blow: Impact) -> str:
    return f"Struck with {blow.force_n:g} N ({blow.mallet})"


def struck(heard: Heard, code_name: str, took_s: float) -> tuple[str, str]:
    """(headline, detail) of one strike. code_name: as in `code`."""
    blow = struck_object(heard)
    what = thing(blow)
    return what[:1].upper() + what[1:], detail(
        strike_of(blow), place(heard.row, heard.col), doubt(blow.state, code_name), code(blow.state, code_name),
        "" if blow.rings else NO_MODES, quiet(heard), f"seed {heard.recipe.seed}", generated_in(took_s),
    )  # fmt: skip


def quiet(heard: Heard) -> str:
    """A warning for a strike that is easily missed on laptop speakers."""
    peak_db = 20 * math.log10(max(float(np.abs(heard.waveform).max()), 1e-9))
    return f"very quiet (peak {peak_db:.0f} dBFS): strike harder or turn it up" if peak_db < QUIET_DB else ""


def dragged(clip: Clip, passed: int, took_s: float) -> tuple[str, str]:
    """(headline, detail) of the strikes of a drag. passed: places on its path, silent ones included."""
    blows = [strike.blow for strike in clip.strikes]
    names = ", ".join(dict.fromkeys(blow.material for blow in blows))
    seeds = [strike.heard.recipe.seed for strike in clip.strikes]
    return f"{len(blows)} places struck: {names}", detail(
        strike_of(blows[-1]), f"{passed - len(blows)} with nothing to strike" if passed > len(blows) else "",
        f"seeds {min(seeds)} to {max(seeds)}", "the state below is the last one's", generated_in(took_s),
    )  # fmt: skip


def generated_in(took_s: float) -> str:
    return f"generated in {took_s:.2f} s"


def nothing(heard: Heard) -> tuple[str, str]:
    """(headline, detail) where there is nothing to strike."""
    return "Nothing to strike here", detail(
        "Sky and distant things can't be struck. Strike anyway?", place(heard.row, heard.col),
        f"presence {heard.presence:.2f}",
    )  # fmt: skip


def variation(material: str, size_factor: float) -> str:
    """Short: metal, ×2. Empty when nothing differs from as seen."""
    return ", ".join(filter(None, (material, SIZES[size_factor] if size_factor != 1.0 else "")))


def strike_again(material: str, size_factor: float) -> str:
    """Text of the button."""
    if not variation(material, size_factor):
        return NO_VARIATION
    large = "" if size_factor == 1.0 else SIZES_IN_WORDS[size_factor]
    return f"Strike it again{f' as {material}' if material else ''}{f', {large}' if large else ''}"


def what_if(heard: Heard, took_s: float) -> tuple[str, str]:
    """(headline, detail) of the same strike on something else."""
    blow, recipe = struck_object(heard), heard.recipe
    assert isinstance(recipe, ImpactRecipe), "it was struck"
    large = "" if recipe.size_factor == 1.0 else SIZES_IN_WORDS[recipe.size_factor]
    return f"If it were {' and '.join(filter(None, (recipe.material, large)))}: {thing(blow)}", detail(
        strike_of(blow), place(heard.row, heard.col), f"seed {recipe.seed}", generated_in(took_s)
    )
