"""Concentration of an attention map on the clicked patch, relative to uniform attention."""

from __future__ import annotations

import numpy as np

MARGIN = 0.1  # of the picture's width and height around the clicked patch: where training asks attention to be


def near_mask(shape: tuple[int, int], cell: tuple[int, int], margin: float = MARGIN) -> np.ndarray:
    """(rows, cols) bool: patches whose centre lies in the clicked one, or within `margin` of the picture around it."""
    within = []
    for count, index in zip(shape, cell, strict=True):
        centre = (np.arange(count) + 0.5) / count
        within.append((centre >= index / count - margin) & (centre <= (index + 1) / count + margin))
    return within[0][:, None] & within[1][None, :]


def relative_attention(attention: np.ndarray, cell: tuple[int, int], margin: float = MARGIN) -> float:
    """How many times the average attention the clicked patch and its margin got. attention: (rows, cols), sums to 1."""
    rows, cols = attention.shape
    near = near_mask((rows, cols), cell, margin)
    return float(attention[near].sum() / near.mean())
