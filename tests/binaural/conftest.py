"""HRTFs that the tests of this folder share."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.geometry import fibonacci_sphere
from synesthesia.binaural.hrtf import FREQUENCIES_HZ
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.binaural.sh_hrtf import (
    SphericalHarmonicHRTF,
    SphericalHarmonicHRTFConfig,
    ear_directions,
)
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from tests.binaural.synthetic_hrtf import measured_grid


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
