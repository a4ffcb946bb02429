"""Evaluation of the path "language" for `evaluate_hear`: sounds at its clicks, laterality, attention, layer probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.presets import Preset
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.services import Services
from synesthesia.vision.grid import EncodedImage
from synesthesia.vlm_to_sound.attention import MARGIN, relative_attention
from synesthesia.vlm_to_sound.generate import TAKES, GeneratedStereo, TokenGenerator
from synesthesia.vlm_to_sound.region_inputs import feature_input
from synesthesia.vlm_to_sound.sampling import TokenSampler
from training.common.hear_cases import HeldOutPicture
from training.common.report import mean_interval
from training.vlm_to_sound.image_dataset import FeatureStore
from training.vlm_to_sound.layer_probes import PROBE_CLICKS, fit_probes, layer_states

ClickAttention = tuple[np.ndarray, int, int]  # (R, C) that sums to 1, and the clicked patch
SIDES = (0.15, 0.85)  # of the picture's width: clicks at the left and at the right
MARGINS = {"box": 0.0, "near": MARGIN}  # of the picture around the clicked patch: training asks for the second


@dataclass(frozen=True)
class Laterality:
    """Of clicks at the left and at the right. louder: the ear on the clicked side is; leads: its ITD says so;
    difference_db: by how much it is louder, median."""

    louder: ConfidenceInterval
    leads: ConfidenceInterval
    difference_db: float


class LanguageEvaluation:
    """The loaded generator, and the pictures of the evaluation."""

    def __init__(
        self, generator: TokenGenerator, prior: ImageToSoundPipeline, images: Sequence[EncodedImage], seconds: float
    ) -> None:
        self.generator, self.prior, self.images, self.seconds = generator, prior, images, seconds
        self.centre_sounds: list[GeneratedStereo] = []

    def generate(
        self, image: EncodedImage, row: int, col: int, seed: int, takes: int, sampler: TokenSampler
    ) -> GeneratedStereo:
        return self.generator.generate(
            self.generator.encode(image, row, col), image.grid, seconds=self.seconds, seed=seed, takes=takes,
            sampler=sampler, class_probs=self.prior.class_probs(image.grid, row, col),
        )  # fmt: skip

    def clicks(self, name: str, guidance: float) -> list[Tensor]:
        """(n,) the mean of both ears of a click at the centre of every picture. name: of the row, see below."""
        sampler = {
            "language": TokenSampler(guidance=guidance),
            "language_one_take": TokenSampler(guidance=guidance),
            "language_plainly_guided": TokenSampler(guidance=guidance, no_history_share=0.0),
            "language_unguided": TokenSampler(guidance=1.0),
        }[name]
        takes = TAKES if name == "language" else 1
        sounds = [
            self.generate(image, image.grid.rows // 2, image.grid.cols // 2, number, takes, sampler)
            for number, image in enumerate(self.images)
        ]
        if name == "language":
            self.centre_sounds = sounds
        return [torch.from_numpy(sound.waveform).mean(dim=0) for sound in sounds]

    def laterality(self, guidance: float) -> tuple[Laterality, list[ClickAttention]]:
        """Two clicks a picture, one take each; and the attention of each."""
        louder, leads, by_db, attention = [], [], [], []
        for number, image in enumerate(self.images):
            for position in SIDES:
                row, col = image.grid.rows // 2, int(position * image.grid.cols)
                sound = self.generate(image, row, col, number, 1, TokenSampler(guidance=guidance))
                left, right = np.sqrt((sound.waveform.astype(np.float64) ** 2).mean(axis=1) + 1e-12)
                side = 1 if position > 0.5 else -1
                by_db.append(side * 20 * np.log10(right / left))
                louder.append(by_db[-1] > 0)
                leads.append(side * sound.itd_s > 0)
                attention.append((sound.cross_attention, row, col))
        intervals = wilson(sum(louder), len(louder)), wilson(sum(leads), len(leads))
        return Laterality(*intervals, float(np.median(by_db))), attention

    def attention(self, at_sides: list[ClickAttention]) -> dict[str, ConfidenceInterval]:
        """How many times the average attention the clicked patch got, and its surroundings: of the clicks at the
        centre, if their sounds have been generated, and of those at the sides."""
        images = self.images if self.centre_sounds else []
        at_centre = [
            (sound.cross_attention, image.grid.rows // 2, image.grid.cols // 2)
            for sound, image in zip(self.centre_sounds, images, strict=True)
        ]
        rng = np.random.default_rng(0)
        return {
            f"{where}, {kind}": mean_interval(
                [relative_attention(weights, (row, col), margin) for weights, row, col in found], rng
            )
            for where, found in (("middle", at_centre), ("sides", at_sides)) if found
            for kind, margin in MARGINS.items()
        }  # fmt: skip

    def side_figures(self, guidance: float) -> dict[str, object]:
        """What the row `sides` reports and prints."""
        sides, attention = self.laterality(guidance)
        figures: dict[str, object] = {
            "sides": {"louder": asdict(sides.louder), "sooner": asdict(sides.leads), "db": sides.difference_db}
        }
        print(f"sides: louder {sides.louder}, leading {sides.leads}, by {sides.difference_db:.1f} dB", flush=True)
        for where, estimate in self.attention(attention).items():
            figures[f"attention: {where}"] = asdict(estimate)
            print(f"attention, {where}: {estimate} times the average, n = {estimate.n}", flush=True)
        return figures

    def layer_figures(self, features: Path, cases: Sequence[HeldOutPicture], seed: int) -> dict[str, object]:
        """What the row `layers` reports and prints: top-1 of a linear probe of each layer for clicks at the centre, by
        the picture's labels. features: training pictures as the stage `see` writes them."""
        names, hits = list(self.prior.tagger.labels), []
        thinker = self.generator.thinker
        probes = fit_probes(thinker, FeatureStore(features), PROBE_CLICKS, seed)
        for case, image in zip(cases, self.images, strict=True):
            pixels, box = feature_input(image.grid, image.grid.rows // 2, image.grid.cols // 2)
            states = layer_states(thinker, [pixels], box)[:, 0]
            best = [names[int(probe(state).argmax())] for probe, state in zip(probes, states, strict=True)]
            hits.append([label in case.accepted for label in best])
        figures: dict[str, object] = {}
        for number, column in enumerate(np.array(hits).T):
            estimate = wilson(int(column.sum()), len(column))
            figures[f"thinker, layer {number}"] = {"top1": asdict(estimate)}
            print(f"thinker, layer {number}: top-1 {estimate}", flush=True)
        return figures


def load_evaluation(
    preset: Preset, prior: ImageToSoundPipeline, images: Sequence[EncodedImage], seconds: float
) -> LanguageEvaluation:
    """With the preset's own models. UserError when they have not been trained."""
    pipeline = Services(preset).vlm_to_sound
    pipeline.require()
    return LanguageEvaluation(pipeline.generator, prior, images, seconds)
