"""Which component triggers which handler of the tab "Hear", and what each may change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.ui.image_to_sound import words
from synesthesia.ui.image_to_sound.controls import ControlValues
from synesthesia.ui.image_to_sound.events import HearEvents
from synesthesia.ui.image_to_sound.multi_patch_events import MultiPatchEvents
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.shared.cards import note
from synesthesia.ui.shared.examples import EXAMPLES, open_example, thumbnails
from synesthesia.ui.shared.handlers import QUIET, Update, guarded, handler, in_order
from synesthesia.ui.shared.photo_picker import connect_picker

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.tab import HearTab

IN_ORDER = in_order("hear")


def connect_hear(page: gr.Blocks, studio: Studio, tab: HearTab) -> None:
    events = HearEvents(studio, tab)
    photo_events(page, tab, events)
    patch_events(tab, events)
    multi_patch_events(tab, MultiPatchEvents(events))


def photo_events(page: gr.Blocks, tab: HearTab, events: HearEvents) -> None:
    side, session = tab.side, tab.session
    changed = [session, side.photo, side.overlay, side.legend, tab.verdict, tab.anyway_button]
    changed += [part for take in tab.takes for part in (take.column, take.figure, take.tokens)]

    def first() -> Iterator[Update]:
        yield {side.picker.examples: thumbnails()}
        yield from guarded(tab, events.open_photo(lambda: open_example(EXAMPLES[0]), StopFlag()))

    page.load(first, None, [side.picker.examples, *changed], **IN_ORDER)
    open_photo = handler(tab, events.open_photo)
    connect_picker(side.picker, EXAMPLES, open_photo, [tab.sweep.stop_flag], changed, IN_ORDER)
    overlay, drawn = handler(tab, events.change_overlay), [session, side.photo, side.legend, tab.verdict]
    side.overlay.input(overlay, [session, side.overlay], drawn, **IN_ORDER)


def patch_events(tab: HearTab, events: HearEvents) -> None:
    side, session, controls = tab.side, tab.session, tab.controls.parts()
    row_box, col_box = side.patch.row, side.patch.col
    parts = [part for take in tab.takes for part in take.parts()]
    changed = [session, side.photo, row_box, col_box, tab.verdict, tab.guide, tab.anyway_button, tab.modes, *parts]

    def click(state: HearSession, stop_flag: StopFlag, event: gr.SelectData, *values: Any) -> Iterator[Update]:
        stop_flag.requested = True  # a sweep would go on drawing its own outlines
        x, y = event.index
        yield from events.click(state, float(x), float(y), ControlValues.of(*values))

    def by_hand(
        state: HearSession, stop_flag: StopFlag, row: Any, col: Any, *values: Any, **more: Any
    ) -> Iterator[Update]:
        stop_flag.requested = True
        yield from events.by_hand(state, row, col, ControlValues.of(*values, **more))

    def generator(chosen: str) -> tuple[str, gr.Radio]:
        """ "Compare" makes one of each."""
        each = chosen == "all"
        return note(words.GENERATOR_NOTES[chosen]), gr.Radio(
            interactive=not each, label=words.TAKES_ALL if each else words.TAKES
        )

    settings = IN_ORDER | {"show_progress": "minimal", "show_progress_on": tab.verdict}
    side.photo.select(handler(tab, click), [session, tab.sweep.stop_flag, *controls], changed, **settings)
    inputs = [session, tab.sweep.stop_flag, row_box, col_box, *controls]
    for trigger in (side.patch.button.click, row_box.submit, col_box.submit):
        trigger(handler(tab, by_hand), inputs, changed, **settings)
    tab.anyway_button.click(handler(tab, partial(by_hand, anyway=True)), inputs, changed, **settings)
    chosen = tab.controls.generator
    chosen.input(generator, [chosen], [tab.controls.note, tab.controls.takes], queue=False, **QUIET)


def multi_patch_events(tab: HearTab, events: MultiPatchEvents) -> None:
    side, session, panel, controls = tab.side, tab.session, tab.sweep, tab.controls.parts()

    def sweep(state: HearSession, stop_flag: StopFlag, row: Any, seconds: float, *values: Any) -> Iterator[Update]:
        return events.sweep(state, stop_flag, row, seconds, ControlValues.of(*values))

    def stop(stop_flag: StopFlag) -> None:
        stop_flag.requested = True

    def scene(state: HearSession, *values: Any) -> Iterator[Update]:
        return events.scene(state, ControlValues.of(*values))

    panel.start.click(
        handler(tab, sweep), [session, panel.stop_flag, side.patch.row, panel.seconds, *controls],
        [panel.start, panel.stop, panel.progress, panel.strip, panel.audio, side.photo, tab.verdict, tab.anyway_button],
        **QUIET,
    )  # fmt: skip
    panel.stop.click(stop, [panel.stop_flag], None, queue=False, **QUIET)  # the sweep itself then reports the stop
    mixed = tab.scene
    mixed.start.click(
        handler(tab, scene), [session, *controls],
        [tab.verdict, tab.anyway_button, side.photo, mixed.audio, mixed.figure, mixed.stems], **QUIET,
    )  # fmt: skip
