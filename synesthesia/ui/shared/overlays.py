"""Overlays on the photograph: patch grid, outlined patches, heat maps, one colour per patch.

Drawn with PIL on the copy that the page shows. A cell's box follows from the number of rows and columns, so an overlay
fits a copy of any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Iterable

Map = NDArray[np.float32]
ACCENT = (13, 148, 136)
# Dark blue -> teal -> orange -> pale yellow: lightness rises steadily, so it can be read without colour vision.
RAMP = np.array([[20, 24, 60], [20, 88, 120], [42, 150, 128], [240, 170, 60], [255, 240, 170]], dtype=np.float32)


def display_copy(photo: Image.Image, longest_px: int = 1280) -> Image.Image:
    """The copy that the page sends to the browser, longest_px on its longer side.

    Small photographs are enlarged too: gradio computes clicks as if a picture were never displayed larger than it is,
    and would return wrong pixels for a stretched one.
    """
    scale = longest_px / max(photo.size)
    size = (max(round(photo.width * scale), 1), max(round(photo.height * scale), 1))
    return photo.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def cell_box(size: tuple[int, int], rows: int, cols: int, row: int, col: int) -> tuple[int, int, int, int]:
    """(x1, y1, x2, y2) of a cell in a picture of size (width, height) pixels, x2 and y2 exclusive."""
    width, height = size
    return (
        round(col * width / cols),
        round(row * height / rows),
        round((col + 1) * width / cols),
        round((row + 1) * height / rows),
    )


def with_outline(
    picture: Image.Image, rows: int, cols: int, cells: Iterable[tuple[int, int]], colour: tuple[int, int, int] = ACCENT
) -> Image.Image:
    """A copy with each cell framed in white, colour, white: visible on any background."""
    result = picture.copy()
    draw = ImageDraw.Draw(result)
    stroke = max(round(max(picture.size) / 400), 1)
    for row, col in cells:
        x1, y1, x2, y2 = cell_box(picture.size, rows, cols, row, col)
        for grow, ink, width in ((2, (255, 255, 255), 1), (1, colour, 2), (-1, (255, 255, 255), 1)):
            by = grow * stroke
            draw.rectangle((x1 - by, y1 - by, x2 + by - 1, y2 + by - 1), None, ink, width * stroke)
    return result


def with_grid(picture: Image.Image, rows: int, cols: int) -> Image.Image:
    """A copy with thin translucent lines between the patches."""
    lines = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(lines)
    stroke = max(round(max(picture.size) / 900), 1)
    for shift, ink in ((stroke, (0, 0, 0, 90)), (0, (255, 255, 255, 170))):  # the shadow is visible on white
        for col in range(1, cols):
            x = round(col * picture.width / cols) + shift
            draw.line((x, 0, x, picture.height), fill=ink, width=stroke)
        for row in range(1, rows):
            y = round(row * picture.height / rows) + shift
            draw.line((0, y, picture.width, y), fill=ink, width=stroke)
    return Image.alpha_composite(picture.convert("RGBA"), lines).convert("RGB")


def with_heat(picture: Image.Image, values: Map, strength: float = 0.62) -> Image.Image:
    """A copy under a heat map. values: (rows, cols) in 0..1, 0 dark blue, 1 pale yellow."""
    assert values.ndim == 2, f"values must be (rows, cols), got {values.shape}"
    return with_colours(picture, ramp_colours(values), strength)


def ramp_colours(values: Map) -> NDArray[np.float32]:
    """(...) in 0..1 -> (..., 3) in 0..255, a linear interpolation of RAMP."""
    level = np.clip(np.nan_to_num(values), 0.0, 1.0) * (len(RAMP) - 1)
    low = np.minimum(level.astype(int), len(RAMP) - 2)
    return RAMP[low] + (RAMP[low + 1] - RAMP[low]) * (level - low)[..., None]


def ramp_swatch() -> str:
    """The colours of a heat map as a strip of HTML, for legends."""
    stops = ", ".join(f"rgb({', '.join(str(int(part)) for part in stop)})" for stop in RAMP)
    return f"<i class='ramp' style='background:linear-gradient(90deg, {stops})'></i>"


def with_colours(
    picture: Image.Image, colours: NDArray[np.uint8] | NDArray[np.float32], strength: float = 0.72
) -> Image.Image:
    """A copy under one colour per patch, interpolated. colours: (rows, cols, 3) in 0..255."""
    assert colours.ndim == 3 and colours.shape[2] == 3, f"colours must be (rows, cols, 3), got {colours.shape}"
    small = Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8), "RGB")
    return Image.blend(picture, small.resize(picture.size, Image.Resampling.BILINEAR), strength)


def min_max_scaled(values: Map) -> Map:
    """(rows, cols) scaled to 0..1, for maps without an absolute scale."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-6)


def heat_legend(text: str) -> str:
    """Legend of a heat map; empty without a text."""
    return f"<p class='legend'>{ramp_swatch()}<span>{text}</span></p>" if text else ""
