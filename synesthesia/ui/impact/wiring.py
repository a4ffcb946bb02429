"""Which component sets off which handler of the tab "Tap", and what each may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.ui.image_to_sound.events import Update, guarded
from synesthesia.ui.image_to_sound.wiring import QUIET
from synesthesia.ui.impact.events import BlowSettings, TapEvents
from synesthesia.ui.impact.script import STRUCK
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.shared import examples as pictures
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.impact.tab import StrikeCard, TapTab

# One after another, each with its own place (see `hear_wiring.IN_ORDER`). Figures have a queue of their own; one that
# is asked for while another is drawn comes last, and shows what was struck by then.
IN_ORDER: dict[str, Any] = {"concurrency_id": "tap", "trigger_mode": "multiple"} | QUIET
FIGURES: dict[str, Any] = {"concurrency_id": "tap-figures", "trigger_mode": "always_last"} | QUIET


def connect_tap(studio: Studio, opened: gr.Tab, tab: TapTab) -> None:
    """Attach every event of the tab. opened: the tab itself, whose first photograph comes when it is first opened."""
    events = TapEvents(studio, tab)
    photo_events(opened, tab, events)
    blow_events(tab, events)
    what_if_events(tab, events)


def photo_events(opened: gr.Tab, tab: TapTab, events: TapEvents) -> None:
    side, session = tab.photo, tab.session
    changed = [session, side.base, side.layer, side.outline, side.overlay, side.legend, tab.verdict, *sounds(tab)]
    examples = pictures.tap_examples()

    def first(state: TapSession) -> Iterator[Update]:
        if state.photo is not None:
            yield {tab.verdict: gr.skip()}
            return
        yield {side.examples: pictures.thumbnails(examples)}
        yield from guarded(tab, events.open_photo(lambda: pictures.open_example(examples[0])))

    def example(event: gr.SelectData) -> Iterator[Update]:
        chosen = examples[int(event.index)]
        yield from guarded(tab, events.open_photo(lambda: pictures.open_example(chosen)))

    def upload(path: str) -> Iterator[Update]:
        yield from guarded(tab, events.open_photo(lambda: read_image(path)))

    def overlay(state: TapSession, kind: str) -> Iterator[Update]:
        yield from guarded(tab, events.change_overlay(state, kind))

    opened.select(first, [session], [side.examples, *changed], **IN_ORDER)
    side.examples.select(example, None, changed, **IN_ORDER)
    side.upload.upload(upload, [side.upload], changed, **IN_ORDER)
    side.overlay.input(overlay, [session, side.overlay], [side.layer, side.legend, tab.verdict], **IN_ORDER)


def blow_events(tab: TapTab, events: TapEvents) -> None:
    """A click's answer is one message, without the queue: that is what a hand on a mallet waits for."""
    side, session, controls = tab.photo, tab.session, tab.controls.parts()
    changed = [session, side.outline, side.row, side.col, tab.verdict, tab.state, tab.seen.wav, tab.seen.recipe]
    changed += sounds(tab)

    def click(state: TapSession, event: gr.EventData, *values: Any) -> Update:
        return next(guarded(tab, events.touched(state, way(event), BlowSettings(*values))))

    def drag(state: TapSession, event: gr.EventData, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.touched(state, way(event), BlowSettings(*values)))

    def by_hand(state: TapSession, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.by_hand(state, row, col, BlowSettings(*values)))

    def anyway(state: TapSession, row: int | None, col: int | None, *values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.by_hand(state, row, col, replace(BlowSettings(*values), anyway=True)))

    chosen = [session, side.row, side.col, *controls]
    struck = [
        side.base.release(click, [session, *controls], changed, queue=False, trigger_mode="multiple", **QUIET),
        side.base.select(drag, [session, *controls], changed, **IN_ORDER),
        tab.anyway.click(anyway, chosen, changed, **IN_ORDER),
    ]
    for trigger in (side.strike.click, side.row.submit, side.col.submit):
        struck.append(trigger(by_hand, chosen, changed, **IN_ORDER))
    for each in struck:
        each.then(None, js=STRUCK)
    side.base.end(events.drawn, [session], [tab.seen.figure], **FIGURES)


def way(event: gr.EventData) -> Any:
    """What the browser says of the finger's path; whether it is one `tap_path.points` finds out."""
    return event._data.get("path") if isinstance(event._data, dict) else None


def what_if_events(tab: TapTab, events: TapEvents) -> None:
    session, panel = tab.session, tab.what_if
    wish = [panel.material, panel.size]

    def again(state: TapSession, material: str, size_factor: float) -> Iterator[Update]:
        yield from guarded(tab, events.what_if(state, material, size_factor))

    for each in wish:
        each.input(events.wished, wish, [panel.again], queue=False, **QUIET)
    changed = [session, panel.compared, tab.verdict, panel.card.wav, panel.card.recipe, *sound(panel.card)]
    struck = panel.again.click(again, [session, *wish], changed, **IN_ORDER)
    struck.then(events.other_drawn, [session], [panel.card.figure], **FIGURES)


def sounds(tab: TapTab) -> list[gr.HTML]:
    """What has to go with its place."""
    return [*sound(tab.seen), *sound(tab.what_if.card), tab.what_if.compared]


def sound(card: StrikeCard) -> list[gr.HTML]:
    return [card.heading, card.audio]
