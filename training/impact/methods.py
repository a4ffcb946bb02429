"""All methods that turn a click into a struck sound, and their distances to the true sound."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from training.impact.direct_model import DirectModel
from training.impact.sound_distance import decay_s, distance_db, levels_db

SECONDS = 1.0  # of every sound: few objects have a longer T60
FORCES_N = (1.0, 30.0)
TRUTH_SEED, OTHER_SEED = 1, 2


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
    """Log-spectral distance to the true sound in dB, the same without level, and T60 over the true T60."""

    lsd_db: float
    level_free_db: float
    decay_ratio: float


@dataclass(frozen=True)
class Methods:
    """usual: (M,) object of each material; names, direct: baselines that may be missing; oracles: also the adapter with
    the true material, and with the true extents and strike point, to see which part of the state costs how much."""

    encoder: PatchEncoder
    predictor: ImpactPredictor
    usual: tuple[PhysicalObject, ...]
    names: ObjectNameBaseline | None = None
    direct: DirectModel | None = None
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

        def usual_sound(material: int) -> np.ndarray:
            return truth.sound(self.usual[material], StrikePoint())

        own = self.select(clicked)
        sounds = {
            "tap": truth.sound(own.item, own.point, own.properties),
            "template": usual_sound(self.likeliest_material(clicked)),
            "template, true name": usual_sound(MATERIALS.index(truth.item.material)),
            "truth again": truth.sound(truth.item, truth.point),
        }
        if self.names is not None:
            sounds["object's name"] = usual_sound(self.names.predict(grid, truth.row, truth.col))
        if self.direct is not None:
            sounds["direct"] = self.direct.sound(
                grid, truth.row, truth.col, truth.force_n, truth.mallet, SECONDS, OTHER_SEED
            )
        if self.oracles:
            true_material = clamp_to_valid(replace(own.item, material=truth.item.material))
            true_extents = replace(truth.item, material=own.item.material)
            sounds["tap, true material"] = truth.sound(true_material, own.point)
            sounds["tap, true extents"] = truth.sound(true_extents, truth.point, own.properties)
        return sounds

    def scores(self, grid: PatchGrid, clicked: PhysicsPosterior, truth: TrueStrike) -> dict[str, SoundScores]:
        """Of each method's sound."""
        true_sound = truth.sound(truth.item, truth.point, seed=TRUTH_SEED)
        reference, true_t60_s = levels_db(true_sound), decay_s(true_sound)
        scores = {}
        for name, sound in self.sounds(grid, clicked, truth).items():
            levels, ratio = levels_db(sound), decay_s(sound) / true_t60_s
            scores[name] = SoundScores(distance_db(reference, levels), distance_db(reference, levels, True), ratio)
        return scores
