"""Noise of a smooth mel fluctuates as noise does, while events, tones and silence stay."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel, MelConfig
from synesthesia.audio.noise_fluctuation import NoiseFluctuation

FRAMES = 300


def spread(mel: Tensor) -> float:
    """Deviation of the log-mel over time in the middle of the sound, mean over the bands above 300 Hz."""
    return float(mel[0, 20:-20, 8:].std(dim=0).mean())


def of_noise(seed: int = 5) -> Tensor:
    noise = 0.1 * torch.randn(1, FRAMES * 160, generator=torch.Generator().manual_seed(seed))
    return LogMel()(noise)


@pytest.fixture(scope="module")
def fluctuation() -> NoiseFluctuation:
    return NoiseFluctuation()


def test_a_flat_mel_gets_the_fluctuations_of_noise(fluctuation: NoiseFluctuation) -> None:
    flat = of_noise().mean(dim=1, keepdim=True).expand(-1, FRAMES, -1)
    made = fluctuation(flat, torch.zeros_like(flat))
    assert spread(flat) < 0.01 and spread(made) == pytest.approx(spread(of_noise()), rel=0.15)
    assert (made.mean(dim=1) - flat.mean(dim=1)).abs().max() < 0.05, "levels stay"


def test_what_moves_all_bands_alike_no_longer_does(fluctuation: NoiseFluctuation) -> None:
    """The fault of generated mels: neighbouring bands go up and down together."""
    together = 0.2 * torch.randn(1, FRAMES, 1, generator=torch.Generator().manual_seed(1))
    mel = of_noise().mean(dim=1, keepdim=True) + together.expand(-1, -1, 64)

    def alike(of: Tensor) -> float:
        return float(torch.corrcoef(of[0, 20:-20, 10:50].T).mean())

    assert alike(mel) > 0.99 and alike(fluctuation(mel, torch.zeros_like(mel))) < 0.4


def test_the_mel_of_noise_stays_as_lively_as_it_is(fluctuation: NoiseFluctuation) -> None:
    mel = of_noise()
    assert spread(fluctuation(mel, torch.zeros_like(mel))) == pytest.approx(spread(mel), rel=0.1)


def test_events_tones_and_silence_stay(fluctuation: NoiseFluctuation) -> None:
    knock = torch.full((1, FRAMES, 64), -6.0)
    knock[:, 150:153] += 6.0
    made = fluctuation(knock, torch.zeros_like(knock))
    assert float(made[0, 150:153].mean() - knock[0, 150:153].mean()) == pytest.approx(0.0, abs=0.15)
    steady = torch.full((1, FRAMES, 64), -6.0)
    assert torch.equal(fluctuation(steady, torch.ones_like(steady)), steady)
    silence = torch.full((1, FRAMES, 64), MelConfig().floor)
    assert torch.equal(fluctuation(silence, torch.zeros_like(silence)), silence)


def test_it_is_deterministic_whatever_the_batch_and_leaves_short_mels_alone(fluctuation: NoiseFluctuation) -> None:
    two = torch.cat([of_noise(), of_noise(6) - 1.0])
    tonality = torch.rand(two.shape, generator=torch.Generator().manual_seed(2))
    both = fluctuation(two, tonality)
    assert torch.equal(both, fluctuation(two, tonality))
    assert torch.allclose(both[1:], fluctuation(two[1:], tonality[1:]), atol=1e-5)
    short = torch.full((1, 3, 64), -4.0)
    assert torch.equal(fluctuation(short, torch.zeros_like(short)), short)
