"""Real spherical harmonics, the smooth functions on the sphere: order l resolves about 180 / l degrees."""

from __future__ import annotations

import numpy as np


def degrees_of(order: int) -> np.ndarray:
    """((order + 1) ** 2,) the degree l of every column of `harmonics`."""
    return np.repeat(np.arange(order + 1), 2 * np.arange(order + 1) + 1)


def harmonics(directions: np.ndarray, order: int) -> np.ndarray:
    """Unit vectors (N, 3) -> (N, (order + 1) ** 2), orthonormal over the sphere, degree by degree, m from -l to l.

    Associated Legendre functions by the stable recursion upwards in l ("Numerical recipes", section 6.7).
    """
    assert directions.ndim == 2 and directions.shape[1] == 3, f"directions must be (N, 3), got {directions.shape}"
    x, y, z = directions.T
    around = np.arctan2(y, x)
    flat = np.sqrt(np.maximum(0.0, 1.0 - z * z))
    out = np.empty((len(directions), (order + 1) ** 2))
    first = np.full(len(directions), np.sqrt(1 / (4 * np.pi)))  # normalised P_m^m
    for m in range(order + 1):
        if m:
            first = first * flat * np.sqrt((2 * m + 1) / (2 * m))
        before, at = np.zeros_like(first), first
        for degree in range(m, order + 1):
            if degree > m:
                factor = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
                back = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
                before, at = at, factor * (z * at - back * before)
            middle = degree * degree + degree
            if m == 0:
                out[:, middle] = at
            else:
                out[:, middle + m] = np.sqrt(2) * at * np.cos(m * around)
                out[:, middle - m] = np.sqrt(2) * at * np.sin(m * around)
    return out
