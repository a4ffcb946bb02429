"""Train the prior: region features of labelled places -> class logits, query in the sound embedding space, presence.

A stage of `training.image_to_sound.train`; quick, because it is repeated for every better vision network. Prototypes
and components are computed; regression and presence are fitted by L-BFGS in a minute, on training pictures alone.
Presence is calibrated (Platt 1999) on a fifth of the training pictures that its fit left out, and its threshold is the
one at which a given share of sounding places still sounds. Figures by source, on held-out pictures, are printed; with
`--without SOURCE ...` these sources teach nothing, and all their pictures are held out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.core import presets
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.retrieval import SoundIndex
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.pretrained import imagenet_classifier
from training.common.fit import minimise
from training.common.pairs import imagenet_to_sound
from training.common.report import table_header, table_row
from training.image_to_sound.place_features import SOUNDING, LabelledPlaces, PlaceCollection, collect


@dataclass(frozen=True, kw_only=True)
class PriorTraining(PlaceCollection):
    out: Path
    cache: Path = Path("runs/cache")
    components: int = 192
    regression_l2: float = 1e-3
    presence_l2: float = 3e-3
    sounding_kept: float = 0.95  # share of sounding places above the threshold
    without: tuple[str, ...] = ()  # sources that are held out whole


def cached_places(config: PriorTraining) -> LabelledPlaces:
    """Encoding the pictures takes nearly all of this stage's time."""
    file = config.cache / f"places-{config.preset}-{config.of_a_class}-{config.pasted}-{config.seed}.safetensors"
    if not file.is_file():
        collect(config, PatchEncoder.load(presets.preset(config.preset).vision)).save(file)
    return LabelledPlaces.load(file)


def class_embeddings(index: SoundIndex, labels: list[str]) -> Tensor:
    """(labels, Q): the mean embedding of each label's training sounds, unit length."""
    number = torch.tensor([labels.index(entry.label) for entry in index.entries])
    total = torch.zeros(len(labels), index.embeddings.shape[1]).index_add_(0, number, index.embeddings)
    return F.normalize(total, dim=1)


def fit_regression(prior: Prior, places: LabelledPlaces, rows: Tensor, l2: float) -> None:
    """Multinomial regression on the components alone; rare classes count more."""
    rows = rows[places.trust[rows] >= 0.5]
    targets = places.targets[rows]
    weight = (targets @ targets.sum(dim=0).clamp(min=1.0).rsqrt()) * places.trust[rows]
    weight = weight / weight.mean()
    components, _ = inputs_of(prior, places, rows)

    def loss() -> Tensor:
        log_probs = prior.regression(components).log_softmax(dim=1)
        cross_entropy = -(weight * (targets * log_probs).sum(dim=1)).mean()
        return cross_entropy + l2 * prior.regression.weight.square().sum()

    minimise(prior.regression.parameters(), loss, steps=50)


def fit_presence(prior: Prior, places: LabelledPlaces, rows: Tensor, l2: float) -> None:
    """Logistic regression, sounding and silent places of equal weight, with the rest of the prior as it is."""
    rows = rows[places.sounding[rows] >= 0]
    inputs, sounds = presence_inputs(prior, places, rows), (places.sounding[rows] == SOUNDING).float()
    weight = places.trust[rows]
    weight = torch.where(sounds > 0, weight / weight[sounds > 0].sum(), weight / weight[sounds == 0].sum())

    def loss() -> Tensor:
        raw = prior.presence_head(inputs)[:, 0]
        cross_entropy = F.binary_cross_entropy_with_logits(raw, sounds, reduction="none")
        return (weight * cross_entropy).sum() + l2 * prior.presence_head.weight.square().sum()

    minimise(prior.presence_head.parameters(), loss, steps=60)


@torch.no_grad()
def inputs_of(prior: Prior, places: LabelledPlaces, rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """(components, prototype logits or None) of places, in parts."""
    parts = [places.region(part) for part in rows.split(1024)]
    named = torch.cat([prior.prototype_logits(part) for part in parts]) if prior.config.prototypes else None
    return torch.cat([prior.components(part) for part in parts]), named


@torch.no_grad()
def presence_inputs(prior: Prior, places: LabelledPlaces, rows: Tensor) -> Tensor:
    components, named = inputs_of(prior, places, rows)
    return prior.presence_inputs(components, prior.regression(components).log_softmax(dim=1), named)


@torch.no_grad()
def calibrate_presence(prior: Prior, places: LabelledPlaces, rows: Tensor, kept: float) -> float:
    """Platt's scale and offset, fitted to places that the presence's fit left out; returns the threshold that `kept` of
    the sounding ones reach."""
    rows = rows[places.sounding[rows] >= 0]
    raw = prior.presence_head(presence_inputs(prior, places, rows))[:, 0]
    truth = (places.sounding[rows] == SOUNDING).float()
    platt = torch.tensor([1.0, 0.0], requires_grad=True)
    with torch.enable_grad():
        minimise([platt], lambda: F.binary_cross_entropy_with_logits(platt[0] * raw + platt[1], truth), steps=60)
    prior.calibration.copy_(platt.detach())
    score = (platt[0] * raw + platt[1]).sigmoid()
    return min(0.9, float(score[truth > 0].quantile(1 - kept)))


@torch.no_grad()
def figures(prior: Prior, places: LabelledPlaces, rows: Tensor) -> dict[str, dict[str, ConfidenceInterval]]:
    """Right sound (top 1, top 5) of places with a direct label and silence by source, over `rows`."""
    table: dict[str, dict[str, ConfidenceInterval]] = {}
    for number, source in enumerate(places.sources):
        mine = rows[places.source[rows] == number]
        if not len(mine):
            continue
        components, named = inputs_of(prior, places, mine)
        regression = prior.regression(components).log_softmax(dim=1)
        logits = prior.blend(regression, named)
        raw = prior.presence_head(prior.presence_inputs(components, regression, named))[:, 0]
        sounds = (prior.calibration[0] * raw + prior.calibration[1]).sigmoid() >= prior.config.threshold
        direct = (places.accepted[mine].any(dim=1)) & (places.sounding[mine] == SOUNDING)
        hits = places.accepted[mine].gather(1, logits[:, :-1].topk(min(5, prior.config.classes)).indices)[direct]
        silent = places.sounding[mine] == 0
        table[source] = {
            "top1": wilson(int(hits[:, 0].sum()), len(hits)), "top5": wilson(int(hits.any(dim=1).sum()), len(hits)),
            "falls_silent": wilson(int((~sounds[direct]).sum()), int(direct.sum())),
            "stays_silent": wilson(int((~sounds[silent]).sum()), int(silent.sum())),
        }  # fmt: skip
    return table


def report(table: dict[str, dict[str, ConfidenceInterval]]) -> None:
    print(table_header("source", "sounding places", "top-1", "top-5", "fall silent", "silent places", "stay silent"))
    for source, row in table.items():
        shares = [row[name] if row[name].n else "" for name in ("top1", "top5", "falls_silent", "stays_silent")]
        print(table_row(source, row["top1"].n, *shares[:3], row["stays_silent"].n, shares[3]))


def train(config: PriorTraining, places: LabelledPlaces, labels: list[str], index: SoundIndex) -> Prior:
    vision = presets.preset(config.preset).vision
    named = vision.weights.package is not None
    held_out = places.held_out | places.of_sources(config.without)
    order = torch.from_numpy(np.random.default_rng(config.seed).permutation(int(places.group.max()) + 1))
    calibrating = torch.isin(places.group, order[: len(order) // 5]) & ~held_out
    rows, rest = (~held_out).nonzero()[:, 0], (~held_out & ~calibrating).nonzero()[:, 0]
    prior = Prior(
        PriorConfig(
            feature_dim=places.views.shape[2], prototypes=1000 if named else 0, classes=len(labels),
            query_dim=index.embeddings.shape[1], components=config.components,
        )
    )  # fmt: skip
    prior.set_components(places.views[rows].float())
    if named:
        prior.set_prototypes(imagenet_classifier(vision), torch.from_numpy(imagenet_to_sound(config.data, labels)))
    prior.class_embeddings.copy_(class_embeddings(index, labels))
    fit_regression(prior, places, rest, config.regression_l2)  # for calibration: nothing has seen these places
    fit_presence(prior, places, rest, config.presence_l2)
    threshold = calibrate_presence(prior, places, calibrating.nonzero()[:, 0], config.sounding_kept)
    calibration = prior.calibration.detach().clone()
    fit_regression(prior, places, rows, config.regression_l2)
    fit_presence(prior, places, rows, config.presence_l2)
    prior.calibration.data.copy_(calibration)
    prior.config = replace(prior.config, threshold=round(threshold, 3))
    print(f"threshold {threshold:.3f}")
    report(figures(prior, places, held_out.nonzero()[:, 0]))
    return prior.eval()


def main(config: PriorTraining) -> Prior:
    torch.manual_seed(config.seed)
    labels = list(json.loads((config.out / "config.json").read_text(encoding="utf-8"))["labels"])
    places = cached_places(config)
    assert list(places.labels) == labels, "the places and the index have different labels"
    train(config, places, labels, SoundIndex.load(config.out)).save(config.out)
    return Prior.load(config.out)
