"""Random shoebox rooms and source distances that fit into them."""

from __future__ import annotations

import math

import numpy as np

from synesthesia.binaural.room import Room


def random_room(rng: np.random.Generator, tallest_m: float) -> Room:
    """A shoebox of about 20 to 400 m3 with a fitting reverberation time."""
    length = float(np.exp(rng.uniform(np.log(3.0), np.log(11.0))))
    size = (length, length * float(rng.uniform(0.6, 1.0)), float(rng.uniform(2.4, tallest_m)))
    return Room(size, float(rng.uniform(0.15, 0.9)))


def random_distance_m(rng: np.random.Generator, room: Room | None, elevation_deg: float) -> float:
    """0.7 to 3 m, less where a source at this elevation would not fit into the room."""
    distance_m = float(rng.uniform(0.7, 3.0))
    if room is None:
        return distance_m
    height = (room.size_m[2] - 1.0) / max(abs(math.sin(math.radians(elevation_deg))), 1e-6)
    return min(distance_m, 0.45 * min(room.size_m[:2]), height)
