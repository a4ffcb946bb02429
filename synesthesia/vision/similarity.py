"""Visualisation of patch features: cosine similarity to one patch, and principal components as an RGB image."""

from __future__ import annotations

import numpy as np
import torch

from synesthesia.vision.grid import PatchGrid


def _centred(grid: PatchGrid) -> torch.Tensor:
    """(R * C, dim) features minus their mean: rectified features would otherwise all be similar."""
    flat = grid.features.reshape(-1, grid.features.shape[-1]).float()  # (R * C, dim)
    return flat - flat.mean(dim=0, keepdim=True)


def similarity_map(grid: PatchGrid, row: int, col: int) -> np.ndarray:
    """Cosine similarity of every patch to patch (row, col): (R, C) float32 in [-1, 1], 1 at the patch itself."""
    grid.box(row, col)  # refuses a cell outside
    unit = torch.nn.functional.normalize(_centred(grid), dim=1)  # (R * C, dim)
    similarity = unit @ unit[row * grid.cols + col]  # (R * C,)
    similarity[row * grid.cols + col] = 1.0  # also where a constant picture gives zero vectors
    return similarity.reshape(grid.rows, grid.cols).clamp(-1, 1).numpy()


def pca_image(grid: PatchGrid) -> np.ndarray:
    """The three strongest principal components as red, green, blue: (R, C, 3) uint8, each scaled to 0..255.

    The sign of a component is arbitrary; it is chosen so that the patch farthest from the mean is bright.
    """
    centred = _centred(grid)
    _, vectors = torch.linalg.eigh(centred @ centred.T)  # (R * C, R * C): fewer patches than features
    scores = vectors[:, -3:].flip(1)  # (R * C, 3), strongest first
    farthest = scores.gather(0, scores.abs().argmax(dim=0, keepdim=True))  # (1, 3)
    scores = scores * farthest.sign()
    low, high = scores.min(dim=0).values, scores.max(dim=0).values
    scaled = (scores - low) / (high - low).clamp(min=1e-12)
    return (scaled * 255).round().to(torch.uint8).reshape(grid.rows, grid.cols, 3).numpy()
