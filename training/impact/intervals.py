"""Confidence intervals as dicts: bootstrap over scenes (clicks of one scene are not independent), Wilson for shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap, wilson

DRAWS = 1000
SEED = 0


def scene_bootstrap(values: np.ndarray, scene: np.ndarray, figure: Callable[[np.ndarray], float]) -> dict[str, Any]:
    """Cluster bootstrap: values (N, ...) of N clicks in scenes (N,) -> figure(values) and its 95 % interval over
    resampled scenes; n counts clicks."""
    groups = [np.flatnonzero(scene == number) for number in np.unique(scene)]

    def of(chosen: np.ndarray) -> float:
        return figure(values[np.concatenate([groups[k] for k in chosen])])

    found = bootstrap(np.arange(len(groups)), of, np.random.default_rng(SEED), DRAWS)
    return asdict(replace(found, n=len(values)))


def pooled_share(hits: np.ndarray, counts: np.ndarray) -> dict[str, Any]:
    """(N,) hits and cases of N scenes -> the share of hits over all cases; n counts scenes that have any case."""
    used = counts > 0
    rows = np.stack([hits[used], counts[used]], axis=1).astype(float)

    def share(chosen: np.ndarray) -> float:
        return float(chosen[:, 0].sum() / chosen[:, 1].sum())

    return asdict(bootstrap(rows, share, np.random.default_rng(SEED), DRAWS))


def wilson_share(hits: Sequence[bool]) -> dict[str, Any]:
    """Of independent cases."""
    return asdict(wilson(int(sum(hits)), len(hits)))


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def median_factor(log_ratios: np.ndarray) -> float:
    """exp of the median absolute log ratio: half of the cases are off by at most this factor, up or down."""
    return float(np.exp(np.median(np.abs(log_ratios))))


def format_interval(cell: dict[str, Any], digits: int = 3) -> str:
    found = ConfidenceInterval(**cell)
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"
