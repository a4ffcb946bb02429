"""The shipped localizer and language model on clips whose direction is known. Needs nothing but the checkout."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia import Studio
from synesthesia.binaural.geometry import angle_difference, in_arc, lateral_angle


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.load("embedded")


@pytest.mark.parametrize("azimuth_deg", [-150, -60, -20, 35, 60, 120])
def test_a_sound_is_found_where_the_panel_put_it(studio: Studio, azimuth_deg: int) -> None:
    found = studio.locate(*studio.binaural("noise", azimuth_deg))
    assert abs(angle_difference(found.azimuth_deg, azimuth_deg)) <= 10
    assert in_arc(azimuth_deg, *found.interval_deg)


@pytest.mark.parametrize("room", ["small", "large"])
def test_rooms_leave_the_side_alone(studio: Studio, room: str) -> None:
    found = studio.locate(*studio.binaural("babble", 60, room=room))
    assert abs(float(lateral_angle(found.azimuth_deg)) - 60) <= 12


def test_another_sample_rate_gives_the_same_direction(studio: Studio) -> None:
    from scipy.signal import resample_poly

    clip, rate_hz = studio.binaural("noise", -60)
    assert rate_hz == 16_000
    found = studio.locate(resample_poly(clip, 3, 1, axis=1).astype(np.float32), 48_000)
    assert abs(angle_difference(found.azimuth_deg, -60)) <= 10


def test_the_small_model_answers_from_the_spatial_token(studio: Studio) -> None:
    right, left = studio.binaural("bird", 80), studio.binaural("bird", -80)
    for (clip, rate_hz), english, chinese in ((right, "right", "右"), (left, "left", "左")):
        assert english in studio.ask(clip, rate_hz, "Which side?").text.lower()
        assert chinese in studio.ask(clip, rate_hz, "声音在哪一边？").text
    mono = np.stack([right[0].mean(axis=0)] * 2)
    assert "can't tell" in studio.ask(mono, right[1], "Where does the sound come from?").text
