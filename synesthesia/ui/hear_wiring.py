"""Which component sets off which handler of the tab "Hear", and what each may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.ui import pictures
from synesthesia.ui.hear_events import HearEvents, Settings, Update, guarded
from synesthesia.ui.many_events import ManyEvents
from synesthesia.ui.session import Halt, Session
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.hear_tab import HearTab

PRIVATE = "private"  # only the named endpoint of `hear_api` is for programs


def connect(page: gr.Blocks, studio: Studio, tab: HearTab) -> None:
    """Attach every event of the tab."""
    one = HearEvents(studio, tab)
    photo_events(page, tab, one)
    listening_events(tab, one)
    many_events(tab, ManyEvents(studio, tab, one))


def photo_events(page: gr.Blocks, tab: HearTab, one: HearEvents) -> None:
    side, session = tab.side, tab.session
    changed = [session, side.photo, side.overlay, tab.verdict, tab.anyway_button, *(take.column for take in tab.takes)]

    def first() -> Iterator[Update]:
        yield {side.examples: pictures.thumbnails()}
        yield from guarded(tab, one.open_photo(lambda: pictures.open_example(pictures.EXAMPLES[0]), Session()))

    def example(state: Session, event: gr.SelectData) -> Iterator[Update]:
        chosen = pictures.EXAMPLES[int(event.index)]
        yield from guarded(tab, one.open_photo(lambda: pictures.open_example(chosen), state))

    def upload(path: str, state: Session) -> Iterator[Update]:
        yield from guarded(tab, one.open_photo(lambda: read_image(path), state))

    def overlay(state: Session, kind: str) -> Iterator[Update]:
        yield from guarded(tab, one.change_overlay(state, kind))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": PRIVATE}
    page.load(first, None, [side.examples, *changed], **quiet)
    side.examples.select(example, [session], changed, trigger_mode="multiple", **quiet)
    side.upload.upload(upload, [side.upload, session], changed, **quiet)
    side.overlay.input(
        overlay, [session, side.overlay], [session, side.photo, tab.verdict], trigger_mode="always_last", **quiet
    )


def listening_events(tab: HearTab, one: HearEvents) -> None:
    side, session, controls = tab.side, tab.session, tab.controls.parts()
    parts = [part for take in tab.takes for part in take.parts()]
    changed = [session, side.photo, side.row, side.col, tab.verdict, tab.guide, tab.anyway_button, *parts]

    def click(state: Session, event: gr.SelectData, *values: Any) -> Iterator[Update]:
        x, y = event.index
        yield from guarded(tab, one.click(state, float(x), float(y), Settings(*values)))

    def by_hand(state: Session, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, one.by_hand(state, row, col, Settings(*values)))

    def anyway(state: Session, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, one.by_hand(state, row, col, replace(Settings(*values), anyway=True)))

    settings: dict[str, Any] = {
        "show_progress": "minimal", "show_progress_on": tab.verdict, "api_visibility": PRIVATE,
        "trigger_mode": "multiple", "concurrency_id": "hear",
    }  # fmt: skip  # not "always_last": for a click during another, gradio 6.31 sends the first one's coordinates again
    side.photo.select(click, [session, *controls], changed, **settings)
    chosen = [session, side.row, side.col, *controls]
    for trigger in (side.hear.click, side.row.submit, side.col.submit):
        trigger(by_hand, chosen, changed, **settings)
    tab.anyway_button.click(anyway, chosen, changed, **settings)


def many_events(tab: HearTab, many: ManyEvents) -> None:
    side, session, panel, controls = tab.side, tab.session, tab.sweep, tab.controls.parts()
    buttons = [panel.start, panel.stop]

    def sweep(state: Session, halt: Halt, row: int | None, seconds: float, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, many.sweep(state, halt, row, seconds, Settings(*values)))

    def stop(halt: Halt) -> None:
        halt.asked = True

    def scene(state: Session, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, many.scene(state, Settings(*values)))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": PRIVATE}
    panel.start.click(
        sweep, [session, panel.halt, side.row, panel.seconds, *controls],
        [*buttons, panel.progress, panel.strip, panel.audio, side.photo, tab.verdict], **quiet,
    )  # fmt: skip
    panel.stop.click(stop, [panel.halt], None, queue=False, **quiet)  # the sweep itself then says that it stopped
    mixed = tab.scene
    mixed.start.click(
        scene, [session, *controls], [tab.verdict, side.photo, mixed.audio, mixed.figure, mixed.stems], **quiet
    )  # fmt: skip
