"""Every sentence of the page, in one place, so that they can be read together and stay of one voice."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from synesthesia.ui.vlm_to_sound import words as token_words

if TYPE_CHECKING:
    from synesthesia.core.results import Heard, Located, SceneHeard

TITLE = "Synesthesia"
SENTENCE = "Click a place in a photograph and hear what it sounds like."
SENTENCE_BOTH = "Hear a place in a photograph, strike it, and see where a sound comes from."
TAB = "Hear"

UPLOAD = "Upload a photograph"
PHOTO = "Photograph: click a place to hear it"
OVERLAYS = ("Photo", "Patches", "Where it sounds", "Similar places", "Features", "Where it looked")
OVERLAY = "Show on the photograph"
ROW, COLUMN = "Row", "Column"
HEAR = "Hear this patch"

VOICES = {"flow": "Flow", "mlp": "MLP", "language": "Language", "all": "Compare"}
VOICE = "Generator"
TAKES = "Takes"
TAKES_ALL = "Takes: one of each"
AUTOPLAY = "Play at once"
SETTINGS = "Settings: length, seed, sampling"
SECONDS = "Length (s)"
SEED = "Seed"
SEED_INFO = "The same seed gives the same samples."
GUIDANCE = "Guidance"
GUIDANCE_INFO = "How closely Flow and Language follow the patch."
STEPS = "Steps"
STEPS_INFO = "Flow's sampling steps; more is slower."
ANYWAY = "Sound anyway"
ANYWAY_INFO = "Also where the model would rather stay silent."
ANYWAY_BUTTON = "Sound anyway"
WAV, RECIPE = "WAV", "Recipe (JSON)"

ONE, SWEEP, SCENE = "One patch", "Sweep a row", "Whole scene"
SWEEP_ABOUT = "Hears every patch of one row from left to right. Sounds appear, and play, as they come."
SWEEP_START, SWEEP_STOP = "Sweep this row", "Stop"
SWEEP_SECONDS = "Length of each (s)"
SCENE_ABOUT = "Mixes the places that sound, each as loud as it is present, and lists them one by one."
SCENE_START = "Hear the whole scene"

START = ("Click anywhere in the photograph.", "Or use your own: upload it, drop it here, or paste it.")
GUIDE = (
    "<div class='guide'><ol>"
    "<li><span>1</span><div><b>Click a thing</b> that could sound: an animal, an engine, water, a cup.</div></li>"
    "<li><span>2</span><div><b>Listen.</b> A network reads the features of that very patch and a second one "
    "makes up a fitting sound; no recording is played back.</div></li>"
    "<li><span>3</span><div><b>See why:</b> what a classifier hears in it, the nearest training sounds, and a recipe "
    "that gives the same samples again. Where nothing sounds, it stays silent and says so.</div></li></ol></div>"
)
NO_PHOTO = "Choose or upload a photograph first."
SILENT_SMALL = "The model abstains rather than invent a noise. It can be told to sound anyway."
UNEXPECTED = "Something went wrong on our side; nothing is lost, please try again."
BUSY = "Many people are listening right now; please try again in a moment."

PRIVACY = "Photographs and clips stay on the machine that runs this page and are deleted within two hours."
ABOUT = "Models, licences, limits, how to cite"
NO_CELL = "Type a row and a column first."
EMPTY = {  # setting -> what is said when its field was left empty
    "seed": "Type a seed first; any whole number from 0 will do.",
    "seconds": "Choose a length first, 1 to 10 seconds.",
}
LISTENING = "Listening …"
SCENE_LISTENING = "Listening to every place …"
SCENE_SILENT = ("Nothing in this photograph makes a sound.", "Single patches can be told to sound anyway.")
OVERLAY_NOTES: tuple[tuple[str, str] | None, ...] = (
    None,
    ("These are the patches.", "Each one has a sound of its own, or none."),
    ("Pale places surely sound, dark ones stay silent.", "Presence from 0 to 1, patch by patch."),
    ("Click a place first.", "The map then shows what looks alike to the network."),
    ("Places of one colour look alike to the network.", "First three principal components of the patch features."),
    token_words.LOOKED_FIRST,
)


def place(row: int, col: int) -> str:
    return f"row {row}, column {col}"


def masthead(preset: str, *, locating: bool = False) -> str:
    """locating: the page has the tab "Locate" too."""
    where = "small models, all on this machine" if preset == "embedded" else "models from the hub"
    return (
        f"<div id='masthead'><h1>{TITLE}</h1><p>{SENTENCE_BOTH if locating else SENTENCE}</p>"
        f"<span class='pill'>{escape(preset)} · {where}</span></div>"
    )


def verdict(big: str, small: str = "", kind: str = "", below: str = "") -> str:
    """kind: '' | 'quiet' | 'wrong' | 'busy' (styles of the card); texts are escaped here. below: HTML that changes a
    few times a second; a card that has it is not read aloud anew each time."""
    live = "" if below else " role='status' aria-live='polite'"
    return (
        f"<div class='verdict {kind}'{live}>"
        f"<div class='big'>{escape(big)}</div><div class='small'>{escape(small)}</div>{below}</div>"
    )


def silent(presence: float) -> str:
    return f"Nothing here makes a sound (presence {presence:.2f})"


def grid_note(rows: int, cols: int) -> str:
    return f"{rows} rows and {cols} columns of patches, counted from 0 at the top left"


def named(sound: Heard) -> str:
    """What this place was taken for: the commonest label of the training sounds that led to it, nearest first.

    What the classifier then hears in the result is told apart from it, as a check.
    """
    near = [each.label for each in sound.evidence.neighbours]
    if near:
        return max(near, key=near.count).replace("_", " ")
    return sound.evidence.labels[0].label.replace("_", " ") if sound.evidence.labels else "something"


def sounds_like(sound: Heard) -> str:
    """Claims the likeness only where the classifier hears it too, among its first three."""
    name = named(sound)
    best = [each.label.replace("_", " ") for each in sound.evidence.labels[:3]]
    return f"Sounds like {name}" if not best or name in best else f"Taken for {name}"


def heard(sound: Heard, took_s: float) -> tuple[str, str]:
    """(big, small) sentence of one sound."""
    check = ""
    if sound.evidence.labels:
        best = sound.evidence.labels[0]
        check = f" · our classifier hears {best.label.replace('_', ' ')} ({best.score:.2f})"
    return (
        sounds_like(sound),
        f"{place(sound.row, sound.col).capitalize()} · presence {sound.presence:.2f}{check}"
        f" · {sound.seconds:.1f} s, made in {took_s:.1f} s",
    )


def scene(mix: SceneHeard) -> tuple[str, str]:
    names = [named(stem.heard) for stem in mix.stems]
    several = "place sounds" if len(mix.stems) == 1 else "places sound"
    return (f"{len(mix.stems)} {several}", ", ".join(dict.fromkeys(names)))


def sweeping(row: int) -> tuple[str, str]:
    return (f"Row {row}, patch by patch", "What each one sounds like is in the list.")


def sweep_note(row: int, done: int, total: int) -> str:
    return f"Row {row}: {done} of {total} patches"


def sweep_done(row: int, sounds: list[Heard], total: int) -> str:
    voiced = sum(not each.silent for each in sounds)
    if len(sounds) < total:
        return f"Stopped after {len(sounds)} of {total} patches, {voiced} sound. What came, in one piece:"
    return f"Row {row}: {voiced} of {total} patches sound. The whole row in one piece:"


# ---- the tab "Locate" ------------------------------------------------------------------------------------------------

LOCATE = "Locate"
CLIP = "Binaural clip: upload or record"
HEADPHONES = "Use headphones: left and right are the clip's two ears, and loudspeakers mix them up."
LOCATE_START = ("Which way does a sound come from?", "Place one around a head, or upload a recording made at two ears.")
LOCATE_GUIDE = (
    "<div class='guide'><ol>"
    "<li><span>1</span><div><b>Make a clip:</b> choose a sound, drag the dot around the head, press the button. "
    "Or upload a binaural recording: two channels, made at the two ears.</div></li>"
    "<li><span>2</span><div><b>Listen with headphones</b> and point to where you hear it.</div></li>"
    "<li><span>3</span><div><b>Compare:</b> the dial shows every direction with its probability, how sure the model "
    "is, and what a plain time-difference method says; maps show which moments and pitches decided.</div></li>"
    "</ol></div>"
)
LOCATING = "Listening with two ears …"
PLACING = "Placing the sound …"
NO_CLIP = "Upload or record a clip first."

PLACE = "Make a test clip"
PLACE_SOUND = "Sound"
PLACE_SOUNDS = {
    "dog": "Dog", "bird": "Bird", "rain": "Rain", "clock": "Clock", "babble": "Voices", "ball": "Ball",
    "noise": "Noise", "clicks": "Clicks",
}  # fmt: skip
PLACE_AZIMUTH = "Azimuth (°)"
PLACE_ELEVATION = "Elevation (°)"
PLACE_ROOM = "Room"
PLACE_ROOMS = {"none": "None", "small": "Small", "large": "Large"}
PLACE_SNR = "Signal over noise (dB)"
PLACE_MORE = "Height, noise, take"
PLACE_SEED = "Take"
PLACE_MAKE = "Place it and locate it"

CLIP_FILE, BEARINGS_FILE = "Clip", "All numbers (JSON)"
MODEL, INTERVAL, BASELINE, TRUTH, SECOND, HEIGHT = (
    "Model", "90 % interval", "GCC-PHAT", "Truth", "Second source", "Height",
)  # fmt: skip
NO_SECOND, SECOND_LIKELY = "none", "a second one:"
BASELINE_NOTE = "front half only"
MAPS_ABOUT = "What the answer rests on: brighter cells counted more. 1 is what each would get if all counted alike."
SPECTROGRAM, LEVEL_MAP, PHASE_MAP, TRACK = (
    "Spectrogram, both ears", "Level differences (ILD branch)", "Time differences (ITD branch)",
    "Direction from moment to moment, fainter where the clip is quiet",
)  # fmt: skip
WAYS = {0: "front", 90: "right", 180: "back", -90: "left"}
HEIGHTS = {"below": "below the ears", "level": "about level", "above": "above the ears"}
NO_DIRECTION = "No direction is claimed; the ring shows what the model would guess."

ASK = "Ask about this clip"
ASK_LABEL = "Your question"
ASK_HOLDER = "Type a question"
ASK_SEND = "Ask"
ASK_FIRST = "What do you hear, and where does it come from?"
ASK_CHIPS = (
    "What is it?", "Where is it?", "Which side?", "In front or behind?", "How many sounds?",
    "它在哪里？", "这是什么声音？",
)  # fmt: skip
ASK_NOTE = (
    "A very small model of this project's own: it knows these questions and about a hundred sounds, in English and "
    "Chinese."
)
ASK_NO_DIRECTION = "This clip holds no direction: the model can only tell what it hears, not where."
ASK_OWN = "This is the small language model's own reading; the dial above is the more precise one."
ANSWERING = "Listening again …"


def degrees(azimuth_deg: float) -> str:
    """38° right, 120° left, 0°, 180°."""
    whole = round(abs(azimuth_deg))
    return f"{whole}°" if whole in (0, 180) else f"{whole}° {'right' if azimuth_deg > 0 else 'left'}"


def arc(low_deg: float, high_deg: float) -> str:
    """An arc, clockwise from low to high, in words that don't fit the rest of the circle: 27° right to 59° right;
    10° left to 20° right; 150° right, round the back, to 160° left. Of a very wide one the part left out is named."""
    wide = (high_deg - low_deg) % 360 or 360
    low, high = turned(round(low_deg)), turned(round(high_deg))
    if low == high:
        return "anywhere" if wide > 180 else degrees(low)
    if (high - low) % 360 > 270:
        return f"almost anywhere: all but {arc(high, low)}"
    by = way(low, high)
    return f"{degrees(low)}, round the {by}, to {degrees(high)}" if by else f"{degrees(low)} to {degrees(high)}"


def way(low_deg: int, high_deg: int) -> str:
    """What an arc of whole degrees passes, where its two ends alone leave that open; else empty.

    The ends alone mean the narrow way, by the front where they are on two sides.
    """
    wide = (high_deg - low_deg) % 360
    on_right = 0 <= low_deg < 180, 0 < high_deg <= 180  # of what lies next to each end, inside the arc
    passed = {(True, False): 180, (False, True): 0, (True, True): 90, (False, False): -90}[on_right]
    if on_right[0] == on_right[1] and wide > 180:
        passed = -passed  # it goes all round the other side
    bare = {low_deg, high_deg} == {0, 180}  # two ends without a side
    return WAYS[passed] if wide > 180 or passed == 180 or bare else ""


def turned(azimuth_deg: int) -> int:
    """The same direction in (-180, 180]."""
    return 180 - (180 - azimuth_deg) % 360


def located(found: Located, truth_deg: float | None) -> tuple[str, str, str]:
    """(big, small, kind) of the card: the direction, or why there is none."""
    from synesthesia.binaural.geometry import OCTANTS, octant

    if found.kind != "stereo":
        return "No direction in this clip", found.warning, "quiet"
    truth = "" if truth_deg is None else f"It was put at {degrees(truth_deg)}: {off(found.azimuth_deg, truth_deg)}."
    name, where = OCTANTS[octant(found.azimuth_deg)], degrees(found.azimuth_deg)
    if name not in ("front", "back"):
        where = where.split(" ")[0]  # the name says the side already
    return f"{name.capitalize()}, {where}", " ".join(filter(None, (found.sentence, truth, found.warning))), ""


def off(azimuth_deg: float, truth_deg: float) -> str:
    from synesthesia.binaural.geometry import difference

    return f"off by {abs(difference(azimuth_deg, truth_deg)):.0f}°"
