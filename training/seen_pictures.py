"""Photographs as the thinker's visual tower takes them, seen once and kept on disk: the material of the language path.

Every picture's features are averaged over 2 x 2 patches, which is the first thing the tower does, and kept in half
precision with what the prior wishes to hear there and which sounds the whole picture is paired with. Two pictures can
be laid side by side or above each other by their features alone, so that a click must decide between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from synesthesia.hearing.direct import Hearing
from synesthesia.language.eyes_tower import MERGE, blocks
from synesthesia.language.thinker import Seen
from synesthesia.vision.backbone import PatchEncoder
from training.patch_features import Targets
from training.pictures import Picture

WISHED = 0.7  # of the target that is the prior's wish at this cell, the rest is what the picture is paired with


@dataclass(frozen=True)
class Sight:
    """One picture, or several laid together. merged: (R, C, numbers) float32, a cell is 2 x 2 patches; wishes: (R, C,
    voices) float32, sum to 1; labels: (R, C, voices) float32, of the picture a cell belongs to, sum to 1."""

    merged: Tensor
    wishes: Tensor
    labels: Tensor

    @property
    def wanted(self) -> Tensor:
        """(R, C, voices): what should be heard at each cell, shares."""
        mixed = WISHED * self.wishes + (1 - WISHED) * self.labels
        return mixed / mixed.sum(dim=2, keepdim=True).clamp(min=1e-6)

    @property
    def seen(self) -> Seen:
        rows, cols = self.merged.shape[:2]
        pixels = self.merged.flatten(0, 1).repeat_interleave(MERGE * MERGE, dim=0)
        return Seen(pixels, rows * MERGE, cols * MERGE)

    def flipped(self) -> Sight:
        """Left for right."""
        return Sight(self.merged.flip(1), self.wishes.flip(1), self.labels.flip(1))

    def beside(self, other: Sight) -> Sight:
        """This one at the left, the other one at the right, cut to the same height."""
        rows = min(len(self.merged), len(other.merged))

        def both(mine: Tensor, theirs: Tensor) -> Tensor:
            return torch.cat([_middle(mine, rows), _middle(theirs, rows)], dim=1)

        return Sight(both(self.merged, other.merged), both(self.wishes, other.wishes), both(self.labels, other.labels))

    def turned(self) -> Sight:
        """Rows for columns: what lay side by side lies above each other, each picture on its side."""
        return Sight(*(x.transpose(0, 1) for x in (self.merged, self.wishes, self.labels)))


def _middle(x: Tensor, rows: int) -> Tensor:
    first = (len(x) - rows) // 2
    return x[first : first + rows]


class SeenStore:
    """Pictures on disk, read when asked for. merged.npy, wishes.npy: cells of all pictures one after the other;
    index.npz: where each begins, rows, columns, labels."""

    def __init__(self, folder: Path) -> None:
        self.merged = np.load(folder / "merged.npy", mmap_mode="r")
        self.wishes = np.load(folder / "wishes.npy", mmap_mode="r")
        with np.load(folder / "index.npz", allow_pickle=False) as index:
            self.starts, self.rows, self.cols = index["starts"], index["rows"], index["cols"]
            self.labels = torch.from_numpy(index["labels"])  # (N, voices) shares
        self.probability = self._levelled()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> Sight:
        rows, cols = int(self.rows[number]), int(self.cols[number])
        span = slice(int(self.starts[number]), int(self.starts[number]) + rows * cols)
        merged, wishes = (torch.from_numpy(x[span].astype(np.float32)) for x in (self.merged, self.wishes))
        labels = self.labels[number].expand(rows, cols, -1)
        return Sight(merged.unflatten(0, (rows, cols)), wishes.unflatten(0, (rows, cols)), labels)

    def _levelled(self) -> np.ndarray:
        """How often each picture is taken: rare sounds oftener than they occur."""
        rarity = self.labels.sum(dim=0).clamp(min=1.0).rsqrt()
        weight = (self.labels @ rarity).double().numpy()
        return weight / weight.sum()


@torch.no_grad()
def see(pictures: list[Picture], encoder: PatchEncoder, hearing: Hearing, targets: Targets, folder: Path) -> SeenStore:
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
        shares = targets.shares(picture)[:-1]
        labels.append((shares / shares.sum().clamp(min=1e-6)).numpy())
        if number % 200 == 0:
            print(f"pictures {number} of {len(pictures)}", flush=True)
    rows, cols = np.array(sizes).T
    np.save(folder / "merged.npy", np.concatenate(merged))
    np.save(folder / "wishes.npy", np.concatenate(wishes))
    starts = np.concatenate([[0], np.cumsum(rows * cols)[:-1]])
    np.savez(folder / "index.npz", starts=starts, rows=rows, cols=cols, labels=np.stack(labels).astype(np.float32))
    return SeenStore(folder)
