"""Intervals of figures whose cases are clicks, when scenes are what is drawn: clicks of one scene are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from synesthesia.evaluation.intervals import Estimate, bootstrap, wilson

DRAWS = 1000
SEED = 0


def over_scenes(values: np.ndarray, scene: np.ndarray, figure: Callable[[np.ndarray], float]) -> dict[str, Any]:
    """values (N, ...) of N clicks in scenes (N,) -> figure(values) with its 95 % interval over scenes drawn again, n
    the clicks."""
    groups = [np.flatnonzero(scene == number) for number in np.unique(scene)]

    def of(chosen: np.ndarray) -> float:
        return figure(values[np.concatenate([groups[k] for k in chosen])])

    found = bootstrap(np.arange(len(groups)), of, np.random.default_rng(SEED), DRAWS)
    return asdict(replace(found, n=len(values)))


def counted(hits: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    """(N,) hits and cases of N scenes -> the share of hits, n the scenes that have any case."""
    there = counts > 0
    rows = np.stack([hits[there], counts[there]], axis=1).astype(float)

    def share(chosen: np.ndarray) -> float:
        return float(chosen[:, 0].sum() / chosen[:, 1].sum())

    return asdict(bootstrap(rows, share, np.random.default_rng(SEED), DRAWS))


def share_of(hits: Sequence[bool]) -> dict[str, Any]:
    """Of cases that have nothing to do with one another, by Wilson's interval."""
    return asdict(wilson(int(sum(hits)), len(hits)))


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def median_factor(log_ratios: np.ndarray) -> float:
    """By which factor, up or down, half of all cases are off at most."""
    return float(np.exp(np.median(np.abs(log_ratios))))


def shown(cell: dict[str, Any], digits: int = 3) -> str:
    estimate = Estimate(**cell)
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"
