"""The modal bank against the plain sum of damped sines."""

from __future__ import annotations

import math

import pytest
import torch

from synesthesia.impact.modal.modal_bank import Modes, nyquist_fade, synthesize_modes
from tests.impact.modal.bodies import core_seconds

RATE = 16_000


def random_modes(rows: int, count: int, dtype: torch.dtype = torch.float64) -> Modes:
    draw = torch.rand(3, rows, count, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(dtype)
    return Modes(30 + 7000 * draw[0], 2 + 300 * draw[1], draw[2] - 0.3)


def brute_force(modes: Modes, samples: int) -> torch.Tensor:
    seconds = torch.arange(samples, dtype=torch.float64) / RATE
    total = torch.zeros(len(modes.gains), samples, dtype=torch.float64)
    for k in range(modes.gains.shape[1]):
        hz, fall, gain = (
            value[:, k, None].double() for value in (modes.frequencies_hz, modes.decays_per_s, modes.gains)
        )
        total += gain * torch.exp(-fall * seconds) * torch.sin(2 * math.pi * hz * seconds)
    return total


@pytest.mark.parametrize("samples", [1, 160, 24_000, 24_001])
def test_equals_the_sum_of_damped_sines(samples: int) -> None:
    modes = random_modes(3, 17)
    torch.testing.assert_close(synthesize_modes(modes, samples, RATE), brute_force(modes, samples), rtol=0.0, atol=1e-9)
    single = Modes(*(value.float() for value in (modes.frequencies_hz, modes.decays_per_s, modes.gains)))
    torch.testing.assert_close(
        synthesize_modes(single, samples, RATE), brute_force(single, samples).float(), rtol=0.0, atol=2e-5
    )


def test_nothing_above_nyquist() -> None:
    hz = torch.tensor([7000.0, 7600.0, 8000.0, 8500.0, 40_000.0])
    kept = nyquist_fade(hz, RATE)
    assert float(kept[0]) == 1.0 and 0.4 < float(kept[1]) < 0.6 and kept[2:].tolist() == [0.0, 0.0, 0.0]
    above = Modes(hz[None, 2:], torch.ones(1, 3), torch.ones(1, 3))
    assert float(synthesize_modes(above, 1000, RATE).abs().max()) == 0.0


def test_gradients_agree_with_differences() -> None:
    base = random_modes(1, 3)
    values = [base.frequencies_hz / 1000, base.decays_per_s / 100, base.gains]
    weight = torch.randn(1, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def value(hz: torch.Tensor, fall: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        return (synthesize_modes(Modes(1000 * hz, 100 * fall, gains), 400, RATE) * weight).sum()

    assert torch.autograd.gradcheck(value, [part.clone().requires_grad_() for part in values])


def test_is_fast() -> None:
    modes = random_modes(1, 48, torch.float32)
    assert core_seconds(lambda: synthesize_modes(modes, 24_000, RATE), 5) < 0.05  # a few milliseconds on a free core
