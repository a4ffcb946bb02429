"""Train the prior: region features -> query in the sound embedding space, class logits, calibrated presence.

A stage of `training.image_to_sound.train`; quick, because it is repeated for every better vision network. The vision
network's classifier is kept as it is: it knows a thousand classes, most of which have a single picture here. Trained
are the weights of the views, the class logits of each prototype, a linear correction, and presence. A tenth of the
pictures is held out to calibrate presence (Platt 1999) and its threshold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm, trange

from synesthesia.core import presets
from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.retrieval import SoundIndex
from synesthesia.vision.backbone import PatchEncoder
from training.common.fit import minimise
from training.common.imagenet_classifier import imagenet_classifier
from training.common.pairs import imagenet_to_sound
from training.common.patch_features import LabelledPatches, PatchCollector, Targets, is_held_out_class, sample_pictures


@dataclass(frozen=True)
class PriorTraining:
    data: Path
    out: Path
    preset: Literal["embedded", "hub"] = "embedded"
    cache: Path = Path("runs/cache")
    pictures: int = 1500
    epochs: int = 6  # of the prior, as the next ones
    batch: int = 256
    trust: float = 1.5  # weight of the prototypes against the correction, which at 1 learns the collection's style
    correction_l2: float = 5e-2
    seed: int = 23


def collect(
    config: PriorTraining, encoder: PatchEncoder, layer: torch.nn.Linear | None, labels: list[str]
) -> LabelledPatches:
    """Mostly whole pictures, three quarters of them with a sound and few of 64 px; a tenth is pairs of pictures."""
    rng = np.random.default_rng(config.seed)
    targets = Targets(config.data, labels)
    table = torch.from_numpy(imagenet_to_sound(config.data, labels))
    collector = PatchCollector(encoder, targets, layer, table, rng)
    share = config.pictures / 100

    def sounding(source: str, label: str) -> bool:
        return (source, label) in targets.pairs

    def silent(source: str, label: str) -> bool:
        return not sounding(source, label) and not is_held_out_class(source, label)

    whole = sample_pictures(config.data, False, round(56 * share), rng, sounding)
    whole += sample_pictures(config.data, False, round(26 * share), rng, silent)
    whole += sample_pictures(config.data, True, round(8 * share), rng, targets.trained_on)
    for picture in tqdm(whole, unit="picture"):
        collector.add_picture(picture)
    levelled = sample_pictures(config.data, False, round(20 * share), rng, sounding)
    half = len(levelled) // 2
    for number in trange(half, unit="pair"):
        collector.add_pair(levelled[number], levelled[half + number], beside=number % 3 != 0)
    return collector.patches()


def cached_patches(
    config: PriorTraining, encoder: PatchEncoder, layer: torch.nn.Linear | None, labels: list[str]
) -> LabelledPatches:
    """`collect` with a cache on disk: it takes nearly all of this stage's time."""
    weights = sum(float(value.double().abs().sum()) for value in encoder.net.parameters())
    key = f"{config.preset}-{weights:.4f}-{config.pictures}-{config.seed}-{len(labels)}"
    file = config.cache / f"labelled_patches-{key}.safetensors"
    if not file.is_file():
        patches = collect(config, encoder, layer, labels)
        config.cache.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in vars(patches).items()}, file)
    return LabelledPatches(**load_file(file))


def class_embeddings(index: SoundIndex, labels: list[str]) -> Tensor:
    """(labels, Q): the mean embedding of each label's training sounds, unit length."""
    number = torch.tensor([labels.index(entry.label) for entry in index.entries])
    total = torch.zeros(len(labels), index.embeddings.shape[1]).index_add_(0, number, index.embeddings)
    return F.normalize(total, dim=1)


def fit_prior(prior: Prior, patches: LabelledPatches, train: Tensor, config: PriorTraining) -> None:
    """Soft-target cross-entropy on sound classes and silence, logistic loss on presence."""
    prior.classify.requires_grad_(False)
    prior.calibration.requires_grad_(False)
    prior.trust.requires_grad_(False).fill_(config.trust)
    before = prior.prototype_class_logits.detach().clone()
    groups = [
        {"params": [prior.view_weights, prior.log_sharpness], "lr": 2e-2, "weight_decay": 0.0},
        {"params": [prior.prototype_class_logits], "lr": 1e-2, "weight_decay": 0.0},
        {"params": prior.correction.parameters(), "lr": 4e-4, "weight_decay": 2.0},
        {"params": prior.presence_head.parameters(), "lr": 1e-3, "weight_decay": 2.0},
    ]
    optimiser = torch.optim.AdamW(groups)
    linear_decay = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1 - epoch / config.epochs)
    rarity = patches.targets[train].sum(dim=0).clamp(min=1.0).rsqrt()
    weight = (patches.targets @ rarity) * patches.trust
    weight = weight / weight[train].mean()
    generator = torch.Generator().manual_seed(config.seed)
    known = patches.sounding >= 0
    for epoch in range(config.epochs):
        losses = []
        for rows in train[torch.randperm(len(train), generator=generator)].split(config.batch):
            logits, presence = prior(patches.region(rows))
            cross_entropy = -(patches.targets[rows] * logits.log_softmax(dim=1)).sum(dim=1)
            makes_sound = patches.sounding[rows].clamp(min=0).float()
            presence_loss = F.binary_cross_entropy_with_logits(presence, makes_sound, reduction="none")
            drift = (prior.prototype_class_logits - before).pow(2).mean()
            loss = (cross_entropy * weight[rows]).mean() + (presence_loss * known[rows]).mean() + 1e-3 * drift
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        linear_decay.step()
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, views {prior.view_weights.softmax(0).tolist()}", flush=True)


def fit_correction(prior: Prior, patches: LabelledPatches, train: Tensor, config: PriorTraining) -> None:
    """The linear correction from zero to its optimum: multinomial regression by L-BFGS on top of the prototypes'
    logits, which stay as they are."""
    rows = train[patches.trust[train] >= 0.5]
    region = patches.region(rows)
    targets = patches.targets[rows]
    weight = (targets @ targets.sum(dim=0).clamp(min=1.0).rsqrt()) * patches.trust[rows]
    weight = weight / weight.mean()
    with torch.no_grad():
        for value in prior.correction.parameters():
            value.zero_()
        prototype_logits, inputs = prior.prototype_logits(region)

    def loss() -> Tensor:
        logits = prototype_logits + prior.correction(inputs)
        cross_entropy = -(weight * (targets * logits.log_softmax(dim=1)).sum(dim=1)).mean()
        return cross_entropy + config.correction_l2 * prior.correction.weight.square().sum()

    minimise(prior.correction.parameters(), loss, steps=80)


def fit_presence(prior: Prior, patches: LabelledPatches, train: Tensor, config: PriorTraining) -> None:
    """Logistic loss on the presence head, with the rest of the prior as it is now."""
    rows = train[patches.sounding[train] >= 0]
    optimiser = torch.optim.AdamW(prior.presence_head.parameters(), lr=1e-3, weight_decay=2.0)
    generator = torch.Generator().manual_seed(config.seed)
    for _ in range(config.epochs):
        for part in rows[torch.randperm(len(rows), generator=generator)].split(config.batch):
            presence = prior(patches.region(part))[1]
            loss = F.binary_cross_entropy_with_logits(presence, patches.sounding[part].float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


@torch.no_grad()
def calibrate_presence(prior: Prior, patches: LabelledPatches, held_out: Tensor) -> float:
    """Platt's scale and offset on held-out patches; returns the threshold with the best balanced accuracy."""
    rows = held_out[patches.sounding[held_out] >= 0]
    raw = prior(patches.region(rows))[1]
    truth = patches.sounding[rows].float()
    platt = torch.tensor([1.0, 0.0], requires_grad=True)
    minimise([platt], lambda: F.binary_cross_entropy_with_logits(platt[0] * raw + platt[1], truth), steps=60)
    prior.calibration.copy_(platt.detach())
    score = (platt[0] * raw + platt[1]).sigmoid()
    levels = torch.linspace(0.1, 0.9, 81)
    balanced = torch.stack(
        [((score >= x)[truth > 0].float().mean() + (score < x)[truth == 0].float().mean()) / 2 for x in levels]
    )
    return float(levels[int(balanced.argmax())])


def main(config: PriorTraining) -> Prior:
    torch.manual_seed(config.seed)
    preset = presets.preset(config.preset)
    labels = list(json.loads((config.out / "config.json").read_text(encoding="utf-8"))["labels"])
    index = SoundIndex.load(config.out)
    encoder, layer = PatchEncoder.load(preset.vision), imagenet_classifier(preset)
    patches = cached_patches(config, encoder, layer, labels)
    order = torch.from_numpy(np.random.default_rng(config.seed).permutation(int(patches.group.max()) + 1))
    is_held_out = torch.isin(patches.group, order[: len(order) // 10])
    train, held_out = (~is_held_out).nonzero()[:, 0], is_held_out.nonzero()[:, 0]
    dim = patches.views.shape[2]
    prior = Prior(PriorConfig(feature_dim=dim, classes=len(labels), query_dim=index.embeddings.shape[1]))
    scale = patches.views[:, 2].float().std(dim=0).clamp(min=1e-3)
    if layer is not None:
        weight, bias, table = layer.weight, layer.bias, torch.from_numpy(imagenet_to_sound(config.data, labels))
    else:
        (weight, bias), table = _class_mean_prototypes(patches, len(labels)), torch.eye(1000, len(labels))
    prior.initialise(weight, bias, table, class_embeddings(index, labels), scale)
    fit_prior(prior, patches, train, config)
    fit_correction(prior, patches, train, config)
    fit_presence(prior, patches, train, config)
    threshold = calibrate_presence(prior, patches, held_out)
    prior.config = replace(prior.config, threshold=round(threshold, 3))
    prior.eval()
    right = prior(patches.region(held_out))[0][:, :-1].argmax(dim=1)
    paired = (patches.targets[held_out, -1] == 0) & (patches.trust[held_out] == 1)
    hit = patches.targets[held_out].gather(1, right[:, None])[:, 0] > 0
    print(
        f"patches held_out: right sound {float(hit[paired].float().mean()):.3f} (n = {int(paired.sum())}), "
        f"threshold {threshold:.2f}"
    )
    prior.save(config.out)
    return Prior.load(config.out)


def _class_mean_prototypes(patches: LabelledPatches, labels: int) -> tuple[Tensor, Tensor]:
    """Prototypes of a network without a classifier: one a label (the mean of its patches), unused rows zero."""
    features = F.normalize(patches.views[:, 2].float(), dim=1)
    weight = torch.zeros(1000, features.shape[1])
    weight[:labels] = F.normalize(patches.targets[:, :labels].T @ (features - features.mean(dim=0)), dim=1) * 20.0
    bias = torch.full((1000,), -30.0)
    bias[:labels] = 0.0
    return weight, bias
