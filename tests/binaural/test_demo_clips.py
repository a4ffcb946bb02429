"""Demo clips: repeatable, broadband, on the requested side, settings validated."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia import Studio, UserError
from synesthesia.binaural.demo_clips import ROOMS, SAMPLES, SOUNDS, render_demo_clip, synthesize
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.requests import DemoClipRequest
from tests.binaural.synthetic_hrtf import itd_us, level_db

SPHERE = SphereHRTF()


@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_is_repeatable_finite_and_sounds_throughout(name: str) -> None:
    sound = synthesize(name, np.random.default_rng(3))
    assert sound.shape == (SAMPLES,) and sound.dtype == np.float32 and np.isfinite(sound).all()
    assert np.array_equal(sound, synthesize(name, np.random.default_rng(3)))
    for half in np.split(sound, 2):
        assert np.sqrt(np.mean(half**2)) > 0.02


@pytest.mark.parametrize("name", SOUNDS)
def test_without_a_room_the_near_ear_leads_and_is_louder(name: str) -> None:
    right, left = (
        render_demo_clip(DemoClipRequest(sound=name, azimuth_deg=side, snr_db=60.0), SPHERE) for side in (70.0, -70.0)
    )
    assert itd_us(right) > 300 and itd_us(left) < -300
    assert level_db(right)[1] > level_db(right)[0] and level_db(left)[0] > level_db(left)[1]


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("elevation_deg", [-40.0, 60.0])
def test_every_room_takes_every_height(room: str, elevation_deg: float) -> None:
    for seed in range(3):
        binaural = render_demo_clip(
            DemoClipRequest(
                sound="noise", azimuth_deg=-180.0, elevation_deg=elevation_deg, room=room, snr_db=20.0, seed=seed
            ),
            SPHERE,
        )
        assert binaural.shape == (2, SAMPLES) and binaural.dtype == np.float32
        assert 0.01 < np.abs(binaural).max() <= 0.9


def test_the_studio_renders_the_same_clip_again() -> None:
    studio = Studio.load("embedded")
    first, rate_hz = studio.binaural("bird", 60.0, room="small", seed=4)
    assert rate_hz == 16_000 and np.array_equal(first, studio.binaural("bird", 60.0, room="small", seed=4)[0])
    assert not np.array_equal(first, studio.binaural("bird", 60.0, room="small", seed=5)[0])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"sound": "opera"}, "no test sound 'opera'"),
        ({"azimuth_deg": 200.0}, "azimuth"),
        ({"azimuth_deg": None}, "azimuth"),
        ({"elevation_deg": 90.0}, "elevation"),
        ({"room": "cathedral"}, "no room 'cathedral'"),
        ({"snr_db": float("nan")}, "signal-to-noise"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_settings_are_one_sentence(changed: dict[str, object], sentence: str) -> None:
    good = {"sound": "ball", "azimuth_deg": 0.0, "elevation_deg": 0.0, "room": "none", "snr_db": 40.0, "seed": 0}
    with pytest.raises(UserError, match=sentence):
        Studio.load("embedded").binaural(**{**good, **changed})  # type: ignore[arg-type]
