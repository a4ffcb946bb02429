"""Which component sets off which handler of the tab "Hear", and what each may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.ui.image_to_sound.events import HearEvents, Settings, Update, guarded
from synesthesia.ui.image_to_sound.session import Halt, Session
from synesthesia.ui.image_to_sound.sweep_events import ManyEvents
from synesthesia.ui.image_to_sound.tab import voice_note
from synesthesia.ui.shared import examples as pictures
from synesthesia.ui.shared import words
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.tab import HearTab

PRIVATE = "private"  # only the named endpoint of `hear_api` is for programs
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": PRIVATE}
# One after another, so that a slow answer never puts an older photograph back over a newer one. Each event is kept:
# with "always_last", gradio 6.31 sends a click made during another with the first one's coordinates.
IN_ORDER: dict[str, Any] = {"concurrency_id": "hear", "trigger_mode": "multiple"}


def connect(page: gr.Blocks, studio: Studio, tab: HearTab) -> None:
    """Attach every event of the tab."""
    one = HearEvents(studio, tab)
    photo_events(page, tab, one)
    listening_events(tab, one)
    many_events(tab, ManyEvents(studio, tab, one))


def photo_events(page: gr.Blocks, tab: HearTab, one: HearEvents) -> None:
    side, session = tab.side, tab.session
    changed = [session, side.photo, side.overlay, tab.verdict, tab.anyway_button]
    changed += [part for take in tab.takes for part in (take.column, take.figure, take.tokens)]

    def first() -> Iterator[Update]:
        yield {side.examples: pictures.thumbnails()}
        yield from guarded(tab, one.open_photo(lambda: pictures.open_example(pictures.EXAMPLES[0]), Halt()))

    def example(halt: Halt, event: gr.SelectData) -> Iterator[Update]:
        chosen = pictures.EXAMPLES[int(event.index)]
        yield from guarded(tab, one.open_photo(lambda: pictures.open_example(chosen), halt))

    def upload(path: str, halt: Halt) -> Iterator[Update]:
        yield from guarded(tab, one.open_photo(lambda: read_image(path), halt))

    def overlay(state: Session, kind: str) -> Iterator[Update]:
        yield from guarded(tab, one.change_overlay(state, kind))

    halt = tab.sweep.halt
    page.load(first, None, [side.examples, *changed], **QUIET, **IN_ORDER)
    side.examples.select(example, [halt], changed, **QUIET, **IN_ORDER)
    side.upload.upload(upload, [side.upload, halt], changed, **QUIET, **IN_ORDER)
    side.overlay.input(overlay, [session, side.overlay], [session, side.photo, tab.verdict], **QUIET, **IN_ORDER)


def listening_events(tab: HearTab, one: HearEvents) -> None:
    side, session, controls = tab.side, tab.session, tab.controls.parts()
    parts = [part for take in tab.takes for part in take.parts()]
    changed = [session, side.photo, side.row, side.col, tab.verdict, tab.guide, tab.anyway_button, tab.ways, *parts]

    def click(state: Session, halt: Halt, event: gr.SelectData, *values: Any) -> Iterator[Update]:
        halt.asked = True  # a sweep would go on to draw its own outlines
        x, y = event.index
        yield from guarded(tab, one.click(state, float(x), float(y), Settings(*values)))

    def by_hand(state: Session, halt: Halt, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        halt.asked = True
        yield from guarded(tab, one.by_hand(state, row, col, Settings(*values)))

    def anyway(state: Session, halt: Halt, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        halt.asked = True
        yield from guarded(tab, one.by_hand(state, row, col, replace(Settings(*values), anyway=True)))

    def voice(chosen: str) -> tuple[str, gr.Radio]:
        """One of each is all that "Compare" makes."""
        each = chosen == "all"
        return voice_note(chosen), gr.Radio(interactive=not each, label=words.TAKES_ALL if each else words.TAKES)

    settings = IN_ORDER | {"show_progress": "minimal", "show_progress_on": tab.verdict, "api_visibility": PRIVATE}
    side.photo.select(click, [session, tab.sweep.halt, *controls], changed, **settings)
    chosen = [session, tab.sweep.halt, side.row, side.col, *controls]
    for trigger in (side.hear.click, side.row.submit, side.col.submit):
        trigger(by_hand, chosen, changed, **settings)
    tab.anyway_button.click(anyway, chosen, changed, **settings)
    said = [tab.controls.note, tab.controls.takes]
    tab.controls.voice.input(voice, [tab.controls.voice], said, queue=False, **QUIET)


def many_events(tab: HearTab, many: ManyEvents) -> None:
    side, session, panel, controls = tab.side, tab.session, tab.sweep, tab.controls.parts()
    buttons = [panel.start, panel.stop]

    def sweep(state: Session, halt: Halt, row: int | None, seconds: float, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, many.sweep(state, halt, row, seconds, Settings(*values)))

    def stop(halt: Halt) -> None:
        halt.asked = True

    def scene(state: Session, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, many.scene(state, Settings(*values)))

    panel.start.click(
        sweep, [session, panel.halt, side.row, panel.seconds, *controls],
        [*buttons, panel.progress, panel.strip, panel.audio, side.photo, tab.verdict, tab.anyway_button], **QUIET,
    )  # fmt: skip
    panel.stop.click(stop, [panel.halt], None, queue=False, **QUIET)  # the sweep itself then says that it stopped
    mixed = tab.scene
    mixed.start.click(
        scene, [session, *controls],
        [tab.verdict, tab.anyway_button, side.photo, mixed.audio, mixed.figure, mixed.stems], **QUIET,
    )  # fmt: skip
