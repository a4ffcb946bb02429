"""Sound-texture descriptors: shapes, time shifts, the period of a clock, modulation rates."""

from __future__ import annotations

import torch

from synesthesia.image_to_sound.texture_statistics import DESCRIPTOR_DIM, modulation, rhythm, texture_descriptor


def knocks(period: int, frames: int = 512) -> torch.Tensor:
    mel = torch.full((frames, 64), -8.0)
    for start in range(0, frames, period):
        mel[start : start + 4] = torch.tensor([0.0, -2.0, -4.0, -6.0])[: frames - start, None]
    return mel


def test_descriptor_is_finite_and_of_one_length_for_any_clip() -> None:
    for frames in (8, 50, 300, 1024):
        assert texture_descriptor(torch.randn(frames, 64) - 5).shape == (DESCRIPTOR_DIM,)
        assert torch.isfinite(texture_descriptor(torch.full((frames, 64), -11.5))).all()


def test_descriptor_does_not_depend_on_the_order_of_events() -> None:
    mel = knocks(64)
    assert torch.allclose(texture_descriptor(mel)[:256], texture_descriptor(mel.roll(20, 0))[:256], atol=1e-4)


def test_rhythm_finds_the_period_of_a_clock() -> None:
    mel = knocks(50)
    assert abs(float(rhythm(mel, mel.logsumexp(dim=1))[4]) - 0.5) < 0.03


def test_modulation_distinguishes_fast_from_slow() -> None:
    time = torch.arange(512) / 100.0
    slow = torch.sin(2 * torch.pi * 1.0 * time)[:, None].expand(-1, 64)
    fast = torch.sin(2 * torch.pi * 20.0 * time)[:, None].expand(-1, 64)
    assert modulation(slow)[0].argmax() < modulation(fast)[0].argmax()
