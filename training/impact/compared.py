"""Every way from a click to a struck sound that the evaluation of the path "tap" compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synesthesia.impact.hypotheses import Hypothesis, clamp_to_valid
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.contact import MALLETS, MalletName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.modal.things import MATERIALS, PhysicalObject, StrikePoint
from training.impact.baselines import ObjectNames, Templates
from training.impact.measures import decay_s, distance_db, levels_db

if TYPE_CHECKING:
    from synesthesia.impact.physics_net import PhysicsPosterior
    from synesthesia.impact.predictor import ImpactPredictor
    from synesthesia.vision.grid import PatchGrid

SECONDS = 1.0  # of every sound: next to nothing rings longer by 60 dB
FORCES_N = (1.0, 30.0)
TRUTH_SEED, OTHER_SEED = 1, 2


class Direct(Protocol):
    """The path without a physics state, `training.impact.direct.DirectPath`."""

    def sound(
        self, grid: PatchGrid, row: int, col: int, force_n: float, mallet: MalletName, seconds: float, seed: int
    ) -> np.ndarray:  # (samples,)
        ...


@dataclass(frozen=True)
class Click:
    """A blow on a patch, and what is truly struck there."""

    row: int
    col: int
    thing: PhysicalObject
    place: StrikePoint
    force_n: float
    mallet: MalletName

    @staticmethod
    def drawn(
        grid: PatchGrid, x: int, y: int, thing: PhysicalObject, place: StrikePoint, random: np.random.Generator
    ) -> Click:
        """At a pixel, with some force and some mallet."""
        force_n = float(np.exp(random.uniform(*np.log(FORCES_N))))
        return Click(*grid.cell(x, y), thing, place, force_n, MALLETS[int(random.integers(len(MALLETS)))])


@dataclass(frozen=True)
class Sounded:
    """A path's sound beside the truth's: log-spectral distance in dB, the same without level, T60 in seconds."""

    lsd_db: float
    level_free_db: float
    t60_s: float


@dataclass(frozen=True)
class Compared:
    """templates, names, direct: what is compared with the adapter; the last two may be missing. oracles: also tap with
    the true material, and tap with the true extents and place: which part of the state costs how much."""

    adapter: ImpactPredictor
    templates: Templates
    names: ObjectNames | None = None
    direct: Direct | None = None
    oracles: bool = False

    def guess(self, near: PhysicsPosterior) -> Hypothesis:
        return select(self.adapter, near, 0)

    def named(self, near: PhysicsPosterior) -> int:
        """The likeliest material's number, which is all that the template is told."""
        return int(self.adapter.shares(near)[0].argmax())

    def sounds(self, grid: PatchGrid, near: PhysicsPosterior, click: Click) -> dict[str, np.ndarray]:
        """(samples,) of each path, all of the same force and mallet, and of another seed than the truth. near: what
        both looks say of the clicked place alone, as the studio has them."""
        guess = self.guess(near)
        usual = self.templates.things
        made = {
            "tap": struck(guess.thing, guess.place, click, guess.properties),
            "template": struck(usual[self.named(near)], StrikePoint(), click),
            "template, true name": struck(usual[MATERIALS.index(click.thing.material)], StrikePoint(), click),
            "truth again": struck(click.thing, click.place, click),
        }
        if self.names is not None:
            made["object's name"] = struck(usual[self.names.named(grid, click.row, click.col)], StrikePoint(), click)
        if self.direct is not None:
            made["direct"] = self.direct.sound(
                grid, click.row, click.col, click.force_n, click.mallet, SECONDS, OTHER_SEED
            )
        if self.oracles:
            own, true = guess.thing, click.thing
            same = PhysicalObject(true.material, own.shape, own.size_m, own.middle, own.least, own.thickness_m)
            other = PhysicalObject(own.material, true.shape, true.size_m, true.middle, true.least, true.thickness_m)
            made["tap, true material"] = struck(clamp_to_valid(same), guess.place, click)
            made["tap, true extents"] = struck(other, click.place, click, guess.properties)
        return made

    def measured(self, grid: PatchGrid, near: PhysicsPosterior, click: Click) -> tuple[float, dict[str, Sounded]]:
        """(the truth's T60 in seconds, each path's sound beside the truth)."""
        truth = struck(click.thing, click.place, click, seed=TRUTH_SEED)
        wanted = levels_db(truth)
        told = {}
        for name, sound in self.sounds(grid, near, click).items():
            levels = levels_db(sound)
            told[name] = Sounded(distance_db(wanted, levels), distance_db(wanted, levels, True), decay_s(sound))
        return decay_s(truth), told


def struck(
    thing: PhysicalObject, place: StrikePoint, click: Click, properties: Properties | None = None, seed: int = OTHER_SEED
) -> np.ndarray:  # fmt: skip
    return strike(
        thing, place, force_n=click.force_n, mallet=click.mallet, seconds=SECONDS, seed=seed, properties=properties
    ).waveform
