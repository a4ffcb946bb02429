"""Azimuth convention: degrees, 0 in front, positive to the RIGHT, (-180, 180]; elevation in degrees, positive up.

SOFA files (AES69) count azimuth to the left; `from_sofa` is the one place where the sign changes.
"""

from __future__ import annotations

from typing import TypeVar, overload

import numpy as np

Angle = TypeVar("Angle", float, np.ndarray)

OCTANTS = ("front", "front right", "right", "back right", "back", "back left", "left", "front left")


def wrap(deg: Angle) -> Angle:
    """Any angle -> the same direction in (-180, 180]."""
    return 180.0 - (180.0 - deg) % 360.0


def from_sofa(deg: Angle) -> Angle:
    """SOFA azimuth (0..360 or -180..180, positive to the left) -> this project's."""
    return wrap(-deg)


def angle_difference(a: Angle, b: Angle) -> Angle:
    """The smallest signed turn from b to a, in (-180, 180]: positive when a lies clockwise (to the right) of b."""
    return wrap(a - b)


def lateral_angle(azimuth_deg: Angle) -> Angle:
    """In [-90, 90]: back directions mirrored to the front, which a delay alone can't distinguish."""
    return np.degrees(np.arcsin(np.sin(np.radians(azimuth_deg))))


@overload
def is_front(azimuth_deg: float) -> bool: ...
@overload
def is_front(azimuth_deg: np.ndarray) -> np.ndarray: ...
def is_front(azimuth_deg: float | np.ndarray) -> bool | np.ndarray:
    """Whether a direction lies in front of the interaural axis; exactly sideways counts as front."""
    return (azimuth_deg + 90.0) % 360.0 <= 180.0


@overload
def in_arc(azimuth_deg: float, low_deg: float, high_deg: float) -> bool: ...
@overload
def in_arc(azimuth_deg: np.ndarray, low_deg: float, high_deg: float) -> np.ndarray: ...
def in_arc(azimuth_deg: float | np.ndarray, low_deg: float, high_deg: float) -> bool | np.ndarray:
    """Whether a direction lies on the arc clockwise from low to high, ends included; 170 to -170 passes the back.

    A span of 360 degrees or more contains everything.
    """
    span = 360.0 if high_deg - low_deg >= 360.0 else (high_deg - low_deg) % 360.0
    return (azimuth_deg - low_deg) % 360.0 <= span


@overload
def octant(azimuth_deg: float) -> int: ...
@overload
def octant(azimuth_deg: np.ndarray) -> np.ndarray: ...
def octant(azimuth_deg: float | np.ndarray) -> int | np.ndarray:
    """Index into OCTANTS: eight sectors of 45 degrees, the first one centred on the front."""
    index = np.floor((np.asarray(azimuth_deg) + 22.5) / 45.0).astype(int) % 8
    return index if index.ndim else int(index)


def unit_vector(azimuth_deg: float | np.ndarray, elevation_deg: float | np.ndarray) -> np.ndarray:
    """(...,) and (...,) -> (..., 3): x to the front, y to the right, z up."""
    azimuth, elevation = np.broadcast_arrays(np.radians(azimuth_deg), np.radians(elevation_deg))
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)


def vector_angles(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 3) of any length but zero -> azimuth and elevation in degrees, (...,) each."""
    x, y, z = np.moveaxis(np.asarray(vector, dtype=np.float64), -1, 0)
    return wrap(np.degrees(np.arctan2(y, x))), np.degrees(np.arctan2(z, np.hypot(x, y)))


def fibonacci_sphere(count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` directions spread evenly (Fibonacci lattice): azimuth and elevation in degrees, (count,) each."""
    step = np.arange(count) + 0.5
    azimuth = wrap(np.degrees(np.pi * (1 + 5**0.5) * step))
    return azimuth, np.degrees(np.arcsin(1 - 2 * step / count))
