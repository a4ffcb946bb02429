"""What was foretold is drawn where it was foretold: the envelope in its frames, the modes at their frequencies."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from synesthesia.core.results import Heard, Impact
from synesthesia.ui.impact.figures import as_html, audible_modes, shown_s, strike_figure
from synesthesia.ui.impact.strike_path import Strike, one_clip
from tests.impact.ui.fake_studio import FakeTapStudio


@pytest.fixture(scope="module")
def heard() -> Heard:
    """Rings to its end."""
    heard = FakeTapStudio().hear(Image.new("RGB", (480, 320), "white"), 10, 10, path="tap", seconds=1.5)
    return replace(heard, waveform=0.2 * np.sin(0.2 * np.arange(24_000, dtype=np.float32))[None])


def the_impact(heard: Heard) -> Impact:
    assert heard.blow
    gains = np.array([0.02, 1.0, 0.011, 0.009], np.float32)  # the last is more than 40 dB below the second
    hz = np.array([200, 1000, 2500, 6000], np.float32)
    return replace(heard.blow, frequencies_hz=hz, gains=gains, t60_s=np.array([0.2, 9.0, 0.5, 0.5], np.float32))


def test_modes_within_forty_decibels_lie_at_their_frequencies_while_they_ring(heard: Heard) -> None:
    figure = strike_figure(one_clip([Strike(0.0, replace(heard, blow=the_impact(heard)))]))
    _, mel, _ = figure.axes
    (lines,) = [each for each in mel.collections if each.get_segments()]
    drawn = [(float(y), float(x2)) for (_, y), (x2, _) in lines.get_segments()]
    assert drawn == [
        (pytest.approx(3.0), pytest.approx(0.2)),
        (pytest.approx(15.0), pytest.approx(1.5)),  # 1 kHz is 15 mel on Slaney's scale; it would ring past the end
        (pytest.approx(15.0 + 27 * np.log(2.5) / np.log(6.4)), pytest.approx(0.5)),
    ]
    alphas = lines.get_colors()[:, 3]
    assert alphas[1] > alphas[0] > alphas[2]
    assert "modes" in mel.get_legend().get_texts()[0].get_text()


def test_of_a_dull_thing_the_beginning_is_drawn_and_of_a_ringing_one_all(heard: Heard) -> None:
    times = np.arange(24_000) / 16_000
    for t60, until in ((0.2, 0.25), (0.4, 0.5), (5.0, 1.5)):
        tone = np.sin(2 * np.pi * 500 * times) * 10 ** (-3 * times / t60)
        clip = one_clip([Strike(0.0, replace(heard, waveform=tone[None].astype(np.float32)))])
        wave, mel, _ = strike_figure(clip).axes
        assert wave.get_xlim() == mel.get_xlim() == pytest.approx((0.0, until))
        assert wave.lines[0].get_xdata().max() < until
    silent = one_clip([Strike(0.0, replace(heard, waveform=np.zeros((1, 24_000), np.float32)))])
    assert shown_s(silent) == 1.5


def test_silence_has_no_modes(heard: Heard) -> None:
    blow = replace(the_impact(heard), gains=np.zeros(4, np.float32))
    assert not audible_modes(blow)[0].any()
    strike_figure(one_clip([Strike(0.0, replace(heard, blow=blow))]))


def test_the_envelope_is_drawn_both_ways_with_its_band(heard: Heard) -> None:
    assert heard.blow
    wave, *_ = strike_figure(one_clip([Strike(0.0, heard)])).axes
    above, below = wave.lines
    assert np.array_equal(above.get_ydata(), heard.blow.envelope) and np.array_equal(
        below.get_ydata(), -above.get_ydata()
    )
    assert above.get_xdata()[:2] == pytest.approx([0.005, 0.015]), "in the middle of its frames"
    bands = wave.collections[-2:]
    tops = [float(np.abs(band.get_paths()[0].vertices[:, 1]).max()) for band in bands]
    assert tops == pytest.approx([heard.blow.envelope_high.max()] * 2)


def test_the_axis_reaches_as_far_as_the_envelope(heard: Heard) -> None:
    assert heard.blow
    high = replace(heard.blow, envelope=np.full_like(heard.blow.envelope, 0.8))
    wave, *_ = strike_figure(one_clip([Strike(0.0, replace(heard, blow=high))])).axes
    assert wave.get_ylim() == pytest.approx((-0.92, 0.92))


def test_of_a_drag_each_strike_is_drawn_from_its_beginning(heard: Heard) -> None:
    blow = replace(heard, blow=the_impact(heard))
    clip = one_clip([Strike(0.0, blow), Strike(0.4, blow)])
    wave, mel, _ = strike_figure(clip).axes
    segments = [segment for each in mel.collections for segment in each.get_segments()]
    assert [(float(begin), float(end)) for (begin, _), (end, _) in segments] == [
        (0.0, pytest.approx(0.2)), (0.0, pytest.approx(0.4)), (0.0, pytest.approx(0.4)),
        (pytest.approx(0.4), pytest.approx(0.6)), (pytest.approx(0.4), pytest.approx(1.9)),
        (pytest.approx(0.4), pytest.approx(0.9)),
    ]  # fmt: skip
    assert wave.lines[0].get_xdata().max() < 0.4 < wave.lines[2].get_xdata().min()


def test_the_picture_says_what_it_shows_and_leaves_nothing_behind(heard: Heard) -> None:
    html = as_html(one_clip([Strike(0.0, heard)]), "wood <solid>")
    assert html.startswith('<img alt="Waveform and spectrogram, 1.5 s, of wood &lt;solid&gt;; strongest mode at ')
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
