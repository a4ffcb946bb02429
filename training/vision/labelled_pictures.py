"""Pictures with a direct sound and their acceptable sound labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.common.pairs import sound_labels, sound_pairs
from training.common.pictures import Picture


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures that have a direct sound, with the index of each one's acceptable labels."""

    pictures: list[Picture]
    accepted: list[set[int]]

    @property
    def targets(self) -> Tensor:
        return torch.tensor([min(a) for a in self.accepted])


def with_sounds(pictures: list[Picture], data: Path, per_class: int, rng: np.random.Generator) -> LabelledPictures:
    """Up to per_class pictures of every class with a direct (weight 1) sound."""
    pairs, number_of = sound_pairs(data), {label: i for i, label in enumerate(sound_labels(data))}
    by_class: dict[tuple[str, str], list[Picture]] = {}
    for picture in pictures:
        by_class.setdefault((picture.source, picture.label), []).append(picture)
    kept, accepted = [], []
    for key, members in by_class.items():
        direct = {number_of[s] for s, weight in pairs.get(key, {}).items() if weight >= 1}
        if direct:
            for index in rng.permutation(len(members))[:per_class]:
                kept.append(members[index])
                accepted.append(direct)
    return LabelledPictures(kept, accepted)
