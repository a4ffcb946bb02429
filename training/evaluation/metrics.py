"""Metrics of probabilities and of copies: AUROC, expected calibration error, maximum cross-correlation of log-mels."""

from __future__ import annotations

import numpy as np


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a positive scores above a negative, ties counted half."""
    positive, negative = scores[truth], scores[~truth]
    above = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(above)


def calibration_error(scores: np.ndarray, truth: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over equally wide bins (Guo et al. 2017)."""
    which = np.minimum((scores * bins).astype(int), bins - 1)
    parts = [(which == b).mean() * abs(scores[which == b].mean() - truth[which == b].mean()) for b in np.unique(which)]
    return float(sum(parts))


def max_cross_correlation(first: np.ndarray, second: np.ndarray, lags: int = 100) -> float:
    """Largest correlation of two log-mels (T, 64) over shifts of up to `lags` frames. 1 is a copy, also at another
    level or through another microphone: each band's mean is removed."""
    best = -1.0
    for lag in range(-lags, lags + 1, 4):
        a, b = first[max(0, lag) :], second[max(0, -lag) :]
        size = min(len(a), len(b))
        if size >= 50:
            x, y = a[:size] - a[:size].mean(axis=0), b[:size] - b[:size].mean(axis=0)
            best = max(best, float((x * y).sum() / max(np.sqrt((x * x).sum() * (y * y).sum()), 1e-6)))
    return best
