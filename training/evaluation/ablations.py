"""Further rows of `evaluate_hear`: pairs of pictures, copies of recordings, the path "language" in detail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.grid import EncodedImage, PatchGrid
from training.common.hear_cases import HeldOutPicture
from training.common.patch_features import paste
from training.evaluation.click_set import ClickSet
from training.evaluation.hear_tables import ClickResult
from training.evaluation.metrics import max_cross_correlation

LANGUAGE_VARIANTS = ("language_one_take", "language_plainly_guided", "language_unguided")


def pairs(clicks: ClickSet, count: int) -> dict[str, dict[str, ConfidenceInterval]]:
    """Two pictures of different sounds side by side: top-1 of a click on the middle of each half, by judge (the outside
    one with generic classes skipped). both: of the pairs with both halves right; worse_side: of the half that does
    worse over all pairs."""
    hits: dict[str, list[list[bool]]] = defaultdict(list)
    made = 0
    for first, second in zip(clicks.cases, [*clicks.cases[1:], *clicks.cases[:1]], strict=True):
        if first.accepted & second.accepted or made == count:
            continue
        image = paste(np.asarray(first.image), np.asarray(second.image))
        found: dict[str, list[bool]] = defaultdict(list)
        for case, share in ((first, 0.25), (second, 0.75)):
            heard = clicks.studio.hear(
                image, share * image.width, image.height / 2, seconds=clicks.settings.seconds,
                steps=clicks.settings.steps, guidance=clicks.settings.guidance, seed=made, anyway=True,
            )  # fmt: skip
            for judge, verdict in clicks.bench.verdicts(torch.from_numpy(heard.waveform)[0], case.accepted).items():
                found[judge].append(verdict.lenient1)
        for judge, row in found.items():
            if len(row) == 2:
                hits[judge].append(row)
        made += 1
    return {judge: _of_pairs(np.array(rows, dtype=float)) for judge, rows in hits.items()}


def _of_pairs(cases: np.ndarray) -> dict[str, ConfidenceInterval]:
    rng = np.random.default_rng(0)
    both = bootstrap(cases, lambda x: float(x.all(axis=1).mean()), rng)
    return {"both": both, "worse_side": bootstrap(cases, lambda x: float(x.mean(axis=0).min()), rng)}


def copies(clicks: ClickSet, count: int = 36, others: int = 7) -> dict[str, float]:
    """Whether generated sounds copy training clips: cross-correlation with the recording that conditioned the sound,
    beside that with other recordings of its label, which did not. One knock in silence is like any other knock, so the
    difference counts, and how often the conditioning recording is the most similar one."""
    guide, rest_of_label, is_nearest, chance = [], [], [], []
    generator = clicks.pipeline.generator
    for number, case in enumerate(clicks.cases[:count]):
        click = clicks.look(number, case)
        found, patch = clicks.pipeline.predict(click.grid), click.flat_patch
        mel, used = generator.generate_mel(
            found.query[patch], found.class_probs[patch], clicks.request("flow"), seed=number, takes=1
        )
        entry, rows_of = generator.index.entries[used[0]], defaultdict(list)
        for row in clicks.train.get(entry.label, []):
            rows_of[clicks.store.clips[row].recording_id].append(row)
        rest = [recording for recording in rows_of if recording != entry.recording_id]
        if not rest or entry.recording_id not in rows_of:
            continue
        compared = [entry.recording_id, *(rest[i] for i in clicks.rng(number).permutation(len(rest))[:others])]
        similarity = [
            max(max_cross_correlation(mel.numpy(), clicks.store.mel(row)) for row in rows_of[recording][:3])
            for recording in compared
        ]
        guide.append(similarity[0])
        rest_of_label += similarity[1:]
        is_nearest.append(similarity[0] >= max(similarity))
        chance.append(1 / len(similarity))
    return {
        "to_guide_median": float(np.median(guide)), "to_guide_max": max(guide),
        "to_others_of_the_label_median": float(np.median(rest_of_label)),
        "to_others_of_the_label_max": max(rest_of_label), "guide_is_likest": float(np.mean(is_nearest)),
        "guide_is_likest_by_chance": float(np.mean(chance)), "n": len(guide),
    }  # fmt: skip


class ByKey:
    """The prior of a photograph, by its key: the path "language" may see photographs by another vision network."""

    def __init__(self, pipeline: ImageToSoundPipeline, grids: Iterable[PatchGrid]) -> None:
        self.pipeline, self.grids, self.tagger = pipeline, {grid.key: grid for grid in grids}, pipeline.tagger

    def class_probs(self, grid: PatchGrid, row: int, col: int) -> Tensor:
        return self.pipeline.class_probs(self.grids[grid.key], row, col)


class LanguageRows:
    """The path "language" in detail. It clicks the centre of pictures, so places elsewhere are left out."""

    def __init__(self, clicks: ClickSet, results: Sequence[ClickResult]) -> None:
        from training.vlm_to_sound.evaluate import load_evaluation

        self.clicks, services = clicks, clicks.studio.services
        self.results = [r for r in results if r.click.patch == (r.click.grid.rows // 2, r.click.grid.cols // 2)]
        pictures = [(result.click.case.image, result.click.grid.key) for result in self.results]
        images = [EncodedImage(image, key, services.earlier_vision.encode(image)) for image, key in pictures]
        prior = ByKey(clicks.pipeline, [result.click.grid for result in self.results])
        self.evaluation = load_evaluation(clicks.studio.preset, prior, images, clicks.settings.seconds)

    @property
    def cases(self) -> list[HeldOutPicture]:
        return [result.click.case for result in self.results]

    def variants(self) -> None:
        """Adds the verdicts about other ways of sampling."""
        for name in LANGUAGE_VARIANTS:
            sounds = self.evaluation.clicks(name, self.clicks.settings.guidance)
            for result, sound in zip(self.results, sounds, strict=True):
                result.verdicts[name] = self.clicks.bench.verdicts(sound, result.click.case.accepted)

    def sides(self) -> dict[str, object]:
        """Which channel is louder, and where the tokens attend."""
        return self.evaluation.side_figures(self.clicks.settings.guidance)

    def layers(self, seen: Path) -> dict[str, object]:
        """Linear probes of each layer of the thinker."""
        return self.evaluation.layer_figures(seen, self.cases, self.clicks.settings.seed)
