"""Texts of the tab "Locate", and directions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synesthesia.binaural.geometry import OCTANTS, angle_difference, octant
from synesthesia.ui.shared.cards import guide

if TYPE_CHECKING:
    from synesthesia.core.results import Located

LOCATE = "Locate"
CLIP = "Binaural clip: upload or record"
HEADPHONES = "Use headphones: loudspeakers mix the two ear channels."
START = ("Where does a sound come from?", "Render a test clip, or upload a binaural recording.")
GUIDE = guide(
    ("Make a clip:", "choose a sound, drag the dot around the head, press the button. Or upload a binaural recording: "
     "two channels, recorded at the two ears."),
    ("Listen with headphones", "and point to where you hear it."),
    ("Compare:", "the dial shows the probability of every direction, the 90 % interval, and the result of a plain "
     "time-difference method; maps show which moments and frequencies decided."),
)  # fmt: skip
LOCATING = "Locating …"
RENDERING = "Rendering …"

TEST_CLIP = "Make a test clip"
SOUNDS = {
    "dog": "Dog", "bird": "Bird", "rain": "Rain", "clock": "Clock", "babble": "Voices", "ball": "Ball",
    "noise": "Noise", "clicks": "Clicks",
}  # fmt: skip
ROOMS = {"none": "None", "small": "Small", "large": "Large"}
MORE = "Elevation, noise, seed"
RENDER = "Render and locate"

CLIP_FILE, NUMBERS_FILE = "Download clip", "Download numbers (JSON)"
MODEL, INTERVAL, BASELINE, TRUTH, SECOND, ELEVATION = (
    "Model", "90 % interval", "GCC-PHAT", "True direction", "Second source", "Elevation",
)  # fmt: skip
NO_SECOND = "none"
BASELINE_NOTE = "front half only"
MAPS_ABOUT = "Attention of the model: brighter cells counted more. 1 is the average."
SPECTROGRAM, LEVEL_MAP, PHASE_MAP, TRACK = (
    "Spectrogram, both ears", "Level differences (ILD branch)", "Time differences (ITD branch)",
    "Direction over time, fainter where the clip is quiet",
)  # fmt: skip
DIRECTIONS = {0: "front", 90: "right", 180: "back", -90: "left"}
ELEVATIONS = {"below": "below the ears", "level": "about level", "above": "above the ears"}
NO_DIRECTION = "This clip holds no direction; the ring shows the model's guess."


def degrees(azimuth_deg: float) -> str:
    """38° right, 120° left, 0°, 180°."""
    whole = round(abs(azimuth_deg))
    return f"{whole}°" if whole in (0, 180) else f"{whole}° {'right' if azimuth_deg > 0 else 'left'}"


def arc(low_deg: float, high_deg: float) -> str:
    """An arc, clockwise from low to high, in words that can't mean the rest of the circle: 27° right to 59° right;
    10° left to 20° right; 150° right, round the back, to 160° left. For a very wide one the part left out is given."""
    width = (high_deg - low_deg) % 360 or 360
    low, high = wrapped(round(low_deg)), wrapped(round(high_deg))
    if low == high:
        return "anywhere" if width > 180 else degrees(low)
    if (high - low) % 360 > 270:
        return f"almost anywhere: all but {arc(high, low)}"
    via = via_direction(low, high)
    return f"{degrees(low)}, round the {via}, to {degrees(high)}" if via else f"{degrees(low)} to {degrees(high)}"


def via_direction(low_deg: int, high_deg: int) -> str:
    """The direction that an arc of whole degrees passes, where its two ends alone are ambiguous; else empty.

    The ends alone mean the narrow arc, through the front where they are on two sides.
    """
    width = (high_deg - low_deg) % 360
    on_right = 0 <= low_deg < 180, 0 < high_deg <= 180  # of the arc's own neighbourhood of each end
    passed = {(True, False): 180, (False, True): 0, (True, True): 90, (False, False): -90}[on_right]
    if on_right[0] == on_right[1] and width > 180:
        passed = -passed  # it goes round the other side
    no_side = {low_deg, high_deg} == {0, 180}
    return DIRECTIONS[passed] if width > 180 or passed == 180 or no_side else ""


def wrapped(azimuth_deg: int) -> int:
    """The same direction in (-180, 180]."""
    return 180 - (180 - azimuth_deg) % 360


def located(found: Located, truth_deg: float | None) -> tuple[str, str, str]:
    """(headline, detail, kind) of the card: the direction, or why there is none."""
    if found.kind != "stereo":
        return "No direction in this clip", found.warning, "quiet"
    truth = "" if truth_deg is None else f"{TRUTH}: {degrees(truth_deg)}, {off(found.azimuth_deg, truth_deg)}."
    name, where = OCTANTS[octant(found.azimuth_deg)], degrees(found.azimuth_deg)
    if name not in ("front", "back"):
        where = where.split(" ")[0]  # the name already includes the side
    return f"{name.capitalize()}, {where}", " ".join(filter(None, (found.sentence, truth, found.warning))), ""


def off(azimuth_deg: float, truth_deg: float) -> str:
    return f"off by {abs(angle_difference(azimuth_deg, truth_deg)):.0f}°"
