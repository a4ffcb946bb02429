"""A photograph as a grid of patches with features: what vision hands to everything that listens.

Coordinates are natural pixels of the upright photograph at the border and (row, column) inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synesthesia.core.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@dataclass(frozen=True)
class PatchGrid:
    """Features of every patch of one photograph.

    features: (rows, cols, dim) float32; picture: (dim,) float32, the whole photograph; closer: (rows, cols, levels,
    dim) float16, what windows around each patch show when looked at alone (`glimpse`).
    early: maps (C, n * rows, n * cols) float16 of early layers of the same pass, finest first, n = 4, 2, 1 of a
    convolutional network, 1 of a transformer: what a texture is told by.
    width_px, height_px: natural size; the grid covers all of it, so a cell is width/cols by height/rows.
    key: hash of the pixels, so that a grid can be told from another's.
    """

    features: Tensor
    picture: Tensor
    closer: Tensor
    width_px: int
    height_px: int
    key: str
    early: tuple[Tensor, ...] = ()

    @property
    def rows(self) -> int:
        return int(self.features.shape[0])

    @property
    def cols(self) -> int:
        return int(self.features.shape[1])

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """(row, column) of natural pixel (x, y). UserError outside the photograph."""
        if not (0 <= x < self.width_px and 0 <= y < self.height_px):  # also refuses NaN
            raise UserError(
                f"The click ({x:g}, {y:g}) lies outside the photograph, "
                f"which is {self.width_px} x {self.height_px} pixels."
            )
        row = min(int(y * self.rows / self.height_px), self.rows - 1)
        col = min(int(x * self.cols / self.width_px), self.cols - 1)
        return row, col

    def box(self, row: int, col: int) -> tuple[int, int, int, int]:
        """(x1, y1, x2, y2) of a cell in natural pixels, x2 and y2 exclusive. UserError for a cell outside the grid."""
        if not (0 <= row < self.rows and 0 <= col < self.cols):
            raise UserError(
                f"Row {row}, column {col} lies outside the grid of {self.rows} rows and {self.cols} columns."
            )
        return (
            round(col * self.width_px / self.cols),
            round(row * self.height_px / self.rows),
            round((col + 1) * self.width_px / self.cols),
            round((row + 1) * self.height_px / self.rows),
        )

    def centre(self, row: int, col: int) -> tuple[float, float]:
        """Natural pixel (x, y) at the middle of a cell."""
        x1, y1, x2, y2 = self.box(row, col)
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True)
class EncodedImage:
    """A photograph with its features. picture: upright, RGB; key: hash of its pixels; grid: its patch features."""

    picture: Image
    key: str
    grid: PatchGrid
