"""Material of a struck sound by k nearest neighbours among struck training objects, for any method's sounds alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.vocabulary import MATERIALS, MalletName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.modal.strike import strike
from training.impact.sound_distance import RANGE_DB, levels_db

NEIGHBOURS = 15
PER_MATERIAL = 60
FORCE_N = 8.0
MALLET: MalletName = "wood"
SECONDS = 1.0


def embed(waveform: np.ndarray) -> Tensor:
    """(frames * BANDS,) levels relative to the maximum, so that loudness does not count."""
    levels = levels_db(waveform)
    return (levels - levels.max()).clamp(min=-RANGE_DB).flatten()


def sample_strikes(
    objects: Sequence[PhysicalObject], per_material: int, random: np.random.Generator
) -> list[tuple[PhysicalObject, StrikePoint]]:
    """Equally many objects of every material, each with a random strike point."""
    strikes: list[tuple[PhysicalObject, StrikePoint]] = []
    for material in MATERIALS:
        own = [one for one in objects if one.material == material]
        chosen = random.permutation(len(own))[:per_material]
        strikes += [(own[int(k)], StrikePoint(*random.uniform(0.05, 0.95, 2).tolist())) for k in chosen]
    return strikes


def standard_strike(
    item: PhysicalObject, point: StrikePoint, seed: int, properties: Properties | None = None
) -> np.ndarray:
    return strike(
        item, point, force_n=FORCE_N, mallet=MALLET, seconds=SECONDS, seed=seed, properties=properties
    ).waveform


@dataclass(frozen=True)
class SoundClassifier:
    """embeddings: (N, frames * BANDS); material: (N,) int64."""

    embeddings: Tensor
    material: Tensor

    @staticmethod
    def of(strikes: Sequence[tuple[PhysicalObject, StrikePoint]]) -> SoundClassifier:
        embeddings = torch.stack([embed(standard_strike(*one, seed)) for seed, one in enumerate(strikes)])
        return SoundClassifier(embeddings, torch.tensor([MATERIALS.index(item.material) for item, _ in strikes]))

    def predict(self, waveform: np.ndarray, among: Iterable[int] = range(len(MATERIALS))) -> int:
        """The majority material of the nearest sounds of these materials; ties go to the nearer one."""
        allowed = torch.isin(self.material, torch.tensor(list(among)))
        apart = (self.embeddings[allowed] - embed(waveform)).square().mean(dim=1)
        nearest, at = apart.topk(min(NEIGHBOURS, len(apart)), largest=False)
        votes = torch.zeros(len(MATERIALS)).index_add_(0, self.material[allowed][at], 1 - 1e-6 * nearest)
        return int(votes.argmax())
