"""Minimum-phase decomposition: delay and magnitude reconstruct a response."""

from __future__ import annotations

import numpy as np

from synesthesia.binaural.hrtf import FREQUENCIES_HZ, TAPS
from synesthesia.binaural.minimum_phase import minimum_phase_responses, minimum_phase_spectrum, onset_delays_s


def test_delay_and_minimum_phase_reconstruct_a_response() -> None:
    rng = np.random.default_rng(0)
    log_magnitude = np.cumsum(rng.normal(0, 0.03, (6, len(FREQUENCIES_HZ))), axis=1)
    delay_s = rng.uniform(4e-4, 9e-4, 6)
    spectrum = np.fft.rfft(minimum_phase_responses(log_magnitude, delay_s, 16_000, TAPS), 256)
    assert np.abs(np.log(np.abs(spectrum)) - log_magnitude)[:, 4:120].max() < 0.1
    np.testing.assert_allclose(onset_delays_s(spectrum, log_magnitude, delay_s, 16_000), delay_s, atol=4e-6)
    flat = minimum_phase_spectrum(np.zeros((1, len(FREQUENCIES_HZ))))
    np.testing.assert_allclose(flat, 1.0)
