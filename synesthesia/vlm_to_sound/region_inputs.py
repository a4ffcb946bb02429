"""What a thinker is shown of a photograph, and back: where its picture tokens lie on the photograph's patches.

The tiny model sees through the project's own eyes (`eyes_tower`), one from the hub the photograph's pixels as its own
image processor cuts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.thinker import ImageInput
from synesthesia.vlm_to_sound.vision_tower import MERGE, blocks

if TYPE_CHECKING:
    from PIL.Image import Image
    from transformers import BaseImageProcessor

PIXELS = (256 * 256, 512 * 512)  # fewest and most that a model from the hub is shown


class RegionInputs(Protocol):
    """A model's way of looking at a photograph."""

    def view(self, grid: PatchGrid, row: int, col: int, picture: Image | None) -> tuple[ImageInput, Tensor]:
        """What the tower takes, and the patch as a box (1, 4) in shares of that."""
        ...

    def on_patches(self, looks: Tensor, grid: PatchGrid) -> Tensor:
        """(tokens,) over picture tokens, row by row -> (rows, cols) over patches; the sum stays."""
        ...


class FeatureRegionInputs:
    """A token is 2 x 2 patches. The box is told as in training: a share of what the tower sees, where an odd last row
    or column stands twice."""

    def view(self, grid: PatchGrid, row: int, col: int, picture: Image | None = None) -> tuple[ImageInput, Tensor]:
        pixels, (rows, cols) = blocks(grid)
        box = torch.tensor([[col / cols, row / rows, (col + 1) / cols, (row + 1) / rows]])
        return ImageInput(pixels, rows, cols), box

    def on_patches(self, looks: Tensor, grid: PatchGrid) -> Tensor:
        """What an odd last row or column got, it keeps alone."""
        down, across = (torch.arange(-(-side // MERGE) + 1) * MERGE for side in (grid.rows, grid.cols))
        return spread(looks, down.clamp(max=grid.rows), across.clamp(max=grid.cols), grid)


@dataclass(frozen=True)
class PixelRegionInputs:
    """Tokens lie evenly over the whole photograph, which is resized to whole tokens."""

    processor: BaseImageProcessor

    @staticmethod
    def load(hub_id: str, revision: str) -> PixelRegionInputs:
        """The image processor of a model at one commit. Opens the network."""
        from transformers import AutoImageProcessor

        size = {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1]}
        return PixelRegionInputs(AutoImageProcessor.from_pretrained(hub_id, revision=revision, size=size))

    def view(self, grid: PatchGrid, row: int, col: int, picture: Image | None) -> tuple[ImageInput, Tensor]:
        assert picture is not None, "a model from the hub looks at pixels"
        out = self.processor(images=[picture], return_tensors="pt")
        _, rows, cols = (int(number) for number in out["image_grid_thw"][0])
        x1, y1, x2, y2 = grid.box(row, col)
        box = torch.tensor([[x1 / grid.width_px, y1 / grid.height_px, x2 / grid.width_px, y2 / grid.height_px]])
        return ImageInput(out["pixel_values"], rows, cols), box

    def on_patches(self, looks: Tensor, grid: PatchGrid) -> Tensor:
        from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

        side = int(self.processor.patch_size * self.processor.merge_size)  # of a token, pixels
        high, wide = smart_resize(grid.height_px, grid.width_px, side, *PIXELS)
        down, across = (torch.arange(pixels // side + 1) * (side / pixels) for pixels in (high, wide))
        return spread(looks, down * grid.rows, across * grid.cols, grid)


def spread(looks: Tensor, down: Tensor, across: Tensor, grid: PatchGrid) -> Tensor:
    """(R' C',) -> (rows, cols): every token's share goes to the patches that it covers, by area. down (R' + 1,), across
    (C' + 1,): edges of the tokens, in patches."""
    looks = looks.float().view(len(down) - 1, len(across) - 1)
    return _covered(down, grid.rows).T @ looks @ _covered(across, grid.cols)


def _covered(edges: Tensor, count: int) -> Tensor:
    """(N + 1,) edges -> (N, count): which share of each stretch lies in which patch; rows sum to 1."""
    edges, at = edges.float(), torch.arange(count)
    upper, lower = torch.minimum(edges[1:, None], at + 1.0), torch.maximum(edges[:-1, None], at.float())
    inside = (upper - lower).clamp(min=0.0)
    return inside / inside.sum(dim=1, keepdim=True)
