"""Streaming in chunks: exact length, no seam, one gain, nothing above the peak."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.vlm_to_sound.streaming import FIRST_PEAK, MAX_GAIN, StreamAssembler, soft_limit

RATE_HZ, PEAK, FADE = 16_000, 0.89, 64


def tone(samples: int, level: float = 0.3) -> Tensor:
    turn = torch.arange(samples) * (2 * torch.pi * 200 / RATE_HZ)
    return level * torch.stack([turn.sin(), 0.5 * turn.cos()])


def in_pieces(whole: Tensor, ends: list[int], again: int = 2_000) -> tuple[list[np.ndarray], StreamAssembler]:
    """Each chunk is `whole` from a little before the end of what was emitted."""
    pieces, out = StreamAssembler(whole.shape[1], RATE_HZ, FADE, PEAK), []
    for end in ends:
        start = max(0, pieces.emitted - again)
        out.append(pieces.add(whole[:, start:end], start, last=end == ends[-1]))
    return out, pieces


@pytest.mark.parametrize("ends", [[9_000], [5_000, 9_000], [5_000, 5_700, 8_320, 9_000]])
def test_chunks_of_one_sound_are_that_sound(ends: list[int]) -> None:
    whole = tone(9_000)
    out, pieces = in_pieces(whole, ends)
    joined = np.concatenate(out, axis=1)
    assert joined.shape == (2, 9_000) and joined.dtype == np.float32
    wanted = whole * (FIRST_PEAK / 0.3)
    assert pieces.gain == pytest.approx(FIRST_PEAK / 0.3, rel=1e-3)
    assert np.allclose(joined[:, FADE:-FADE], wanted[:, FADE:-FADE].numpy(), atol=1e-3)
    assert joined[0, 0] == 0 and joined[1, -1] == 0 and np.abs(joined[1, 0]) < 1e-6, "both ends are faded"


def test_samples_beyond_the_end_are_dropped() -> None:
    pieces = StreamAssembler(1_000, RATE_HZ, FADE, PEAK)
    assert pieces.add(tone(1_300), 0, last=True).shape == (2, 1_000)


def test_chunks_that_differ_are_cross_faded() -> None:
    pieces = StreamAssembler(4_000, RATE_HZ, FADE, PEAK)
    one, other = torch.full((2, 2_000), 0.5), torch.full((2, 4_000), 0.3)
    first, second = pieces.add(one, 0, last=False), pieces.add(other, 0, last=True)
    assert first.shape == (2, 1_360) and second.shape == (2, 2_640), "40 ms are held back"
    joined = np.concatenate([first, second], axis=1)[0, FADE:-FADE]
    assert np.abs(np.diff(joined)).max() < 1e-3, "no step anywhere"
    assert joined[1_000] == pytest.approx(0.5) and joined[2_500] == pytest.approx(0.3)
    assert joined[1_360 + 320 - FADE] == pytest.approx(0.4, abs=1e-3), "half of each in the middle"


def test_one_gain_for_all_and_never_too_loud() -> None:
    whole = torch.cat([tone(4_000, 0.2), tone(4_000, 0.25), tone(4_000, 0.9)], dim=1)
    out, _ = in_pieces(whole, [4_000, 8_000, 12_000])
    joined = np.concatenate(out, axis=1)
    assert np.abs(joined[:, :3_000]).max() == pytest.approx(FIRST_PEAK, rel=1e-3)
    assert np.abs(joined[:, 5_000:7_000]).max() == pytest.approx(FIRST_PEAK * 1.25, abs=1e-3)
    assert 0.8 < np.abs(joined[:, 9_000:]).max() <= PEAK
    assert np.abs(joined[0, :3_000]).max() / np.abs(joined[1, :3_000]).max() == pytest.approx(2.0, rel=1e-2)
    assert in_pieces(tone(4_000, 0.001), [4_000])[1].gain == MAX_GAIN
    assert not in_pieces(torch.zeros(2, 4_000), [4_000])[0][0].any()


def test_the_soft_limit_is_smooth_and_monotonic() -> None:
    ramp = torch.linspace(-5, 5, 20_001)
    made = soft_limit(ramp, PEAK)
    assert float(made.abs().max()) <= PEAK and torch.allclose(made, -made.flip(0), atol=1e-6)
    assert torch.equal(made[ramp.abs() < 0.62], ramp[ramp.abs() < 0.62])
    slope = made.diff() / ramp.diff()
    assert float(slope.min()) > -1e-3 and float(slope.max()) < 1.001 and float(slope.diff().abs().max()) < 0.01
