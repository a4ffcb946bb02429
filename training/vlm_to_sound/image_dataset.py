"""Image datasets for region clicks: per-cell class targets, flips and side-by-side pairs; features stored on disk.

A cell is one image token of the thinker. Its target mixes the classes that the prior predicts there with the sounds
that the whole picture is paired with. Two pictures can be joined, so that a click must decide between them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vlm_to_sound.thinker import ImageInput
from synesthesia.vlm_to_sound.vision_tower import MERGE, merge_blocks
from training.common.patch_features import Targets
from training.common.pictures import Picture

PRIOR_WEIGHT = 0.7  # of the prior's prediction in a cell's target; the rest is the picture's paired sounds
INDEX = "index.npz"


@dataclass(frozen=True)
class ClickableImage(ABC):
    """One picture, or several joined.

    content: (R * unit, C * unit, values) what the visual tower reads; class_probs: (R, C, classes) float32 of the
    prior, sum to 1; labels: (R, C, classes) float32 of the picture that a cell belongs to, sum to 1.
    """

    content: Tensor
    class_probs: Tensor
    labels: Tensor
    unit: ClassVar[int]

    @property
    @abstractmethod
    def tower_input(self) -> ImageInput: ...

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return int(self.class_probs.shape[0]), int(self.class_probs.shape[1])

    @property
    def targets(self) -> Tensor:
        """(R, C, classes), sum to 1."""
        return mix_targets(self.class_probs, self.labels)

    def flip(self) -> Self:
        """Mirrored left to right."""
        return self._map(lambda x: x.flip(1))

    def concat(self, right: Self) -> Self:
        """The other picture to the right of this one, both cropped to the lower one's rows."""
        rows = min(self.shape[0], right.shape[0])

        def join(name: str, unit: int = 1) -> Tensor:
            return torch.cat([_centre_rows(getattr(image, name), rows, unit) for image in (self, right)], dim=1)

        content = join("content", self.unit)
        return replace(self, content=content, class_probs=join("class_probs"), labels=join("labels"))

    def transpose(self) -> Self:
        """Rows and columns swapped: joined pictures lie above each other, each on its side."""
        return self._map(lambda x: x.transpose(0, 1).contiguous())

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        return replace(self, **{name: change(getattr(self, name)) for name in ("content", "class_probs", "labels")})


class FeatureImage(ClickableImage):
    """content: (R, C, patch_dim) float32 features, averaged over the 2 x 2 patches of a cell."""

    unit = 1

    @property
    def tower_input(self) -> ImageInput:
        rows, cols = self.shape
        pixels = self.content.flatten(0, 1).repeat_interleave(MERGE * MERGE, dim=0)
        return ImageInput(pixels, rows * MERGE, cols * MERGE)


def mix_targets(class_probs: Tensor, labels: Tensor) -> Tensor:
    """(..., classes) each -> the target, sums to 1."""
    mixed = PRIOR_WEIGHT * class_probs + (1 - PRIOR_WEIGHT) * labels
    return mixed / mixed.sum(dim=-1, keepdim=True).clamp(min=1e-6)


def _centre_rows(x: Tensor, rows: int, unit: int) -> Tensor:
    """The middle `rows` rows of cells; unit: of x's own rows in a cell."""
    first = (len(x) // unit - rows) // 2
    return x[first * unit : (first + rows) * unit]


class ImageStore(ABC):
    """Pictures on disk, read when asked for.

    content.npy, class_probs.npy: one row per cell, all pictures one after the other; index.npz: where each picture
    begins, its rows and columns of cells, its labels. probability: (N,) for sampling pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.content = np.load(folder / "content.npy", mmap_mode="r")
        self.class_probs = np.load(folder / "class_probs.npy", mmap_mode="r")
        with np.load(folder / INDEX, allow_pickle=False) as index:
            self.starts, self.rows, self.cols = index["starts"], index["rows"], index["cols"]
            self.labels = torch.from_numpy(index["labels"])  # (N, classes), sum to 1
        self.probability = balanced_probability(self.labels)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> ClickableImage:
        rows, cols = int(self.rows[number]), int(self.cols[number])
        cells = slice(int(self.starts[number]), int(self.starts[number]) + rows * cols)
        class_probs = torch.from_numpy(self.class_probs[cells].astype(np.float32)).unflatten(0, (rows, cols))
        labels = self.labels[number].expand(rows, cols, -1)
        return self._image(self.content[cells], class_probs, labels)

    @abstractmethod
    def _image(self, content: np.ndarray, class_probs: Tensor, labels: Tensor) -> ClickableImage: ...


class FeatureStore(ImageStore):
    def _image(self, content: np.ndarray, class_probs: Tensor, labels: Tensor) -> FeatureImage:
        features = torch.from_numpy(content.astype(np.float32))
        return FeatureImage(features.unflatten(0, tuple(class_probs.shape[:2])), class_probs, labels)


def balanced_probability(labels: Tensor) -> np.ndarray:
    """(N, classes) label shares -> (N,) sampling probabilities that favour pictures of rare sounds."""
    rarity = labels.sum(dim=0).clamp(min=1.0).rsqrt()
    weight: np.ndarray = (labels @ rarity).double().numpy()
    return weight / weight.sum()


def write_index(
    folder: Path, rows: Sequence[int], cols: Sequence[int], pictures: list[Picture], targets: Targets
) -> None:
    """Written last: a folder without an index is incomplete."""
    counts = np.array(rows) * np.array(cols)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sounds = torch.stack([targets.shares(picture)[:-1] for picture in pictures])  # that a whole picture is paired with
    labels = F.normalize(sounds, p=1, dim=1, eps=1e-6).numpy()  # (N, classes) float32
    np.savez(folder / INDEX, starts=starts, rows=rows, cols=cols, labels=labels)


def new_folder(folder: Path) -> Path:
    """Exists and has no index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    return folder


@torch.no_grad()
def write_features(
    pictures: list[Picture], encoder: PatchEncoder, prior: ImageToSoundPipeline, targets: Targets, folder: Path
) -> None:
    """Encodes every picture and writes what a `FeatureStore` reads, in half precision."""
    new_folder(folder)
    content, class_probs, sizes = [], [], []
    for picture in tqdm(pictures, unit="picture"):
        grid = encoder.encode(Image.fromarray(picture.pixels))
        pixels, (rows, cols) = merge_blocks(grid)
        content.append(pixels.unflatten(0, (-1, MERGE * MERGE)).mean(dim=1).half().numpy())
        probs = prior.predict(grid).class_probs.unflatten(0, (grid.rows, grid.cols))
        probs = probs[torch.arange(0, rows, MERGE).clamp(max=grid.rows - 1)]
        probs = probs[:, torch.arange(0, cols, MERGE).clamp(max=grid.cols - 1)]
        class_probs.append(probs.flatten(0, 1).half().numpy())
        sizes.append((rows // MERGE, cols // MERGE))
    np.save(folder / "content.npy", np.concatenate(content))
    np.save(folder / "class_probs.npy", np.concatenate(class_probs))
    write_index(folder, [rows for rows, _ in sizes], [cols for _, cols in sizes], pictures, targets)
