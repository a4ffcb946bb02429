"""Photographs as a thinker from the hub is shown them: their own pixels, with wishes for each of its picture tokens.

A cell is one picture token of Qwen3-VL, 32 x 32 px. Every picture is resized to whole cells, eight along its short
side, so that pictures can be cut, mirrored and laid together cell by cell, and the model's image processor, which would
round to whole tokens, leaves them as they are. The embedded eyes and prior say what should be heard there.
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

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vlm_to_sound.thinker import ImageInput
from training.common.patch_features import Targets
from training.common.pictures import Picture
from training.vlm_to_sound.pictures import INDEX, levelled, middle, mixed, paired

if TYPE_CHECKING:
    from transformers import BaseImageProcessor

CELL_PX = 32
SHORT = 8  # cells along the short side
LONG = 16  # at most, along the other: two such pictures are the most that the processor shows unshrunk


@dataclass(frozen=True)
class PixelSight:
    """One picture, or several laid together. pixels: (32 R, 32 C, 3) uint8; wishes: (R, C, voices) float32, sum to 1;
    labels: (R, C, voices) float32, of the picture a cell belongs to, sum to 1; processor: of the model that looks."""

    pixels: Tensor
    wishes: Tensor
    labels: Tensor
    processor: BaseImageProcessor

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.wishes.shape[0]), int(self.wishes.shape[1])

    @property
    def wanted(self) -> Tensor:
        """(R, C, voices): what should be heard at each cell, shares."""
        return mixed(self.wishes, self.labels)

    @property
    def seen(self) -> ImageInput:
        out = self.processor(images=[Image.fromarray(self.pixels.numpy())], return_tensors="pt")
        _, rows, cols = (int(number) for number in out["image_grid_thw"][0])
        merge = int(self.processor.merge_size)
        assert (rows // merge, cols // merge) == self.shape, f"a token is not {CELL_PX} px wide"
        return ImageInput(out["pixel_values"], rows, cols)

    def flipped(self) -> PixelSight:
        """Left for right."""
        return self._with(*(x.flip(1) for x in (self.pixels, self.wishes, self.labels)))

    def beside(self, other: PixelSight) -> PixelSight:
        """This one at the left, the other one at the right, cut to the same height."""
        rows = min(self.shape[0], other.shape[0])

        def both(mine: Tensor, theirs: Tensor, unit: int) -> Tensor:
            return torch.cat([middle(mine, rows, unit), middle(theirs, rows, unit)], dim=1)

        return self._with(
            both(self.pixels, other.pixels, CELL_PX), both(self.wishes, other.wishes, 1),
            both(self.labels, other.labels, 1),
        )  # fmt: skip

    def turned(self) -> PixelSight:
        """Rows for columns: what lay side by side lies above each other, each picture on its side."""
        return self._with(*(x.transpose(0, 1).contiguous() for x in (self.pixels, self.wishes, self.labels)))

    def _with(self, pixels: Tensor, wishes: Tensor, labels: Tensor) -> PixelSight:
        return PixelSight(pixels, wishes, labels, self.processor)


class PixelStore:
    """Pictures on disk, read when asked for. pixels.npy, wishes.npy: a row for each cell, all pictures one after the
    other, a picture's pixels in their own order; index.npz as in `SeenStore`."""

    def __init__(self, folder: Path, processor: BaseImageProcessor) -> None:
        self.processor = processor
        self.pixels = np.load(folder / "pixels.npy", mmap_mode="r")
        self.wishes = np.load(folder / "wishes.npy", mmap_mode="r")
        with np.load(folder / INDEX, allow_pickle=False) as index:
            self.starts, self.rows, self.cols = index["starts"], index["rows"], index["cols"]
            self.labels = torch.from_numpy(index["labels"])  # (N, voices) shares
        self.probability = levelled(self.labels)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> PixelSight:
        rows, cols = int(self.rows[number]), int(self.cols[number])
        span = slice(int(self.starts[number]), int(self.starts[number]) + rows * cols)
        pixels = torch.from_numpy(self.pixels[span].reshape(rows * CELL_PX, cols * CELL_PX, 3).copy())
        wishes = torch.from_numpy(self.wishes[span].astype(np.float32)).unflatten(0, (rows, cols))
        return PixelSight(pixels, wishes, self.labels[number].expand(rows, cols, -1), self.processor)


@torch.no_grad()
def see_pixels(
    pictures: list[Picture], encoder: PatchEncoder, hearing: ImageToSoundPipeline, targets: Targets, folder: Path
) -> None:
    """Keeps every picture and what is wished on it: what a `PixelStore` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)  # written last: without it a store is not complete
    rows, cols = np.array([cells_of(*picture.pixels.shape[:2]) for picture in pictures]).T
    starts = np.concatenate([[0], np.cumsum(rows * cols)])
    kept = np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, (int(starts[-1]), CELL_PX * CELL_PX * 3))
    wishes, labels = [], []
    for number, picture in enumerate(pictures):
        shown = in_whole_cells(picture.pixels)
        kept[starts[number] : starts[number + 1]] = np.asarray(shown).reshape(-1, kept.shape[1])
        grid = encoder.encode(shown)
        voices = hearing.wish(grid).voices.unflatten(0, (grid.rows, grid.cols)).permute(2, 0, 1)
        cells = F.adaptive_avg_pool2d(voices.float(), (int(rows[number]), int(cols[number])))
        wishes.append(cells.permute(1, 2, 0).flatten(0, 1).half().numpy())
        labels.append(paired(targets, picture))
        if number % 200 == 0:
            print(f"pictures {number} of {len(pictures)}", flush=True)
    kept.flush()
    np.save(folder / "wishes.npy", np.concatenate(wishes))
    np.savez(folder / INDEX, starts=starts[:-1], rows=rows, cols=cols, labels=np.stack(labels))


def cells_of(high: int, wide: int) -> tuple[int, int]:
    """Rows and columns of cells of a picture of so many pixels."""
    long = min(LONG, round(SHORT * max(high, wide) / min(high, wide)))
    return (SHORT, long) if wide >= high else (long, SHORT)


def in_whole_cells(pixels: np.ndarray) -> Image.Image:
    """(H, W, 3) -> the picture resized; one longer than twice its width is cut to its middle."""
    high, wide = pixels.shape[:2]
    rows, cols = cells_of(high, wide)
    most = min(high, wide) * LONG / SHORT
    across, down = max(0.0, (wide - most) / 2), max(0.0, (high - most) / 2)
    box = (across, down, wide - across, high - down)
    return Image.fromarray(pixels).resize((cols * CELL_PX, rows * CELL_PX), Image.Resampling.BICUBIC, box=box)
