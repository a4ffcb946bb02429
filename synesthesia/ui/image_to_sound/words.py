"""Texts of the tab "Hear"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synesthesia.ui.shared.cards import guide, readable
from synesthesia.ui.shared.words import detail, place
from synesthesia.ui.vlm_to_sound.words import ATTENTION_FIRST

if TYPE_CHECKING:
    from synesthesia.core.results import Heard, SceneHeard

TAB = "Hear"
PHOTO = "Photograph: click a place to hear it"
OVERLAYS = ("Photo", "Patches", "Where it sounds", "Similar places", "Features", "Attention")
HEAR = "Hear this patch"

GENERATORS = {"flow": "Flow", "mlp": "MLP", "language": "Language", "all": "Compare"}
GENERATOR = "Generator"
GENERATOR_NOTES = {
    "flow": "Flow samples a new sound for the patch.",
    "mlp": "MLP predicts an average sound for the patch.",
    "language": "A vision-language model encodes the place and generates stereo sound as tokens.",
    "all": "Flow, MLP and Language on the same click and seed, side by side.",
}
TAKES = "Takes"
TAKES_ALL = "Takes: one of each"
SETTINGS = "Settings: length, seed, sampling"
ANYWAY = "Generate anyway"

ONE, SWEEP, SCENE = "One patch", "Sweep a row", "Whole scene"
SWEEP_ABOUT = (
    "Generates every patch of one row from left to right. Each sound is shown and played as soon as it is ready."
)
SWEEP_START, SWEEP_STOP = "Sweep this row", "Stop"
SWEEP_SECONDS = "Length of each (s)"
SCENE_ABOUT = "Finds the places most likely to make a sound and mixes them, louder where the model is more certain."
SCENE_START = "Hear the whole scene"

START = ("Click anywhere in the photograph.", "Or use your own: upload it, drop it here, or paste it.")
GUIDE = guide(
    ("Click something", "that could make a sound: an animal, an engine, water, a cup."),
    ("Listen.", "One network reads the features of that patch and another generates a matching sound; no recording is "
     "played back."),
    ("See why:", "what a classifier hears in it, the nearest training sounds, and a recipe that gives the same samples "
     "again. Where no sound is likely, the model stays silent."),
)  # fmt: skip
SCENE_GENERATING = "Generating the scene …"
SCENE_SILENT = ("No likely sound in this photograph", "Single patches can be generated anyway.")
ORANGE_BLUE = "Orange: likely to make a sound. Blue: silent."
OVERLAY_NOTES: tuple[tuple[str, str] | None, ...] = (
    None,
    ("These are the patches.", "Each one has its own sound, or none."),
    (ORANGE_BLUE, "Probability of a sound, patch by patch."),
    ("Click a place first.", "The map then shows which patches look similar to the network."),
    ("Patches of one colour look similar to the network.", "First three principal components of the patch features."),
    ATTENTION_FIRST,
)
LEGENDS = ("", "", ORANGE_BLUE, "Orange: similar to the clicked patch. Blue: different.", "",
           "Orange: much attention. Blue: little.")  # fmt: skip


def silent(sound: Heard) -> tuple[str, str]:
    """(headline, detail) of an abstention."""
    where = place(sound.row, sound.col).capitalize()
    return "No likely sound here", f"Generate one anyway? · {where} · presence {sound.presence:.2f}"


def sound_name(label: str) -> str:
    """impact_ceramic: ceramic being struck."""
    struck = label.removeprefix("impact_")
    return f"{readable(struck)} being struck" if struck != label else readable(label)


def recognised_as(sound: Heard) -> str:
    """What the place was recognised as: the commonest label of the nearest training sounds.

    What the classifier hears in the result is a separate check.
    """
    near = [each.label for each in sound.evidence.neighbours]
    if near:
        return sound_name(max(near, key=near.count))
    return sound_name(sound.evidence.labels[0].label) if sound.evidence.labels else "something"


def sounds_like(sound: Heard) -> str:
    """Claims the likeness only where it is among the classifier's first three labels."""
    name = recognised_as(sound)
    best = [sound_name(each.label) for each in sound.evidence.labels[:3]]
    if not best or name in best:
        return f"Sounds like {name}"
    return f"Recognised as {name}, but the result sounds more like {best[0]}"


def heard(sound: Heard, took_s: float) -> tuple[str, str]:
    """(headline, detail) of one sound."""
    best = sound.evidence.labels[:1]
    return sounds_like(sound), detail(
        place(sound.row, sound.col).capitalize(), f"presence {sound.presence:.2f}",
        *(f"classifier: {readable(each.label)} ({each.score:.2f})" for each in best),
        f"{sound.seconds:.1f} s, generated in {took_s:.1f} s",
    )  # fmt: skip


def scene(mix: SceneHeard) -> tuple[str, str]:
    names = dict.fromkeys(recognised_as(stem.heard) for stem in mix.stems)
    places = "place" if len(mix.stems) == 1 else "places"
    return (
        f"{len(mix.stems)} sounding {places} found",
        f"{', '.join(names)} · louder where the model is more certain",
    )


def sweeping(row: int) -> tuple[str, str]:
    return f"Row {row}, patch by patch", "The list shows what each patch sounds like."


def sweep_note(row: int, done: int, total: int) -> str:
    return f"Row {row}: {done} of {total} patches"


def sweep_done(row: int, sounds: list[Heard], total: int) -> str:
    voiced = sum(not each.silent for each in sounds)
    if len(sounds) < total:
        return f"Stopped after {len(sounds)} of {total} patches; {voiced} make a sound. All of them as one clip:"
    return f"Row {row}: {voiced} of {total} patches make a sound. The whole row as one clip:"
