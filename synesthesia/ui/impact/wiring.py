"""Which component triggers which handler of the tab "Tap", and what each may change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.ui.impact.events import TapEvents
from synesthesia.ui.impact.renders import tap_examples
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.impact.tab import SETTINGS
from synesthesia.ui.shared.examples import open_example, thumbnails
from synesthesia.ui.shared.handlers import QUIET, Update, guarded, handler, in_order
from synesthesia.ui.shared.photo_picker import connect_picker
from synesthesia.ui.shared.setting_control import by_name

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.impact.tab import TapTab

IN_ORDER = in_order("tap")
# Figures have a queue of their own. Of those requested while one is drawn only the last is drawn; it shows the last
# strike by then.
FIGURES: dict[str, Any] = {"concurrency_id": "tap-figures", "trigger_mode": "always_last"} | QUIET
# After each strike, whatever triggered it.
STRUCK = "() => document.querySelector('#tap-base .stage')?.dispatchEvent(new Event('struck', {bubbles: true}))"


def connect_tap(studio: Studio, opened: gr.Tab, tab: TapTab) -> None:
    """Attach every event of the tab. opened: the tab itself; its first photograph comes when it is first opened."""
    events = TapEvents(studio, tab)
    photo_events(opened, tab, events)
    strike_events(tab, events)
    what_if_events(tab, events)


def photo_events(opened: gr.Tab, tab: TapTab, events: TapEvents) -> None:
    side, session = tab.photo, tab.session
    changed = [session, side.base, side.layer, side.outline, side.overlay, side.legend, tab.verdict, *sounds(tab)]
    examples = tap_examples()

    def first(state: TapSession) -> Iterator[Update]:
        if state.photo is not None:
            yield {tab.verdict: gr.skip()}
            return
        yield {side.picker.examples: thumbnails(examples)}
        yield from guarded(tab, events.open_photo(lambda: open_example(examples[0])))

    opened.select(first, [session], [side.picker.examples, *changed], **IN_ORDER)
    connect_picker(side.picker, examples, handler(tab, events.open_photo), [], changed, IN_ORDER)
    overlay = handler(tab, events.change_overlay)
    side.overlay.input(overlay, [session, side.overlay], [side.layer, side.legend, tab.verdict], **IN_ORDER)


def strike_events(tab: TapTab, events: TapEvents) -> None:
    """A click is answered in one message that bypasses the queue, for the shortest delay."""
    side, session, controls = tab.photo, tab.session, tab.controls
    row_box, col_box = side.patch.row, side.patch.col
    changed = [session, side.outline, row_box, col_box, tab.verdict, tab.state, tab.as_seen.wav, tab.as_seen.recipe]
    changed += sounds(tab)

    def drag(state: TapSession, event: gr.EventData, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.touched(state, path_of(event), by_name(SETTINGS, values)))

    def click(state: TapSession, event: gr.EventData, *values: Any) -> Update:
        return next(drag(state, event, *values))

    def by_hand(state: TapSession, row: Any, col: Any, *values: Any, **more: bool) -> Iterator[Update]:
        yield from guarded(tab, events.by_hand(state, row, col, by_name(SETTINGS, values) | more))

    inputs = [session, row_box, col_box, *controls]
    struck = [
        side.base.release(click, [session, *controls], changed, queue=False, trigger_mode="multiple", **QUIET),
        side.base.select(drag, [session, *controls], changed, **IN_ORDER),
        tab.anyway.click(partial(by_hand, anyway=True), inputs, changed, **IN_ORDER),
    ]
    for trigger in (side.patch.button.click, row_box.submit, col_box.submit):
        struck.append(trigger(by_hand, inputs, changed, **IN_ORDER))
    for each in struck:
        each.then(None, js=STRUCK)
    side.base.end(events.figure_as_seen, [session], [tab.as_seen.figure], **FIGURES)


def path_of(event: gr.EventData) -> Any:
    """The pointer path that the browser sent; `strike_path.points` checks it."""
    return event._data.get("path") if isinstance(event._data, dict) else None


def what_if_events(tab: TapTab, events: TapEvents) -> None:
    session, panel = tab.session, tab.what_if
    variation = [panel.material, panel.size]

    for each in variation:
        each.input(events.name_button, variation, [panel.again], queue=False, **QUIET)
    card = panel.card
    changed = [session, panel.compared, tab.verdict, card.heading, card.audio, card.wav, card.recipe]
    struck = panel.again.click(handler(tab, events.what_if), [session, *variation], changed, **IN_ORDER)
    struck.then(events.figure_what_if, [session], [card.figure], **FIGURES)


def sounds(tab: TapTab) -> list[gr.HTML]:
    """What disappears with its place."""
    seen, other = tab.as_seen, tab.what_if.card
    return [seen.heading, seen.audio, other.heading, other.audio, tab.what_if.compared]
