"""Frechet distance between two sets of embeddings modelled as Gaussians (Dowson and Landau 1982; FID, FAD)."""

from __future__ import annotations

import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray, shrink: float = 0.0) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of embeddings (N, D) and (M, D), in squared units of the embedding.

    shrink: share of each covariance replaced by its diagonal, for few points in many dimensions.
    """
    assert first.ndim == second.ndim == 2 and first.shape[1] == second.shape[1], f"{first.shape} and {second.shape}"
    assert len(first) > 1 and len(second) > 1, "a covariance needs at least two points"
    one, two = first.astype(np.float64), second.astype(np.float64)
    offset = one.mean(axis=0) - two.mean(axis=0)
    cov_one, cov_two = _covariance(one, shrink), _covariance(two, shrink)
    # tr((C1 C2)^(1/2)) = sum of the roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which is symmetric
    values, vectors = np.linalg.eigh(cov_one)
    root = (vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ cov_two @ root)
    distance = offset @ offset + np.trace(cov_one) + np.trace(cov_two) - 2.0 * np.sqrt(cross.clip(min=0.0)).sum()
    return float(max(distance, 0.0))


def _covariance(points: np.ndarray, shrink: float) -> np.ndarray:
    covariance = np.atleast_2d(np.cov(points, rowvar=False))
    return (1.0 - shrink) * covariance + shrink * np.diag(np.diag(covariance))
