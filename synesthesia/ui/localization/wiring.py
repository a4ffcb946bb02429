"""Which component triggers which handler of the tab "Locate"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from synesthesia.ui.audio_qa.wiring import connect_ask
from synesthesia.ui.localization.events import LocateEvents
from synesthesia.ui.localization.tab import settings_from
from synesthesia.ui.shared.handlers import QUIET, Update, guarded

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.localization.tab import LocateTab

SETTINGS: dict[str, Any] = {"concurrency_id": "locate"} | QUIET


def connect_locate(studio: Studio, tab: LocateTab) -> None:
    """Attach every event of the tab."""
    events, panel = LocateEvents(studio, tab), tab.demo_clip
    changed = [tab.verdict, tab.guide, *tab.answer.parts()]

    def clip(path: str | None) -> Iterator[Update]:
        yield from guarded(tab, events.clip(path))

    def render(*values: Any) -> Iterator[Update]:
        yield from guarded(tab, events.render(settings_from(values)))

    for trigger in (tab.clip.upload, tab.clip.stop_recording):
        trigger(clip, [tab.clip], [tab.clip, *changed], trigger_mode="always_last", **SETTINGS)
    tab.clip.clear(events.cleared, None, changed, **SETTINGS)
    panel.render.click(render, list(panel.controls), [tab.clip, *changed], trigger_mode="once", **SETTINGS)
    if events.asking:
        connect_ask(events.asking, SETTINGS)
