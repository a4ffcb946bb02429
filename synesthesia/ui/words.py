"""Every sentence of the page, in one place, so that they can be read together and stay of one voice."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.results import Heard, SceneHeard

TITLE = "Synesthesia"
SENTENCE = "Click a place in a photograph and hear what it sounds like."
TAB = "Hear"

UPLOAD = "Upload a photograph"
PHOTO = "Photograph: click a place to hear it"
OVERLAYS = ("Photo", "Patches", "Where it sounds", "Similar places", "Features")
OVERLAY = "Show on the photograph"
ROW, COLUMN = "Row", "Column"
HEAR = "Hear this patch"

VOICES = {"flow": "Flow", "mlp": "MLP", "both": "Both"}
VOICE = "Generator"
VOICE_INFO = "Flow samples a new sound, MLP predicts an average one; Both: side by side on one seed."
TAKES = "Takes"
AUTOPLAY = "Play at once"
SETTINGS = "Settings: length, seed, guidance, steps"
SECONDS = "Length (s)"
SEED = "Seed"
SEED_INFO = "The same seed gives the same samples."
GUIDANCE = "Guidance"
GUIDANCE_INFO = "How closely Flow follows the patch."
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

PRIVACY = "Photographs stay on the machine that runs this page and are deleted within two hours."
ABOUT = "Models, licences, limits, how to cite"
NO_CELL = "Type a row and a column first."
LISTENING = "Listening …"
SCENE_LISTENING = "Listening to every place …"
SCENE_SILENT = ("Nothing in this photograph makes a sound.", "Single patches can be told to sound anyway.")
OVERLAY_NOTES: tuple[tuple[str, str] | None, ...] = (
    None,
    ("These are the patches.", "Each one has a sound of its own, or none."),
    ("Pale places surely sound, dark ones stay silent.", "Presence from 0 to 1, patch by patch."),
    ("Click a place first.", "The map then shows what looks alike to the network."),
    ("Places of one colour look alike to the network.", "First three principal components of the patch features."),
)


def place(row: int, col: int) -> str:
    return f"row {row}, column {col}"


def masthead(preset: str) -> str:
    where = "small models, all on this machine" if preset == "embedded" else "models from the hub"
    return (
        f"<div id='masthead'><h1>{TITLE}</h1><p>{SENTENCE}</p>"
        f"<span class='pill'>{escape(preset)} · {where}</span></div>"
    )


def verdict(big: str, small: str = "", kind: str = "") -> str:
    """kind: '' | 'quiet' | 'wrong' | 'busy' (styles of the card); texts are escaped here."""
    return (
        f"<div class='verdict {kind}' role='status' aria-live='polite'>"
        f"<div class='big'>{escape(big)}</div><div class='small'>{escape(small)}</div></div>"
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


def heard(sound: Heard, took_s: float) -> tuple[str, str]:
    """(big, small) sentence of one sound."""
    check = ""
    if sound.evidence.labels:
        best = sound.evidence.labels[0]
        check = f" · our classifier hears {best.label.replace('_', ' ')} ({best.score:.2f})"
    return (
        f"Sounds like {named(sound)}",
        f"{place(sound.row, sound.col).capitalize()} · presence {sound.presence:.2f}{check}"
        f" · {sound.seconds:.1f} s, made in {took_s:.1f} s",
    )


def scene(mix: SceneHeard) -> tuple[str, str]:
    names = [named(stem.heard) for stem in mix.stems]
    several = "place sounds" if len(mix.stems) == 1 else "places sound"
    return (f"{len(mix.stems)} {several}", ", ".join(dict.fromkeys(names)))


def sweep_note(row: int, done: int, total: int) -> str:
    return f"Row {row}: {done} of {total} patches"


def sweep_done(row: int, sounds: list[Heard], total: int) -> str:
    voiced = sum(not each.silent for each in sounds)
    if len(sounds) < total:
        return f"Stopped after {len(sounds)} of {total} patches, {voiced} sound. What came, in one piece:"
    return f"Row {row}: {voiced} of {total} patches sound. The whole row in one piece:"
