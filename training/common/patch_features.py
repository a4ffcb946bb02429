"""Training pictures with the sounds that belong to them: balanced samples, target shares, two pictures in one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.common.pairs import sound_pairs
from training.common.pictures import Picture, decode_picture, load_tiny, manifest_rows


class Targets:
    """Picture -> (labels + 1,) shares: its sounds by weight (1 direct, 0.5 weak), or silence."""

    def __init__(self, data: Path, labels: list[str]) -> None:
        self.pairs, self.row_of = sound_pairs(data), {label: i for i, label in enumerate(labels)}

    def shares(self, picture: Picture) -> Tensor:
        target = torch.zeros(len(self.row_of) + 1)
        for sound, weight in self.pairs.get((picture.source, picture.label), {}).items():
            target[self.row_of[sound]] = weight
        if target.sum() == 0:
            target[-1] = 1.0
        return target / target.sum()


def sample_pictures(
    data: Path, source_is_tiny: bool, count: int, rng: np.random.Generator, accept: Callable[[str, str], bool]
) -> list[Picture]:
    """About `count` training pictures, balanced over all classes of `accept(source, label)`. Only the chosen ones are
    decoded, which saves most of the time."""
    if source_is_tiny:
        pictures = [p for p in load_tiny(data, "train", 5 * count) if accept(p.source, p.label)]
        return [pictures[i] for i in rng.permutation(len(pictures))[:count]]
    by_class: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in manifest_rows(data):
        if row["split"] == "train" and row["label"] != "*" and accept(row["source"], row["label"]):
            by_class[row["source"], row["label"]].append(row)
    orders = {key: rng.permutation(len(rows)) for key, rows in by_class.items()}
    chosen: list[dict[str, str]] = []
    for depth in range(max(map(len, by_class.values()))):
        chosen += [rows[orders[key][depth]] for key, rows in by_class.items() if len(rows) > depth]
        if len(chosen) >= count:
            break
    rng.shuffle(chosen)  # type: ignore[arg-type]
    return [decode_picture(data, row) for row in chosen[:count]]


def paste(first: np.ndarray, second: np.ndarray, beside: bool = True) -> Image.Image:
    """Two pictures (H, W, 3) uint8, each cut to its middle square of 256 px, side by side or one above the other."""
    squares = []
    for pixels in (first, second):
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        cut = Image.fromarray(pixels[top : top + side, left : left + side])
        squares.append(np.asarray(cut.resize((256, 256), Image.Resampling.BILINEAR)))
    return Image.fromarray(np.concatenate(squares, axis=1 if beside else 0))
