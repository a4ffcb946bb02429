"""Waveform and mel spectrogram of a sound as a matplotlib figure, with axes and units.

Figure objects are created directly, never through pyplot: pyplot keeps global state, so the figures of two people could
mix and would stay in memory.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.audio.mel import LogMel, MelConfig, hz_to_slaney_mel
from synesthesia.ui.shared.cards import inline_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

INK = "#7b8794"  # legible on the light page and on the dark one
WAVE = "#0d9488"
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
DB_PER_NEPER = 20.0 / math.log(10.0)
RANGE_DB = 70.0


def sound_figure(waveform: NDArray[np.float32], sample_rate_hz: int, *, narrow: bool = False) -> Figure:
    """Waveform (of two channels: left above right, on one scale) and log-mel spectrogram on one time axis.

    waveform: (channels, samples) float32 in [-1, 1]. narrow: for takes side by side.
    """
    assert waveform.ndim == 2, f"waveform must be (channels, samples), got {waveform.shape}"
    seconds = waveform.shape[1] / sample_rate_hz
    figure = blank_figure(*((3.6, 3.2) if narrow else (6.8, 3.7)))
    left, width, bar_left, bar_width = time_axis(narrow)
    stereo = len(waveform) == 2
    positions = ((0.85, 0.12), (0.71, 0.12)) if stereo else ((0.71, 0.26),)  # a layout engine costs 0.1 s a figure
    waves = [figure.add_axes((left, bottom, width, height)) for bottom, height in positions]
    mel_axes = figure.add_axes((left, 0.125, width, 0.545), sharex=waves[0])
    bar_axes = figure.add_axes((bar_left, 0.125, bar_width, 0.545))
    channels = waveform if stereo else waveform.mean(axis=0, keepdims=True)
    reach = max(0.1, min(1.0, float(np.abs(channels).max(initial=0.0)) * 1.15))
    for axes, channel, name in zip(waves, channels, ("left", "right") if stereo else ("amplitude",), strict=True):
        draw_waveform(axes, channel, seconds, reach)
        axes.set_ylabel(name)
        axes.tick_params(labelbottom=False)
        if stereo:  # the panels are close together: no labels at their ends
            tick = max(each for each in (0.05, 0.1, 0.2, 0.5) if each < 0.75 * reach)
            axes.set_yticks([-tick, tick])
    draw_mel(figure, mel_axes, bar_axes, log_mel(channels, sample_rate_hz), seconds, narrow)
    for axes in (*waves, mel_axes):
        quiet_frame(axes)
    return figure


def blank_figure(width_in: float, height_in: float, dpi: int = 130) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), dpi=dpi, facecolor="none")


def time_axis(narrow: bool) -> tuple[float, float, float, float]:
    """(left, width, left of the colour bar, its width) as shares of a figure: the same in all figures of one column."""
    return (0.17, 0.66, 0.845, 0.03) if narrow else (0.095, 0.81, 0.915, 0.016)


def log_mel(waveform: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float32]:
    """(channels, samples) -> (T, bands), nepers. The channels' power is averaged, so that a delay between them cancels
    nothing."""
    import torch

    with torch.inference_mode():
        mel = LogMel(MelConfig(sample_rate_hz=sample_rate_hz))(torch.from_numpy(np.ascontiguousarray(waveform)))
        return np.asarray(0.5 * (torch.logsumexp(2.0 * mel, dim=0) - math.log(len(mel))))


def draw_waveform(axes: Axes, channel: NDArray[np.float32], seconds: float, reach: float, columns: int = 900) -> None:
    """Lowest and highest sample of each column: all that is visible of 64,000 samples."""
    columns = min(columns, max(len(channel), 1))
    edges = np.linspace(0, len(channel), columns, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(channel, edges), np.maximum.reduceat(channel, edges)
    times_s = edges / max(len(channel), 1) * seconds
    axes.fill_between(times_s, low, high, color=WAVE, linewidth=0.6, edgecolor=WAVE)
    axes.set_ylim(-reach, reach)
    axes.set_xlim(0.0, seconds)


def draw_mel(
    figure: Figure, axes: Axes, bar_axes: Axes, nepers: NDArray[np.float32], seconds: float, narrow: bool
) -> None:
    """nepers: (T, bands) log-mel; shown in dB below its peak, frequencies on the mel scale."""
    level_db = nepers.T * DB_PER_NEPER
    level_db = level_db - max(float(level_db.max()), -80.0)  # so that silence stays dark
    top = float(slaney_mel(np.array(8000.0)))
    image = axes.imshow(
        level_db, origin="lower", aspect="auto", cmap="magma", vmin=-RANGE_DB, vmax=0.0,
        extent=(0.0, seconds, 0.0, top), interpolation="nearest",
    )  # fmt: skip
    mel_ticks(axes, TICKS_HZ[1::2] if narrow else TICKS_HZ)
    axes.set_ylabel("frequency (kHz, mel)")
    axes.set_xlabel("time (s)")
    colour_bar(figure.colorbar(image, cax=bar_axes, ticks=[-60, -40, -20, 0]), "dB")


def colour_bar(bar: Colorbar, label: str) -> None:
    bar.set_label(label, color=INK, fontsize=8)
    bar.ax.tick_params(colors=INK, labelsize=7, length=2)
    bar.outline.set_visible(False)


def mel_ticks(axes: Axes, ticks_hz: tuple[int, ...]) -> None:
    """Ticks in kHz on an axis in mel."""
    axes.set_yticks(slaney_mel(np.array(ticks_hz, dtype=np.float64)))
    axes.set_yticklabels([f"{hz / 1000:g}" for hz in ticks_hz])


def slaney_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    import torch

    return hz_to_slaney_mel(torch.from_numpy(np.asarray(hz, dtype=np.float64))).numpy()


def quiet_frame(axes: Axes) -> None:
    """Thin grey axes, so that the data stands out."""
    axes.set_facecolor("none")
    axes.tick_params(colors=INK, labelsize=8, length=3)
    axes.xaxis.label.set(color=INK, fontsize=8)
    axes.yaxis.label.set(color=INK, fontsize=8)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
        spine.set_linewidth(0.6)


def as_picture(figure: Figure, alt: str) -> str:
    """The figure as a self-contained <img>: `gr.Plot` may stay empty in a column that has just become visible."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return inline_image(buffer.getvalue(), "png", alt)
