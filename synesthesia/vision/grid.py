"""Patch grid: features of a photograph's patches, and the mapping between pixels and (row, column).

Positions are natural pixels of the upright photograph in the public API and (row, column) inside the package.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synesthesia.core.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@dataclass(frozen=True)
class PatchGrid:
    """Features of every patch of one photograph.

    features: (rows, cols, dim) float32; global_feature: (dim,) float32 of the whole photograph; crop_features: (rows,
    cols, scales, dim) float16, interpolated from crops around each patch, see `multi_crop`.
    stage_maps: (C, n * rows, n * cols) float16 feature maps of early stages, finest first: n = 4, 2, 1 for a
    convolutional network, 1 for a transformer. They describe texture.
    width_px, height_px: natural size; the grid covers all of it, so a cell is width/cols by height/rows.
    key: hash of the pixels.
    """

    features: Tensor
    global_feature: Tensor
    crop_features: Tensor
    width_px: int
    height_px: int
    key: str
    stage_maps: tuple[Tensor, ...] = ()

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
        """Natural pixel (x, y) at the centre of a cell."""
        x1, y1, x2, y2 = self.box(row, col)
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True)
class EncodedImage:
    """A photograph with its features. picture: upright, RGB; key: hash of its pixels; grid: its patch features."""

    picture: Image
    key: str
    grid: PatchGrid


def patch_seed(seed: int, key: str, row: int, col: int) -> int:
    """48-bit seed of one patch of the photograph `key`: two dogs in one picture do not sound the same."""
    digest = hashlib.sha256(f"{seed}:{key}:{row}:{col}".encode()).digest()
    return int.from_bytes(digest[:6])
