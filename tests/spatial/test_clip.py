"""What is said about strangers' clips: what holds no direction is recognised, what can't be read gets one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.errors import UserError
from synesthesia.spatial.clip import read_clip
from synesthesia.spatial.head import RATE_HZ

RNG = np.random.default_rng(0)


def stereo(seconds: float = 1.0, rate_hz: int = 16_000) -> np.ndarray:
    return RNG.normal(0, 0.1, (2, int(seconds * rate_hz)))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 192_000])
def test_any_rate_becomes_the_localiser_s(rate_hz: int) -> None:
    clip = read_clip(stereo(0.5, rate_hz), rate_hz)
    assert clip.waveform.shape == (2, RATE_HZ // 2) and clip.waveform.dtype == np.float32
    assert clip.kind == "stereo" and clip.warning == "" and clip.rate_hz == rate_hz


def test_what_holds_no_direction_is_recognised() -> None:
    one = stereo()[:1]
    assert read_clip(np.repeat(one, 2, axis=0), 16_000).kind == "mono"
    assert read_clip(one, 16_000).kind == "mono" and read_clip(one[0], 16_000).kind == "mono"
    assert "not a binaural recording" in read_clip(one, 16_000).warning
    assert read_clip(np.concatenate([one, 0.4 * one]), 16_000).kind == "panned"
    assert read_clip(np.concatenate([one, 0.0 * one]), 16_000).kind == "panned"
    assert read_clip(np.zeros((2, 16_000)), 16_000).kind == "silent"
    assert read_clip(np.full((2, 16_000), 0.3), 16_000).kind == "silent"  # nothing but an offset
    assert read_clip(stereo() + 0.2, 16_000).kind == "stereo"


def test_a_delay_alone_is_a_direction() -> None:
    sound = RNG.normal(0, 0.1, 16_010)
    assert read_clip(np.stack([sound[:16_000], sound[8:16_008]]), 16_000).kind == "stereo"


def test_an_overdriven_clip_is_flagged() -> None:
    square = np.sign(np.sin(np.arange(16_000) * 0.1))
    clip = read_clip(np.stack([square, np.roll(square, 3)]), 16_000)
    assert clip.clipped and "overdriven" in clip.warning


@pytest.mark.parametrize(
    ("sound", "rate_hz", "said"),
    [
        (np.zeros((2, 0)), 16_000, "no samples"),
        (np.zeros((8, 16_000)), 16_000, "8 channels"),
        (np.full((2, 16_000), np.nan), 16_000, "not numbers"),
        (np.full((2, 16_000), np.inf), 16_000, "not numbers"),
        (np.zeros((2, 16_000), np.int16), 16_000, "floats"),
        (np.zeros((2, 1_000)), 1_000, "sample rate"),
        (np.zeros((2, 1_000)), 16_000, "lasts"),
        (np.zeros((2, 16_000 * 61)), 16_000, "lasts"),
    ],
)
def test_each_bad_clip_gets_one_sentence(sound: np.ndarray, rate_hz: int, said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        read_clip(sound, rate_hz)
    assert "\n" not in str(error.value)
