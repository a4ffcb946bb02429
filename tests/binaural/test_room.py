"""Rooms: image sources by hand, the direct sound's direction, reverberation time."""

from __future__ import annotations

import time

import numpy as np
import pytest

from synesthesia.binaural.room import Room, image_sources, room_response, sample_listener_pose, source_position
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.core.errors import UserError
from tests.binaural.synthetic_hrtf import itd_us

ROOM = Room((6.0, 4.5, 2.8), 0.5)
SPHERE = SphereHRTF()


def response(azimuth_deg: float, seed: int = 0, room: Room = ROOM, distance_m: float = 1.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    listener_m, yaw_deg = sample_listener_pose(room, azimuth_deg, 0.0, distance_m, rng)
    return room_response(
        SPHERE, room, azimuth_deg=azimuth_deg, elevation_deg=0.0, distance_m=distance_m, listener_m=listener_m,
        yaw_deg=yaw_deg, rng=rng,
    )  # fmt: skip


def test_first_images_stand_behind_the_six_walls() -> None:
    source, listener = np.array([1.0, 2.0, 1.5]), np.array([4.0, 3.0, 1.2])
    positions, gains = image_sources(ROOM, source, listener, 1)
    assert positions.shape == (7, 3)
    np.testing.assert_allclose(positions[0], source)
    expected = {(-1, 2, 1.5), (11, 2, 1.5), (1, -2, 1.5), (1, 7, 1.5), (1, 2, -1.5), (1, 2, 4.1)}
    assert {tuple(np.round(position, 6).tolist()) for position in positions[1:]} == expected
    distance = np.linalg.norm(positions - listener, axis=1)
    assert (np.diff(distance) >= 0).all()
    np.testing.assert_allclose(gains * distance, [1.0] + [ROOM.reflection] * 6)


def test_second_images_come_in_pairs_of_walls() -> None:
    positions, _ = image_sources(ROOM, np.array([1.0, 2.0, 1.5]), np.array([4.0, 3.0, 1.2]), 2)
    assert len(positions) == 25 and len(np.unique(positions.round(6), axis=0)) == 25


def test_absorption_gives_the_time_by_eyring() -> None:
    absorbed = 1 - ROOM.reflection**2
    eyring = 24 * np.log(10) / 343 * ROOM.volume_m3 / (-ROOM.surface_m2 * np.log(1 - absorbed))
    assert eyring == pytest.approx(ROOM.t60_s)


@pytest.mark.parametrize("azimuth_deg", [-120.0, -40.0, 0.0, 75.0, 180.0])
def test_the_direct_sound_comes_first_and_from_the_requested_azimuth(azimuth_deg: float) -> None:
    binaural = room_response(
        SPHERE, ROOM, azimuth_deg=azimuth_deg, elevation_deg=0.0, distance_m=1.0, listener_m=np.array([3.0, 2.25, 1.4]),
        yaw_deg=33.0, rng=np.random.default_rng(0),
    )  # fmt: skip
    alone = SPHERE.responses(np.array([azimuth_deg]), np.array([0.0]))[0]
    first = 80  # the floor's reflection travels 1.97 m more: 92 samples
    np.testing.assert_allclose(binaural[:, :first], alone[:, :first], atol=0.02)
    assert itd_us(binaural[:, :first]) == pytest.approx(itd_us(alone[:, :first]), abs=10)
    assert np.abs(binaural[:, first:200]).max() > 0.1  # then the room answers


def test_the_tail_falls_by_60_db_in_the_reverberation_time() -> None:
    energy = np.mean([np.square(response(30.0, seed)).sum(axis=0)[:8000] for seed in range(6)], axis=0)
    left = 10 * np.log10(np.cumsum(energy[::-1])[::-1])
    start = round(1.5 * ROOM.mixing_time_s * 16_000)
    fallen = int(np.argmax(left < left[start] - 20)) - start
    assert 3 * fallen / 16_000 == pytest.approx(ROOM.t60_s, rel=0.15)


def test_reflections_and_tail_meet_at_one_level() -> None:
    energy = np.mean([np.square(response(30.0, seed)).sum(axis=0)[:4000] for seed in range(24)], axis=0)
    mixing = round(ROOM.mixing_time_s * 16_000)
    before, after = energy[mixing // 2 : mixing].mean(), energy[mixing : 3 * mixing // 2].mean()
    assert 0 < 10 * np.log10(before / after) < 4  # 1.5 dB are the decay itself


def test_ears_swap_with_the_side_in_early_sound() -> None:
    """Mirrored room, mirrored azimuth: the direct sound and the reflections change ears."""
    same = {"elevation_deg": 0.0, "distance_m": 1.0, "yaw_deg": 0.0}
    width = ROOM.size_m[1]
    mirrored = []
    for side, y in ((1.0, 1.9), (-1.0, width - 1.9)):
        mirrored.append(room_response(SPHERE, ROOM, azimuth_deg=side * 60, listener_m=np.array([2.0, y, 1.2]),
                                      rng=np.random.default_rng(0), **same))  # fmt: skip
    early = round(0.7 * ROOM.mixing_time_s * 16_000)
    np.testing.assert_allclose(mirrored[0][:, :early], mirrored[1][::-1, :early], atol=1e-6)


def test_one_seed_one_response_and_it_is_quick() -> None:
    np.testing.assert_array_equal(response(10.0, 3), response(10.0, 3))
    began = time.process_time()
    for seed in range(5):
        response(10.0, seed)
    assert (time.process_time() - began) / 5 < 0.06  # 5 ms measured; a machine under load takes longer


def test_nobody_stands_in_a_wall() -> None:
    rng = np.random.default_rng(0)
    for azimuth in (-150.0, 0.0, 90.0):
        listener, yaw = sample_listener_pose(ROOM, azimuth, 20.0, 2.0, rng)
        source = source_position(listener, yaw, azimuth, 20.0, 2.0)
        for point in (listener, source):
            assert (point >= 0.29).all() and (point <= np.array(ROOM.size_m) - 0.29).all()
    with pytest.raises(UserError, match="does not fit"):
        sample_listener_pose(ROOM, 0.0, 0.0, 20.0, rng)
    with pytest.raises(UserError, match="inside"):
        room_response(SPHERE, ROOM, azimuth_deg=0.0, elevation_deg=0.0, distance_m=5.0,
                      listener_m=np.array([3.0, 2.0, 1.0]), yaw_deg=0.0, rng=rng)  # fmt: skip
    with pytest.raises(UserError, match="sides"):
        Room((0.5, 3.0, 2.5), 0.4)
    with pytest.raises(UserError, match="reverberation"):
        Room((5.0, 3.0, 2.5), 0.0)
