"""Iterative magnitude correction: known answers."""

from __future__ import annotations

import torch

from synesthesia.audio.mel import LogMel
from synesthesia.audio.mel_match import MelMatch


def noise(seed: int, samples: int = 8000) -> torch.Tensor:
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


def test_a_sound_that_has_its_mel_stays_as_it_is() -> None:
    wave = noise(0)
    corrected = MelMatch(3)(wave, LogMel()(wave))
    assert torch.allclose(corrected[:, :7000], wave[:, :7000], atol=1e-3)  # the last frame of a mel is repeated


def test_noise_comes_nearer_to_the_mel_of_a_sweep_with_every_round() -> None:
    time_s = torch.arange(8000) / 16_000
    target = LogMel()(0.5 * torch.sin(2 * torch.pi * (300 + 2000 * time_s) * time_s)[None].repeat(2, 1))
    errors = [float((LogMel()(MelMatch(rounds)(noise(0), target)) - target).abs().mean()) for rounds in (0, 1, 3)]
    assert errors[0] > 1.3 * errors[1] > 1.3 * errors[2]


def test_a_sound_too_short_for_the_transform_is_left_alone() -> None:
    wave = noise(0, 320)
    assert torch.equal(MelMatch(3)(wave, torch.zeros(2, 2, 64)), wave)


def test_fine_structure_within_a_band_is_kept() -> None:
    wave = noise(0)
    target = LogMel()(wave)
    fine = torch.ones(2, target.shape[1] + 1, 513)
    fine[:, :, 400] = 0.05  # one bin within the widest bands
    spectra = [
        torch.stft(made, 1024, 160, window=torch.hann_window(1024), return_complex=True).abs().mean(dim=(0, 2))
        for made in (MelMatch(2)(wave, target, fine=fine), wave)
    ]
    assert float(spectra[0][400] / spectra[1][400]) < 0.7 < float(spectra[0][380] / spectra[1][380])
    assert float((LogMel()(MelMatch(2)(wave, target, fine=fine)) - target).abs().mean()) < 0.1
