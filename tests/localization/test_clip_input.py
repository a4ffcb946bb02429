"""Validation of binaural input: mono and panned clips, clipping, implausible clips, one sentence for each bad one."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.demo_clips import render_demo_clip
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from synesthesia.core.requests import DemoClipRequest
from synesthesia.localization.clip_input import DELAYED, INCOHERENT, INVERTED, implausibility, is_clipped, read_clip
from synesthesia.localization.pipeline import itd_s

RNG = np.random.default_rng(0)


def stereo(seconds: float = 1.0, rate_hz: int = 16_000) -> np.ndarray:
    return RNG.normal(0, 0.1, (2, int(seconds * rate_hz)))


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000, 192_000])
def test_any_rate_is_resampled(rate_hz: int) -> None:
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


def sine(hz: float, rate_hz: int, gain: float = 1.0, bits: int = 0) -> np.ndarray:
    """(2, n) of one second, cut off at 1, the second ear later; bits: rounded to so many, 0 for none."""
    phase = 2 * np.pi * hz * np.arange(rate_hz) / rate_hz
    sound = np.clip(gain * np.sin(np.stack([phase, phase - 0.3])), -1, 1)
    return np.round(sound * 2 ** (bits - 1)) / 2 ** (bits - 1) if bits else sound


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("hz", [50, 61.7, 100, 250, 441, 500, 1_000, 3_000, 4_000, 7_000])
def test_a_steady_tone_is_not_overdriven(hz: float, rate_hz: int) -> None:
    for gain in (1.0, 0.5, 0.05):
        assert not is_clipped(sine(hz, rate_hz, gain)) and not is_clipped(sine(hz, rate_hz, gain, bits=16))
    assert read_clip(sine(hz, rate_hz), rate_hz).warning == ""


@pytest.mark.parametrize(
    ("rate_hz", "hz"), [(rate, hz) for rate in (16_000, 44_100) for hz in (50, 61.7, 250, 500, 1_000)]
)
@pytest.mark.parametrize("gain", [2.0, 10.0])
def test_a_tone_cut_off_is_overdriven_at_any_level(hz: float, rate_hz: int, gain: float) -> None:
    assert is_clipped(sine(hz, rate_hz, gain)) and is_clipped(sine(hz, rate_hz, gain, bits=16))
    assert is_clipped(0.2 * sine(hz, rate_hz, gain)), "turned down afterwards"


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_noise_is_overdriven_only_when_cut_off(rate_hz: int) -> None:
    noise = np.random.default_rng(1).normal(0, 0.3, (2, rate_hz))
    assert not is_clipped(noise) and not is_clipped(np.zeros((2, rate_hz)))
    assert is_clipped(np.clip(noise, -0.3, 0.3))
    assert not is_clipped(np.concatenate([noise, np.ones((2, 3))], axis=1)), "a click is no overdriven clip"


@pytest.mark.parametrize(
    ("sound", "rate_hz", "words"),
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
def test_each_bad_clip_gets_one_sentence(sound: np.ndarray, rate_hz: int, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        read_clip(sound, rate_hz)
    assert "\n" not in str(error.value)


def checked(waveform: np.ndarray) -> str:
    return implausibility(waveform, itd_s(waveform, RATE_HZ))


def noise(seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(16_000).astype(np.float32)


def rendered(sound: str, azimuth_deg: float, room: str, snr_db: float = 40.0) -> np.ndarray:
    return render_demo_clip(
        DemoClipRequest(sound=sound, azimuth_deg=azimuth_deg, room=room, snr_db=snr_db), SphereHRTF()
    )


@pytest.mark.parametrize("azimuth_deg", [-120.0, -40.0, 0.0, 75.0, 180.0])
@pytest.mark.parametrize("room", ["none", "large"])
def test_a_clip_through_a_head_is_plausible(azimuth_deg: float, room: str) -> None:
    assert checked(rendered("noise", azimuth_deg, room)) == ""
    assert checked(rendered("clicks", azimuth_deg, room, 5.0)) == ""


def test_a_delay_without_a_level_difference_is_found() -> None:
    sound = noise()
    assert checked(np.stack([sound, np.roll(sound, 6)])) == DELAYED
    assert checked(np.stack([np.roll(sound, 5), sound])) == DELAYED


def test_two_microphones_far_apart_have_little_in_common() -> None:
    assert checked(np.stack([noise(0), noise(1)])) == INCOHERENT


def test_inverted_polarity_is_found() -> None:
    left, right = rendered("noise", 30.0, "none")
    assert checked(np.stack([-left, right])) == INVERTED


def test_silence_is_plausible() -> None:
    assert checked(np.zeros((2, 8000), np.float32)) == ""
