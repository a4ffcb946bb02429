"""Train the physics adapter of the path "tap": frozen features -> material code, shape, size, place.

    python -m training.render_scenes --out renders --count 4000 --samples 8
    python -m training.tap_features --renders renders --data DIR --out runs/tap_features
    python -m training.train_tap --features runs/tap_features --out checkpoints/tap --minutes 30

Renders teach everything, photographs the material of the thing in their middle. No material's name is used: a patch's
target is what its material does to a sound (density, stiffness, damping, residual noise), and the codebook's
mixture has to give that point a high density, with a deviation that shrinks while it learns. Names are counted
afterwards (`training.tap_names`). Resumes from --state.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.hearing.physics_net import ALONG, BY_SHAPE, NetConfig, PhysicsNet
from synesthesia.hearing.tap import save_net
from synesthesia.striking.materials import Properties
from synesthesia.striking.things import MATERIALS
from training.tap_data import Photos, Scenes, belief, cell_weights, rarity, read_in_half, read_photos, read_scenes
from training.tap_names import count_votes

SOURCES = ("trashnet", "imagenet-sample", "caltech101", "tiny-imagenet")
PHOTO_WEIGHT = 0.7


@dataclass(frozen=True)
class TrainConfig:
    """deviations: of the properties' mixture at the beginning and from two thirds on; steps: all told."""

    steps: int = 4000
    scenes: int = 16
    photos: int = 12
    rate: float = 1.5e-3
    decay: float = 0.05
    warm: int = 200
    deviations: tuple[float, float] = (0.6, 0.15)
    even: float = 0.1  # of the loss that wants all codes in use
    seed: int = 0


class Truth:
    """Targets of every thing of a split, computed once."""

    def __init__(self, scenes: Scenes, net: PhysicsNet) -> None:
        columns = scenes.things.unbind(dim=1)
        self.numbers = net.codebook.scaled(Properties.of(list(MATERIALS)))  # (M, P)
        self.material, self.shape = columns[1].long(), columns[2].long()
        self.by_shape = tuple(scale.target(values) for scale, values in zip(BY_SHAPE, columns[3:7], strict=True))


class CodeMeans:
    """The M-step of the codebook: each code's properties are the mean of those of the patches that it explains, over
    the last few hundred steps (as van den Oord et al. 2017, appendix A.1). A code that explains nothing begins anew."""

    KEEP, LEAST = 0.99, 2e-4

    def __init__(self, net: PhysicsNet) -> None:
        self.book = net.codebook
        codes = len(self.book.codes)
        self.count, self.sums = torch.full((codes,), 1 / codes), self.book.numbers / codes

    @torch.no_grad()
    def add(self, joint: Tensor, wanted: Tensor, weights: Tensor) -> None:
        explained = joint.softmax(dim=1) * weights[:, None]
        self.count.lerp_(explained.sum(dim=0), 1 - self.KEEP)
        self.sums.lerp_(explained.T @ wanted, 1 - self.KEEP)
        self.book.numbers.copy_(self.sums / self.count[:, None].clamp(min=1e-9))

    @torch.no_grad()
    def revive(self, wanted: Tensor, random: torch.Generator) -> None:
        """wanted: (N, P) properties to begin with."""
        for code in (self.count < self.LEAST).nonzero()[:, 0].tolist():
            self.count[code] = 10 * self.LEAST
            self.book.numbers[code] = wanted[int(torch.randint(len(wanted), (), generator=random))]
            self.sums[code] = self.book.numbers[code] * self.count[code]
            self.book.codes[code] = torch.randn(self.book.codes.shape[1], generator=random)


def deviation(step: int, config: TrainConfig) -> float:
    part = min(1.0, step / (config.steps * 2 / 3))
    first, last = config.deviations
    return first * (last / first) ** part


def scene_loss(
    net: PhysicsNet, scenes: Scenes, truth: Truth, at: Tensor, mirrored: Tensor, dev: float, means: CodeMeans
) -> tuple[Tensor, dict[str, float], Tensor]:
    """(loss, its parts, mean shares of the codes (K,))."""
    read = read_in_half(net, scenes.pictures.views(at, mirrored))
    thing, place = scenes.thing[at], scenes.place[at]
    thing, place = mirrored_labels(thing, place, mirrored)
    weights = cell_weights(thing)
    there = thing >= 0
    solid = F.nll_loss(read.solid.flatten(0, 1), there.long().flatten())
    cells, w, t = read.rows(there), weights[there], thing[there]
    w = w / w.sum()
    joint = net.codebook.joint(cells.codes, truth.numbers[truth.material[t]], dev)
    material = -(w * joint.logsumexp(dim=1)).sum()
    means.add(joint.detach(), truth.numbers[truth.material[t]], w)
    shape = (w * F.nll_loss(cells.shape, truth.shape[t], reduction="none")).sum()
    rows = torch.arange(len(t))
    by_shape = [
        -(w * (part[rows, truth.shape[t]] * target[t]).sum(dim=1)).sum()
        for part, target in zip(cells.by_shape, truth.by_shape, strict=True)
    ]
    where = place[there]
    at_place = [-(w * (part * ALONG.target(where[:, k])).sum(dim=1)).sum()
                for k, part in enumerate((cells.along, cells.across))]  # fmt: skip
    loss = material + 0.5 * solid + 0.5 * shape + 0.5 * by_shape[0] + 0.25 * sum(by_shape[1:]) + 0.1 * sum(at_place)
    parts = {"material": material, "solid": solid, "shape": shape, "size": by_shape[0], "thick": by_shape[3],
             "along": at_place[0]}  # fmt: skip
    used = (w[:, None] * cells.codes.exp()).sum(dim=0)
    return loss, {name: float(value.detach()) for name, value in parts.items()}, used


def mirrored_labels(thing: Tensor, place: Tensor, mirrored: Tensor) -> tuple[Tensor, Tensor]:
    """The same labels for mirrored pictures: a place on a thing is told along the thing, so it goes with it."""
    from training.tap_data import mirror

    return mirror(thing, mirrored), mirror(place, mirrored)


def photo_loss(
    net: PhysicsNet, photos: Photos, truth: Truth, at: Tensor, mirrored: Tensor, dev: float, means: CodeMeans
) -> Tensor:
    read = read_in_half(net, photos.pictures.views(at, mirrored))
    bell = belief()
    seen = bell > 0.1 * bell.max()
    codes = read.codes[:, seen]  # (B, n, K)
    wanted = truth.numbers[photos.material[at]][:, None].expand(-1, codes.shape[1], -1)
    joint = net.codebook.joint(codes.flatten(0, 1), wanted.flatten(0, 1), dev)
    w = photos.weight[at][:, None] * bell[seen] / bell[seen].sum() / len(at)
    means.add(joint.detach(), wanted.flatten(0, 1), w.flatten())
    return -(w.flatten() * joint.logsumexp(dim=1)).sum()


def even_loss(used: Tensor) -> Tensor:
    """How far the codes' use is from even use, in nats."""
    return (used * (used + 1e-9).log()).sum() + torch.log(torch.tensor(float(len(used))))


def draw(weights: Tensor, count: int, random: torch.Generator) -> Tensor:
    return torch.multinomial(weights, count, replacement=True, generator=random)


def set_scales(net: PhysicsNet, scenes: Scenes, photos: Photos) -> None:
    """The features' deviations from zero, over both kinds of picture."""

    def root(both: list[Tensor], over: tuple[int, ...]) -> Tensor:
        squares = [part[:: max(1, len(part) // 300)].float().square().mean(dim=over) for part in both]
        return torch.stack(squares).mean(dim=0).sqrt().clamp(min=1e-3)

    kinds = (scenes.pictures, photos.pictures)
    net.feature_scale.copy_(root([kind.features for kind in kinds], (0, 1)))
    for level in range(len(net.config.early)):
        scale = root([kind.early[level] for kind in kinds], (0, 2, 3))
        net.tower.get_buffer(f"scale{level}").copy_(scale[:, None, None])


def train(net: PhysicsNet, scenes: Scenes, photos: Photos, config: TrainConfig, state: Path | None = None,
          minutes: float = 1e9, stop: int = 10**9) -> bool:  # fmt: skip
    """One run, or the next part of it, until `minutes` are over or step `stop` is reached. True when all steps are
    done."""
    truth = Truth(scenes, net)
    random = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)
    matrices = [p for p in net.parameters() if p.ndim >= 2]
    others = [p for p in net.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": config.decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))
    mean = {name: value.detach().clone() for name, value in net.state_dict().items()}
    begun = 0
    if state is not None and state.exists():
        kept = torch.load(state, weights_only=True)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        mean, begun = kept["mean"], int(kept["step"])
        random.set_state(kept["random"])
        torch.set_rng_state(kept["missing"])
    means = CodeMeans(net)
    if begun > 0:
        means.count, means.sums = kept["count"], kept["sums"]
    else:
        chosen = torch.randint(len(truth.material), (len(net.codebook.codes),), generator=random)
        net.codebook.numbers.copy_(truth.numbers[truth.material[chosen]])
        means.sums = net.codebook.numbers * means.count[:, None]
    drawn = rarity(scenes, photos)[photos.material] * (0.3 + 0.7 * photos.weight)
    started, seen = time.monotonic(), dict[str, float]()
    done = True
    for step in range(begun, config.steps):
        rate = config.rate * min(1.0, (step + 1) / config.warm) * (1 - 0.98 * step / config.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate
        dev = deviation(step, config)
        net.train()
        at = torch.randint(len(scenes), (config.scenes,), generator=random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        loss, parts, used = scene_loss(net, scenes, truth, at, mirrored, dev, means)
        at = draw(drawn, config.photos, random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        real = photo_loss(net, photos, truth, at, mirrored, dev, means)
        loss = loss + PHOTO_WEIGHT * real + config.even * even_loss(used)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        follow = min(0.998, (step + 1) / (step + 10))
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                mean[name].lerp_(value, 1 - follow)
        if step < config.steps / 2 and step % 20 == 19:
            means.revive(truth.numbers[truth.material], random)
        for name, value in {**parts, "photo": float(real.detach())}.items():
            seen[name] = 0.98 * seen.get(name, value) + 0.02 * value
        if (step + 1) % 50 == 0:
            spent = time.monotonic() - started
            told = " ".join(f"{name} {value:.3f}" for name, value in seen.items())
            print(f"{step + 1}/{config.steps} {spent / (step + 1 - begun):.2f} s  {told}", flush=True)
            if spent > minutes * 60:
                done = False
                break
        if step + 1 >= stop:
            done = step + 1 >= config.steps
            break
        if state is not None and ((step + 1) % 500 == 0):
            keep(state, net, optimiser, mean, means, step + 1, random)
    if state is not None:
        keep(state, net, optimiser, mean, means, step + 1 if begun < config.steps else begun, random)
    net.load_state_dict(mean)
    net.eval()
    return done


def keep(
    state: Path, net: nn.Module, optimiser: torch.optim.Optimizer, mean: dict[str, Tensor], means: CodeMeans, step: int,
    random: torch.Generator,
) -> None:  # fmt: skip
    state.parent.mkdir(parents=True, exist_ok=True)
    part = state.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean, "step": step,
                "count": means.count, "sums": means.sums, "random": random.get_state(),
                "missing": torch.get_rng_state()}, part)  # fmt: skip
    part.rename(state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of training.tap_features")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="file to resume from, and to keep the run in")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--shards", type=int, default=10**6, help="of renders, at most")
    parser.add_argument("--width", type=int, default=NetConfig.width)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    scenes = read_scenes(given.features, "train", given.shards)
    photos = read_photos(given.features, SOURCES, "train")
    print(f"{len(scenes)} scenes with {len(scenes.things)} things, {len(photos)} photographs", flush=True)
    net = PhysicsNet(NetConfig(width=given.width))
    set_scales(net, scenes, photos)
    done = train(net, scenes, photos, TrainConfig(steps=given.steps, seed=given.seed), given.state, given.minutes)
    count_votes(net, scenes, photos)
    save_net(net, given.out)
    print(json.dumps({"done": done, "out": str(given.out)}))


if __name__ == "__main__":
    main()
