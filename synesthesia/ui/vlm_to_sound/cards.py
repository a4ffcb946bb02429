"""HTML for a sound of the path "language": progress, token timeline, attention and the difference between the ears.
Empty for other sounds."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.shared import cards
from synesthesia.ui.shared.sound_figure import as_picture
from synesthesia.ui.vlm_to_sound import attention_overlay, words
from synesthesia.ui.vlm_to_sound.figures import token_figure
from synesthesia.vlm_to_sound.attention import relative_attention

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard, Progress


def progress(step: Progress, take: int, takes: int) -> str:
    return cards.progress(step.done, step.total, words.writing(step, take, takes), live=False)


def timeline(heard: Heard, *, narrow: bool = False) -> str:
    if heard.tokens is None:
        return ""
    books = heard.tokens.codes.shape[1]
    alt = f"Sound tokens over {heard.seconds:.1f} s: {books} codebooks of the left ear above {books} of the right"
    picture = as_picture(token_figure(heard.tokens, heard.seconds, narrow=narrow), alt)
    return f"<figure class='tokens'>{picture}<figcaption>{escape(words.timeline(heard.tokens))}</figcaption></figure>"


def evidence(heard: Heard, view: Image.Image) -> str:
    """view: the photograph as the page shows it."""
    if heard.tokens is None:
        return ""
    cell, cols = (heard.row, heard.col), heard.tokens.cross_attention.shape[1]
    attended = words.relative_attention(relative_attention(heard.tokens.cross_attention, cell))
    difference, match = words.ears(level_db(heard.waveform), heard.tokens.itd_s, (heard.col + 0.5) / cols - 0.5)
    return (
        f"<div class='attention'>{attention_overlay.thumbnail(view, heard)}<div><h4>{words.ATTENTION}</h4>"
        f"<p>{escape(attended)}.</p><h4>{words.EARS}</h4><p>{escape(difference[:1].upper() + difference[1:])}. "
        f"<span class='faint'>{escape(match)}</span></p></div></div>"
    )


def level_db(waveform: np.ndarray) -> float:
    """(2, n), left ear first -> level of the right ear over the left."""
    power = np.square(waveform.astype(np.float64)).mean(axis=1)
    return float(10.0 * np.log10(max(power[1], 1e-12) / max(power[0], 1e-12)))
