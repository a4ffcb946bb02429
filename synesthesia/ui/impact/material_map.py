"""Material map over the photograph: one colour per material, or its certainty, with a legend.

The layer is a small picture with transparency that the browser lays over the photograph, so that a strike never
redraws it.
"""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from synesthesia.ui.impact import words
from synesthesia.ui.shared.cards import inline_image
from synesthesia.ui.shared.overlays import ramp_colours, ramp_swatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synesthesia.core.results import MaterialMap

PATCH_PX = 12  # pixels of the layer along a patch
SOLID = 0.5  # from here on there is something to strike
MIN_SHARE = 0.01  # of the photograph that a material must cover to appear in the legend
INK_ALPHA, VEIL_ALPHA = 0.66, 0.5  # of the colour on objects, of the dark veil elsewhere
VEIL = (12, 18, 24)
COLOURS = {
    "wood": (201, 120, 43), "metal": (143, 163, 191), "glass": (34, 199, 224), "ceramic": (245, 178, 200),
    "stone": (112, 130, 72), "concrete": (190, 190, 180), "plastic": (229, 56, 59), "rubber": (58, 54, 92),
    "cardboard": (236, 200, 98), "paper": (255, 248, 214), "fabric": (157, 78, 221), "leather": (127, 59, 29),
    "liquid": (37, 99, 235),
}  # fmt: skip
OTHER = (128, 128, 128)


def colour(name: str) -> tuple[int, int, int]:
    """Colour of a material in the map, its legend and the bars."""
    return COLOURS.get(name, OTHER)


def layer(found: MaterialMap, kind: int) -> str:
    """<img> of the layer. kind: index into `words.OVERLAYS`; empty for the bare photograph."""
    if kind == 0:
        return ""
    buffer = io.BytesIO()
    (materials(found) if kind == 1 else certainty(found)).save(buffer, format="PNG")
    return inline_image(buffer.getvalue(), "png")


def materials(found: MaterialMap) -> Image.Image:
    """RGBA: the likeliest material's colour. Borders run where the likeliest changes between patches."""
    fine = np.stack([upsampled(found.shares[..., at]) for at in range(len(found.names))], axis=-1)
    table = np.array([colour(name) for name in found.names], dtype=np.float32)
    return veiled(table[fine.argmax(axis=-1)], upsampled(found.solid))


def certainty(found: MaterialMap) -> Image.Image:
    """RGBA: the likeliest material's probability, 0 dark blue to 1 pale yellow."""
    return veiled(ramp_colours(upsampled(found.shares.max(axis=-1))), upsampled(found.solid))


def veiled(colours: NDArray[np.float32], solid: NDArray[np.float32]) -> Image.Image:
    """colours: (H, W, 3) in 0..255, kept where there is something to strike; a dark veil elsewhere."""
    solid = solid.clip(0.0, 1.0)[..., None]
    rgb = solid * colours + (1 - solid) * np.array(VEIL, dtype=np.float32)
    alpha = 255 * (solid * INK_ALPHA + (1 - solid) * VEIL_ALPHA)
    return Image.fromarray(np.concatenate([rgb, alpha], axis=-1).round().astype(np.uint8), "RGBA")


def upsampled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(R, C) -> (PATCH_PX R, PATCH_PX C), bilinear."""
    rows, cols = values.shape
    small = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32), "F")
    return np.asarray(small.resize((cols * PATCH_PX, rows * PATCH_PX), Image.Resampling.BILINEAR))


def present(found: MaterialMap) -> list[tuple[str, float]]:
    """(name, share of the photograph) of the materials of objects, largest first."""
    best = found.shares.argmax(axis=-1)[found.solid >= SOLID]
    counts = np.bincount(best, minlength=len(found.names)) / found.solid.size
    order = np.argsort(-counts, kind="stable")
    return [(found.names[at], float(counts[at])) for at in order if counts[at] >= MIN_SHARE]


def legend(found: MaterialMap, kind: int) -> str:
    if kind == 0:
        return ""
    if kind == 2:
        low, high = words.CERTAINTY_ENDS
        return f"<p class='legend'><span>{low}</span>{ramp_swatch()}<span>{high}</span>{chip(VEIL, words.VEILED)}</p>"
    veil = chip(VEIL, words.VEILED) if (found.solid < SOLID).mean() >= MIN_SHARE else ""
    chips = "".join(chip(colour(name), f"{name} {100 * part:.0f} %") for name, part in present(found))
    return f"<p class='legend'>{chips}{veil}</p>"


def chip(rgb: tuple[int, int, int], text: str) -> str:
    return f"<span><i class='chip' style='background:rgb{rgb}'></i>{escape(text)}</span>"
