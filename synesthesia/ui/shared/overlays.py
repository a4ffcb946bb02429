"""Drawing on the photograph: the patch grid, the clicked patch, heat maps and one colour for each patch.

Everything is drawn with PIL on the picture the page shows; cells are boxes of that picture, computed from the grid
of rows and columns, so the drawing fits whatever the size.
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
# Dark blue -> teal -> amber -> pale yellow: rises steadily in lightness, so it also reads without colour vision.
RAMP = np.array([[20, 24, 60], [20, 88, 120], [42, 150, 128], [240, 170, 60], [255, 240, 170]], dtype=np.float32)


def shown(photo: Image.Image, longest_px: int = 1280) -> Image.Image:
    """A copy exactly longest_px long, what the page sends to the browser.

    Small photographs are enlarged too: gradio computes a click as if a picture were never drawn above its own size,
    and would give wrong pixels for one that is stretched to the column.
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
    """A copy with each cell framed: white, coloured, white, so that it shows on any ground."""
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
    xs = [round(col * picture.width / cols) for col in range(1, cols)]
    ys = [round(row * picture.height / rows) for row in range(1, rows)]
    for shift, ink in ((stroke, (0, 0, 0, 90)), (0, (255, 255, 255, 170))):  # a shadow keeps it visible on white
        for x in xs:
            draw.line((x + shift, 0, x + shift, picture.height), fill=ink, width=stroke)
        for y in ys:
            draw.line((0, y + shift, picture.width, y + shift), fill=ink, width=stroke)
    return Image.alpha_composite(picture.convert("RGBA"), lines).convert("RGB")


def with_heat(picture: Image.Image, values: Map, strength: float = 0.62) -> Image.Image:
    """A copy under a heat map. values: (rows, cols) in 0..1, 0 dark blue, 1 pale yellow."""
    assert values.ndim == 2, f"values must be (rows, cols), got {values.shape}"
    level = np.clip(np.nan_to_num(values), 0.0, 1.0) * (len(RAMP) - 1)
    low = np.minimum(level.astype(int), len(RAMP) - 2)
    colour = RAMP[low] + (RAMP[low + 1] - RAMP[low]) * (level - low)[..., None]  # (rows, cols, 3)
    return Image.blend(picture, stretched(colour, picture.size), strength)


def with_colours(picture: Image.Image, colours: NDArray[np.uint8], strength: float = 0.72) -> Image.Image:
    """A copy under one colour for each patch. colours: (rows, cols, 3) uint8."""
    assert colours.ndim == 3 and colours.shape[2] == 3, f"colours must be (rows, cols, 3), got {colours.shape}"
    return Image.blend(picture, stretched(colours.astype(np.float32), picture.size), strength)


def stretched(colour: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """(rows, cols, 3) in 0..255 -> RGB picture of size (width, height), smoothly."""
    small = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8), "RGB")
    return small.resize(size, Image.Resampling.BILINEAR)


def unit(values: Map) -> Map:
    """(rows, cols) scaled so that its smallest value is 0 and its largest 1 (for maps whose scale means nothing)."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-6)
