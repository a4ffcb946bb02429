"""Spherical-harmonic HRTF: the basis, front and back, files, the shipped one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import fibonacci_sphere
from synesthesia.binaural.hrtf import LEFT, RIGHT, band_mask
from synesthesia.binaural.sh_hrtf import (
    SphericalHarmonicHRTF,
    ear_directions,
    spherical_harmonics,
)
from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import level_db

SIDES = np.arange(0.0, 91.0, 10.0)


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
