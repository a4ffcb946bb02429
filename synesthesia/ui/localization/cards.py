"""HTML of the tab "Locate": the numbers beside the dial, which are also its legend."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from synesthesia.ui.localization import words

if TYPE_CHECKING:
    from synesthesia.core.results import Located


def numbers(found: Located, truth_deg: float | None) -> str:
    """Front or back, then one row for each mark of the dial."""
    if found.kind != "stereo":
        return f"<div class='bearings'><p class='faint'>{words.NO_DIRECTION}</p>{baseline(found, truth_deg)}</div>"
    low, high = found.interval_deg
    width = (high - low) % 360 or 360
    error = "" if truth_deg is None else words.off(found.azimuth_deg, truth_deg)
    second = words.NO_SECOND if found.second_deg is None else words.degrees(found.second_deg)
    return (
        f"<div class='bearings'>{halves(found.front_probability)}"
        + row("model", words.MODEL, words.degrees(found.azimuth_deg), error)
        + row("interval", words.INTERVAL, words.arc(low, high), f"{width:.0f}° wide")
        + ("" if truth_deg is None else row("truth", words.TRUTH, words.degrees(truth_deg), "as rendered"))
        + baseline(found, truth_deg)
        + row("second", words.SECOND, second, f"probability {100 * found.second_probability:.0f} %")
        + row("", words.ELEVATION, words.ELEVATIONS[found.elevation], "")
        + "</div>"
    )


def halves(front: float) -> str:
    """One bar in two parts: in front, at the back."""
    percent = round(100 * min(max(front, 0.0), 1.0))
    return (
        f"<div class='halves'><span><b>{percent} %</b> in front</span><span>at the back <b>{100 - percent} %</b></span>"
        f"<i role='img' aria-label='{percent} % in front'><i style='width:{percent}%'></i></i></div>"
    )


def baseline(found: Located, truth_deg: float | None) -> str:
    error = "" if truth_deg is None or found.kind != "stereo" else f"{words.off(found.baseline_deg, truth_deg)} · "
    note = f"{error}ITD {abs(found.itd_s) * 1e3:.2f} ms · {words.BASELINE_NOTE}"
    return row("baseline", words.BASELINE, words.degrees(found.baseline_deg), note)


def row(mark: str, name: str, value: str, note: str) -> str:
    """mark: CSS class of the symbol that stands for it on the dial."""
    return (
        f"<div class='fact'><i class='mark {mark}'></i><span>{escape(name)}</span>"
        f"<b>{escape(value)}</b><small>{escape(note)}</small></div>"
    )
