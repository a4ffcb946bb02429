"""Figures of a direction: the distribution over azimuth around a head from above, and the attention maps.

Angles turn clockwise from the front, as seen from above, so that right is right. Never pyplot, as in `sound_figure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synesthesia.audio.files import resample
from synesthesia.ui.localization import words
from synesthesia.ui.shared import sound_figure
from synesthesia.ui.shared.sound_figure import INK, TICKS_HZ, WAVE, quiet_frame, slaney_mel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from synesthesia.core.results import AttentionMap, Located

MODEL, SECOND, TRUTH, BASELINE = WAVE, "#d97706", "#db2777", "#6366f1"
RING, RIM = 0.42, 1.0  # radii: start of the distribution and end of its highest bin
RATE_HZ = 16_000  # of the spectrogram, as the model hears the clip
QUIET_DB = -35.0  # below the loudest moment: a direction there is drawn faintest


def dial_figure(found: Located, truth_deg: float | None = None) -> Figure:
    """The answer on a dial. truth_deg: the true direction, if known."""
    figure = sound_figure.blank_figure(3.4, 3.4, dpi=200)
    axes = figure.add_axes((0.125, 0.125, 0.75, 0.75), projection="polar", theta_offset=np.pi / 2, theta_direction=-1)
    axes.set_ylim(0.0, 1.28)
    axes.set_facecolor("none")
    axes.set_yticks([])
    axes.set_xticks(np.radians(np.arange(0, 360, 30)))
    names = {0: "front", 90: "right", 180: "back", 270: "left"}
    axes.set_xticklabels([names.get(deg, f"{min(deg, 360 - deg)}°") for deg in range(0, 360, 30)])
    axes.tick_params(axis="x", colors=INK, labelsize=9, pad=4)
    axes.grid(color=INK, alpha=0.18, linewidth=0.6)
    axes.spines["polar"].set(color=INK, linewidth=0.6, alpha=0.5)
    draw_head(axes)
    directed = found.kind == "stereo"
    draw_distribution(axes, found, MODEL if directed else INK)
    if directed:
        draw_marks(axes, found, truth_deg)
    return figure


def draw_head(axes: Axes) -> None:
    """Nose up, ears at the sides; radius 0.2."""
    turn = np.linspace(0, 2 * np.pi, 120)
    for ear in (-1, 1):
        x, y = ear * 0.21 + 0.04 * np.cos(turn), 0.075 * np.sin(turn)
        axes.fill(np.arctan2(x, y), np.hypot(x, y), color=INK, alpha=0.55, linewidth=0)
    nose = np.array([(-0.06, 0.185), (0.0, 0.285), (0.06, 0.185)])
    axes.fill(np.arctan2(nose[:, 0], nose[:, 1]), np.hypot(nose[:, 0], nose[:, 1]), color=INK, alpha=0.55, linewidth=0)
    axes.fill(turn, np.full_like(turn, 0.2), color=INK, alpha=0.55, linewidth=0)


def draw_distribution(axes: Axes, found: Located, colour: str) -> None:
    """Outwards from the ring, height = probability."""
    share = found.distribution / max(float(found.distribution.max()), 1e-9)
    angle, reach = np.radians(found.azimuths_deg), RING + (RIM - RING) * share
    angle, reach = np.append(angle, angle[0] + 2 * np.pi), np.append(reach, reach[0])
    axes.fill_between(angle, RING, reach, color=colour, alpha=0.32, linewidth=0)
    axes.plot(angle, reach, color=colour, linewidth=1.1)
    axes.plot(np.linspace(0, 2 * np.pi, 180), np.full(180, RING), color=INK, linewidth=0.6, alpha=0.6)


def draw_marks(axes: Axes, found: Located, truth_deg: float | None) -> None:
    """Interval, baseline, model, second source and true direction."""
    low, high = found.interval_deg
    arc = np.radians(low + np.linspace(0.0, (high - low) % 360.0 or 360.0, 180))
    axes.plot(arc, np.full_like(arc, 1.1), color=MODEL, linewidth=5.0, alpha=0.85, solid_capstyle="butt")
    needle = np.radians(found.azimuth_deg)
    plain = np.radians(found.baseline_deg)
    axes.plot([plain, plain], [RING * 0.6, 1.28], color=BASELINE, linewidth=1.8, dashes=(2.5, 1.5))
    axes.plot([needle, needle], [RING * 0.6, 1.1], color=MODEL, linewidth=2.4, solid_capstyle="round")
    axes.plot([needle], [1.1], "o", color=MODEL, markersize=10, markeredgecolor="white", markeredgewidth=1.4)
    if found.second_deg is not None:
        axes.plot(
            [np.radians(found.second_deg)], [1.1], "o", color="none", markersize=9, markeredgecolor=SECOND,
            markeredgewidth=2.4,
        )  # fmt: skip
    if truth_deg is not None:
        axes.plot(
            [np.radians(truth_deg)], [1.1], "D", color=TRUTH, markersize=7, markeredgecolor="white",
            markeredgewidth=1.1, clip_on=False,
        )  # fmt: skip


def maps_figure(found: Located, waveform: NDArray[np.float32], sample_rate_hz: int) -> Figure:
    """Spectrogram, both attention maps and the track under one time axis. waveform: (2 or 1, n) float32."""
    mono = resample(waveform.mean(axis=0, keepdims=True), sample_rate_hz, RATE_HZ)  # (1, samples)
    figure = sound_figure.blank_figure(4.4, 5.9, dpi=190)
    left, width, height = 0.125, 0.735, 0.172
    bottoms = (0.795, 0.56, 0.325, 0.07)
    panels = [figure.add_axes((left, bottom, width, height)) for bottom in bottoms]
    bars = [figure.add_axes((0.878, bottom, 0.018, height)) for bottom in bottoms[:3]]
    sound_figure.draw_mel(figure, panels[0], bars[0], sound_figure.log_mel(mono, RATE_HZ), found.seconds, narrow=True)
    draw_attention(figure, panels[1], bars[1], found.attention.level)
    draw_attention(figure, panels[2], bars[2], found.attention.phase)
    draw_track(panels[3], found, mono[0])
    titles = (words.SPECTROGRAM, words.LEVEL_MAP, words.PHASE_MAP, words.TRACK)
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, loc="left", fontsize=8.5, color=INK, pad=4)
        quiet_frame(axes)
        axes.set_xlim(0.0, found.seconds)
        if axes is not panels[3]:
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
            axes.set_ylabel("kHz (mel)")
    return figure


def draw_attention(figure: Figure, axes: Axes, bar_axes: Axes, shown: AttentionMap) -> None:
    """Cells on the spectrogram's axes, as multiples of the average attention."""
    times = edges(shown.times_s)
    mel = slaney_mel(edges(shown.frequencies_hz).clip(0.0, RATE_HZ / 2))
    relative = shown.weights.T * shown.weights.size  # (K, T)
    top = max(float(np.quantile(relative, 0.998)), 1.5)
    mesh = axes.pcolormesh(times, mel, relative, cmap="viridis", vmin=0.0, vmax=top, rasterized=True)
    axes.set_ylim(0.0, float(slaney_mel(np.array(RATE_HZ / 2))))
    sound_figure.mel_ticks(axes, TICKS_HZ[1::2])
    sound_figure.colour_bar(figure.colorbar(mesh, cax=bar_axes), "× average")


def draw_track(axes: Axes, found: Located, mono: NDArray[np.float32]) -> None:
    """Dots, so that a path through the back is no line across the picture."""
    times_s, azimuth_deg = found.track
    colours = np.tile(np.array([0x0D, 0x94, 0x88, 255]) / 255.0, (len(times_s), 1))
    colours[:, 3] = loudness(mono, times_s) if found.kind == "stereo" else 0.15
    axes.axhspan(-90, 90, color=INK, alpha=0.09, linewidth=0)
    axes.scatter(times_s, azimuth_deg, s=16, c=colours, linewidths=0)
    axes.set_ylim(-180, 180)
    axes.set_yticks([-180, -90, 0, 90, 180])
    axes.set_yticklabels(["back", "left", "front", "right", "back"])
    axes.set_xlabel("time (s)")


def loudness(mono: NDArray[np.float32], times_s: NDArray[np.float64], window_s: float = 0.1) -> NDArray[np.float64]:
    """(n,) at RATE_HZ -> 0.08..1 at every time: 1 at the loudest moment, 0.08 from QUIET_DB below it."""
    half = round(window_s / 2 * RATE_HZ)
    middle = np.round(np.asarray(times_s) * RATE_HZ).astype(int)
    power = np.array([np.mean(np.square(mono[max(at - half, 0) : at + half])) if len(mono) > max(at - half, 0) else 0.0
                      for at in middle])  # fmt: skip
    level_db = 10 * np.log10(np.maximum(power, 1e-12) / max(float(power.max()), 1e-12))
    return (1 - level_db / QUIET_DB).clip(0.08, 1.0)


def edges(middles: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) middles of cells -> (N + 1,) borders."""
    between = (middles[1:] + middles[:-1]) / 2
    step = np.diff(middles) if len(middles) > 1 else np.array([2 * middles[0]])
    return np.concatenate([[middles[0] - step[0] / 2], between, [middles[-1] + step[-1] / 2]])
