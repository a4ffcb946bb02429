"""Clips that no head can have heard are doubted, clips through a head are not."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.demo_clips import render_demo_clip
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.requests import DemoClipRequest
from synesthesia.localization import plausibility as doubts
from synesthesia.localization.gcc_phat import itd_s
from synesthesia.localization.plausibility import DELAYED, INVERTED, UNLIKE

HEAD = SphereHRTF()


def doubt(waveform: np.ndarray) -> str:
    return doubts.implausibility(waveform, itd_s(waveform, RATE_HZ))


def noise(seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(16_000).astype(np.float32)


def heard(sound: str, azimuth_deg: float, room: str, snr_db: float = 40.0) -> np.ndarray:
    return render_demo_clip(DemoClipRequest(sound=sound, azimuth_deg=azimuth_deg, room=room, snr_db=snr_db), HEAD)


@pytest.mark.parametrize("azimuth_deg", [-120.0, -40.0, 0.0, 75.0, 180.0])
@pytest.mark.parametrize("room", ["none", "large"])
def test_what_a_head_heard_is_believed(azimuth_deg: float, room: str) -> None:
    assert doubt(heard("noise", azimuth_deg, room)) == ""
    assert doubt(heard("clicks", azimuth_deg, room, 5.0)) == ""


def test_a_delay_alone_casts_no_shadow() -> None:
    sound = noise()
    assert doubt(np.stack([sound, np.roll(sound, 6)])) == DELAYED
    assert doubt(np.stack([np.roll(sound, 5), sound])) == DELAYED


def test_two_microphones_far_apart_have_little_in_common() -> None:
    assert doubt(np.stack([noise(0), noise(1)])) == UNLIKE


def test_a_channel_upside_down_is_found() -> None:
    left, right = heard("noise", 30.0, "none")
    assert doubt(np.stack([-left, right])) == INVERTED


def test_nothing_is_said_of_silence() -> None:
    assert doubt(np.zeros((2, 8000), np.float32)) == ""
