"""Ablations: prior alone, generator with the true condition, pairs of pictures, presence, copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.vocoder import finish
from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap, wilson
from synesthesia.image_to_sound.flow import Condition
from synesthesia.image_to_sound.texture_statistics import texture_descriptor
from training.common.hear_cases import Agreement, excerpt
from training.common.pairs import sound_pairs
from training.common.patch_features import is_held_out_class, paste, sample_pictures
from training.evaluation.click_set import RATE_HZ, ClickSet, Variant
from training.evaluation.metrics import auroc, calibration_error, max_cross_correlation

BOOTSTRAP_DRAWS = 300


def prior_alone(clicks: ClickSet) -> dict[str, ConfidenceInterval]:
    """Top-1 of the prior's class probabilities, before any sound: over all pictures and by source."""
    names, hits = clicks.class_names, defaultdict(list)
    for case, grid in zip(clicks.cases, clicks.grids, strict=True):
        right = names[int(clicks.condition(grid)[1].argmax())] in case.accepted
        hits["all"].append(right)
        hits[case.picture.source].append(right)
    return {source: wilson(sum(row), len(row)) for source, row in hits.items()}


def generator_alone(clicks: ClickSet, per_label: int) -> dict[str, Agreement]:
    """No picture: held-out recordings, their round trip through the generator's latents and the vocoder, and sounds
    generated for their label (its class embedding) or for themselves (own embedding and descriptor)."""
    generator, names = clicks.pipeline.generator, clicks.class_names
    rows = [row for label in clicks.labels for row in clicks.held_out[label][:per_label]]
    real = [excerpt(clicks.store, row, clicks.settings.seconds, clicks.rng) for row in rows]
    samples = int(clicks.settings.seconds * RATE_HZ)
    round_trips, by_label, by_self = [], [], []
    for number, (row, sound) in enumerate(zip(rows, real, strict=True)):
        with torch.inference_mode():
            latents = generator.space.encode(clicks.codec.mel(sound[None]))
            decoded = clicks.codec.vocoder(generator.space.decode(latents))[0]
            own = torch.from_numpy(clicks.store.mel(row))
            embedding = generator.tagger(own[None, :1024])[1][0]
        round_trips.append(F.pad(decoded, (0, max(0, samples - len(decoded))))[:samples])
        label = torch.tensor(names.index(clicks.store.clips[row].label))
        query, class_probs = clicks.pipeline.prior.class_embeddings[label], F.one_hot(label, len(names)).float()
        by_label.append(clicks.generate(query, class_probs, number, Variant()))
        by_self.append(_one_take(clicks, query, torch.cat([texture_descriptor(own), embedding]), number))
    accepted = [frozenset([clicks.store.clips[row].label]) for row in rows]
    sounds = {
        "real recordings": real, "round trip": round_trips, "made for the label": by_label,
        "made for itself, one take": by_self,
    }  # fmt: skip
    return {name: clicks.agreement(of_row, accepted) for name, of_row in sounds.items()}


def _one_take(clicks: ClickSet, query: Tensor, descriptor: Tensor, seed: int) -> Tensor:
    """(n,) one sample of the flow for a given condition, without retrieval."""
    generator, settings = clicks.pipeline.generator, clicks.settings
    condition = Condition.of(query[None], descriptor[None], len(descriptor))
    with torch.inference_mode():
        latents = generator.flow.sample(
            condition, int(settings.seconds * 25), generator.generators(seed, 1), clicks.request("flow")
        )
        waveform = clicks.codec.vocoder(generator.space.decode(latents))[0]
        return finish(waveform[: int(settings.seconds * RATE_HZ)], RATE_HZ)


def pairs(clicks: ClickSet, count: int) -> dict[str, ConfidenceInterval]:
    """Two pictures of different sounds side by side: top-1 of a click on the middle of each half. both: of the pairs
    with both halves right; worse_side: of the half that does worse over all pairs."""
    order = clicks.rng.permutation(len(clicks.cases))
    hits: list[list[bool]] = []
    for first, second in zip(order, np.roll(order, 1), strict=True):
        a, b = clicks.cases[first], clicks.cases[second]
        if a.accepted & b.accepted or len(hits) == count:
            continue
        grid = clicks.encoder.encode(paste(a.picture.pixels, b.picture.pixels))
        row = []
        for case, col in ((a, grid.cols // 4), (b, 3 * grid.cols // 4)):
            sound = clicks.generate(*clicks.condition(grid, col), len(hits), Variant())
            row.append(bool(clicks.agreement([sound], [case.accepted]).hits[0]))
        hits.append(row)
    cases, rng = np.array(hits, dtype=float), np.random.default_rng(0)
    both = bootstrap(cases, lambda x: float(x.all(axis=1).mean()), rng)
    return {"both": both, "worse_side": bootstrap(cases, lambda x: float(x.mean(axis=0).min()), rng)}


def presence(clicks: ClickSet) -> dict[str, object]:
    """Central patches: held-out pictures of things with a direct sound, against pictures of things without any whose
    classes the prior never saw (`is_held_out_class`)."""
    table, sounding = sound_pairs(clicks.settings.data), len(clicks.cases)
    silent = sample_pictures(
        clicks.settings.data, False, sounding, clicks.rng,
        lambda source, name: not table.get((source, name)) and is_held_out_class(source, name),
    )  # fmt: skip
    grids = clicks.grids + [clicks.encoder.encode(Image.fromarray(picture.pixels)) for picture in silent]
    maps = [clicks.pipeline.presence_map(grid) for grid in grids]
    scores = np.array([float(map_[map_.shape[0] // 2, map_.shape[1] // 2]) for map_ in maps])
    truth, threshold = np.arange(len(scores)) < sounding, clicks.pipeline.threshold
    both = np.stack([scores, truth], axis=1)

    def interval(metric: Callable[[np.ndarray, np.ndarray], float]) -> dict[str, object]:
        rng = np.random.default_rng(0)
        return asdict(bootstrap(both, lambda x: metric(x[:, 0], x[:, 1] > 0.5), rng, draws=BOOTSTRAP_DRAWS))

    return {
        "auroc": interval(auroc), "calibration_error": interval(calibration_error), "threshold": threshold,
        "sounding_kept": float((scores >= threshold)[truth].mean()),
        "silent_refused": float((scores < threshold)[~truth].mean()),
        "n_sounding": int(truth.sum()), "n_silent": int((~truth).sum()),
    }  # fmt: skip


def copies(clicks: ClickSet, count: int = 36, others: int = 7) -> dict[str, float]:
    """Whether generated sounds copy training clips: cross-correlation with the recording that conditioned the sound,
    beside that with other recordings of its label, which did not. One knock in silence is like any other knock, so the
    difference counts, and how often the conditioning recording is the most similar one."""
    guide, rest_of_label, is_nearest, chance = [], [], [], []
    generator = clicks.pipeline.generator
    for number, grid in enumerate(clicks.grids[:count]):
        mel, used = generator.generate_mel(*clicks.condition(grid), clicks.request("flow"), seed=number, takes=1)
        entry, rows_of = generator.index.entries[used[0]], defaultdict(list)
        for row in clicks.train[entry.label]:
            rows_of[clicks.store.clips[row].recording_id].append(row)
        rest = [recording for recording in rows_of if recording != entry.recording_id]
        if not rest:
            continue
        compared = [entry.recording_id, *(rest[i] for i in clicks.rng.permutation(len(rest))[:others])]
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
