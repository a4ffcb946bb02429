"""Residual-VQ codes of both ears on the waveform's time axis: codebooks down, time across, colour = code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synesthesia.ui.shared.sound_figure import INK, blank_figure, quiet_frame, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from synesthesia.core.results import Tokens

ROW_IN, GAP_IN, BELOW_IN, ABOVE_IN = 0.13, 0.1, 0.46, 0.06  # inches
LIGHTNESS, CHROMA = 0.72, 0.125  # of every colour (OKLCH): a code is a category, so none may stand out


def token_figure(tokens: Tokens, seconds: float, *, narrow: bool = False) -> Figure:
    """Left ear's codebooks above the right ear's, coarsest first. seconds: length of the time axis."""
    ears, books, _ = tokens.codes.shape
    assert ears == 2, f"codes must be (2, K, F), got {tokens.codes.shape}"
    height = ABOVE_IN + 2 * books * ROW_IN + GAP_IN + BELOW_IN
    figure = blank_figure(3.6 if narrow else 6.8, height)
    left, width, bar_left, bar_width = time_axis(narrow)
    bottom, part = BELOW_IN / height, books * ROW_IN / height
    right_axes = figure.add_axes((left, bottom, width, part))
    left_axes = figure.add_axes((left, bottom + part + GAP_IN / height, width, part), sharex=right_axes)
    for axes, codes, name in ((left_axes, tokens.codes[0], "left"), (right_axes, tokens.codes[1], "right")):
        draw_codes(axes, codes, tokens, name)
        quiet_frame(axes)
        axes.set_xlim(0.0, seconds)
    left_axes.tick_params(labelbottom=False)
    right_axes.set_xlabel("time (s)")
    bar = figure.add_axes((bar_left, bottom, bar_width, 2 * part + GAP_IN / height))
    draw_bar(bar, tokens.sizes, narrow)
    return figure


def draw_codes(axes: Axes, codes: NDArray[np.int64], tokens: Tokens, ear: str) -> None:
    """codes: (K, F) of one ear; a row is a codebook, counted from 1."""
    books, frames = codes.shape
    axes.imshow(
        colours(codes / tokens.sizes), aspect="auto", interpolation="nearest",
        extent=(0.0, frames / tokens.per_second, books + 0.5, 0.5),
    )  # fmt: skip
    for line in range(1, books):
        axes.axhline(line + 0.5, color="white", linewidth=0.6)
    axes.set_yticks([1, books] if books > 1 else [1])
    axes.set_ylabel(ear)


def draw_bar(axes: Axes, codes: int, narrow: bool) -> None:
    """Colour bar of the codes."""
    ramp = np.arange(codes)[:, None] / codes
    axes.imshow(colours(ramp), aspect="auto", origin="lower", extent=(0.0, 1.0, 0.0, float(codes)))
    axes.set_xticks([])
    axes.set_yticks([0.5, codes - 0.5], ["0", str(codes - 1)])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    if not narrow:
        axes.set_ylabel("code", color=INK, fontsize=8)
    axes.tick_params(colors=INK, labelsize=7, length=2)
    for spine in axes.spines.values():
        spine.set_visible(False)


def colours(turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) turns of the colour wheel -> (..., 3) sRGB in 0..1: hues of one lightness and chroma (OKLCH, Ottosson
    2020), so that the last code's colour is next to the first one's."""
    angle = 2.0 * np.pi * np.asarray(turn, dtype=np.float64)
    lab = np.stack([np.full_like(angle, LIGHTNESS), CHROMA * np.cos(angle), CHROMA * np.sin(angle)], axis=-1)
    to_cones = np.array([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728],
                         [1, -0.0894841775, -1.2914855480]])  # fmt: skip
    to_linear = np.array([[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
                          [-0.0041960863, -0.7034186147, 1.7076147010]])  # fmt: skip
    linear = np.clip((lab @ to_cones.T) ** 3 @ to_linear.T, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
