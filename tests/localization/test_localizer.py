"""Localizer network on a tiny random configuration: mirror symmetry, intervals, pairs, checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.binaural.geometry import in_arc
from synesthesia.core.errors import UserError
from synesthesia.localization.localizer import (
    Localizer,
    average_pairs,
    mirror,
    peak,
    shortest_arc,
    two_peaks,
)
from tests.localization.tiny import TINY, noise


def test_swapping_the_ears_mirrors_the_prediction_exactly(localizer: Localizer) -> None:
    there, back = localizer.predict(noise(), track=(5, 3)), localizer.predict(noise().flip(1), track=(5, 3))
    assert there.distribution.shape == (2, 180) and torch.allclose(
        there.distribution.sum(dim=1), torch.ones(2), atol=1e-5
    )
    assert torch.allclose(back.distribution, mirror(there.distribution), atol=1e-6)
    assert there.track is not None and back.track is not None
    assert torch.allclose(back.track, mirror(there.track), atol=1e-6)
    turned = mirror(back.pair)
    either = [torch.allclose(one, two, atol=1e-5) for one in (turned, turned.flip(1)) for two in (there.pair,)]
    assert any(either) and torch.allclose(there.pair.sum(dim=2), torch.ones(2, 2), atol=1e-5)
    azimuths = TINY.azimuths_deg.numpy()
    assert peak(back.distribution[0].numpy(), azimuths) == pytest.approx(
        -peak(there.distribution[0].numpy(), azimuths), abs=1e-3
    )


def test_the_shortest_arc_holds_its_mass_and_may_wrap() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    bell = np.exp(-0.5 * (((azimuths - 178 + 180) % 360 - 180) / 6) ** 2)
    bell /= bell.sum()
    low, high = shortest_arc(bell, azimuths, 0.9)
    assert low > 160 and high < -160 and in_arc(180.0, low, high) and not in_arc(0.0, low, high)
    held = sum(p for p, a in zip(bell, azimuths, strict=True) if in_arc(a, low, high))
    assert 0.9 <= held < 0.97
    flat_low, flat_high = shortest_arc(np.full(180, 1 / 180), azimuths, 0.5)
    assert (flat_high - flat_low) % 360 == pytest.approx(180, abs=2.1)


def test_of_two_sources_the_one_with_the_larger_share_comes_first() -> None:
    azimuths = np.arange(180) * 2.0 - 180
    pair = np.stack([np.exp(-0.5 * ((azimuths - at) / 4) ** 2) for at in (-75, 31)])
    pair /= pair.sum(axis=1, keepdims=True)
    share = 0.4 * pair[0] + 0.6 * pair[1]
    assert two_peaks(pair, share, azimuths) == pytest.approx((31, -75), abs=0.5)
    assert two_peaks(pair[::-1], share, azimuths) == pytest.approx((31, -75), abs=0.5)


def test_pairs_are_averaged_source_by_source() -> None:
    one, other = torch.eye(6)[[1, 4]][None], torch.eye(6)[[4, 1]][None]  # (1, 2, 6)
    assert torch.equal(average_pairs(one, other), one) and torch.equal(average_pairs(other, one), other)


def test_save_and_load(localizer: Localizer, tmp_path: Path) -> None:
    localizer.save(tmp_path)
    again = Localizer.load(tmp_path)
    assert again.config == TINY
    assert torch.allclose(again(noise()).azimuth, localizer(noise()).azimuth, atol=2e-2)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        Localizer.load(tmp_path)
