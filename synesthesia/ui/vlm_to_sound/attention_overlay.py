"""Cross-attention of the sound tokens over the photograph, and its share on the clicked patch."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from synesthesia.ui.shared import overlays
from synesthesia.ui.shared.cards import inline_image
from synesthesia.ui.vlm_to_sound import words
from synesthesia.vlm_to_sound.attention import relative_attention

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.shared.overlays import Map

BRIGHT = 5.0  # times the average attention
THUMBNAIL_PX = 360


def draw(view: Image.Image, attention: Map, cell: tuple[int, int]) -> Image.Image:
    """The view under the heat map of `attention` (rows, cols; sums to 1) with the clicked patch framed. The strongest
    patch is brightest, if it has at least BRIGHT times the average: uniform attention stays dark."""
    rows, cols = attention.shape
    heat = overlays.with_heat(view, attention / max(float(attention.max()), BRIGHT / attention.size))
    return overlays.with_outline(heat, rows, cols, [cell])


def thumbnail(view: Image.Image, heard: Heard) -> str:
    """A small self-contained <img>; empty for a sound without tokens."""
    if heard.tokens is None:
        return ""
    small = overlays.display_copy(view, THUMBNAIL_PX)
    cell, attention = (heard.row, heard.col), heard.tokens.cross_attention
    buffer = io.BytesIO()
    draw(small, attention, cell).save(buffer, format="JPEG", quality=85)
    alt = f"{words.ATTENTION}: {words.relative_attention(relative_attention(attention, cell))}"
    return inline_image(buffer.getvalue(), "jpeg", alt)
