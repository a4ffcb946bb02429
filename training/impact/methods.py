"""All methods that turn a click into a struck sound, and their distances to the true sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL.Image import Image

from synesthesia.core.vocabulary import MALLETS, MATERIALS, MalletName
from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import Hypothesis, ImpactPredictor, clamp_to_valid
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from training.impact.baselines import ObjectNameBaseline
from training.impact.sound_distance import decay_s, distance_db, levels_db

SECONDS = 1.0  # of every sound: few objects have a longer T60
FORCES_N = (1.0, 30.0)
TRUTH_SEED, OTHER_SEED = 1, 2


class DirectSound(Protocol):
    """A method without a physics state, such as `direct_model.DirectModel`."""

    def sound(
        self, grid: PatchGrid, row: int, col: int, force_n: float, mallet: MalletName, seconds: float, seed: int
    ) -> np.ndarray:  # (samples,)
        ...


@dataclass(frozen=True)
class TrueStrike:
    """A strike on a patch, and the object and point that are truly struck."""

    row: int
    col: int
    item: PhysicalObject
    point: StrikePoint
    force_n: float
    mallet: MalletName

    @staticmethod
    def sample(
        grid: PatchGrid, x: int, y: int, item: PhysicalObject, point: StrikePoint, random: np.random.Generator
    ) -> TrueStrike:
        """At a pixel, with a random force and mallet."""
        force_n = float(np.exp(random.uniform(*np.log(FORCES_N))))
        return TrueStrike(*grid.cell(x, y), item, point, force_n, MALLETS[int(random.integers(len(MALLETS)))])

    def sound(
        self, item: PhysicalObject, point: StrikePoint, properties: Properties | None = None, seed: int = OTHER_SEED
    ) -> np.ndarray:
        """(samples,) of another object under the same strike."""
        return strike(
            item, point, force_n=self.force_n, mallet=self.mallet, seconds=SECONDS, seed=seed, properties=properties
        ).waveform


@dataclass(frozen=True)
class SoundScores:
    """Log-spectral distance to the true sound in dB, the same without level, and T60 in seconds."""

    lsd_db: float
    level_free_db: float
    t60_s: float


@dataclass(frozen=True)
class Methods:
    """usual: (M,) object of each material; names, direct: baselines that may be missing; oracles: also the adapter with
    the true material, and with the true extents and strike point, to see which part of the state costs how much."""

    encoder: PatchEncoder
    predictor: ImpactPredictor
    usual: tuple[PhysicalObject, ...]
    names: ObjectNameBaseline | None = None
    direct: DirectSound | None = None
    oracles: bool = False

    def refine(
        self, picture: Image, grid: PatchGrid, posterior: PhysicsPosterior, x: float, y: float
    ) -> PhysicsPosterior:
        """The posterior (1, .) at a click, as in the product."""
        return refine_with_crop(self.predictor, self.encoder.encode_stage_maps, picture, grid, posterior, x, y)

    def select(self, clicked: PhysicsPosterior) -> Hypothesis:
        return select(self.predictor, clicked, 0)

    def likeliest_material(self, clicked: PhysicsPosterior) -> int:
        """Its index, all that the template method knows."""
        return int(self.predictor.material_probabilities(clicked)[0].argmax())

    def abstains(self, clicked: PhysicsPosterior) -> bool:
        return float(self.predictor.solid_probability(clicked)[0]) < self.predictor.threshold

    def sounds(self, grid: PatchGrid, clicked: PhysicsPosterior, truth: TrueStrike) -> dict[str, np.ndarray]:
        """(samples,) of each method under the same strike, with another seed than the truth. clicked: from `refine`."""
        own = self.select(clicked)
        sounds = {
            "tap": truth.sound(own.item, own.point, own.properties),
            "template": truth.sound(self.usual[self.likeliest_material(clicked)], StrikePoint()),
            "template, true name": truth.sound(self.usual[MATERIALS.index(truth.item.material)], StrikePoint()),
            "truth again": truth.sound(truth.item, truth.point),
        }
        if self.names is not None:
            sounds["object's name"] = truth.sound(
                self.usual[self.names.predict(grid, truth.row, truth.col)], StrikePoint()
            )
        if self.direct is not None:
            sounds["direct"] = self.direct.sound(
                grid, truth.row, truth.col, truth.force_n, truth.mallet, SECONDS, OTHER_SEED
            )
        if self.oracles:
            a, b = own.item, truth.item
            true_material = PhysicalObject(b.material, a.shape, a.size_m, a.middle, a.least, a.thickness_m)
            true_extents = PhysicalObject(a.material, b.shape, b.size_m, b.middle, b.least, b.thickness_m)
            sounds["tap, true material"] = truth.sound(clamp_to_valid(true_material), own.point)
            sounds["tap, true extents"] = truth.sound(true_extents, truth.point, own.properties)
        return sounds

    def scores(
        self, grid: PatchGrid, clicked: PhysicsPosterior, truth: TrueStrike
    ) -> tuple[float, dict[str, SoundScores]]:
        """(the true sound's T60 in seconds, each method's scores)."""
        true_sound = truth.sound(truth.item, truth.point, seed=TRUTH_SEED)
        reference = levels_db(true_sound)
        scores = {}
        for name, sound in self.sounds(grid, clicked, truth).items():
            levels = levels_db(sound)
            scores[name] = SoundScores(
                distance_db(reference, levels), distance_db(reference, levels, True), decay_s(sound)
            )
        return decay_s(true_sound), scores
