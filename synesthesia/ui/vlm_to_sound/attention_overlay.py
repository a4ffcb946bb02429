"""Where the sound tokens looked on the photograph, and how far that was the clicked place."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.shared import overlays
from synesthesia.ui.vlm_to_sound import words as token_words

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.shared.overlays import Map

NEAR = 0.1  # of the picture's width and height around the clicked patch: what training asks for
PALE = 5.0
THUMBNAIL_PX = 360


def drawn(view: Image.Image, looks: Map, cell: tuple[int, int]) -> Image.Image:
    """The view under the heat of `looks` (rows, cols; sums to 1) with the clicked patch framed. The strongest patch is
    the palest, if it got at least PALE times its even share: a look at everything alike stays dark."""
    rows, cols = looks.shape
    heat = overlays.with_heat(view, looks / max(float(looks.max()), PALE / looks.size))
    return overlays.with_outline(heat, rows, cols, [cell])


def near(shape: tuple[int, int], cell: tuple[int, int], margin: float = NEAR) -> np.ndarray:
    """(rows, cols) bool: patches whose middle lies in the clicked one, or within `margin` of the picture around it."""
    within = []
    for count, at in zip(shape, cell, strict=True):
        middle = (np.arange(count) + 0.5) / count
        within.append((middle >= at / count - margin) & (middle <= (at + 1) / count + margin))
    return within[0][:, None] & within[1][None, :]


def times_even(looks: Map, cell: tuple[int, int], margin: float = NEAR) -> float:
    """The clicked place's share of `looks` (rows, cols; sums to 1) over what a look at all patches alike would give."""
    rows, cols = looks.shape
    around = near((rows, cols), cell, margin)
    return float(looks[around].sum() / around.mean())


def thumbnail(view: Image.Image, heard: Heard) -> str:
    """A small <img> that stands by itself; empty for a sound without tokens."""
    if heard.tokens is None:
        return ""
    small = overlays.shown(view, THUMBNAIL_PX)
    cell, looks = (heard.row, heard.col), heard.tokens.looks
    buffer = io.BytesIO()
    drawn(small, looks, cell).save(buffer, format="JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode()
    alt = f"{token_words.LOOKED}: {token_words.looked(times_even(looks, cell))}"
    return f'<img alt="{escape(alt)}" src="data:image/jpeg;base64,{data}">'
