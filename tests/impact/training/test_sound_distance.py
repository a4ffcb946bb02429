"""Distance and decay of struck sounds with known answers; intervals over scenes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synesthesia.core.presets import SAMPLE_RATE_HZ
from training.impact.intervals import mean, median_factor, pooled_share, scene_bootstrap
from training.impact.sound_distance import MIN_DECAY_S, RANGE_DB, decay_s, distance_db, levels_db

RANDOM = np.random.default_rng(5)
NOISE = 0.1 * RANDOM.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)


def decaying_sine(t60_s: float, seconds: float, hz: float = 700.0) -> np.ndarray:
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.sin(2 * math.pi * hz * times) * 10 ** (-3 * times / t60_s)


def test_the_distance_of_a_sound_to_itself_is_zero() -> None:
    assert distance_db(levels_db(NOISE), levels_db(NOISE)) == 0
    assert levels_db(NOISE).shape == (101, 64)


def test_six_decibels_louder_are_six_decibels_and_zero_without_level() -> None:
    reference, louder = levels_db(NOISE), levels_db(2 * NOISE)
    assert distance_db(reference, louder) == pytest.approx(20 * math.log10(2), abs=1e-3)
    assert distance_db(reference, louder, level_free=True) == pytest.approx(0, abs=1e-3)


def test_nothing_counts_below_the_references_range() -> None:
    reference = levels_db(NOISE)
    silence, hum = levels_db(0 * NOISE), levels_db(1e-5 * NOISE)
    assert distance_db(reference, silence) == pytest.approx(distance_db(reference, hum), abs=1e-3)
    assert 0 < distance_db(reference, silence) <= RANGE_DB


def test_another_frequency_is_further_away_than_another_decay() -> None:
    reference = levels_db(decaying_sine(0.5, 1.0))
    other, longer = levels_db(decaying_sine(0.5, 1.0, hz=1400.0)), levels_db(decaying_sine(0.6, 1.0))
    assert distance_db(reference, other) > 3 * distance_db(reference, longer) > 0


@pytest.mark.parametrize("t60_s", [0.05, 0.3, 1.0, 3.0])
def test_decay_of_a_decaying_sine_and_of_decaying_noise(t60_s: float) -> None:
    assert decay_s(decaying_sine(t60_s, 3.0)) == pytest.approx(t60_s, rel=0.05)
    times = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    noise = np.random.default_rng(1).standard_normal(len(times)) * 10 ** (-3 * times / t60_s)
    assert decay_s(noise) == pytest.approx(t60_s, rel=0.05 if t60_s > 0.2 else 0.15)


def test_decay_of_a_click_and_of_silence_is_the_least() -> None:
    click = np.zeros(SAMPLE_RATE_HZ)
    click[0] = 1.0
    assert decay_s(click) == decay_s(np.zeros(SAMPLE_RATE_HZ)) == MIN_DECAY_S


def test_intervals_are_over_scenes_not_clicks() -> None:
    values, scene = np.repeat([1.0, 0.0], 50), np.repeat([7, 9], 50)
    found = scene_bootstrap(values, scene, mean)
    assert (found["value"], found["low"], found["high"], found["n"]) == (0.5, 0.0, 1.0, 100)


def test_pooled_shares_weigh_scenes_by_pixels_and_skip_empty_ones() -> None:
    found = pooled_share(np.array([90, 0, 0]), np.array([90, 10, 0]))
    assert found["value"] == pytest.approx(0.9) and found["n"] == 2


def test_median_factor_counts_up_and_down_equally() -> None:
    assert median_factor(np.log([0.5, 2.0, 2.0])) == pytest.approx(2.0)
