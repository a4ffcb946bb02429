"""Photographs as the thinker's visual tower takes them, seen once and kept on disk: the material of the language path.

Every picture's features are averaged over 2 x 2 patches, which is the first thing the tower does, and kept in half
precision with what the prior wishes to hear there and which sounds the whole picture is paired with. Two pictures can
be laid side by side or above each other by their features alone, so that a click must decide between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vlm_to_sound.thinker import ImageInput
from synesthesia.vlm_to_sound.vision_tower import MERGE, blocks
from training.common.patch_features import Targets
from training.common.pictures import Picture

WISHED = 0.7  # of the target that is the prior's wish at this cell, the rest is what the picture is paired with
INDEX = "index.npz"


class Shown(Protocol):
    """A picture to click on, whatever the tower takes of it. shape: rows and columns of cells, one for each picture
    token; wanted: (R, C, voices) shares."""

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def wanted(self) -> Tensor: ...

    @property
    def seen(self) -> ImageInput: ...

    def flipped(self) -> Self: ...

    def beside(self, other: Self) -> Self: ...

    def turned(self) -> Self: ...


class Pictures(Protocol):
    """Pictures by number. probability: (N,) how often each is taken."""

    probability: np.ndarray

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> Shown: ...


def mixed(wishes: Tensor, labels: Tensor) -> Tensor:
    """(..., voices) each, of a cell or of many -> what should be heard there, shares."""
    both = WISHED * wishes + (1 - WISHED) * labels
    return both / both.sum(dim=-1, keepdim=True).clamp(min=1e-6)


@dataclass(frozen=True)
class Sight:
    """One picture, or several laid together. merged: (R, C, numbers) float32, a cell is 2 x 2 patches; wishes: (R, C,
    voices) float32, sum to 1; labels: (R, C, voices) float32, of the picture a cell belongs to, sum to 1."""

    merged: Tensor
    wishes: Tensor
    labels: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.merged.shape[0]), int(self.merged.shape[1])

    @property
    def wanted(self) -> Tensor:
        """(R, C, voices): what should be heard at each cell, shares."""
        return mixed(self.wishes, self.labels)

    @property
    def seen(self) -> ImageInput:
        rows, cols = self.merged.shape[:2]
        pixels = self.merged.flatten(0, 1).repeat_interleave(MERGE * MERGE, dim=0)
        return ImageInput(pixels, rows * MERGE, cols * MERGE)

    def flipped(self) -> Sight:
        """Left for right."""
        return Sight(self.merged.flip(1), self.wishes.flip(1), self.labels.flip(1))

    def beside(self, other: Sight) -> Sight:
        """This one at the left, the other one at the right, cut to the same height."""
        rows = min(len(self.merged), len(other.merged))

        def both(mine: Tensor, theirs: Tensor) -> Tensor:
            return torch.cat([middle(mine, rows), middle(theirs, rows)], dim=1)

        return Sight(both(self.merged, other.merged), both(self.wishes, other.wishes), both(self.labels, other.labels))

    def turned(self) -> Sight:
        """Rows for columns: what lay side by side lies above each other, each picture on its side."""
        return Sight(*(x.transpose(0, 1) for x in (self.merged, self.wishes, self.labels)))


def middle(x: Tensor, rows: int, unit: int = 1) -> Tensor:
    """The rows of cells in the middle; unit: of x's own rows in a cell."""
    first = (len(x) // unit - rows) // 2
    return x[first * unit : (first + rows) * unit]


class SeenStore:
    """Pictures on disk, read when asked for. merged.npy, wishes.npy: cells of all pictures one after the other;
    index.npz: where each begins, rows, columns, labels."""

    def __init__(self, folder: Path) -> None:
        self.merged = np.load(folder / "merged.npy", mmap_mode="r")
        self.wishes = np.load(folder / "wishes.npy", mmap_mode="r")
        with np.load(folder / INDEX, allow_pickle=False) as index:
            self.starts, self.rows, self.cols = index["starts"], index["rows"], index["cols"]
            self.labels = torch.from_numpy(index["labels"])  # (N, voices) shares
        self.probability = levelled(self.labels)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Sight:
        rows, cols = int(self.rows[number]), int(self.cols[number])
        span = slice(int(self.starts[number]), int(self.starts[number]) + rows * cols)
        merged, wishes = (torch.from_numpy(x[span].astype(np.float32)) for x in (self.merged, self.wishes))
        labels = self.labels[number].expand(rows, cols, -1)
        return Sight(merged.unflatten(0, (rows, cols)), wishes.unflatten(0, (rows, cols)), labels)


def levelled(labels: Tensor) -> np.ndarray:
    """(N, voices) shares -> (N,) how often each picture is taken: rare sounds oftener than they occur."""
    rarity = labels.sum(dim=0).clamp(min=1.0).rsqrt()
    weight: np.ndarray = (labels @ rarity).double().numpy()
    return weight / weight.sum()


def paired(targets: Targets, picture: Picture) -> np.ndarray:
    """(voices,) float32 shares of the sounds that the whole picture is paired with."""
    shares = targets.shares(picture)[:-1]
    found: np.ndarray = (shares / shares.sum().clamp(min=1e-6)).float().numpy()
    return found


@torch.no_grad()
def see(
    pictures: list[Picture], encoder: PatchEncoder, hearing: ImageToSoundPipeline, targets: Targets, folder: Path
) -> SeenStore:
    """Looks at every picture and writes what a `SeenStore` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    merged, wishes, sizes, labels = [], [], [], []
    for number, picture in enumerate(pictures):
        grid = encoder.encode(Image.fromarray(picture.pixels))
        pixels, (rows, cols) = blocks(grid)
        merged.append(pixels.unflatten(0, (-1, MERGE * MERGE)).mean(dim=1).half().numpy())
        voices = hearing.wish(grid).voices.unflatten(0, (grid.rows, grid.cols))
        cells = voices[torch.arange(0, rows, MERGE).clamp(max=grid.rows - 1)]
        wishes.append(cells[:, torch.arange(0, cols, MERGE).clamp(max=grid.cols - 1)].flatten(0, 1).half().numpy())
        sizes.append((rows // MERGE, cols // MERGE))
        labels.append(paired(targets, picture))
        if number % 200 == 0:
            print(f"pictures {number} of {len(pictures)}", flush=True)
    rows, cols = np.array(sizes).T
    np.save(folder / "merged.npy", np.concatenate(merged))
    np.save(folder / "wishes.npy", np.concatenate(wishes))
    starts = np.concatenate([[0], np.cumsum(rows * cols)[:-1]])
    np.savez(folder / INDEX, starts=starts, rows=rows, cols=cols, labels=np.stack(labels))
    return SeenStore(folder)
