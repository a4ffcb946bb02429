"""The photograph as HTML layers: the picture, a map over it, the outline of the struck patches.

Every layer has the size of the picture at any page width and is updated alone: a strike sends its outline, not the
photograph. `strike.js` collects clicks and drags on the lowest layer.
"""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

from synesthesia.ui.impact import words
from synesthesia.ui.shared import overlays
from synesthesia.ui.shared.files import file_url, served

if TYPE_CHECKING:
    from collections.abc import Iterable

    import gradio as gr
    from PIL import Image

LONGEST_PX = 1280


def photograph(photo: Image.Image, shown_in: gr.HTML) -> str:
    """The lowest layer. The picture's file is deleted with those of the component that shows it."""
    buffer = io.BytesIO()
    overlays.display_copy(photo, min(LONGEST_PX, max(photo.size))).save(buffer, format="JPEG", quality=88)
    path = served(buffer.getvalue(), "photograph.jpg")
    shown_in.temp_files.add(path)
    image = f'<img alt="{escape(words.PHOTO)}" src="{escape(file_url(path))}" draggable="false">'
    return over(photo, image, "photo")


def outline(photo: Image.Image, rows: int, cols: int, cells: Iterable[tuple[int, int]]) -> str:
    """A layer with each cell framed."""
    frames = "".join(
        f"<i class='cell' style='left:{100 * col / cols:.3f}%;top:{100 * row / rows:.3f}%;"
        f"width:{100 / cols:.3f}%;height:{100 / rows:.3f}%'></i>"
        for row, col in dict.fromkeys(cells)
    )
    return over(photo, frames)


def over(photo: Image.Image, inside: str, kind: str = "over") -> str:
    """A layer of the photograph's size. inside: HTML; empty for no layer. data-width, data-height: natural pixels, the
    unit of the positions that the script sends."""
    if not inside:
        return ""
    width, height = photo.size
    return (
        f"<div class='stage {kind}' data-width='{width}' data-height='{height}' "
        f"style='--w:{width};--h:{height}'>{inside}</div>"
    )
