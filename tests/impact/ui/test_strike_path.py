"""A drag strikes where the finger was, when it was there, and never two things at once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synesthesia.core import recipe
from synesthesia.core.errors import UserError
from synesthesia.ui.impact.strike_path import (
    FADE_S,
    MAX_DRAG_S,
    MAX_STRIKES,
    MIN_GAP_S,
    Strike,
    Touch,
    one_clip,
    points,
    recipes_json,
    strike_seconds,
    touches,
)
from synesthesia.vision.grid import PatchGrid
from tests.impact.ui.fake_studio import FakeTapStudio
from tests.ui.fake_studio import FakeVision

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def grid() -> PatchGrid:
    """16 rows of 24 patches, 20 px each."""
    return FakeVision().encode(Image.new("RGB", (480, 320)))


def a_strike(at_s: float, level: float, seconds: float = 1.0) -> Strike:
    heard = FakeTapStudio().hear(Image.new("RGB", (480, 320), "white"), 10, 10, path="tap", seconds=seconds)
    return Strike(at_s, replace(heard, waveform=np.full((1, round(seconds * RATE_HZ)), level, np.float32)))


def test_a_click_is_one_touch_at_its_pixel(grid: PatchGrid) -> None:
    assert touches([(70.0, 90.0, 0.0)], grid) == [Touch(4, 3, 70.0, 90.0, 0.0)]


def test_a_shake_within_one_patch_is_one_touch(grid: PatchGrid) -> None:
    assert len(touches([(61, 81, 0), (78, 98, 300), (62, 84, 700)], grid)) == 1


def test_each_patch_is_struck_when_the_finger_came_to_it(grid: PatchGrid) -> None:
    found = touches([(10.0, 10.0, 0.0), (90.0, 10.0, 800.0)], grid)  # two points only: patches between are not missed
    assert [each.col for each in found] == [0, 1, 2, 3, 4] and {each.row for each in found} == {0}
    assert [each.at_s for each in found] == pytest.approx([0.0, 0.1, 0.3, 0.5, 0.7], abs=0.051)
    back = touches([(10, 10, 0), (30, 10, 500), (10, 10, 1000)], grid)
    assert [each.col for each in back] == [0, 1, 0], "the way back strikes again"


def test_long_drags_are_thinned_evenly_and_slow_ones_sped_up(grid: PatchGrid) -> None:
    found = touches([(2.0, 10.0, 500.0), (478.0, 10.0, 20_500.0)], grid)
    cols = [each.col for each in found]
    assert len(found) == MAX_STRIKES and cols[0] == 0 and cols[-1] == 23 and set(np.diff(cols)) <= {2, 3}
    assert found[0].at_s == 0.0 and found[-1].at_s == pytest.approx(MAX_DRAG_S)
    assert np.diff([each.at_s for each in found]).min() > 0.2


def test_a_brushed_corner_is_not_struck(grid: PatchGrid) -> None:
    found = touches([(10, 10, 0), (10, 18, 400), (24, 22, 410), (30, 30, 900)], grid)
    assert [(each.row, each.col) for each in found] == [(0, 0), (1, 1)]
    fast = touches([(10, 10, 0), (470, 10, 230)], grid)  # 24 patches in less than a quarter of a second
    gaps = np.diff([each.at_s for each in fast])
    assert 4 <= len(fast) <= 8 and gaps.min() >= MIN_GAP_S


def test_what_lies_outside_is_left_out(grid: PatchGrid) -> None:
    found = touches([(10, 10, 0), (10, -300, 400), (200, -300, 800), (200, 10, 1200)], grid)
    assert [(each.row, each.col) for each in found] == [(0, 0), (0, 10)]
    with pytest.raises(UserError, match="not on the photograph"):
        touches([(-5.0, 10.0, 0.0), (-1e300, 10.0, 50.0)], grid)


@pytest.mark.parametrize(
    "path", [None, [], "path", [[1, 2]], [["a", 1, 2]], [[float("nan"), 1, 2]], [[1, 2, 3]] * 701, {"x": 1}, 7]
)
def test_only_a_path_is_a_path(path: Any) -> None:
    with pytest.raises(UserError, match="not on the photograph"):
        points(path)


def test_no_two_strikes_sound_at_once() -> None:
    clip = one_clip([a_strike(0.2, 0.5), a_strike(0.6, -0.25), a_strike(1.9, 0.125, seconds=1.5)])
    first, second, third = (round(at * RATE_HZ) for at in (0.0, 0.4, 1.7))
    assert clip.waveform.shape == (1, third + round(1.5 * RATE_HZ)), "it begins with its first strike"
    wave, fade = clip.waveform[0], round(FADE_S * RATE_HZ)
    assert (wave[first : second - fade] == 0.5).all() and (wave[second : second + RATE_HZ] == -0.25).all()
    assert (np.diff(wave[second - fade : second]) < 0).all() and wave[second - 1] == 0.0, "faded out by the next one"
    assert (wave[second + RATE_HZ : third] == 0.0).all(), "a strike that was shorter leaves a pause"
    assert (wave[third:] == 0.125).all(), "the last one rings on"
    assert np.allclose(clip.spans(), [(0.0, 0.4), (0.4, 1.7), (1.7, 3.2)])


def test_a_click_sounds_as_the_studio_made_it() -> None:
    strike = a_strike(0.0, 0.5)
    assert np.array_equal(one_clip([strike]).waveform, strike.heard.waveform)


def test_strikes_are_made_as_long_as_they_are_heard() -> None:
    on_the_way = [Touch(0, col, 0, 0, at) for col, at in enumerate((0.0, 0.2, 3.2))]
    assert [strike_seconds(on_the_way, index, 2.0, 1.0) for index in range(3)] == pytest.approx([1.0, 2.0, 2.0])


def test_every_strike_keeps_its_recipe() -> None:
    one, two = a_strike(0.0, 0.5), a_strike(0.31, 0.5)
    assert recipe.from_json(recipes_json(one_clip([one]))) == one.heard.recipe
    told = json.loads(recipes_json(one_clip([one, two])))["strikes"]
    assert [each["at_s"] for each in told] == [0.0, 0.31]
    assert [recipe.from_json(json.dumps(each)) for each in told] == [one.heard.recipe, two.heard.recipe]
