"""Which of the states that a place may have is struck: the one whose sound lies least far from what may be heard there.

Minimum Bayes risk decoding (S. Kumar and W. Byrne 2004, Minimum Bayes-risk decoding for statistical machine
translation, Proc. HLT-NAACL, 169-176): states are drawn from the reading; of the answers the one is taken whose mean
distance to all of them is the least. A sure, wrong, untypical sound costs more than a typical one. One blow decides for
all, so that neither the seed nor the force nor the mallet changes what is struck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.coarse_spectrogram import distances_db, levels_db
from synesthesia.impact.hypotheses import Hypothesis, median_hypotheses, mode_hypothesis, modes_of, sample
from synesthesia.impact.modal.contact import MalletName
from synesthesia.impact.modal.things import MATERIALS, SHAPES
from synesthesia.impact.physics_net import PhysicsPosterior

if TYPE_CHECKING:
    from synesthesia.impact.predictor import ImpactPredictor

DRAWS, SOLIDS = 32, 4  # states drawn; how many full bodies of them are heard: their modes take ten times as long
FORCE_N: float = 8.0
MALLET: MalletName = "wood"
NEAR = 0.5  # of the likeliest material's share, and of the likeliest shape's: what has less is not struck


@torch.inference_mode()
def select(adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, near: float = NEAR) -> Hypothesis:
    """The answer of least expected distance in dB, see `answers`."""
    possible = candidates(adapter, read, patch, near)
    if len(possible) == 1:
        return possible[0]
    states, weights = subsample(sample(adapter, read, patch, DRAWS, torch.Generator().manual_seed(0)))
    levels = levels_db(modes_of([*states, *possible], FORCE_N, MALLET, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    risks = weights @ distances_db(levels[: len(states)], levels[len(states) :])
    return possible[int(risks.argmin())]


def subsample(states: list[Hypothesis]) -> tuple[list[Hypothesis], Tensor]:
    """The first SOLIDS full bodies and all else, and how many states (G,) each of them speaks for."""
    full = [guess for guess in states if guess.thing.shape == "solid"]
    kept = [*full[:SOLIDS], *(guess for guess in states if guess.thing.shape != "solid")]
    few = min(len(full), SOLIDS)
    return kept, torch.tensor([len(full) / max(few, 1)] * few + [1.0] * (len(kept) - few))


def candidates(adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, near: float) -> list[Hypothesis]:
    """The likeliest state, and the middle one of every other likely material and shape: the material's likeliest code,
    the median of every extent. What is drawn may be far out, and would be told as a size; and a dull knock, which lies
    not far from anything, must not be the answer where hardly anything speaks for it. near: 0 leaves nothing out, 1
    all but the likeliest."""
    first = mode_hypothesis(adapter, read, patch)
    materials, shapes = (
        (shares >= near * shares.max()).nonzero()[:, 0].tolist()
        for shares in (adapter.shares(read.patch(patch))[0], read.shape[patch].exp())
    )
    mine = MATERIALS.index(first.thing.material), SHAPES.index(first.thing.shape)
    pairs = [(material, shape) for material in materials for shape in shapes if (material, shape) != mine]
    if not pairs:
        return [first]
    named, _ = adapter.net.codebook.called()
    of_material, of_shape = torch.tensor(pairs).T
    codes = read.codes[patch].masked_fill(named != of_material[:, None], -torch.inf).argmax(dim=1)
    return [first, *median_hypotheses(adapter, read, patch, codes, of_shape)]
