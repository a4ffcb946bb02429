"""Pieces of HTML for a sound that was written in tokens: their timeline, where they looked, and what sets its two ears
apart. Empty for every other sound."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.shared.sound_figure import as_picture
from synesthesia.ui.vlm_to_sound import attention_overlay as looking
from synesthesia.ui.vlm_to_sound import words as token_words
from synesthesia.ui.vlm_to_sound.figures import token_figure

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard, Writing


def writing(step: Writing, take: int, takes: int) -> str:
    """How far the tokens have come."""
    return cards.progress(step.done, step.total, token_words.writing(step, take, takes), spoken=False)


def timeline(heard: Heard, *, narrow: bool = False) -> str:
    if heard.tokens is None:
        return ""
    books = heard.tokens.codes.shape[1]
    alt = f"Sound tokens over {heard.seconds:.1f} s: {books} codebooks of the left ear above {books} of the right"
    picture = as_picture(token_figure(heard.tokens, heard.seconds, narrow=narrow), alt)
    caption = escape(token_words.timeline(heard.tokens))
    return f"<figure class='tokens'>{picture}<figcaption>{caption}</figcaption></figure>"


def evidence(heard: Heard, view: Image.Image) -> str:
    """view: the photograph as the page shows it."""
    if heard.tokens is None:
        return ""
    cell, cols = (heard.row, heard.col), heard.tokens.looks.shape[1]
    looked = token_words.looked(looking.times_even(heard.tokens.looks, cell))
    apart, follows = token_words.ears(level_db(heard.waveform), heard.tokens.lead_s, (heard.col + 0.5) / cols - 0.5)
    return (
        f"<div class='looked'>{looking.thumbnail(view, heard)}<div><h4>{token_words.LOOKED}</h4>"
        f"<p>They {escape(looked)}.</p><h4>{token_words.EARS}</h4><p>{escape(apart[:1].upper() + apart[1:])}. "
        f"<span class='faint'>{escape(follows)}</span></p></div></div>"
    )


def level_db(waveform: np.ndarray) -> float:
    """(2, n), left ear first -> how much louder the right one is."""
    power = np.square(waveform.astype(np.float64)).mean(axis=1)
    return float(10.0 * np.log10(max(power[1], 1e-12) / max(power[0], 1e-12)))
