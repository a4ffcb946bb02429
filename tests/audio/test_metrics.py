"""Reconstruction metrics: zero for the same sound, larger for worse ones, invariances."""

from __future__ import annotations

import math

import torch

from synesthesia.audio.metrics import mel_distance, si_sdr_db, stft_distance


def noise(seed: int) -> torch.Tensor:
    return 0.1 * torch.randn(2, 16_000, generator=torch.Generator().manual_seed(seed))


def test_a_sound_is_at_no_distance_from_itself() -> None:
    assert torch.all(mel_distance(noise(0), noise(0)) == 0)
    assert torch.all(stft_distance(noise(0), noise(0)) == 0)
    assert torch.all(si_sdr_db(noise(0), noise(0)) > 60)


def test_half_the_amplitude_is_log_two_of_mel() -> None:
    assert torch.allclose(mel_distance(0.5 * noise(0), noise(0)), torch.tensor(math.log(2.0)), atol=1e-3)


def test_si_sdr_ignores_the_scale_and_knows_the_noise() -> None:
    reference = noise(0)
    assert torch.allclose(si_sdr_db(3.0 * reference + 0.3 * noise(1), reference), torch.tensor(20.0), atol=0.3)


def test_more_noise_is_further_away() -> None:
    near, far = noise(0) + 0.1 * noise(1), noise(0) + noise(1)
    assert torch.all(stft_distance(near, noise(0)) < stft_distance(far, noise(0)))


def test_si_sdr_of_silence_is_not_a_number() -> None:
    assert torch.all(si_sdr_db(noise(0), torch.zeros(2, 16_000)).isnan())
