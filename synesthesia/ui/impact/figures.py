"""Figure of a strike: predicted envelope over the waveform, predicted modes over the spectrogram.

Both predictions follow from the physics state, before any sample exists. Never pyplot, as in `sound_figure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from synesthesia.ui.impact import words
from synesthesia.ui.impact.quantities import FREQUENCIES, amount
from synesthesia.ui.shared.sound_figure import INK, as_picture, slaney_mel, sound_figure, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from synesthesia.core.results import Impact
    from synesthesia.ui.impact.strike_path import Clip

PREDICTED = "#d97706"
MODE = "#e0fbff"  # on the spectrogram, which is dark in either theme
SILENT_DB, STEPS_S = 50.0, (0.1, 0.25, 0.5, 1.0)
RANGE_DB = 40.0  # below the strongest mode: a weaker one is not drawn


def strike_figure(clip: Clip) -> Figure:
    """Waveform with the envelope above spectrogram with the modes, for each strike from its onset. Of a dull object,
    which is silent most of the time, only the beginning."""
    until_s = shown_s(clip)
    figure = sound_figure(clip.waveform[:, : round(until_s * clip.sample_rate)], clip.sample_rate)
    wave_axes, mel_axes, bar_axes = figure.axes
    left, width, bar_left, bar_width = time_axis(narrow=False)
    wave_axes.set_position((left, 0.6, width, 0.38))  # taller than elsewhere, for the envelope
    mel_axes.set_position((left, 0.125, width, 0.43))
    bar_axes.set_position((bar_left, 0.125, bar_width, 0.43))
    reach = 0.0
    for strike, (begin, end) in zip(clip.strikes, clip.spans(), strict=True):
        draw_envelope(wave_axes, strike.blow, begin, min(end, until_s))
        draw_modes(mel_axes, strike.blow, begin, min(end, until_s))
        reach = max(reach, float(strike.blow.envelope.max(initial=0.0)))
    if 1.15 * reach > wave_axes.get_ylim()[1]:
        wave_axes.set_ylim(-min(1.15 * reach, 1.0), min(1.15 * reach, 1.0))
    add_legends(wave_axes, mel_axes, any(strike.blow.rings for strike in clip.strikes))
    return figure


def shown_s(clip: Clip) -> float:
    """Seconds until the sound has fallen by SILENT_DB, rounded up to a few steps so that figures can be compared."""
    frame = round(0.01 * clip.sample_rate)
    whole = clip.waveform[0, : clip.waveform.shape[1] // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.square(whole, dtype=np.float64).mean(axis=1))
    last = np.flatnonzero(level > level.max(initial=0.0) * 10 ** (-SILENT_DB / 20))
    until_s = (last[-1] + 1) * 0.01 if len(last) else clip.seconds
    return min((step for step in (*STEPS_S, clip.seconds) if step >= until_s), default=clip.seconds)


def draw_envelope(axes: Axes, blow: Impact, begin: float, end: float) -> None:
    """Positive and negative: a line for the struck object, a band for its uncertainty. begin, end: seconds."""
    times_s = begin + (np.arange(len(blow.envelope)) + 0.5) * blow.frame_s
    shown = times_s < end
    for sign in (1.0, -1.0):
        low, high = sign * blow.envelope_low[shown], sign * blow.envelope_high[shown]
        axes.fill_between(times_s[shown], low, high, color=PREDICTED, alpha=0.22, linewidth=0)
        axes.plot(times_s[shown], sign * blow.envelope[shown], color=PREDICTED, linewidth=1.2)


def draw_modes(axes: Axes, blow: Impact, begin: float, end: float) -> None:
    """A line at each mode, from the strike until it has fallen by 60 dB; fainter for weaker modes."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import to_rgb

    audible, weakness = audible_modes(blow)
    heights = slaney_mel(blow.frequencies_hz[audible].astype(np.float64))
    ends = np.minimum(begin + blow.t60_s[audible], end)
    colours = [(*to_rgb(MODE), alpha) for alpha in 0.85 - 0.6 * weakness]
    lines = [[(begin, height), (last, height)] for height, last in zip(heights, ends, strict=True)]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.7), autolim=False)


def audible_modes(blow: Impact) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """((K,) bool, modes within RANGE_DB of the strongest; for each of these, 0 (strongest) to 1 (RANGE_DB weaker))."""
    gains = np.abs(blow.gains).astype(np.float64)
    below_db = -20 * np.log10(np.maximum(gains, 1e-12) / max(float(gains.max(initial=0.0)), 1e-12))
    audible = (below_db <= RANGE_DB) & (gains > 0)
    return audible, below_db[audible] / RANGE_DB


def add_legends(wave_axes: Axes, mel_axes: Axes, rings: bool) -> None:
    """Legends. rings: whether there is any mode."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    line = Line2D([], [], color=PREDICTED, linewidth=1.2, label=words.ENVELOPE)
    band = Patch(color=PREDICTED, alpha=0.3, linewidth=0, label=words.BAND)
    style: dict[str, Any] = {"loc": "upper right", "frameon": False, "fontsize": 7.5, "borderaxespad": 0.1}
    wave_axes.legend(handles=[line, band], labelcolor=INK, ncols=2, **style)
    mode = Line2D([], [], color=MODE, linewidth=0.9, label=words.MODES)
    if rings:
        mel_axes.legend(handles=[mode], labelcolor=MODE, **style)


def as_html(clip: Clip, what: str) -> str:
    """The figure as an <img>. what: the struck object, for the alternative text."""
    strongest = strongest_hz(clip.blow)
    modes = f"strongest mode at {amount(strongest, FREQUENCIES)}" if strongest else words.NO_MODES
    alt = f"Waveform and spectrogram, {clip.seconds:.1f} s, of {what}; {modes}"
    return as_picture(strike_figure(clip), alt)


def strongest_hz(blow: Impact) -> float:
    """0 where nothing rings."""
    return float(blow.frequencies_hz[int(np.abs(blow.gains).argmax())]) if blow.rings else 0.0
