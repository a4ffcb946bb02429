"""Pieces of HTML that several tabs use. Everything that comes from data is escaped."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.core.recipe import Recipe


def verdict(headline: str, detail: str = "", kind: str = "", below: str = "") -> str:
    """The card with the answer. kind: '' | 'quiet' | 'wrong' | 'busy' (CSS classes); both texts are escaped here.
    below: HTML that changes several times a second; a card with it is no live region for screen readers."""
    live = "" if below else " role='status' aria-live='polite'"
    return (
        f"<div class='verdict {kind}'{live}>"
        f"<div class='big'>{escape(headline)}</div><div class='small'>{escape(detail)}</div>{below}</div>"
    )


def guide(*steps: tuple[str, str]) -> str:
    """Numbered steps, (bold beginning, rest) each; trusted text."""
    items = "".join(
        f"<li><span>{number}</span><div><b>{start}</b> {rest}</div></li>"
        for number, (start, rest) in enumerate(steps, start=1)
    )
    return f"<div class='guide'><ol>{items}</ol></div>"


def note(text: str) -> str:
    """A line of small text; trusted."""
    return f"<p class='progress-note'>{text}</p>"


def bar(label: str, score: float, *, style: str = "", classes: str = "") -> str:
    """A label with its score in 0..1 as a bar and as a number. style: more CSS of the bar."""
    return (
        f"<div class='{f'bar {classes}'.rstrip()}'><span>{escape(readable(label))}</span>"
        f"<span><i style='width:{100 * min(max(float(score), 0.0), 1.0):.0f}%{style}'></i></span>"
        f"<span>{score:.2f}</span></div>"
    )


def all_settings(recipe: Recipe) -> str:
    """Every field of a recipe, folded."""
    pairs = " · ".join(
        f"{readable(name)} {escape(f'{value:g}' if isinstance(value, float) else str(value))}"
        for name, value in recipe.model_dump().items()
    )
    return f"<details><summary>All settings</summary><p class='faint'>{pairs}</p></details>"


def progress(done: int, total: int, note: str, *, live: bool = True) -> str:
    """live: whether a screen reader reads every change."""
    percent, role = round(100 * done / max(total, 1)), " role='status'" if live else ""
    return (
        f"<p class='progress-note'{role}>{escape(note)}</p>"
        f"<div class='progress' role='progressbar' aria-valuemin='0' "
        f"aria-valuemax='{total}' aria-valuenow='{done}' aria-label='{escape(note)}'>"
        f"<i style='width:{percent}%'></i></div>"
    )


def inline_image(data: bytes, kind: str, alt: str = "") -> str:
    """A self-contained <img>. kind: png or jpeg."""
    return f'<img alt="{escape(alt)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def readable(name: str) -> str:
    """A label or a field's name as a person writes it."""
    return name.replace("_", " ")
