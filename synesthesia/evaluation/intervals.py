"""Confidence intervals: Wilson's score interval for proportions, the percentile bootstrap for other statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ConfidenceInterval:
    """A statistic with its 95 % interval and the number of cases n."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def wilson(hits: int, n: int, z: float = 1.959964) -> ConfidenceInterval:
    """Wilson's score interval for a proportion (Wilson 1927). n = 0 gives nan with the interval 0 to 1."""
    assert 0 <= hits <= n, f"{hits} hits of {n} cases"
    if n == 0:
        return ConfidenceInterval(math.nan, 0.0, 1.0, 0)
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return ConfidenceInterval(share, max(0.0, middle - half), min(1.0, middle + half), n)


def bootstrap(
    cases: np.ndarray, figure: Callable[[np.ndarray], float], rng: np.random.Generator, draws: int = 1000
) -> ConfidenceInterval:
    """Percentile interval of `figure` over cases (N, ...) resampled with replacement."""
    count = len(cases)
    assert count > 0, "the bootstrap needs at least one case"
    values = [figure(cases[rng.integers(0, count, count)]) for _ in range(draws)]
    low, high = np.percentile(values, [2.5, 97.5])
    return ConfidenceInterval(float(figure(cases)), float(low), float(high), count)
