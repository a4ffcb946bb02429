"""Which component sets off which handler of the tab "Locate"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from synesthesia.ui.audio_qa.events import AskEvents
from synesthesia.ui.image_to_sound.events import Update, guarded
from synesthesia.ui.image_to_sound.wiring import PRIVATE
from synesthesia.ui.localization.events import LocateEvents, Wish

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.audio_qa.events import Talk
    from synesthesia.ui.localization.tab import LocateTab

SETTINGS: dict[str, Any] = {"concurrency_id": "locate", "api_visibility": PRIVATE, "show_progress": "hidden"}


def connect_locate(studio: Studio, tab: LocateTab) -> None:
    """Attach every event of the tab."""
    events, place = LocateEvents(studio, tab), tab.place
    changed = [tab.verdict, tab.guide, *tab.answer.parts()]

    def clip(path: str | None) -> Iterator[Update]:
        yield from guarded(tab, events.clip(path))

    def make(*values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.make(Wish(*values)))

    for trigger in (tab.clip.upload, tab.clip.stop_recording):
        trigger(clip, [tab.clip], [tab.clip, *changed], trigger_mode="always_last", **SETTINGS)
    tab.clip.clear(events.forget, None, changed, **SETTINGS)
    place.make.click(make, place.parts(), [tab.clip, *changed], trigger_mode="once", **SETTINGS)
    if events.asking:
        connect_asking(events.asking)


def connect_asking(events: AskEvents) -> None:
    """The box sends what was typed in it, a chip its own words."""
    panel = events.panel

    def typed(talk: Talk | None, question: str) -> Iterator[Update]:
        yield from guarded(panel, events.ask(talk, question, typed=True))

    def chosen(talk: Talk | None, question: str) -> Iterator[Update]:
        yield from guarded(panel, events.ask(talk, question, typed=False))

    changed = [panel.talk, panel.answers, panel.verdict]
    panel.box.submit(typed, [panel.talk, panel.box], [*changed, panel.box], trigger_mode="once", **SETTINGS)
    for chip in panel.chips:
        chip.click(chosen, [panel.talk, chip], changed, trigger_mode="once", **SETTINGS)
