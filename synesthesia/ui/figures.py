"""Figures of a sound: its waveform over its mel spectrogram, with axes and units.

matplotlib's Figure objects are made directly, never through pyplot, so that two people's figures never meet and
nothing stays in memory after the page has taken the picture.
"""

from __future__ import annotations

import base64
import html
import io
import math
from typing import TYPE_CHECKING

import numpy as np

from synesthesia.audio.mel import LogMel, MelConfig, hz_to_slaney_mel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

INK = "#7b8794"  # legible on the light page and on the dark one
WAVE = "#0d9488"
TICKS_HZ = (250, 500, 1000, 2000, 4000, 8000)
DB_PER_NEPER = 20.0 / math.log(10.0)
RANGE_DB = 70.0


def sound_figure(waveform: NDArray[np.float32], sample_rate_hz: int, *, narrow: bool = False) -> Figure:
    """Waveform and log-mel spectrogram under one time axis.

    waveform: (channels, samples) float32 in [-1, 1]. narrow: for takes side by side.
    """
    import torch
    from matplotlib.figure import Figure

    assert waveform.ndim == 2, f"waveform must be (channels, samples), got {waveform.shape}"
    mono = np.ascontiguousarray(waveform.mean(axis=0), dtype=np.float32)  # (samples,)
    seconds = len(mono) / sample_rate_hz
    figure = Figure(figsize=(3.6, 3.2) if narrow else (6.8, 3.7), dpi=130)
    figure.set_facecolor("none")
    left, width, bar_left = (0.17, 0.66, 0.845) if narrow else (0.095, 0.81, 0.915)
    wave_axes = figure.add_axes((left, 0.71, width, 0.26))  # fixed places: a layout engine costs 0.1 s a figure
    mel_axes = figure.add_axes((left, 0.125, width, 0.545), sharex=wave_axes)
    bar_axes = figure.add_axes((bar_left, 0.125, 0.016 if not narrow else 0.03, 0.545))
    wave_axes.tick_params(labelbottom=False)
    draw_waveform(wave_axes, mono, seconds)
    with torch.inference_mode():
        log_mel = LogMel(MelConfig(sample_rate_hz=sample_rate_hz))(torch.from_numpy(mono)[None])[0]  # (T, bands)
    draw_mel(figure, mel_axes, bar_axes, log_mel.numpy(), seconds, narrow)
    for axes in (wave_axes, mel_axes):
        quiet_frame(axes)
    return figure


def draw_waveform(axes: Axes, mono: NDArray[np.float32], seconds: float, columns: int = 900) -> None:
    """The envelope (lowest and highest sample of each column), which is what an eye can see of 64,000 samples."""
    columns = min(columns, max(len(mono), 1))
    edges = np.linspace(0, len(mono), columns, endpoint=False).astype(int)
    low, high = np.minimum.reduceat(mono, edges), np.maximum.reduceat(mono, edges)
    times_s = edges / max(len(mono), 1) * seconds
    axes.fill_between(times_s, low, high, color=WAVE, linewidth=0.6, edgecolor=WAVE)
    reach = max(0.1, min(1.0, float(np.abs(mono).max(initial=0.0)) * 1.15))
    axes.set_ylim(-reach, reach)
    axes.set_xlim(0.0, seconds)
    axes.set_ylabel("amplitude")


def draw_mel(
    figure: Figure, axes: Axes, bar_axes: Axes, log_mel: NDArray[np.float32], seconds: float, narrow: bool
) -> None:
    """log_mel: (T, bands), natural logarithm; shown in dB below its own peak, frequencies on the mel scale."""
    import torch

    level_db = log_mel.T * DB_PER_NEPER
    level_db = level_db - max(float(level_db.max()), -80.0)  # silence stays dark instead of becoming its own peak
    top = float(hz_to_slaney_mel(torch.tensor(8000.0)))
    image = axes.imshow(
        level_db, origin="lower", aspect="auto", cmap="magma", vmin=-RANGE_DB, vmax=0.0,
        extent=(0.0, seconds, 0.0, top), interpolation="nearest",
    )  # fmt: skip
    ticks = TICKS_HZ[1::2] if narrow else TICKS_HZ
    axes.set_yticks([float(hz_to_slaney_mel(torch.tensor(float(hz)))) for hz in ticks])
    axes.set_yticklabels([f"{hz / 1000:g}" for hz in ticks])
    axes.set_ylabel("frequency (kHz, mel)")
    axes.set_xlabel("time (s)")
    bar = figure.colorbar(image, cax=bar_axes, ticks=[-60, -40, -20, 0])
    bar.set_label("dB", color=INK, fontsize=8)
    bar.ax.tick_params(colors=INK, labelsize=7, length=2)
    bar.outline.set_visible(False)


def quiet_frame(axes: Axes) -> None:
    """Thin grey axes that leave the sound the strongest thing in the picture."""
    axes.set_facecolor("none")
    axes.tick_params(colors=INK, labelsize=8, length=3)
    axes.xaxis.label.set(color=INK, fontsize=8)
    axes.yaxis.label.set(color=INK, fontsize=8)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(INK)
        spine.set_linewidth(0.6)


def as_picture(figure: Figure, alt: str) -> str:
    """The figure as an <img> that stands by itself: `gr.Plot` may stay empty in a column that has just been shown."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
