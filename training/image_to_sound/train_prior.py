"""Train the prior: features of patches -> a wish in the space of sounds and a calibrated presence (a stage of
`train_mapper`; quick, because it is done again for every better vision network).

The vision network's classifier is kept as it is: it holds what a thousand classes of pictures taught its teacher, most
of them with a single picture here. Trained are how the views of a click are weighed, which sounds each prototype pulls
to, a linear correction, and presence. A tenth of the pictures is kept aside to calibrate presence (Platt 1999) and its
threshold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from synesthesia.core import presets
from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.region_features import RegionFeatures
from synesthesia.image_to_sound.retrieval import SoundIndex
from synesthesia.vision.backbone import PatchEncoder
from training.common.imagenet_classifier import imagenet_classifier
from training.common.pairs import imagenet_to_sound
from training.common.patch_features import Collector, Patches, Targets, choose, kept_out


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    preset: str = "embedded"
    pictures: int = 1500
    cache: Path = Path("runs/cache")
    epochs: int = 6
    batch: int = 256
    trust: float = 1.5  # in what a thousand classes say, against the correction: at 1 it learns the collection's style
    correction_l2: float = 5e-2
    seed: int = 23


def collect(config: Config, encoder: PatchEncoder, layer: torch.nn.Linear | None, voices: list[str]) -> Patches:
    """Mostly whole pictures, three quarters of them with a sound and few of 64 pixels; a tenth is pairs."""
    rng = np.random.default_rng(config.seed)
    targets = Targets(config.data, voices)
    table = torch.from_numpy(imagenet_to_sound(config.data, voices))
    collector = Collector(encoder, targets, layer, table, rng)
    sounding, share = targets.pairs.__contains__, config.pictures / 100
    whole = choose(config.data, False, round(56 * share), rng, lambda *key: sounding(key))
    whole += choose(config.data, False, round(26 * share), rng, lambda *key: not sounding(key) and not kept_out(*key))
    whole += choose(config.data, True, round(8 * share), rng, targets.trained_on)
    for number, picture in enumerate(whole):
        collector.whole(picture)
        if number % 200 == 0:
            print(f"pictures {number} of {len(whole)}", flush=True)
    levelled = choose(config.data, False, round(20 * share), rng, lambda *key: sounding(key))
    half = len(levelled) // 2
    for number, (first, second) in enumerate(zip(levelled[:half], levelled[half : 2 * half], strict=True)):
        collector.pair(first, second, beside=number % 3 != 0)
        if number % 200 == 0:
            print(f"pairs {number} of {half}", flush=True)
    return collector.done()


def collected(config: Config, encoder: PatchEncoder, layer: torch.nn.Linear | None, voices: list[str]) -> Patches:
    """`collect`, remembered in the cache: it is nearly all of this stage's time."""
    eyes = sum(float(value.double().abs().sum()) for value in encoder.net.parameters())
    file = (
        config.cache / f"patches-{config.preset}-{eyes:.4f}-{config.pictures}-{config.seed}-{len(voices)}.safetensors"
    )
    if not file.is_file():
        patches = collect(config, encoder, layer, voices)
        config.cache.mkdir(parents=True, exist_ok=True)
        save_file({name: value.contiguous() for name, value in vars(patches).items()}, file)
    return Patches(**load_file(file))


def anchors_of(index: SoundIndex, voices: list[str]) -> Tensor:
    """(voices, Q): where each kind of sound lies, the mean of its training sounds, unit length."""
    number = torch.tensor([voices.index(entry.label) for entry in index.entries])
    total = torch.zeros(len(voices), index.embeddings.shape[1]).index_add_(0, number, index.embeddings)
    return F.normalize(total, dim=1)


def fit(prior: Prior, patches: Patches, train: Tensor, config: Config) -> None:
    """Soft-target cross-entropy on voices and silence, logistic loss on presence."""
    prior.classify.requires_grad_(False)
    prior.calibration.requires_grad_(False)
    prior.trust.requires_grad_(False).fill_(config.trust)
    before = prior.prototype_class_logits.detach().clone()
    optimiser = torch.optim.AdamW(
        [
            {"params": [prior.views, prior.sharp], "lr": 2e-2, "weight_decay": 0.0},
            {"params": [prior.prototype_class_logits], "lr": 1e-2, "weight_decay": 0.0},
            {"params": prior.correct.parameters(), "lr": 4e-4, "weight_decay": 2.0},
            {"params": prior.sounds.parameters(), "lr": 1e-3, "weight_decay": 2.0},
        ]
    )
    rarity = patches.targets[train].sum(dim=0).clamp(min=1.0).rsqrt()
    weight = (patches.targets @ rarity) * patches.trust
    weight = weight / weight[train].mean()
    generator = torch.Generator().manual_seed(config.seed)
    known = patches.sounding >= 0
    for epoch in range(config.epochs):
        losses = []
        for group in optimiser.param_groups:
            group.setdefault("peak", group["lr"])
            group["lr"] = group["peak"] * (1 - epoch / config.epochs)
        for rows in train[torch.randperm(len(train), generator=generator)].split(config.batch):
            logits, presence = prior(RegionFeatures(patches.views[rows].float(), patches.place[rows]))
            voice = -(patches.targets[rows] * logits.log_softmax(dim=1)).sum(dim=1)
            sure = F.binary_cross_entropy_with_logits(
                presence, patches.sounding[rows].clamp(min=0).float(), reduction="none"
            )
            loss = (
                (voice * weight[rows]).mean()
                + (sure * known[rows]).mean()
                + 1e-3 * (prior.prototype_class_logits - before).pow(2).mean()
            )
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}, views {prior.views.softmax(0).tolist()}", flush=True)


def correct(prior: Prior, patches: Patches, train: Tensor, config: Config) -> None:
    """The linear correction once more from nothing, to its optimum: multinomial regression by L-BFGS on top of what
    the classes say, which stays as it is."""
    rows = train[patches.trust[train] >= 0.5]
    context = RegionFeatures(patches.views[rows].float(), patches.place[rows])
    targets = patches.targets[rows]
    weight = (targets @ targets.sum(dim=0).clamp(min=1.0).rsqrt()) * patches.trust[rows]
    weight = weight / weight.mean()
    with torch.no_grad():
        for value in prior.correct.parameters():
            value.zero_()
        said, scaled = prior.prototype_logits(context)
    optimiser = torch.optim.LBFGS(prior.correct.parameters(), max_iter=80, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        logits = said + prior.correct(scaled)
        loss = -(weight * (targets * logits.log_softmax(dim=1)).sum(dim=1)).mean()
        loss = loss + config.correction_l2 * prior.correct.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)


def fit_presence(prior: Prior, patches: Patches, train: Tensor, config: Config) -> None:
    """Logistic loss on the head that says whether a place sounds at all, for what the rest says now."""
    rows = train[patches.sounding[train] >= 0]
    optimiser = torch.optim.AdamW(prior.sounds.parameters(), lr=1e-3, weight_decay=2.0)
    generator = torch.Generator().manual_seed(config.seed)
    for _ in range(config.epochs):
        for part in rows[torch.randperm(len(rows), generator=generator)].split(config.batch):
            presence = prior(RegionFeatures(patches.views[part].float(), patches.place[part]))[1]
            loss = F.binary_cross_entropy_with_logits(presence, patches.sounding[part].float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


@torch.no_grad()
def calibrate(prior: Prior, patches: Patches, aside: Tensor) -> float:
    """Platt's scale and offset on patches kept aside; returns the threshold with the best balanced accuracy."""
    rows = aside[patches.sounding[aside] >= 0]
    raw = prior(RegionFeatures(patches.views[rows].float(), patches.place[rows]))[1]
    truth = patches.sounding[rows].float()
    platt = torch.tensor([1.0, 0.0], requires_grad=True)
    optimiser = torch.optim.LBFGS([platt], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(platt[0] * raw + platt[1], truth)
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(closure)
    prior.calibration.copy_(platt.detach())
    score = (platt[0] * raw + platt[1]).sigmoid()
    levels = torch.linspace(0.1, 0.9, 81)
    balanced = torch.stack(
        [((score >= x)[truth > 0].float().mean() + (score < x)[truth == 0].float().mean()) / 2 for x in levels]
    )
    return float(levels[int(balanced.argmax())])


def main(config: Config) -> Prior:
    torch.manual_seed(config.seed)
    preset = presets.preset(config.preset)
    voices = list(json.loads((config.out / "config.json").read_text(encoding="utf-8"))["labels"])
    index = SoundIndex.load(config.out)
    encoder, layer = PatchEncoder.load(preset.vision), imagenet_classifier(preset)
    patches = collected(config, encoder, layer, voices)
    order = torch.from_numpy(np.random.default_rng(config.seed).permutation(int(patches.group.max()) + 1))
    is_aside = torch.isin(patches.group, order[: len(order) // 10])
    train, aside = (~is_aside).nonzero()[:, 0], is_aside.nonzero()[:, 0]
    dim = patches.views.shape[2]
    prior = Prior(PriorConfig(feature_dim=dim, voices=len(voices), query_dim=index.embeddings.shape[1]))
    table = torch.from_numpy(imagenet_to_sound(config.data, voices))
    weight, bias = (layer.weight, layer.bias) if layer is not None else _fresh(patches, len(voices))
    scale = patches.views[:, 2].float().std(dim=0).clamp(min=1e-3)
    if layer is None:
        table = torch.eye(1000, len(voices))
    prior.start(weight, bias, table, anchors_of(index, voices), scale)
    fit(prior, patches, train, config)
    correct(prior, patches, train, config)
    fit_presence(prior, patches, train, config)
    threshold = calibrate(prior, patches, aside)
    prior.config = PriorConfig(**{**prior.config.__dict__, "threshold": round(threshold, 3)})
    prior.eval()
    right = prior(RegionFeatures(patches.views[aside].float(), patches.place[aside]))[0][:, :-1].argmax(dim=1)
    paired = (patches.targets[aside, -1] == 0) & (patches.trust[aside] == 1)
    hit = patches.targets[aside].gather(1, right[:, None])[:, 0] > 0
    print(
        f"patches aside: right sound {float(hit[paired].float().mean()):.3f} (n = {int(paired.sum())}), "
        f"threshold {threshold:.2f}"
    )
    prior.save(config.out)
    return Prior.load(config.out)


def _fresh(patches: Patches, voices: int) -> tuple[Tensor, Tensor]:
    """Prototypes of a network without a classifier: one a voice (the mean of its patches), unused rows zero."""
    features = F.normalize(patches.views[:, 2].float(), dim=1)
    weight = torch.zeros(1000, features.shape[1])
    weight[:voices] = F.normalize(patches.targets[:, :voices].T @ (features - features.mean(dim=0)), dim=1) * 20.0
    bias = torch.full((1000,), -30.0)
    bias[:voices] = 0.0
    return weight, bias


if __name__ == "__main__":
    raise SystemExit("Run this as a stage: python -m training.image_to_sound.train --stage prior ...")
