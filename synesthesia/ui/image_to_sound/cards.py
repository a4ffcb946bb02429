"""HTML of the tab "Hear": evidence of a sound, the list of a sweep, the stems of a scene. All data is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from synesthesia.ui.image_to_sound import words
from synesthesia.ui.shared.cards import all_settings, bar, readable
from synesthesia.ui.shared.words import place

if TYPE_CHECKING:
    from synesthesia.core.results import Evidence, Heard, SceneHeard

ROWS_SHOWN = 4  # labels, neighbours


def heading(heard: Heard, *, several: bool = False) -> str:
    """several: one of the takes of a click, which are laid out closer together."""
    recipe = heard.recipe
    text = f"<b>{escape(recipe.path)}</b> · seed {recipe.seed} · presence {heard.presence:.2f}"
    return f"<div class='plot-head{' several' if several else ''}'>{text}</div>"


def evidence(heard: Heard, first: str = "") -> str:
    """`first`, labels with bars, the nearest training sounds with source and licence, and all settings."""
    found = heard.evidence
    return f"<div class='evidence'>{first}" + labels(found) + neighbours(found) + f"{all_settings(heard.recipe)}</div>"


def labels(found: Evidence) -> str:
    rows = "".join(bar(each.label, each.score) for each in found.labels[:ROWS_SHOWN])
    return f"<h4>What a classifier hears in it</h4>{rows}" if rows else ""


def neighbours(found: Evidence) -> str:
    rows = "".join(
        f"<li>{escape(readable(each.label))} <span class='faint'>· "
        f"{escape(each.source)} {escape(each.recording_id)} · "
        f"{escape(each.licence)} · similarity {each.similarity:.2f}</span></li>"
        for each in found.neighbours[:ROWS_SHOWN]
    )
    return f"<h4>Nearest training sounds</h4><ul>{rows}</ul>" if rows else ""


def strip_cell(heard: Heard, source: str, sweep: str, autoplay: bool) -> str:
    """One patch of a sweep. sweep: id of the run, so that the page plays each of its sounds once."""
    head = f"<b>column {heard.col}</b> "
    if heard.silent:
        return f"<div class='cell silent'>{head}<span class='faint'>silent, presence {heard.presence:.2f}</span></div>"
    auto = f"data-auto='{escape(sweep)}:{heard.col}'" if autoplay else ""
    return (
        f"<div class='cell'>{head}"
        f"<span class='faint'>{escape(words.recognised_as(heard))} · presence {heard.presence:.2f}</span>"
        f"{player(source, f'Column {heard.col}', auto)}</div>"
    )


def stems(scene: SceneHeard, sources: list[str]) -> str:
    """Every place of the mix with its gain and a player of its own."""
    rows = "".join(
        f"<div class='cell'><b>{escape(words.recognised_as(stem.heard))}</b> "
        f"<span class='faint'>{place(stem.heard.row, stem.heard.col)} · "
        f"gain {stem.gain:.2f}</span>{player(source, words.recognised_as(stem.heard))}</div>"
        for stem, source in zip(scene.stems, sources, strict=True)
    )
    return f"<div class='strip'>{rows}</div>"


def player(source: str, name: str, attributes: str = "") -> str:
    """Loads when played: the page rebuilds its list with every sound of a sweep."""
    return f"<audio controls preload='none' aria-label='{escape(name)}' {attributes} src='{escape(source)}'></audio>"
