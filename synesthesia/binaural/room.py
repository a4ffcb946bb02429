"""Shoebox room response (BRIR): direct sound, image-source reflections by direction, a diffuse tail.

Reflections are image sources (Allen and Berkley 1979) behind walls with equal absorption; Eyring's formula turns the
reverberation time into their reflection coefficient. From the mixing time on (Lindau et al. 2012) single reflections
no longer matter and noise with the diffuse field's coherence takes over, at the level that the image sources would have
on average: 4 pi c / V a second, falling by 60 dB in the reverberation time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synesthesia.binaural.diffuse import diffuse_noise
from synesthesia.binaural.geometry import unit_vector, vector_angles
from synesthesia.binaural.hrtf import HRTF, PRE_DELAY_S, RATE_HZ, SPEED_OF_SOUND
from synesthesia.core.errors import UserError

ORDER = 8  # reflections a path at most; the mixing time comes first in any room that is not a corridor
REFLECTION_GRID_DEG = 5.0  # directions of reflections are rounded to this, so that HRTFs can cache them
LONGEST_S = 1.2  # of a response
WALL_M = 0.3  # listener and source keep this distance from walls


@dataclass(frozen=True)
class Room:
    size_m: tuple[float, float, float]  # length, width, height
    t60_s: float  # time in which sound falls by 60 dB

    def __post_init__(self) -> None:
        if min(self.size_m) < 1.0 or max(self.size_m) > 100.0:
            raise UserError(f"A room's sides must be 1 to 100 m long, got {self.size_m}.")
        if not 0.05 <= self.t60_s <= 10.0:
            raise UserError(f"A room's reverberation time must be 0.05 to 10 s, got {self.t60_s}.")

    @property
    def volume_m3(self) -> float:
        return math.prod(self.size_m)

    @property
    def surface_m2(self) -> float:
        length, width, height = self.size_m
        return 2 * (length * width + length * height + width * height)

    @property
    def reflection(self) -> float:
        """Pressure kept at a wall, by Eyring: t60 = 24 ln(10) V / (-c S ln(reflection ** 2))."""
        return math.exp(-12 * math.log(10) * self.volume_m3 / (SPEED_OF_SOUND * self.surface_m2 * self.t60_s))

    @property
    def mixing_time_s(self) -> float:
        """When reflections become too dense to tell apart: (20 V / S + 12) ms (Lindau et al. 2012)."""
        return (20 * self.volume_m3 / self.surface_m2 + 12) / 1000


def image_sources(
    room: Room, source_m: np.ndarray, listener_m: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (K, 3) of the source and its images up to `order` reflections, nearest first, and gains (K,).

    The gain is reflection ** (number of walls) / distance from the listener.
    """
    count = np.arange(-order, order + 1)  # walls met along one axis, signed by the first one
    grid = np.stack(np.meshgrid(count, count, count, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.abs(grid).sum(axis=1) <= order]  # (K, 3)
    size = np.array(room.size_m)
    positions = np.where(grid % 2 == 0, grid * size + source_m, (grid + 1) * size - source_m)
    distance = np.linalg.norm(positions - listener_m, axis=1)
    gains = room.reflection ** np.abs(grid).sum(axis=1) / distance.clip(min=1e-3)
    nearest = np.argsort(distance, kind="stable")
    return positions[nearest], gains[nearest]


def source_position(listener_m: np.ndarray, yaw_deg: float, azimuth_deg: float, elevation_deg: float,
                    distance_m: float) -> np.ndarray:  # fmt: skip
    """(3,) position of a source in this direction from a listener turned by `yaw_deg` (clockwise from x)."""
    return listener_m + distance_m * unit_vector(yaw_deg + azimuth_deg, elevation_deg)


def sample_listener_pose(room: Room, azimuth_deg: float, elevation_deg: float, distance_m: float,
          rng: np.random.Generator) -> tuple[np.ndarray, float]:  # fmt: skip
    """A random listener position (3,) and yaw for which listener and source are inside. UserError when none fits."""
    size = np.array(room.size_m)
    for _ in range(200):
        yaw = float(rng.uniform(-180.0, 180.0))
        shift = source_position(np.zeros(3), yaw, azimuth_deg, elevation_deg, distance_m)
        low, high = np.maximum(WALL_M, WALL_M - shift), np.minimum(size - WALL_M, size - WALL_M - shift)
        if (high > low).all():
            return rng.uniform(low, high), yaw
    raise UserError(f"A source {distance_m} m away at elevation {elevation_deg} does not fit into {room.size_m} m.")


def room_response(hrtf: HRTF, room: Room, *, azimuth_deg: float, elevation_deg: float, distance_m: float,
                  listener_m: np.ndarray, yaw_deg: float, rng: np.random.Generator) -> np.ndarray:  # fmt: skip
    """(2, n) float32 at RATE_HZ. The direct sound is the HRTF's own response, undelayed and with gain 1.

    `rng` draws the tail. UserError when the source would stand outside.
    """
    listener = np.asarray(listener_m, dtype=np.float64)
    source = source_position(listener, yaw_deg, azimuth_deg, elevation_deg, distance_m)
    if (np.minimum(source, listener) < 0).any() or (np.maximum(source, listener) > room.size_m).any():
        raise UserError("The listener and the source must stand inside the room.")
    positions, gains = image_sources(room, source, listener, ORDER)
    offset = positions - listener
    delay_s = np.linalg.norm(offset, axis=1) / SPEED_OF_SOUND - distance_m / SPEED_OF_SOUND
    crossfade = 0.75 * room.mixing_time_s, 1.25 * room.mixing_time_s
    early = delay_s < crossfade[1]
    early[0] = False  # the source itself
    offset, delay_s = offset[early], delay_s[early]
    gains = gains[early] * distance_m * np.cos(_crossfade_angle(delay_s, crossfade))

    direct = hrtf.responses(np.array([azimuth_deg]), np.array([elevation_deg]))[0]  # (2, taps)
    taps = direct.shape[1]
    length = taps + int(RATE_HZ * min(LONGEST_S, max(room.t60_s, crossfade[1])))
    response = _tail(hrtf, room, distance_m, crossfade, length, rng)
    response[:, :taps] += direct
    azimuth, elevation = vector_angles(offset)
    step = REFLECTION_GRID_DEG
    reflections = hrtf.responses(np.rint((azimuth - yaw_deg) / step) * step, np.rint(elevation / step) * step)
    reflections = reflections * gains[:, None, None].astype(np.float32)  # (K, 2, taps)
    for first, one in zip(np.rint(delay_s * RATE_HZ).astype(int), reflections, strict=True):
        response[:, first : first + taps] += one
    return response


def _crossfade_angle(delay_s: np.ndarray, crossfade: tuple[float, float]) -> np.ndarray:
    """0 before the crossfade, pi/2 after it: cosine and sine keep the total energy of reflections and tail."""
    return 0.5 * np.pi * ((delay_s - crossfade[0]) / (crossfade[1] - crossfade[0])).clip(0.0, 1.0)


def _tail(hrtf: HRTF, room: Room, distance_m: float, crossfade: tuple[float, float], length: int,
          rng: np.random.Generator) -> np.ndarray:  # fmt: skip
    """(2, length) decaying diffuse noise, faded in over the crossfade, relative to a direct sound of gain 1."""
    delay_s = np.arange(length) / RATE_HZ - PRE_DELAY_S  # behind the direct sound
    since_emission_s = delay_s + distance_m / SPEED_OF_SOUND
    power = 4 * np.pi * SPEED_OF_SOUND / room.volume_m3 / RATE_HZ * 10 ** (-6 * since_emission_s / room.t60_s)
    envelope = distance_m * np.sqrt(power) * np.sin(_crossfade_angle(delay_s, crossfade))
    return diffuse_noise(length, rng, hrtf) * envelope.astype(np.float32)
