"""What all event handlers share: the type of an update, errors as a message on the page, and queue settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Protocol

import gradio as gr

from synesthesia.core.errors import UserError
from synesthesia.ui.shared import words
from synesthesia.ui.shared.cards import verdict

Update = dict[Any, Any]  # component -> its new value, as gradio takes it
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}  # programs have the named endpoints
log = logging.getLogger(__name__)


def in_order(queue: str) -> dict[str, Any]:
    """Event settings: one event of this queue after another, so that a slow answer never overwrites a newer one.

    Each event is kept: with "always_last", gradio 6.31 sends a click made during another with the first one's
    coordinates.
    """
    return QUIET | {"concurrency_id": queue, "trigger_mode": "multiple"}


class HasVerdict(Protocol):
    """A tab or panel with a card for messages."""

    verdict: gr.HTML


def guarded(tab: HasVerdict, updates: Iterator[Update]) -> Iterator[Update]:
    """Pass updates on; an error becomes one sentence in the verdict card and changes nothing else."""
    try:
        yield from updates
    except UserError as error:
        yield {tab.verdict: verdict(str(error), kind="wrong")}
    except Exception:
        log.exception("a handler of the page failed")
        yield {tab.verdict: verdict(words.UNEXPECTED, kind="wrong")}


def handler(tab: HasVerdict, updates: Callable[..., Iterator[Update]]) -> Callable[..., Iterator[Update]]:
    """`updates` as gradio calls it, guarded."""

    @wraps(updates)
    def guarded_updates(*values: Any) -> Iterator[Update]:
        yield from guarded(tab, updates(*values))

    return guarded_updates
