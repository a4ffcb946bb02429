"""Which component triggers which handler of the tab "Locate"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synesthesia.ui.audio_qa.wiring import connect_ask
from synesthesia.ui.localization.events import LocateEvents
from synesthesia.ui.localization.tab import SETTINGS
from synesthesia.ui.shared.handlers import QUIET, handler
from synesthesia.ui.shared.setting_control import by_name

if TYPE_CHECKING:
    from synesthesia.studio import Studio
    from synesthesia.ui.localization.tab import LocateTab

IN_QUEUE: dict[str, Any] = {"concurrency_id": "locate"} | QUIET


def connect_locate(studio: Studio, tab: LocateTab) -> None:
    events, panel = LocateEvents(studio, tab), tab.demo_clip
    changed = [tab.verdict, tab.guide, *tab.answer.parts()]
    clip = handler(tab, events.clip)
    render = handler(tab, lambda *values: events.render(by_name(SETTINGS, values)))
    for trigger in (tab.clip.upload, tab.clip.stop_recording):
        trigger(clip, [tab.clip], [tab.clip, *changed], trigger_mode="always_last", **IN_QUEUE)
    tab.clip.clear(events.cleared, None, changed, **IN_QUEUE)
    panel.render.click(render, panel.controls, [tab.clip, *changed], trigger_mode="once", **IN_QUEUE)
    if events.asking:
        connect_ask(events.asking, IN_QUEUE)
