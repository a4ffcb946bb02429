"""HRTFs: known physics of two ears, interpolation between measurements, symmetry and files of the fitted HRTF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import fibonacci_sphere
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, HRTF, LEFT, RIGHT, TAPS, band_mask, diffuse_power
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.minimum_phase import minimum_phase_responses, minimum_phase_spectrum, onset_delays_s
from synesthesia.binaural.sh_hrtf import (
    SphericalHarmonicHRTF,
    SphericalHarmonicHRTFConfig,
    ear_directions,
    spherical_harmonics,
)
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import itd_us, level_db, measured_grid

SIDES = np.arange(0.0, 91.0, 10.0)


@pytest.fixture(scope="module")
def measured() -> MeasuredHRTF:
    return MeasuredHRTF(*measured_grid(), 44_100)


@pytest.fixture(scope="module")
def fitted() -> SphericalHarmonicHRTF:
    """A small fit to a sphere with a nose: louder in front, so that front and back differ."""
    azimuth, elevation = fibonacci_sphere(300)
    spectra = SphereHRTF().spectra(azimuth, elevation)
    directions = ear_directions(azimuth, elevation).reshape(-1, 3)
    nose = 0.3 * directions[:, :1] * np.sin(FREQUENCIES_HZ / 1000)
    rows = spectra.log_magnitude.reshape(600, -1) + nose
    return SphericalHarmonicHRTF.fit(
        SphericalHarmonicHRTFConfig(order=6), directions, rows, 5e-5 * directions[:, 0], np.ones(600)
    )


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


def test_delay_and_minimum_phase_reconstruct_a_response() -> None:
    rng = np.random.default_rng(0)
    log_magnitude = np.cumsum(rng.normal(0, 0.03, (6, len(FREQUENCIES_HZ))), axis=1)
    delay_s = rng.uniform(4e-4, 9e-4, 6)
    spectrum = np.fft.rfft(minimum_phase_responses(log_magnitude, delay_s, 16_000, TAPS), 256)
    assert np.abs(np.log(np.abs(spectrum)) - log_magnitude)[:, 4:120].max() < 0.1
    np.testing.assert_allclose(onset_delays_s(spectrum, log_magnitude, delay_s, 16_000), delay_s, atol=4e-6)
    flat = minimum_phase_spectrum(np.zeros((1, len(FREQUENCIES_HZ))))
    np.testing.assert_allclose(flat, 1.0)


def test_a_sphere_is_the_same_in_front_and_behind() -> None:
    pair = SphereHRTF().responses(np.array([40.0, 140.0]), np.zeros(2))
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-6)


def test_diffuse_power_is_positive_and_cached(hrtf: HRTF) -> None:
    assert (diffuse_power(hrtf) > 0).all() and diffuse_power(hrtf) is diffuse_power(hrtf)


def test_harmonics_are_orthonormal() -> None:
    azimuth, elevation = fibonacci_sphere(4000)
    basis = spherical_harmonics(ear_directions(azimuth, elevation)[:, 1], 8)
    gram = 4 * np.pi / 4000 * basis.T @ basis
    np.testing.assert_allclose(gram, np.eye(81), atol=5e-3)


def test_the_fitted_hrtf_distinguishes_front_and_back(fitted: SphericalHarmonicHRTF) -> None:
    spectra = fitted.spectra(np.array([30.0, 150.0]), np.zeros(2))
    assert np.abs(spectra.log_magnitude[0] - spectra.log_magnitude[1])[:, band_mask()].mean() > 0.1


def test_the_fitted_hrtf_saves_and_loads(fitted: SphericalHarmonicHRTF, tmp_path: Path) -> None:
    fitted.save(tmp_path / "head")
    again = SphericalHarmonicHRTF.load(tmp_path / "head")
    direction = np.array([77.0]), np.array([-10.0])
    np.testing.assert_allclose(again.responses(*direction), fitted.responses(*direction), atol=2e-3)
    with pytest.raises(UserError, match="train_sh_hrtf"):
        SphericalHarmonicHRTF.load(tmp_path / "nothing")


def test_the_shipped_hrtf_has_lateral_itds_and_front_back_differences() -> None:
    hrtf = SphericalHarmonicHRTF.load(checkpoints.root() / "head")
    itd_s = hrtf.spectra(SIDES, np.zeros_like(SIDES)).itd_s
    assert (np.diff(itd_s[:9]) > 0).all() and 550e-6 < itd_s[-1] < 800e-6
    front, back = hrtf.spectra(np.array([30.0, 150.0]), np.zeros(2)).log_magnitude[..., band_mask()]
    assert 8.7 * np.sqrt(np.square(front - back).mean()) > 2.0  # dB
    ears = level_db(hrtf.responses(np.array([90.0]), np.array([0.0])))[0]
    assert ears[RIGHT] > ears[LEFT] + 6
