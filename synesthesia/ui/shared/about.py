"""Masthead and footer of the page: what runs here, model weights with licences, limits, citation."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synesthesia.core.results import Info

TITLE = "Synesthesia"
SENTENCE = "Click a place in a photograph and hear what it sounds like."
SENTENCE_BOTH = "Hear a place in a photograph, strike it, and see where a sound comes from."
ABOUT = "Models, licences, limits, how to cite"
PRIVACY = "Photographs and clips stay on this server and are deleted within two hours."
PRESETS = {
    "embedded": "Small models, running on this server's CPU",
    "hub": "Public checkpoints from the Hugging Face Hub",
}


def masthead(preset: str, *, locating: bool = False) -> str:
    """locating: the page also has the tab "Locate"."""
    return (
        f"<div id='masthead'><h1>{TITLE}</h1><p>{SENTENCE_BOTH if locating else SENTENCE}</p>"
        f"<span class='pill'>{escape(PRESETS.get(preset, preset))}</span></div>"
    )


def footer(info: Info) -> str:
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
        f"<h4>Limits</h4><p>{escape(info.limits)} {PRIVACY}</p><h4>Cite</h4><p>{escape(info.citation)}</p></div>"
    )
