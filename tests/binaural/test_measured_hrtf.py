"""Measured HRTFs: interpolation, caching, sparse grids, errors."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.geometry import fibonacci_sphere
from synesthesia.binaural.hrtf import band_mask
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import itd_us, measured_grid


def test_a_measured_grid_gives_back_what_was_measured(measured: MeasuredHRTF) -> None:
    truth = SphereHRTF()
    azimuth, elevation = fibonacci_sphere(97)  # between the measured directions
    predicted, expected = measured.spectra(azimuth, elevation), truth.spectra(azimuth, elevation)
    assert np.abs(predicted.itd_s - expected.itd_s).mean() < 10e-6
    difference = (predicted.log_magnitude - expected.log_magnitude)[..., band_mask()]
    difference -= difference.mean()  # levels are relative to the diffuse field
    assert 8.7 * np.sqrt(np.square(difference).mean()) < 1.0  # dB


def test_responses_are_cached_by_the_degree(measured: MeasuredHRTF) -> None:
    several = measured.responses(np.array([30.2, 180.0, 29.8]), np.array([0.4, 0.0, -0.4]))
    np.testing.assert_array_equal(several[0], several[2])
    np.testing.assert_array_equal(several[1:2], measured.responses(np.array([-180.0]), np.array([0.0])))


def test_the_loudspeaker_s_distance_does_not_matter(measured: MeasuredHRTF) -> None:
    far = MeasuredHRTF(*measured_grid(taps=640, lead_s=8.1e-3), 44_100)
    azimuth, elevation = fibonacci_sphere(50)
    here, there = measured.spectra(azimuth, elevation), far.spectra(azimuth, elevation)
    assert np.abs(here.itd_s - there.itd_s).max() < 15e-6


def test_a_horizontal_ring_serves_all_elevations() -> None:
    ir, azimuth, elevation = measured_grid(directions=400)
    flat = np.abs(elevation) < 8
    ring = MeasuredHRTF(ir[flat], azimuth[flat], np.zeros(flat.sum()), 44_100)
    responses = ring.responses(np.array([40.0, 40.0, 0.0]), np.array([0.0, 60.0, -90.0]))
    assert np.isfinite(responses).all() and itd_us(responses[0]) > itd_us(responses[1]) > 0


def test_too_few_directions_and_too_low_a_rate_are_errors() -> None:
    ir, azimuth, elevation = measured_grid(directions=8)
    with pytest.raises(UserError, match="at least 3"):
        MeasuredHRTF(ir[:2], azimuth[:2], elevation[:2], 44_100)
    with pytest.raises(UserError, match="8000 Hz"):
        MeasuredHRTF(ir, azimuth, elevation, 8_000)
