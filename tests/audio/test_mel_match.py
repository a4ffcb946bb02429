"""Matching a waveform to a mel: what already fits stays, what doesn't comes nearer, what is too short is left alone."""

from __future__ import annotations

import torch

from synesthesia.audio.mel import LogMel
from synesthesia.audio.mel_match import MelMatch


def noise(seed: int, samples: int = 8000) -> torch.Tensor:
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


def test_a_sound_that_has_its_mel_stays_as_it_is() -> None:
    wave = noise(0)
    made = MelMatch(3)(wave, LogMel()(wave))
    assert torch.allclose(made[:, :7000], wave[:, :7000], atol=1e-3)  # the last frame of a mel is repeated


def test_noise_comes_nearer_to_the_mel_of_a_sweep_with_every_round() -> None:
    time_s = torch.arange(8000) / 16_000
    wanted = LogMel()(0.5 * torch.sin(2 * torch.pi * (300 + 2000 * time_s) * time_s)[None].repeat(2, 1))
    errors = [float((LogMel()(MelMatch(rounds)(noise(0), wanted)) - wanted).abs().mean()) for rounds in (0, 1, 3)]
    assert errors[0] > 1.3 * errors[1] > 1.3 * errors[2]


def test_a_sound_too_short_for_the_transform_is_left_alone() -> None:
    wave = noise(0, 320)
    assert torch.equal(MelMatch(3)(wave, torch.zeros(2, 2, 64)), wave)
