"""Which component triggers which handler of the box "Ask about this clip"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from synesthesia.ui.shared.handlers import Update, guarded

if TYPE_CHECKING:
    from synesthesia.ui.audio_qa.events import AskEvents, Conversation


def connect_ask(events: AskEvents, settings: dict[str, Any]) -> None:
    """The box sends what was typed, a chip its own text. settings: of the events."""
    panel = events.panel

    def typed(conversation: Conversation | None, question: str) -> Iterator[Update]:
        yield from guarded(panel, events.ask(conversation, question, typed=True))

    def chosen(conversation: Conversation | None, question: str) -> Iterator[Update]:
        yield from guarded(panel, events.ask(conversation, question, typed=False))

    changed = [panel.conversation, panel.answers, panel.verdict]
    panel.box.submit(typed, [panel.conversation, panel.box], [*changed, panel.box], trigger_mode="once", **settings)
    for chip in panel.chips:
        chip.click(chosen, [panel.conversation, chip], changed, trigger_mode="once", **settings)
