"""Sinusoidal synthesis: exact frequencies and levels, continuity over frames, what isn't tonal is left out."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.audio.sinusoidal_synthesis import sinusoids

HOP, BINS = 160, 513


def partial(frames: int, bin_: Tensor, magnitude: float = 64.0) -> tuple[Tensor, Tensor, Tensor]:
    """Magnitude, offset, tonality (1, frames, BINS) of one sinusoid at `bin_` (frames,) with a Hann window's lobe."""
    away = torch.arange(BINS) - bin_[:, None]
    lobe = (torch.sinc(away) + 0.5 * torch.sinc(away - 1) + 0.5 * torch.sinc(away + 1)) * (away.abs() < 2)
    offset = -away.clamp(-2, 2)
    return magnitude * lobe[None], offset[None], torch.ones(1, frames, BINS)


def test_a_steady_partial_is_a_sinusoid_of_its_frequency_and_level() -> None:
    wave = sinusoids(*partial(101, torch.full((101,), 40.3)), hop=HOP)[0]
    assert wave.shape == (16_000,)
    inner = wave[2000:14_000] * torch.hann_window(12_000)
    spectrum = torch.fft.rfft(inner, 16 * 12_000).abs()
    assert abs(float(spectrum.argmax()) / 16 / 12_000 * 16_000 - 40.3 * 15.625) < 0.5
    assert abs(float(wave[2000:14_000].square().mean().sqrt()) * math.sqrt(2) - 64 / 256) < 0.02
    envelope = wave[2000:14_000].unfold(0, 160, 160).abs().amax(dim=1)
    assert float(envelope.max() / envelope.min()) < 1.05  # no trace of the frame rate


def test_a_glide_is_continuous() -> None:
    wave = sinusoids(*partial(101, torch.linspace(30.0, 90.0, 101)), hop=HOP)[0]
    second = wave[2000:14_000].diff().diff().abs().max()
    assert float(second) < 0.25 * (2 * math.pi * 90 / 1024) ** 2 * 1.2  # a jump of phase would bend it far more


def test_noisy_and_short_peaks_are_left_out() -> None:
    magnitude, offset, tonality = partial(101, torch.full((101,), 40.3))
    assert not sinusoids(magnitude, offset, 0.1 * tonality, hop=HOP).any()
    assert not sinusoids(magnitude, offset, 0.2 * tonality, hop=HOP).any()  # never strong
    tonality[:, 50:53] = 1.0
    tonality[:, :50] = tonality[:, 53:] = 0.0
    assert not sinusoids(magnitude, offset, tonality, hop=HOP).any()  # three frames


def test_a_weak_stretch_of_a_strong_track_is_kept() -> None:
    magnitude, offset, tonality = partial(101, torch.full((101,), 40.3))
    tonality[:, 40:60] = 0.2
    wave = sinusoids(magnitude, offset, tonality, hop=HOP)[0]
    assert float(wave[50 * HOP - 400 : 50 * HOP + 400].abs().max()) > 0.05


def test_a_batch_equals_its_sounds_alone() -> None:
    first, second = partial(30, torch.full((30,), 40.3)), partial(30, torch.linspace(60.0, 70.0, 30))
    both = sinusoids(*(torch.cat(pair) for pair in zip(first, second, strict=True)), hop=HOP)
    assert torch.allclose(both[:1], sinusoids(*first, hop=HOP), atol=1e-6)
    assert torch.allclose(both[1:], sinusoids(*second, hop=HOP), atol=1e-6)


def test_silence_and_single_frames() -> None:
    assert not sinusoids(torch.zeros(1, 11, BINS), torch.zeros(1, 11, BINS), torch.ones(1, 11, BINS), hop=HOP).any()
    assert sinusoids(*partial(2, torch.full((2,), 40.3)), hop=HOP).shape == (1, HOP)
