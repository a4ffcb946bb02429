"""Shaped noise: the mel that is asked for, the same noise every time."""

from __future__ import annotations

import math

import torch

from synesthesia.audio.mel import LogMel
from synesthesia.audio.noise_vocoder import NoiseVocoder
from tests.audio.known_sounds import rain


def test_noise_has_the_mel_of_rain() -> None:
    target = LogMel()(rain())
    assert float((LogMel()(NoiseVocoder()(target)) - target).abs().mean()) < 0.12


def test_one_mel_has_one_waveform_also_in_a_batch() -> None:
    target = LogMel()(rain(1.0))
    alone = NoiseVocoder()(target)
    assert torch.equal(alone, NoiseVocoder()(target))
    assert torch.allclose(alone, NoiseVocoder()(torch.cat([target, target - 1]))[:1], atol=1e-6)


def test_silence_is_silent_and_short_mels_work() -> None:
    assert float(NoiseVocoder()(torch.full((1, 50, 64), math.log(1e-5))).abs().max()) < 1e-3
    for frames in (1, 2, 3):
        assert NoiseVocoder()(torch.full((1, frames, 64), -3.0)).shape == (1, 160 * frames)
