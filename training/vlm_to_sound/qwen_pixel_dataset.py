"""Image dataset of pixels for Qwen3-VL: pictures resized to whole image tokens, with per-token class targets.

A cell is one image token of Qwen3-VL, 32 x 32 px. Every picture is resized to whole cells, eight along its short side,
so that pictures can be cropped, mirrored and joined cell by cell, and the model's image processor, which rounds to
whole tokens, leaves them unchanged. The targets come from the embedded vision network and prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vlm_to_sound.thinker import ImageInput
from training.common.patch_features import Targets
from training.common.pictures import Picture
from training.vlm_to_sound.image_dataset import ClickableImage, ImageStore, new_folder, write_index

if TYPE_CHECKING:
    from transformers import BaseImageProcessor

CELL_PX = 32
SHORT = 8  # cells along the short side
LONG = 16  # at most, along the other: two such pictures are the most that the processor leaves at full size


@dataclass(frozen=True)
class PixelImage(ClickableImage):
    """content: (32 R, 32 C, 3) uint8; processor: of the model that reads it."""

    processor: BaseImageProcessor
    unit = CELL_PX

    @property
    def tower_input(self) -> ImageInput:
        out = self.processor(images=[Image.fromarray(self.content.numpy())], return_tensors="pt")
        _, rows, cols = (int(number) for number in out["image_grid_thw"][0])
        merge = int(self.processor.merge_size)
        assert (rows // merge, cols // merge) == self.shape, f"a token is not {CELL_PX} px wide"
        return ImageInput(out["pixel_values"], rows, cols)


class PixelStore(ImageStore):
    """A picture's pixels are stored in their own order, as many in a row as a cell has."""

    def __init__(self, folder: Path, processor: BaseImageProcessor) -> None:
        super().__init__(folder)
        self.processor = processor

    def _image(self, content: np.ndarray, class_probs: Tensor, labels: Tensor) -> PixelImage:
        rows, cols = class_probs.shape[:2]
        pixels = torch.from_numpy(content.reshape(rows * CELL_PX, cols * CELL_PX, 3).copy())
        return PixelImage(pixels, class_probs, labels, self.processor)


@torch.no_grad()
def write_pixels(
    pictures: list[Picture], encoder: PatchEncoder, prior: ImageToSoundPipeline, targets: Targets, folder: Path
) -> None:
    """Writes pixels and targets of every picture: what a `PixelStore` reads."""
    new_folder(folder)
    rows, cols = np.array([cells_of(*picture.pixels.shape[:2]) for picture in pictures]).T
    starts = np.concatenate([[0], np.cumsum(rows * cols)])
    content = np.lib.format.open_memmap(
        folder / "content.npy", "w+", np.uint8, (int(starts[-1]), CELL_PX * CELL_PX * 3)
    )
    class_probs = []
    for number, picture in enumerate(tqdm(pictures, unit="picture")):
        resized = resize_to_cells(picture.pixels)
        content[starts[number] : starts[number + 1]] = np.asarray(resized).reshape(-1, content.shape[1])
        grid = encoder.encode(resized)
        probs = prior.predict(grid).class_probs.unflatten(0, (grid.rows, grid.cols)).permute(2, 0, 1)
        probs = F.adaptive_avg_pool2d(probs.float(), (int(rows[number]), int(cols[number])))
        class_probs.append(probs.permute(1, 2, 0).flatten(0, 1).half().numpy())
    content.flush()
    np.save(folder / "class_probs.npy", np.concatenate(class_probs))
    write_index(folder, rows, cols, pictures, targets)


def cells_of(high: int, wide: int) -> tuple[int, int]:
    """Rows and columns of cells for a picture of this size in pixels."""
    long = min(LONG, round(SHORT * max(high, wide) / min(high, wide)))
    return (SHORT, long) if wide >= high else (long, SHORT)


def resize_to_cells(pixels: np.ndarray) -> Image.Image:
    """(H, W, 3) -> the picture in whole cells; one longer than twice its width is cropped to its centre."""
    high, wide = pixels.shape[:2]
    rows, cols = cells_of(high, wide)
    limit = min(high, wide) * LONG / SHORT
    left, top = max(0.0, (wide - limit) / 2), max(0.0, (high - limit) / 2)
    box = (left, top, wide - left, high - top)
    return Image.fromarray(pixels).resize((cols * CELL_PX, rows * CELL_PX), Image.Resampling.BICUBIC, box=box)
