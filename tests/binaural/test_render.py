"""Rendering: sides, levels, moving sources, noise at the level asked for."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.binaural.render import PEAK, add_noise, render, render_moving
from synesthesia.binaural.room import Room
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from tests.binaural.synthetic_hrtf import itd_us, level_db

SPHERE = SphereHRTF()
ROOM = Room((5.0, 4.0, 2.7), 0.3)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return (0.2 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32)


@pytest.mark.parametrize("room", [None, ROOM])
def test_a_render_has_the_sounds_length_and_a_bounded_peak(sound: np.ndarray, room: Room | None) -> None:
    binaural = render(20 * sound, SPHERE, -70.0, 10.0, room)
    assert binaural.shape == (2, 16_000) and binaural.dtype == np.float32
    assert np.abs(binaural).max() == pytest.approx(PEAK, abs=1e-5)
    assert (render(np.zeros(2000, np.float32), SPHERE, 0.0, room=room) == 0).all()


def test_sides(sound: np.ndarray) -> None:
    right = render(sound, SPHERE, 90.0)
    assert level_db(right)[1] > level_db(right)[0] + 4 and itd_us(right) > 500
    np.testing.assert_allclose(render(sound, SPHERE, -90.0), right[::-1], atol=1e-6)
    assert abs(itd_us(render(sound, SPHERE, 180.0))) < 10


def test_a_room_keeps_the_side(sound: np.ndarray) -> None:
    for azimuth in (-60.0, 60.0):
        assert np.sign(itd_us(render(sound, SPHERE, azimuth, room=ROOM, distance_m=0.8))) == np.sign(azimuth)


def test_one_seed_one_sound(sound: np.ndarray) -> None:
    one, other = (render(sound, SPHERE, 30.0, room=ROOM, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (one != render(sound, SPHERE, 30.0, room=ROOM, rng=np.random.default_rng(6))).any()


def test_a_source_that_stands_still_moves_nothing(sound: np.ndarray) -> None:
    still = render_moving(sound, SPHERE, np.array([0.0, 1.0]), np.array([40.0, 40.0]))
    np.testing.assert_allclose(still, render(sound, SPHERE, 40.0), atol=1e-5)


def test_a_moving_source_is_where_its_track_says(sound: np.ndarray) -> None:
    binaural = render_moving(sound, SPHERE, np.array([0.0, 1.0]), np.array([-90.0, 90.0]))
    parts = [itd_us(binaural[:, start : start + 1600]) for start in range(0, 16_000, 1600)]
    assert parts[0] < -450 and parts[-1] > 450 and (np.diff(parts) > 0).all()


def test_a_track_takes_the_short_way_round_the_back(sound: np.ndarray) -> None:
    binaural = render_moving(sound, SPHERE, np.array([0.0, 1.0]), np.array([170.0, -170.0]))
    assert max(abs(itd_us(binaural[:, start : start + 1600])) for start in range(0, 16_000, 1600)) < 150


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_has_the_requested_level(sound: np.ndarray, snr_db: float) -> None:
    clean = 0.05 * render(sound, SPHERE, 45.0)
    noise = add_noise(clean, snr_db, np.random.default_rng(1), SPHERE) - clean
    found = 10 * np.log10(np.square(clean).mean() / np.square(noise).mean())
    assert found == pytest.approx(snr_db, abs=0.1)
    assert abs(np.diff(level_db(noise))) < 1.0  # from everywhere: the same in both ears


def test_silence_stays_silence() -> None:
    assert (add_noise(np.zeros((2, 1000), np.float32), 0.0, np.random.default_rng(0)) == 0).all()
