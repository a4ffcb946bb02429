"""Targets of the vocoder's network: known answers on noise, tones, glides and clicks."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tests.audio.known_sounds import chord, click, glide, white_noise
from training.audio.tonality_targets import Targets, TonalityTargets


def measured(wave: Tensor) -> Targets:
    return TonalityTargets()(wave)


def mean_tonality(targets: Targets, bins: slice = slice(None)) -> float:
    tonality, weight = (x[0, 6:-6, bins] for x in (targets.tonality, targets.weight))
    return float((tonality * weight).sum() / weight.sum())


def test_noise_is_not_tonal_at_any_frequency() -> None:
    targets = measured(white_noise(6.0))
    for low in range(0, 512, 128):
        assert abs(mean_tonality(targets, slice(low, low + 128))) < 0.06


def test_steady_tones_are_tonal() -> None:
    assert mean_tonality(measured(chord()), slice(8, 200)) > 0.75  # partials that beat are less coherent


def test_a_glide_is_tonal_and_a_click_is_not() -> None:
    assert mean_tonality(measured(glide(60.0, octaves_a_second=0.5)[0]), slice(8, 130)) > 0.75
    assert mean_tonality(measured(click())) < 0.1


def test_the_frequency_of_a_sinusoid_between_two_bins() -> None:
    wave = 0.3 * torch.sin(2 * math.pi * 100.3 * 15.625 * torch.arange(16_000) / 16_000)[None]
    offset = measured(wave).offset[0, 20:-20]
    assert torch.allclose(offset[:, 100], torch.tensor(0.3), atol=0.01)
    assert torch.allclose(offset[:, 101], torch.tensor(-0.7), atol=0.01)


def test_the_tonality_of_a_mixture_is_the_tones_share() -> None:
    tone = 0.3 * torch.sin(2 * math.pi * 100 * 15.625 * torch.arange(16_000) / 16_000)[None]
    targets = TonalityTargets().of_mixture(tone, white_noise(1.0))
    assert float(targets.tonality[0, 6:-6, 100].min()) > 0.8
    assert float(targets.tonality[0, 6:-6, 200:].mean()) < 0.01
    assert targets.envelope.shape == (1, 100, 80) and targets.log_magnitude.shape == (1, 100, 513)
