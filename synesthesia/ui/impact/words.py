"""Every sentence of the tab "Tap", and how its quantities are written: two figures, in the unit that a person uses.

Quantities: "21 cm", "13 to 34 cm", "1.2 GPa", "31 ms". Counts and shares keep their own form.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synesthesia.core.results import Estimate, Heard, Impact, PhysicsState
    from synesthesia.ui.impact.strike_path import Clip

TAP = "Tap"
PHOTO = "Photograph: click a place to strike it, or drag across several"
OVERLAYS = ("Photo", "Materials", "Certainty")
STRIKE = "Strike"
FORCE = "Force (N)"
MALLETS = {"finger": "Finger", "wood": "Wood", "metal": "Metal"}
MALLET = "Mallet"
SECONDS = "Length (s)"
AUTOPLAY = "Play at once"

START = ("Click a thing and hear it struck there.", "Drag across the photograph to strike along the way.")
LOOKING = ("Looking at the photograph …", "What each place is made of, before anything is struck.")
STRIKING = "Striking along the way …"
KNOCK = "nothing in it rings below 8 kHz, only the knock is heard"
QUIET_DB = -33.0  # below this peak a blow is told to be quiet
NOTHING_SMALL = "Sky and what lies far away, for one, can't be struck. It can be told to strike anyway."
ANYWAY = "Strike anyway"
NO_PATH = "That was no place on the photograph; please try again."
EMPTY = {  # control -> what is said when its field was left empty
    "force": "Choose a force first, 0.5 to 50 newtons.",
    "seconds": "Choose a length first, 1 to 10 seconds.",
}
GUIDE = (
    "<div class='guide'><ol>"
    "<li><span>1</span><div><b>Click a thing</b>, or drag across several. Choose how hard, and with what.</div></li>"
    "<li><span>2</span><div><b>Listen.</b> The place is read as a physical thing: material, size, wall, stiffness. Its "
    "modes follow from these numbers, and the sound from the modes; no recording is played back.</div></li>"
    "<li><span>3</span><div><b>Ask what if:</b> the very same blow on the same thing made of metal, or four times as "
    "large.</div></li></ol></div>"
)

STATE = "Physics state"
STATE_ABOUT = (
    "Read off the photograph; nothing was measured. A band holds the true value in nine cases of ten: where it is "
    "wide, the picture leaves it open. Hollow and solid things, for one, often look alike."
)
MATERIAL, SHAPE, CODE = "Material", "Shape", "Material code"
MEANINGS = "What these numbers mean"
CODE_ABOUT = (
    "The codebook was learnt from pictures without any names. A code is called after the material that most of its "
    "training patches were of; purity is their share."
)
FIGURE_ABOUT = "Predicted before there was a sound: the envelope (line, with its 90 % band) and the modes."
MODES, ENVELOPE, BAND = "modes, each as long as it rings", "predicted envelope (RMS)", "its 90 % band"

WHAT_IF = "What if it were something else?"
WHAT_IF_ABOUT = "The very same blow (place, force, mallet, seed) on this thing as if it were another."
AS_MATERIAL, AS_SEEN = "Material", "as seen"
PLAYER_A, PLAYER_B = "A: as seen", "B: what if"
SIZE = "Size"
SIZES = {0.25: "×0.25", 0.5: "×0.5", 1.0: "×1", 2.0: "×2", 4.0: "×4"}
LARGE = {0.25: "a quarter as large", 0.5: "half as large", 2.0: "twice as large", 4.0: "four times as large"}
AGAIN_NOTHING = "Choose a material or a size"
NOT_STRUCK = "Strike something first."
PLAY = "Play"
RECIPES = "Recipes (JSON)"

CERTAIN = ("unsure", "sure")
VEILED = "nothing to strike"
CASES = "Things nobody can name"
CASES_HEAD = ("Thing", "True material", "By its name", "By its state", "Sound by name", "Sound by state")
CASES_ABOUT = (
    "Rendered things that no name fits, and that training never showed. The last two columns say how far the sound's "
    "spectrum is from the computed truth, in dB: less is better."
)


# ---- quantities ------------------------------------------------------------------------------------------------------
Unit = tuple[float, str]  # how many of the quantity's own units it is, its sign
LENGTHS: tuple[Unit, ...] = ((1.0, "m"), (0.01, "cm"), (0.001, "mm"))
PRESSURES: tuple[Unit, ...] = ((1e9, "GPa"), (1e6, "MPa"), (1e3, "kPa"))
TIMES: tuple[Unit, ...] = ((1.0, "s"), (1e-3, "ms"))
DENSITIES: tuple[Unit, ...] = ((1.0, "kg/m³"),)
FREQUENCIES: tuple[Unit, ...] = ((1e3, "kHz"), (1.0, "Hz"))
SHARES: tuple[Unit, ...] = ((1.0, ""),)


def unit_for(value: float, units: tuple[Unit, ...]) -> Unit:
    """The largest unit of which there is at least one, else the smallest."""
    return next((unit for unit in units if two_figures(value) >= unit[0]), units[-1])


def two_figures(value: float) -> float:
    return float(f"{value:.2g}")


def amount(value: float, units: tuple[Unit, ...], unit: Unit | None = None) -> str:
    scale, sign = unit or unit_for(value, units)
    return f"{plain(value / scale)} {sign}".rstrip()


def plain(value: float) -> str:
    """Two figures, never as a power of ten: 0.31, 21, 650."""
    rounded = two_figures(value)
    return f"{rounded:.0f}" if abs(rounded) >= 10 else f"{rounded:g}"


def span(found: Estimate, units: tuple[Unit, ...]) -> str:
    """From low to high, the unit said once where it is one: 13 to 34 cm; 8 mm to 1.2 cm."""
    low, high = unit_for(found.low, units), unit_for(found.high, units)
    if low == high:
        return f"{plain(found.low / low[0])} to {amount(found.high, units, high)}"
    return f"{amount(found.low, units, low)} to {amount(found.high, units, high)}"


def share(value: float) -> str:
    return f"{value:.2f}"


def shares(found: Estimate) -> str:
    return f"{share(found.low)} to {share(found.high)}"


def scale_of(units: tuple[Unit, ...]) -> tuple[Callable[[float], str], Callable[[Estimate], str]]:
    """(how a value is written, how its interval is)."""
    return (lambda value: amount(value, units)), (lambda found: span(found, units))


def length(metres: float) -> str:
    return amount(metres, LENGTHS)


def newtons(force_n: float) -> str:
    return f"{force_n:g} N"


# ---- what is said of a blow ------------------------------------------------------------------------------------------
LIKELY = 0.6  # below this share the second likeliest material is named as well


def thing(blow: Impact) -> str:
    """wood, solid, 21 cm; a liquid has no shape of its own."""
    parts = [blow.material, "" if blow.material == "liquid" else blow.shape, length(blow.size_m)]
    return ", ".join(filter(None, parts))


def doubt(state: PhysicsState, called: str = "") -> str:
    """Which material it may be as well; empty where the first is likely enough. called: what it is struck as."""
    if len(state.materials) < 2 or state.materials[0].score >= LIKELY:
        return ""
    first, second = state.materials[:2]
    unsure = f"unsure: {first.label} {share(first.score)}, {second.label} {share(second.score)}"
    other = called and called != first.label
    return f"{unsure}; struck as {called}, which sounds least far from all of these" if other else unsure


def code(state: PhysicsState, called: str) -> str:
    """called: the material that most training patches of the code were of."""
    name = f", called {called}" if called else ""
    return f"code {state.code}{name}, purity {share(state.purity)}"


def struck(heard: Heard, called: str, took_s: float) -> tuple[str, str]:
    """(big, small) of one strike. called: as in `code`."""
    blow = heard.blow
    assert blow is not None, "a silent place was not struck"
    asked = f"Struck with {newtons(blow.force_n)} ({blow.mallet}): {thing(blow)}"
    small = (
        f"Row {heard.row}, column {heard.col}", code(blow.state, called), doubt(blow.state, called),
        "" if blow.rings else KNOCK, quiet(heard), f"seed {heard.recipe.seed}", made_in(took_s),
    )  # fmt: skip
    return asked, " · ".join(filter(None, small))


def quiet(heard: Heard) -> str:
    """Said of a blow that may be missed on a laptop's speakers."""
    peak_db = 20 * math.log10(max(float(np.abs(heard.waveform).max()), 1e-9))
    return f"very quiet (peak {peak_db:.0f} dBFS): strike harder or turn it up" if peak_db < QUIET_DB else ""


def dragged(clip: Clip, passed: int, took_s: float) -> tuple[str, str]:
    """(big, small) of the strikes of a drag. passed: places on its way, silent ones too."""
    blows = [strike.heard.blow for strike in clip.strikes if strike.heard.blow]
    names = ", ".join(dict.fromkeys(blow.material for blow in blows))
    left_out = f"{passed - len(blows)} with nothing to strike" if passed > len(blows) else ""
    seeds = [strike.heard.recipe.seed for strike in clip.strikes]
    small = (left_out, f"seeds {min(seeds)} to {max(seeds)}", f"the state is the last one's · {made_in(took_s)}")
    blow = blows[-1]
    big = f"Struck {len(blows)} places with {newtons(blow.force_n)} ({blow.mallet}): {names}"
    return big, " · ".join(filter(None, small))


def made_in(took_s: float) -> str:
    return f"made in {took_s:.2f} s"


def nothing(presence: float) -> str:
    return f"There seems to be nothing to strike here (presence {presence:.2f})"


def wish(material: str, size_factor: float) -> str:
    """In few signs: metal, ×2. Empty when nothing is other than as seen."""
    return ", ".join(filter(None, (material, SIZES[size_factor] if size_factor != 1.0 else "")))


def again(material: str, size_factor: float) -> str:
    """Of the button."""
    if not wish(material, size_factor):
        return AGAIN_NOTHING
    large = "" if size_factor == 1.0 else LARGE[size_factor]
    return f"Strike it again{f' as {material}' if material else ''}{f', {large}' if large else ''}"


def what_if(heard: Heard, took_s: float) -> tuple[str, str]:
    """(big, small) of the same blow on something else."""
    blow, material, factor = heard.blow, heard.recipe.material, heard.recipe.size_factor
    wished = " and ".join(filter(None, (material, "" if factor == 1.0 else LARGE[factor])))
    assert blow is not None, "a silent place was not struck"
    return (
        f"If it were {wished}: {thing(blow)}",
        f"Row {heard.row}, column {heard.col} · seed {heard.recipe.seed} · {made_in(took_s)}",
    )
