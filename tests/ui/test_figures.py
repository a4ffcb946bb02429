"""The figure of a sound has axes with units, and draws silence as silence."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from synesthesia.ui.figures import sound_figure

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


def test_silence_is_drawn_and_stereo_is_mixed() -> None:
    figure = sound_figure(np.zeros((2, RATE_HZ), dtype=np.float32), RATE_HZ)
    figure.savefig(io.BytesIO(), format="png")
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
