"""Which component triggers which handler of the box "Ask about this clip"."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from synesthesia.ui.shared.handlers import handler

if TYPE_CHECKING:
    from synesthesia.ui.audio_qa.events import AskEvents


def connect_ask(events: AskEvents, settings: dict[str, Any]) -> None:
    """The box sends what was typed, a chip its own text. settings: of the events."""
    panel = events.panel
    typed, chosen = (handler(panel, partial(events.ask, typed=typed)) for typed in (True, False))
    changed = [panel.conversation, panel.answers, panel.verdict]
    panel.box.submit(typed, [panel.conversation, panel.box], [*changed, panel.box], trigger_mode="once", **settings)
    for chip in panel.chips:
        chip.click(chosen, [panel.conversation, chip], changed, trigger_mode="once", **settings)
