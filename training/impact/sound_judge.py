"""What a struck sound seems to be made of, by the training sounds that are nearest to it: the same ears for a sound
that came with a physics state and for one that came without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.impact.modal.contact import MalletName
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.modal.things import MATERIALS, PhysicalObject, StrikePoint
from training.impact.measures import RANGE_DB, levels_db

NEIGHBOURS = 15
PER_MATERIAL = 60
FORCE_N = 8.0
MALLET: MalletName = "wood"
SECONDS = 1.0


def known_by(waveform: np.ndarray) -> Tensor:
    """(frames * BANDS,) levels below the sound's own maximum: how loud it is tells nothing."""
    levels = levels_db(waveform)
    return (levels - levels.max()).clamp(min=-RANGE_DB).flatten()


def drawn_blows(
    things: Sequence[PhysicalObject], per_material: int, random: np.random.Generator
) -> list[tuple[PhysicalObject, StrikePoint]]:
    """As many things of every material, each struck somewhere."""
    blows: list[tuple[PhysicalObject, StrikePoint]] = []
    for material in MATERIALS:
        own = [thing for thing in things if thing.material == material]
        chosen = random.permutation(len(own))[:per_material]
        blows += [(own[int(k)], StrikePoint(*random.uniform(0.05, 0.95, 2).tolist())) for k in chosen]
    return blows


def blow_sound(thing: PhysicalObject, place: StrikePoint, seed: int) -> np.ndarray:
    return strike(thing, place, force_n=FORCE_N, mallet=MALLET, seconds=SECONDS, seed=seed).waveform


@dataclass(frozen=True)
class SoundJudge:
    """sounds: (N, frames * BANDS); material: (N,) int64."""

    sounds: Tensor
    material: Tensor

    @staticmethod
    def of(blows: Sequence[tuple[PhysicalObject, StrikePoint]]) -> SoundJudge:
        sounds = torch.stack([known_by(blow_sound(*blow, seed)) for seed, blow in enumerate(blows)])
        return SoundJudge(sounds, torch.tensor([MATERIALS.index(thing.material) for thing, _ in blows]))

    def heard(self, waveform: np.ndarray, among: Iterable[int] = range(len(MATERIALS))) -> int:
        """The material that most of the nearest sounds of these materials have; of two alike the nearer."""
        allowed = torch.isin(self.material, torch.tensor(list(among)))
        apart = (self.sounds[allowed] - known_by(waveform)).square().mean(dim=1)
        nearest, at = apart.topk(min(NEIGHBOURS, len(apart)), largest=False)
        votes = torch.zeros(len(MATERIALS)).index_add_(0, self.material[allowed][at], 1 - 1e-6 * nearest)
        return int(votes.argmax())
