"""The end of every sound: peak and fades."""

from __future__ import annotations

import pytest
import torch

from synesthesia.audio.vocoder import PEAK, fade_edges, finish, peak_normalise


def test_ends_are_silent_and_silence_stays_finite() -> None:
    out = finish(torch.ones(16_000) + torch.randn(16_000), 16_000)
    assert out[0] == 0 and out[-1] == 0 and out.abs().max() == pytest.approx(0.89, abs=0.01)
    assert torch.isfinite(finish(torch.zeros(800), 16_000)).all()


def test_loudness_is_set_for_both_ears_together() -> None:
    wave = torch.stack([0.1 * torch.sin(torch.arange(1000.0)), 0.02 * torch.sin(0.5 * torch.arange(1000.0))])
    made = peak_normalise(wave + 0.3)
    assert float(made[0].abs().max()) == pytest.approx(PEAK, abs=1e-6)
    assert float(made[0].std() / made[1].std()) == pytest.approx(float(wave[0].std() / wave[1].std()), rel=1e-4)
    assert torch.allclose(made.mean(dim=1), torch.zeros(2), atol=1e-5)
    assert not peak_normalise(torch.zeros(2, 10)).any()


def test_fades() -> None:
    ones = torch.ones(2, 1_000)
    both = fade_edges(ones, 64)
    assert both[:, 0].tolist() == [0, 0] == both[:, -1].tolist() and (both[:, 64:-64] == 1).all()
    assert float(fade_edges(ones, 64, begin=False)[0, 0]) == 1 and float(fade_edges(ones, 64, end=False)[0, -1]) == 1
    assert (
        fade_edges(torch.ones(2, 1), 64).tolist() == [[1.0], [1.0]]
        and float(fade_edges(torch.ones(2, 9), 64)[0, 4]) == 1
    )
