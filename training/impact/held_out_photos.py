"""Part B of the evaluation: photographs with a known material, clicked in the centre."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

from synesthesia.core.vocabulary import MATERIALS
from training.impact.intervals import mean, scene_bootstrap, wilson_share
from training.impact.methods import Methods
from training.impact.photo_manifest import Photo, Source, list_photos, open_photos
from training.impact.sound_classifier import FORCE_N, MALLET, SECONDS, SoundClassifier, standard_strike

SOURCES: tuple[Source, ...] = ("trashnet", "caltech101", "imagenet-sample", "tiny-imagenet")
SEED = 3
ALL_NAMES = "of all materials"


@dataclass(frozen=True)
class PhotoPrediction:
    """confidence: probability of the likeliest material; predicted: index of the material by way of prediction."""

    photo: Photo
    silent: bool
    confidence: float
    predicted: dict[str, int] = field(default_factory=dict)

    def right(self, way: str) -> bool:
        return self.predicted[way] == self.photo.material


def predict_photo(
    methods: Methods, classifier: SoundClassifier, photo: Photo, picture: Image, candidates: Sequence[int]
) -> PhotoPrediction:
    """A click in the centre. Every way of prediction chooses among all materials and among the candidates."""
    grid = methods.encoder.encode(picture)
    x, y = grid.width_px / 2, grid.height_px / 2
    row, col = grid.cell(x, y)
    clicked = methods.refine(picture, grid, methods.predictor.predict(grid), x, y)
    probabilities = methods.predictor.material_probabilities(clicked)[0].numpy()
    own = methods.select(clicked)
    sounds = {"sound with the state": standard_strike(own.item, own.point, SEED, own.properties)}
    if methods.direct is not None:
        sounds["sound without it"] = methods.direct.sound(grid, row, col, FORCE_N, MALLET, SECONDS, SEED)
    predicted = {}
    for among, numbers in ((ALL_NAMES, range(len(MATERIALS))), (f"of {len(candidates)}", candidates)):
        predicted[f"code, {among}"] = max(numbers, key=lambda k: float(probabilities[k]))
        for name, sound in sounds.items():
            predicted[f"{name}, {among}"] = classifier.predict(sound, numbers)
    if methods.names is not None:
        predicted[f"object's name, {ALL_NAMES}"] = methods.names.predict(grid, row, col)
    return PhotoPrediction(photo, methods.abstains(clicked), float(probabilities.max()), predicted)


def evaluate_photos(data: Path, methods: Methods, classifier: SoundClassifier, most: int, seed: int) -> dict[str, Any]:
    """All figures of part B. most: photographs sampled from each source."""
    random = np.random.default_rng(seed)
    figures: dict[str, Any] = {}
    for source in SOURCES:
        photos = [photo for photo in list_photos(data, source, "val") if photo.material >= 0]
        chosen = [photos[k] for k in sorted(random.permutation(len(photos))[:most].tolist())]
        if not chosen:
            continue
        candidates = sorted({photo.material for photo in photos})
        predictions = []
        for photo, picture in zip(chosen, open_photos(data, chosen), strict=True):
            predictions.append(predict_photo(methods, classifier, photo, picture, candidates))
            print(f"\r{source}: {len(predictions)}/{len(chosen)} ", end="", flush=True)
        print()
        figures[source] = photo_figures(predictions)
        confident = [p for p in predictions if p.photo.weight >= 1]
        if 0 < len(confident) < len(predictions) and source != "trashnet":
            figures[f"{source}, confident labels"] = photo_figures(confident)
    return figures


def photo_figures(predictions: Sequence[PhotoPrediction]) -> dict[str, Any]:
    true = [p.photo.material for p in predictions]
    common = Counter(true).most_common(1)[0][0]
    confidence = np.array([p.confidence for p in predictions])
    code = f"code, {ALL_NAMES}"
    figures: dict[str, Any] = {
        "always the commonest": wilson_share([material == common for material in true]),
        "silent": wilson_share([p.silent for p in predictions]),
        "mean confidence of the code": scene_bootstrap(confidence, np.arange(len(confidence)), mean),
    }
    for way in predictions[0].predicted:
        figures[way] = wilson_share([p.right(way) for p in predictions])
    sounding = [p for p in predictions if not p.silent]
    if sounding:
        figures["code, where it sounds"] = wilson_share([p.right(code) for p in sounding])
    figures["confusion"] = confusion(true, [p.predicted[code] for p in predictions])
    return figures


def confusion(true: Sequence[int], predicted: Sequence[int]) -> dict[str, dict[str, int]]:
    """True name -> predicted name -> count."""
    table: dict[str, Counter[str]] = {}
    for right, named in zip(true, predicted, strict=True):
        table.setdefault(MATERIALS[right], Counter())[MATERIALS[named]] += 1
    return {name: dict(row.most_common()) for name, row in sorted(table.items())}
