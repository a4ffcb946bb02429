"""Fine envelopes: where energy lies within a mel frame, and noise that gets it back."""

from __future__ import annotations

import torch

from synesthesia.audio.fine_envelope import BANDS, SUBFRAMES, FineEnvelope
from tests.audio.known_sounds import click


def test_a_click_is_in_its_subframe() -> None:
    envelope = FineEnvelope()(click(at=8000 + 64))[0]
    assert envelope.shape == (100, SUBFRAMES * BANDS)
    loudest = int(envelope.unflatten(1, (SUBFRAMES, BANDS)).flatten(0, 1).mean(dim=1).argmax())
    assert loudest == 50 * SUBFRAMES + 2


def test_white_noise_gets_an_envelope_back() -> None:
    shaper, generator = FineEnvelope(), torch.Generator().manual_seed(0)
    wanted = FineEnvelope()(0.1 * torch.randn(1, 32_000, generator=generator))  # (1, 200, 80)
    step = torch.cat([wanted[:, :100] - 4.0, wanted[:, 100:]], dim=1)
    made = shaper.shape(torch.randn(1, 32_000, generator=generator), torch.cat([step, step[:, -1:]], dim=1))
    assert made.shape == (1, 32_000)
    before, after = made[0, :15_800].square().mean(), made[0, 16_200:].square().mean()
    assert 3.0 < float((after / before).log()) < 5.0 and 0.005 < float(after) < 0.03  # 0.01, spread by log-means
