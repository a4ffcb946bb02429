"""Diffuse noise: interaural coherence and spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.diffuse import diffuse_coherence, diffuse_noise
from synesthesia.binaural.hrtf import FREQUENCIES_HZ, TAPS, diffuse_power
from synesthesia.binaural.sphere_hrtf import SphereHRTF

SPHERE = SphereHRTF()


def test_diffuse_noise_has_the_coherence_it_should() -> None:
    noise = diffuse_noise(1 << 18, np.random.default_rng(0))
    frames = np.fft.rfft(noise.reshape(2, -1, 512) * np.hanning(512), axis=-1)
    power = np.square(np.abs(frames)).mean(axis=1)
    found = np.real(np.mean(frames[0] * np.conj(frames[1]), axis=0)) / np.sqrt(power[0] * power[1])
    hz = np.fft.rfftfreq(512, 1 / 16_000)
    assert np.abs(found - diffuse_coherence(hz))[2:].max() < 0.2
    assert noise.std() == pytest.approx(1.0, rel=0.02)


def test_diffuse_noise_takes_the_heads_colour() -> None:
    noise = diffuse_noise(1 << 17, np.random.default_rng(0), SPHERE)
    power = np.square(np.abs(np.fft.rfft(noise.reshape(2, -1, 256), axis=-1))).mean(axis=(0, 1)) / 256
    ratio_db = 10 * np.log10(power / diffuse_power(SPHERE))[4:120]
    assert np.abs(ratio_db).max() < 1.0 and len(FREQUENCIES_HZ) == len(power) and TAPS == 128
