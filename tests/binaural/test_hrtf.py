"""All HRTFs: known physics of two ears."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.hrtf import HRTF, TAPS, diffuse_power
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from tests.binaural.synthetic_hrtf import itd_us, level_db

SIDES = np.arange(0.0, 91.0, 10.0)


@pytest.fixture(params=["sphere", "measured", "fitted"])
def hrtf(request: pytest.FixtureRequest) -> HRTF:
    return SphereHRTF() if request.param == "sphere" else request.getfixturevalue(request.param)


def test_the_right_ear_leads_and_is_louder_at_the_right(hrtf: HRTF) -> None:
    response = hrtf.responses(np.array([90.0]), np.array([0.0]))
    assert response.shape == (1, 2, TAPS) and response.dtype == np.float32
    left_db, right_db = level_db(response)[0]
    assert right_db > left_db + 6
    assert 500 < itd_us(response[0]) < 900


def test_itd_grows_from_front_to_side(hrtf: HRTF) -> None:
    itd = np.array([itd_us(response) for response in hrtf.responses(SIDES, np.zeros_like(SIDES))])
    assert abs(itd[0]) < 30
    assert (np.diff(itd) > -8).all() and itd[-1] - itd[0] > 500  # read with a grain of 8 us


def test_swapping_the_ears_mirrors_the_azimuth(hrtf: HRTF) -> None:
    azimuth, elevation = np.array([10.0, 55.0, 100.0, 170.0]), np.array([0.0, 20.0, -20.0, 60.0])
    here, there = hrtf.responses(azimuth, elevation), hrtf.responses(-azimuth, elevation)
    apart = 10 * np.log10(np.square(here[:, ::-1] - there).mean() / np.square(here).mean() + 1e-20)
    assert apart < (-15 if isinstance(hrtf, MeasuredHRTF) else -100)  # its grid is not symmetrical


def test_a_sphere_is_the_same_in_front_and_behind() -> None:
    pair = SphereHRTF().responses(np.array([40.0, 140.0]), np.zeros(2))
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-6)


def test_diffuse_power_is_positive_and_cached(hrtf: HRTF) -> None:
    assert (diffuse_power(hrtf) > 0).all() and diffuse_power(hrtf) is diffuse_power(hrtf)
