"""Evaluation of the path "tap" on pictures that it was not trained on: physics states, and distances of its sounds.

    python -m training.impact.evaluate --renders DIR --data DIR --cases DIR
    python -m training.impact.evaluate --renders DIR --data DIR --part A,C --scenes 20 --out runs/quick

The figures are of what ships: `PatchEncoder.encode`, `ImpactPredictor.predict`, `render_impact`. Parts:

A. Held-out renders (split val): the material of every pixel; one click per object: size, shape, thickness; its sound
   against that of the true object under the same strike with another seed. Also evaluated: template (the usual training
   object of the likeliest material), the template of the true name, of the object's name (the path over text), the
   direct method without a state (--direct), and the truth again.
B. Photographs (--data): a click in the centre. Material by the code and, with the state and without it alike, by the
   sound: its nearest neighbours among struck training objects.
C. The codebook.
D. The case study (--cases, of `tools.blender.scenes --case-study`); writes case_study.json beside the weights.
E. Latency, and strikes in a row.

Distances and decay: `training.impact.sound_distance`. Intervals are 95 %: bootstrap over scenes, Wilson for photos.
Prints tables; figures.json and table.md in --out keep the parts of earlier runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synesthesia.core import presets
from synesthesia.core.checkpoints import MANIFEST
from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.vision.backbone import PatchEncoder
from training.common.cli import run
from training.common.manifest import write_manifest
from training.impact.baselines import ObjectNameBaseline, usual_objects
from training.impact.case_study import evaluate_cases, for_page
from training.impact.codebook import codebook_statistics
from training.impact.direct_model import DirectModel
from training.impact.held_out_photos import evaluate_photos
from training.impact.held_out_renders import evaluate_renders
from training.impact.intervals import wilson_share
from training.impact.latency import measure_latency
from training.impact.methods import Methods
from training.impact.render_reader import iter_scenes, read_objects
from training.impact.report import report
from training.impact.sound_classifier import PER_MATERIAL, SoundClassifier, sample_strikes, standard_strike

PARTS = "ABCDE"
CLASSIFIER_CHECKS = 15  # held-out objects of each material on which the sound classifier itself is tested


@dataclass(frozen=True)
class ImpactEvaluation:
    renders: Path  # folder of tools.blender.scenes
    data: Path | None = None  # folder with images_manifest.csv and pairs.csv
    cases: Path | None = None  # folder of tools.blender.scenes --case-study
    checkpoint: Path = Path("checkpoints/tap")
    direct: Path | None = None  # folder of training.impact.train_direct
    out: Path = Path("runs/evaluate_tap")
    part: str = ",".join(PARTS)  # letters of the parts, as A,C
    scenes: int = 200  # held-out ones, at most
    photos: int = 400  # of each source, at most
    oracles: bool = False  # also the adapter with a part of the state replaced by the truth
    classifier_strikes: int = PER_MATERIAL  # struck training objects of each material in the sound classifier
    clicks: int = 30  # that are timed
    seed: int = 41
    threads: int = 2

    @property
    def parts(self) -> str:
        parts = self.part.replace(",", "").upper()
        if unknown := set(parts) - set(PARTS):
            raise UserError(f"there is no part {', '.join(sorted(unknown))}")
        return parts


def sound_classifier(config: ImpactEvaluation) -> tuple[SoundClassifier, dict[str, Any]]:
    """The classifier, and its accuracy on true sounds of held-out objects."""
    random = np.random.default_rng(config.seed)
    train = sample_strikes(read_objects(config.renders, "train"), config.classifier_strikes, random)
    classifier = SoundClassifier.of(train)
    tried = sample_strikes(read_objects(config.renders, "val"), CLASSIFIER_CHECKS, random)
    right = [
        classifier.predict(standard_strike(item, point, 10_000 + k)) == MATERIALS.index(item.material)
        for k, (item, point) in enumerate(tried)
    ]
    return classifier, wilson_share(right)


def write_case_study(checkpoint: Path, figures: dict[str, Any]) -> None:
    """Beside the weights, and into the manifest: a changed file would be refused."""
    (checkpoint / "case_study.json").write_text(json.dumps(for_page(figures), indent=1) + "\n", encoding="utf-8")
    if (checkpoint.parent / MANIFEST).is_file():
        write_manifest(checkpoint.parent)


def evaluate(config: ImpactEvaluation, methods: Methods) -> dict[str, Any]:
    """Runs the requested parts whose data are there; returns and writes all figures."""
    torch.set_num_threads(config.threads)
    config.out.mkdir(parents=True, exist_ok=True)
    store = config.out / "figures.json"
    figures: dict[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    for part in config.parts:
        if part == "A":
            held_out = islice(iter_scenes(config.renders, "val"), config.scenes)
            figures[part] = evaluate_renders(held_out, methods, config.seed)
        elif part == "B" and config.data:
            classifier, accuracy = sound_classifier(config)
            sources = evaluate_photos(config.data, methods, classifier, config.photos, config.seed)
            figures[part] = {"the sound classifier": {"true sounds of held-out objects": accuracy}, **sources}
        elif part == "C":
            figures[part] = codebook_statistics(methods.predictor.net.codebook)
        elif part == "D" and config.cases:
            figures[part] = evaluate_cases(methods, config.cases, config.seed)
            write_case_study(config.checkpoint, figures[part])
        elif part == "E":
            scene = next(iter_scenes(config.renders, "val"))
            figures[part] = measure_latency(methods, scene, config.clicks, config.threads, config.seed)
        store.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (config.out / "table.md").write_text(report(figures), encoding="utf-8")
    print(report({part: figures[part] for part in config.parts if part in figures}), flush=True)
    return figures


def main(config: ImpactEvaluation) -> None:
    encoder, predictor = PatchEncoder.load(presets.embedded().vision), ImpactPredictor.load(config.checkpoint)
    names = ObjectNameBaseline.load(config.data) if config.data else None
    direct = DirectModel.load(config.direct) if config.direct else None
    usual = usual_objects(read_objects(config.renders, "train"))
    evaluate(config, Methods(encoder, predictor, usual, names, direct, config.oracles))


if __name__ == "__main__":
    run(main, ImpactEvaluation, __doc__)
