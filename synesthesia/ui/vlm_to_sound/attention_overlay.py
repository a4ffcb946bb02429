"""Cross-attention of the sound tokens over the photograph, and its share on the clicked patch."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.shared import overlays
from synesthesia.ui.vlm_to_sound import words

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.shared.overlays import Map

NEAR = 0.1  # of the picture's width and height around the clicked patch: the target of training
BRIGHT = 5.0  # times the average attention
THUMBNAIL_PX = 360


def draw(view: Image.Image, attention: Map, cell: tuple[int, int]) -> Image.Image:
    """The view under the heat map of `attention` (rows, cols; sums to 1) with the clicked patch framed. The strongest
    patch is brightest, if it has at least BRIGHT times the average: uniform attention stays dark."""
    rows, cols = attention.shape
    heat = overlays.with_heat(view, attention / max(float(attention.max()), BRIGHT / attention.size))
    return overlays.with_outline(heat, rows, cols, [cell])


def near(shape: tuple[int, int], cell: tuple[int, int], margin: float = NEAR) -> np.ndarray:
    """(rows, cols) bool: patches whose centre lies in the clicked one, or within `margin` of the picture around it."""
    within = []
    for count, index in zip(shape, cell, strict=True):
        centre = (np.arange(count) + 0.5) / count
        within.append((centre >= index / count - margin) & (centre <= (index + 1) / count + margin))
    return within[0][:, None] & within[1][None, :]


def relative_attention(attention: Map, cell: tuple[int, int], margin: float = NEAR) -> float:
    """Attention (rows, cols; sums to 1) around the clicked patch over what uniform attention would put there."""
    rows, cols = attention.shape
    around = near((rows, cols), cell, margin)
    return float(attention[around].sum() / around.mean())


def thumbnail(view: Image.Image, heard: Heard) -> str:
    """A small self-contained <img>; empty for a sound without tokens."""
    if heard.tokens is None:
        return ""
    small = overlays.display_copy(view, THUMBNAIL_PX)
    cell, attention = (heard.row, heard.col), heard.tokens.looks
    buffer = io.BytesIO()
    draw(small, attention, cell).save(buffer, format="JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode()
    alt = f"{words.ATTENTION}: {words.relative_attention(relative_attention(attention, cell))}"
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{data}">'
