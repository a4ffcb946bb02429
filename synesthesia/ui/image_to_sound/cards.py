"""Small pieces of HTML: evidence under a sound, the strip of a sweep, the stems of a scene, weights and licences.

Everything that comes from data is escaped.
"""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING

from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from synesthesia.core.results import Evidence, Heard, Info, Recipe, SceneHeard


def heading(heard: Heard, *, several: bool = False) -> str:
    """several: one of the takes of a click (they are laid out closer together)."""
    recipe = heard.recipe
    text = f"<b>{escape(recipe.path)}</b> · seed {recipe.seed} · presence {heard.presence:.2f}"
    return f"<div class='plot-head{' several' if several else ''}'>{text}</div>"


def evidence(heard: Heard, first: str = "", *, shown: int = 4) -> str:
    """Labels with bars, the nearest training sounds with source and licence, and all settings; above them `first`."""
    return (
        f"<div class='evidence'>{first}"
        + labels(heard.evidence, shown)
        + neighbours(heard.evidence, shown)
        + f"<details><summary>All settings</summary>{settings(heard.recipe)}</details></div>"
    )


def labels(found: Evidence, shown: int) -> str:
    if not found.labels:
        return ""
    rows = "".join(
        f"<div class='bar'><span>{escape(readable(each.label))}</span>"
        f"<span><i style='width:{100 * bounded(each.score):.0f}%'></i></span>"
        f"<span>{each.score:.2f}</span></div>"
        for each in found.labels[:shown]
    )
    return f"<h4>What our classifier hears in it</h4>{rows}"


def neighbours(found: Evidence, shown: int) -> str:
    if not found.neighbours:
        return ""
    rows = "".join(
        f"<li>{escape(readable(each.label))} <span class='faint'>· "
        f"{escape(each.source)} {escape(each.recording_id)} · "
        f"{escape(each.licence)} · similarity {each.similarity:.2f}</span></li>"
        for each in found.neighbours[:shown]
    )
    return f"<h4>Nearest training sounds</h4><ul>{rows}</ul>"


def settings(recipe: Recipe) -> str:
    pairs = " · ".join(f"{readable(name)} {escape(figure(value))}" for name, value in asdict(recipe).items())
    return f"<p class='faint'>{pairs}</p>"


def progress(done: int, total: int, note: str, *, spoken: bool = True) -> str:
    """spoken: whether a screen reader says every change."""
    percent, role = round(100 * done / max(total, 1)), " role='status'" if spoken else ""
    return (
        f"<p class='progress-note'{role}>{escape(note)}</p>"
        f"<div class='progress' role='progressbar' aria-valuemin='0' "
        f"aria-valuemax='{total}' aria-valuenow='{done}' aria-label='{escape(note)}'>"
        f"<i style='width:{percent}%'></i></div>"
    )


def strip_cell(heard: Heard, source: str, sweep: str, autoplay: bool) -> str:
    """One patch of a sweep; sweep names the run, so that the page plays each of its sounds once."""
    head = f"<b>column {heard.col}</b> "
    if heard.silent:
        return f"<div class='cell silent'>{head}<span class='faint'>silent, presence {heard.presence:.2f}</span></div>"
    auto = f"data-auto='{escape(sweep)}:{heard.col}'" if autoplay else ""
    return (
        f"<div class='cell'>{head}"
        f"<span class='faint'>{escape(words.named(heard))} · presence {heard.presence:.2f}</span>"
        f"{player(source, f'Column {heard.col}', auto)}</div>"
    )


def stems(scene: SceneHeard, sources: list[str]) -> str:
    """Every place of the mix with its gain and its own player."""
    rows = "".join(
        f"<div class='cell'><b>{escape(words.named(stem.heard))}</b> "
        f"<span class='faint'>{words.place(stem.heard.row, stem.heard.col)} · "
        f"gain {stem.gain:.2f}</span>{player(source, words.named(stem.heard))}</div>"
        for stem, source in zip(scene.stems, sources, strict=True)
    )
    return f"<div class='strip'>{rows}</div>"


def player(source: str, name: str, attributes: str = "") -> str:
    """Loads when played: the page makes its list anew with every sound of a sweep."""
    return f"<audio controls preload='none' aria-label='{escape(name)}' {attributes} src='{escape(source)}'></audio>"


def footer(info: Info) -> str:
    """Preset, weights in use with their licences, limits, citation."""
    rows = "".join(
        f"<tr><td>{escape(each.role)}</td><td>{escape(' '.join(filter(None, (each.where, each.revision[:12]))))}</td>"
        f"<td>{f'{each.megabytes:.1f} MB' if each.megabytes else ''}</td><td>{escape(each.licence)}</td></tr>"
        for each in info.checkpoints
    )
    return (
        f"<div class='foot'>"
        f"<p>Preset <b>{escape(info.preset)}</b>, version {escape(info.version)}, on {escape(info.device)}.</p>"
        f"<table><thead><tr><th>Model</th><th>Weights</th><th>Size</th><th>Licence</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        f"<h4>Limits</h4><p>{escape(info.limits)} {words.PRIVACY}</p><h4>Cite</h4><p>{escape(info.citation)}</p></div>"
    )


def readable(name: str) -> str:
    return name.replace("_", " ")


def bounded(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)


def figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(figure(each) for each in value) + ")"
    return "-" if value is None else str(value)
