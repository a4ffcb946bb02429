"""Model inputs for one patch of a photograph, and the inverse: image-token attention resampled onto the patch grid.

The tiny model reads features of the project's vision network (`vision_tower`), a model from the hub reads the
photograph's pixels through its own image processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vlm_to_sound.thinker import ImageInput
from synesthesia.vlm_to_sound.vision_tower import MERGE, merge_blocks

if TYPE_CHECKING:
    from transformers import BaseImageProcessor

PIXELS = (256 * 256, 512 * 512)  # fewest and most that a model from the hub receives


class RegionInputs(Protocol):
    """How a model receives a photograph."""

    def prepare(self, image: EncodedImage, row: int, col: int) -> tuple[ImageInput, Tensor]:
        """The visual tower's input, and the patch as a box (1, 4) in fractions of it."""
        ...

    def to_patches(self, attention: Tensor, grid: PatchGrid) -> Tensor:
        """(tokens,) over image tokens, row by row -> (rows, cols) over patches; the sum is preserved."""
        ...


class FeatureRegionInputs:
    """A token is 2 x 2 patches. Boxes are fractions of the tower's input, where an odd last row or column is
    repeated, as in training."""

    def prepare(self, image: EncodedImage, row: int, col: int) -> tuple[ImageInput, Tensor]:
        return feature_input(image.grid, row, col)

    def to_patches(self, attention: Tensor, grid: PatchGrid) -> Tensor:
        """An unrepeated last row or column keeps all of its token's attention."""
        down, across = (torch.arange(-(-side // MERGE) + 1) * MERGE for side in (grid.rows, grid.cols))
        return area_resample(attention, down.clamp(max=grid.rows), across.clamp(max=grid.cols), grid)


@dataclass(frozen=True)
class PixelRegionInputs:
    """Tokens tile the whole photograph, which is resized to a whole number of tokens."""

    processor: BaseImageProcessor

    @staticmethod
    def load(hub_id: str, revision: str) -> PixelRegionInputs:
        """The image processor of a model at one commit. Opens the network."""
        from transformers import AutoImageProcessor

        size = {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1]}
        return PixelRegionInputs(AutoImageProcessor.from_pretrained(hub_id, revision=revision, size=size))

    def prepare(self, image: EncodedImage, row: int, col: int) -> tuple[ImageInput, Tensor]:
        out, grid = self.processor(images=[image.picture], return_tensors="pt"), image.grid
        _, rows, cols = (int(number) for number in out["image_grid_thw"][0])
        x1, y1, x2, y2 = grid.box(row, col)
        box = torch.tensor([[x1 / grid.width_px, y1 / grid.height_px, x2 / grid.width_px, y2 / grid.height_px]])
        return ImageInput(out["pixel_values"], rows, cols), box

    def to_patches(self, attention: Tensor, grid: PatchGrid) -> Tensor:
        from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

        side = int(self.processor.patch_size * self.processor.merge_size)  # of a token, pixels
        high, wide = smart_resize(grid.height_px, grid.width_px, side, *PIXELS)
        down, across = (torch.arange(pixels // side + 1) * (side / pixels) for pixels in (high, wide))
        return area_resample(attention, down * grid.rows, across * grid.cols, grid)


def feature_input(grid: PatchGrid, row: int, col: int) -> tuple[ImageInput, Tensor]:
    """The tiny model's input for one patch, and its box (1, 4)."""
    pixels, (rows, cols) = merge_blocks(grid)
    box = torch.tensor([[col / cols, row / rows, (col + 1) / cols, (row + 1) / rows]])
    return ImageInput(pixels, rows, cols), box


def area_resample(attention: Tensor, down: Tensor, across: Tensor, grid: PatchGrid) -> Tensor:
    """(R' C',) -> (rows, cols): the attention of each token is split by area between the patches that it covers.

    down (R' + 1,), across (C' + 1,): edges of the tokens, in patches.
    """
    attention = attention.float().view(len(down) - 1, len(across) - 1)
    return _overlap(down, grid.rows).T @ attention @ _overlap(across, grid.cols)


def _overlap(edges: Tensor, count: int) -> Tensor:
    """(N + 1,) edges -> (N, count): which fraction of each interval lies in which unit cell; rows sum to 1."""
    edges, left = edges.float(), torch.arange(count)
    upper, lower = torch.minimum(edges[1:, None], left + 1.0), torch.maximum(edges[:-1, None], left.float())
    inside = (upper - lower).clamp(min=0.0)
    return inside / inside.sum(dim=1, keepdim=True)
