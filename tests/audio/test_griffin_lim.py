"""Griffin-Lim: known answers."""

from __future__ import annotations

import math

import torch

from synesthesia.audio.griffin_lim import GriffinLim
from synesthesia.audio.mel import LogMel


def mel(frames: int = 20) -> torch.Tensor:
    return -5 + torch.randn(2, frames, 64, generator=torch.Generator().manual_seed(0))


def test_griffin_lim_brings_a_sine_back_at_its_pitch_and_level() -> None:
    wave = 0.5 * torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000)[None]
    made = GriffinLim(rounds=8)(LogMel()(wave))
    assert made.shape == wave.shape
    spectrum = torch.fft.rfft(made[0, 2000:14_000]).abs()
    assert abs(int(spectrum.argmax()) * 16_000 / 12_000 - 440) < 47  # one band is 46 Hz wide
    assert 0.2 < float(made[0, 2000:14_000].square().mean().sqrt()) / float(wave.square().mean().sqrt()) < 2.0


def test_griffin_lim_keeps_silence_silent_and_its_seed() -> None:
    silent = GriffinLim(rounds=2)(torch.full((1, 20, 64), math.log(1e-5)))
    assert float(silent.abs().max()) < 1e-3
    assert torch.equal(GriffinLim(rounds=2)(mel()), GriffinLim(rounds=2)(mel()))
