"""The figure of a sound has axes with units, and draws silence as silence."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from synesthesia.ui.shared.sound_figure import log_mel, sound_figure

RATE_HZ = 16_000


@pytest.mark.parametrize("narrow", [False, True])
def test_axes_carry_units_and_the_sounds_length(narrow: bool) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE_HZ) / RATE_HZ)
    figure = sound_figure(tone[None].astype(np.float32), RATE_HZ, narrow=narrow)
    wave, mel, bar = figure.axes
    assert wave.get_ylabel() == "amplitude"
    assert mel.get_xlabel() == "time (s)" and "kHz" in mel.get_ylabel() and bar.get_ylabel() == "dB"
    assert mel.get_xlim() == pytest.approx((0.0, 2.0))
    image = mel.get_images()[0].get_array()
    loudest_mel = (int(np.asarray(image).mean(axis=1).argmax()) + 0.5) / 64 * mel.get_ylim()[1]
    assert loudest_mel == pytest.approx(15.0, abs=1.0), "1 kHz lies at 15 mel on Slaney's scale"


def test_silence_is_drawn() -> None:
    figure = sound_figure(np.zeros((2, RATE_HZ), dtype=np.float32), RATE_HZ)
    figure.savefig(io.BytesIO(), format="png")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_of_two_channels_the_left_lies_over_the_right_to_one_scale() -> None:
    tone = 0.8 * np.sin(2 * np.pi * 500 * np.arange(RATE_HZ) / RATE_HZ)
    figure = sound_figure(np.stack([tone, 0.25 * tone]).astype(np.float32), RATE_HZ)
    left, right = (axes for axes in figure.axes if axes.get_ylabel() in ("left", "right"))
    assert left.get_ylabel() == "left" and left.get_position().y0 > right.get_position().y1
    assert left.get_ylim() == right.get_ylim() and left.get_xlim() == right.get_xlim() == pytest.approx((0.0, 1.0))
    tops = [axes.collections[0].get_paths()[0].vertices[:, 1].max() for axes in (left, right)]
    assert tops == pytest.approx([0.8, 0.2], rel=0.02)
    marks = [sorted(axes.get_yticks()) for axes in (left, right)]
    assert marks == [[-0.5, 0.5]] * 2, "so far from the ends that the two panels' numbers stay apart"


def test_a_time_between_the_ears_makes_no_hole_in_the_spectrogram() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    late = np.roll(noise, 8)  # half a period of 1 kHz: the mean of both would be silent there
    one, both = log_mel(noise[None], RATE_HZ), log_mel(np.stack([noise, late]), RATE_HZ)
    assert np.abs(both - one).mean() < 0.2 and np.abs(both.mean(axis=0) - one.mean(axis=0)).max() < 0.1
    assert log_mel(np.stack([noise, 0 * noise]), RATE_HZ).mean() == pytest.approx(one.mean() - np.log(2) / 2, abs=0.01)
