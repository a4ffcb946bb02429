"""The dial turns the right way round, the maps share the spectrogram's axes, and every axis has its unit."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import numpy as np
import pytest

from synesthesia.core.results import Located
from synesthesia.ui.localization import cards, words
from synesthesia.ui.localization.figures import TRUTH, dial_figure, edges, loudness, maps_figure
from synesthesia.ui.shared.sound_figure import slaney_mel
from tests.ui.fake_studio import FakeStudio

STUDIO = FakeStudio()


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, int]:
    return STUDIO.binaural("noise", 60.0)


@pytest.fixture(scope="module")
def found(clip: tuple[np.ndarray, int]) -> Located:
    return STUDIO.locate(*clip)


def test_the_front_is_up_and_right_is_right(found: Located) -> None:
    figure = dial_figure(found, 90.0)
    figure.savefig(io.BytesIO())
    (axes,) = figure.axes
    middle = axes.transData.transform((0.0, 0.0))
    for azimuth, along, sign in ((0, 1, 1), (180, 1, -1), (90, 0, 1), (-90, 0, -1)):
        away = axes.transData.transform((np.radians(azimuth), 1.0)) - middle
        assert sign * away[along] > 100 and abs(away[1 - along]) < 1
    truth = [line for line in axes.lines if line.get_color() == TRUTH]
    assert len(truth) == 1 and truth[0].get_xdata()[0] == pytest.approx(np.pi / 2)
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_no_mark_is_drawn_where_no_direction_is_claimed(found: Located) -> None:
    assert len(dial_figure(replace(found, kind="mono")).axes[0].lines) < len(dial_figure(found).axes[0].lines)


def test_maps_share_time_and_frequency_with_the_spectrogram(found: Located, clip: tuple[np.ndarray, int]) -> None:
    mel, level, phase, track, *bars = maps_figure(found, *clip).axes
    for axes in (mel, level, phase, track):
        assert axes.get_xlim() == pytest.approx((0.0, found.seconds))
    for axes in (level, phase):
        assert axes.get_ylim() == pytest.approx(mel.get_ylim())
    assert [axes.get_title(loc="left") for axes in (level, phase)] == [words.LEVEL_MAP, words.PHASE_MAP]
    assert track.get_xlabel() == "time (s)" and all("kHz" in axes.get_ylabel() for axes in (mel, level, phase))
    assert [bar.get_ylabel() for bar in bars] == ["dB", "× average", "× average"]
    heat = np.asarray(phase.collections[0].get_array())
    loudest = int(heat.mean(axis=1).argmax())
    shown = np.asarray(phase.collections[0].get_coordinates())[:, 0, 1]  # borders on the mel axis
    assert shown[loudest] < float(slaney_mel(np.array(700.0))) < shown[loudest + 1] + 1.5
    assert heat.mean() == pytest.approx(1.0, rel=1e-3), "the average is 1"


@pytest.mark.parametrize(("seconds", "rate_hz"), [(0.2, 8_000), (0.5, 44_100), (60.0, 8_000)])
def test_clips_of_any_length_and_rate_are_drawn(seconds: float, rate_hz: int) -> None:
    waveform = 0.1 * np.random.default_rng(0).standard_normal((2, int(seconds * rate_hz))).astype(np.float32)
    figure = maps_figure(STUDIO.locate(waveform, rate_hz), waveform, rate_hz)
    figure.savefig(io.BytesIO())


def test_quiet_moments_are_faint() -> None:
    sound = np.concatenate([0.5 * np.ones(16_000), 1e-4 * np.ones(16_000)]).astype(np.float32)
    loud, quiet = loudness(sound, np.array([0.5, 1.5]))
    assert loud == 1.0 and quiet == pytest.approx(0.08)
    assert (loudness(np.zeros(1000, np.float32), np.array([0.01, 5.0])) <= 1).all()


def test_edges_surround_middles() -> None:
    assert edges(np.array([1.0, 2.0, 4.0])) == pytest.approx([0.5, 1.5, 3.0, 5.0])
    assert edges(np.array([0.02])) == pytest.approx([0.0, 0.04])


def test_numbers_beside_the_dial(found: Located) -> None:
    text = cards.numbers(replace(found, second_deg=-100.0, azimuth_deg=40.0), 60.0)
    assert "40° right" in text and "off by 20°" in text and "100° left" in text and "front half only" in text
    assert words.degrees(-179.9) == "180°" and words.degrees(0.2) == "0°"
    big, _, _ = words.located(replace(found, azimuth_deg=-172.0), None)
    assert big == "Back, 172° left"
    assert words.off(-170.0, 170.0) == "off by 20°"


def test_no_second_source_is_not_called_likely(found: Located) -> None:
    none = cards.numbers(replace(found, second_deg=None, second_probability=0.47), None)
    assert "<b>none</b><small>probability 47 %</small>" in none
    one = cards.numbers(replace(found, second_deg=-100.0, second_probability=0.83), None)
    assert "<b>100° left</b><small>probability 83 %</small>" in one
