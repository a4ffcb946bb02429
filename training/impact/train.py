"""Train the physics adapter of the path "tap": frozen features -> material code, shape, size, place.

    python -m tools.blender.scenes --out renders --count 1400 --samples 8
    python -m tools.blender.scenes --out crowds --count 800 --samples 4 --px 320 --seed 2 --crowded
    python -m tools.blender.scenes --out more --count 900 --samples 4 --px 256 --seed 3 --crowded --more-surfaces
    python -m training.impact.features --renders renders crowds more --data DIR --out runs/tap_features
    python -m training.impact.train --features runs/tap_features --out checkpoints/tap --minutes 30

Renders teach everything, photographs the material of the thing in their middle. Late layers would remember rendered
scenes, so a scene mostly goes with another scene's or with none, a photograph mostly with its own. No material's name
is used: a patch's target is what its material does to a sound (density, stiffness, damping, residual noise), and the
codebook's mixture has to give that point a high density, with a deviation that shrinks while it learns. Names are
counted afterwards (`training.impact.code_names`). Resumes from --runs.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.physics_net import ALONG, BY_SHAPE, PhysicsNet, PhysicsNetConfig
from synesthesia.impact.predictor import ImpactPredictor, save_net
from training.common.run_state import Ema, TimeBudget, load_state, save_state
from training.impact.code_names import count_votes
from training.impact.data import (
    Photos,
    Pictures,
    Scenes,
    belief,
    cell_weights,
    mirror,
    rarity,
    read_in_half,
    read_photos,
    read_scenes,
)
from training.impact.features import SOURCES, TAUGHT

PHOTO_WEIGHT = 0.7
PHOTO_LATE = 0.75  # share of the photographs that are seen with their late layers
OTHERS_LATE = 0.5  # share of the scenes without late layers of their own that are seen with another scene's
EASE = 0.02  # share of every code's, so that no patch costs more than a few nats, right label or wrong
EMA = 0.998


@dataclass(frozen=True)
class TrainConfig:
    """deviations: of the properties' mixture at the beginning and from the middle on; steps: all told."""

    steps: int = 4000
    scenes: int = 16
    photos: int = 12
    rate: float = 1.5e-3
    decay: float = 0.05
    warm: int = 200
    deviations: tuple[float, float] = (0.35, 0.15)
    even: float = 0.1  # of the loss that wants all codes in use
    learned: bool = False  # whether the net has been trained before, on other pictures perhaps
    seed: int = 0


class Truth:
    """Targets of every thing of a split, computed once."""

    def __init__(self, scenes: Scenes, net: PhysicsNet) -> None:
        columns = scenes.things.unbind(dim=1)
        self.numbers = net.codebook.scaled(Properties.of(list(MATERIALS)))  # (M, P)
        self.material, self.shape = columns[1].long(), columns[2].long()
        self.by_shape = tuple(scale.target(values) for scale, values in zip(BY_SHAPE, columns[3:7], strict=True))


class CodeMeans(nn.Module):
    """The M-step of the codebook: each code's properties are the mean of those of the patches that it explains, over
    the last few hundred steps (as van den Oord et al. 2017, appendix A.1). A code that explains nothing begins anew."""

    KEEP, LEAST = 0.99, 2e-4
    count: Tensor
    sums: Tensor

    def __init__(self, net: PhysicsNet) -> None:
        super().__init__()
        self._book = (net.codebook,)  # in a tuple: no part of this one
        codes = len(self.book.codes)
        self.register_buffer("count", torch.full((codes,), 1 / codes))
        self.register_buffer("sums", self.book.numbers / codes)

    @property
    def book(self) -> MaterialCodebook:
        return self._book[0]

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
    part = 1.0 if config.learned else min(1.0, step / (config.steps / 2))
    first, last = config.deviations
    return first * (last / first) ** part


def scene_loss(
    net: PhysicsNet, scenes: Scenes, truth: Truth, at: Tensor, mirrored: Tensor, late: Tensor, dev: float,
    means: CodeMeans,
) -> tuple[Tensor, dict[str, float], Tensor]:  # fmt: skip
    """(loss, its parts, mean shares of the codes (K,))."""
    read = read_in_half(net, scenes.pictures.views(at, mirrored, late))
    thing, place = mirror(scenes.thing[at], mirrored), mirror(scenes.place[at], mirrored)
    weights = cell_weights(thing)
    there = thing >= 0
    solid = F.nll_loss(read.solid.flatten(0, 1), there.long().flatten())
    cells, w, t = read.rows(there), weights[there], thing[there]
    w = w / w.sum()
    joint = net.codebook.joint(eased(cells.codes), truth.numbers[truth.material[t]], dev)
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


def photo_loss(
    net: PhysicsNet, photos: Photos, truth: Truth, at: Tensor, mirrored: Tensor, late: Tensor, dev: float,
    means: CodeMeans,
) -> Tensor:  # fmt: skip
    read = read_in_half(net, photos.pictures.views(at, mirrored, late))
    bell = belief()
    seen = bell > 0.1 * bell.max()
    material, bell = photos.material[at], bell[seen] / bell[seen].sum()
    struck = material >= 0
    solid = F.nll_loss(read.solid[:, seen].transpose(1, 2), struck.long()[:, None].expand(-1, len(bell)))
    wanted = truth.numbers[material[struck]][:, None].expand(-1, len(bell), -1).flatten(0, 1)
    joint = net.codebook.joint(eased(read.codes[struck][:, seen].flatten(0, 1)), wanted, dev)
    w = (photos.weight[at][struck][:, None] * bell / len(at)).flatten()
    means.add(joint.detach(), wanted, w)
    return 0.3 * solid - (w * joint.logsumexp(dim=1)).sum()


def eased(codes: Tensor) -> Tensor:
    """(N, K) logarithms of shares with a little for every code."""
    least = torch.tensor(math.log(EASE / codes.shape[1]))
    return torch.logaddexp(codes + math.log(1 - EASE), least)


def late_rows(pictures: Pictures, at: Tensor, own: float, others: float, random: torch.Generator) -> Tensor:
    """(B,) rows of late layers to go with pictures `at`, -1 for none: with the chance `own` their own, else with the
    chance `others` some other picture's."""
    is_own = (pictures.late[at] >= 0) & (torch.rand(len(at), generator=random) < own)
    another = torch.randint(len(pictures.features), (len(at),), generator=random)
    another = torch.where(torch.rand(len(at), generator=random) < others, another, -1)
    return torch.where(is_own, pictures.late[at], another)


def even_loss(used: Tensor) -> Tensor:
    """How far the codes' use is from even use, in nats."""
    return (used * (used + 1e-9).log()).sum() + torch.log(torch.tensor(float(len(used))))


def draw(weights: Tensor, count: int, random: torch.Generator) -> Tensor:
    return torch.multinomial(weights, count, replacement=True, generator=random)


def set_scales(net: PhysicsNet, scenes: Scenes, photos: Photos) -> None:
    """The features' deviations from zero, over both kinds of picture."""

    def root(both: list[Tensor], over: tuple[int, ...]) -> Tensor:
        squares = [part[:: max(1, len(part) // 300)].float().square().mean(dim=over) for part in both if len(part)]
        return torch.stack(squares).mean(dim=0).sqrt().clamp(min=1e-3)

    kinds = (scenes.pictures, photos.pictures)
    net.feature_scale.copy_(root([kind.features for kind in kinds], (0, 1)))
    for level in range(len(net.config.early)):
        scale = root([kind.early[level] for kind in kinds], (0, 2, 3))
        net.tower.get_buffer(f"scale{level}").copy_(scale[:, None, None])


def train(net: PhysicsNet, scenes: Scenes, photos: Photos, config: TrainConfig, runs: Path | None = None,
          minutes: float = 1e9, stop: int = 10**9) -> bool:  # fmt: skip
    """One run, or the next part of it, until `minutes` are over or step `stop` is reached. True when all steps are
    done. A net that has learned before (`TrainConfig.learned`) keeps its codebook."""
    truth = Truth(scenes, net)
    random = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)
    optimiser, means, streams = adamw(net, config.rate, config.decay), CodeMeans(net), Streams()
    ema, kept = Ema(net, EMA), {"net": net, "means": means, "streams": streams}
    begun = load_state(runs, kept, {"net": optimiser}, ema)[0] if runs else 0
    if begun > 0:
        streams.go_on(random)
    elif not config.learned:
        chosen = torch.randint(len(truth.material), (len(net.codebook.codes),), generator=random)
        net.codebook.numbers.copy_(truth.numbers[truth.material[chosen]])
        means.sums.copy_(net.codebook.numbers * means.count[:, None])
    clock = TimeBudget(math.inf, config.steps, step=begun)
    drawn = rarity(photos)[photos.material + 1] * (0.3 + 0.7 * photos.weight)
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
        late = late_rows(scenes.pictures, at, 1.0, OTHERS_LATE, random)
        loss, parts, used = scene_loss(net, scenes, truth, at, mirrored, late, dev, means)
        at = draw(drawn, config.photos, random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        late = late_rows(photos.pictures, at, PHOTO_LATE, 0.0, random)
        real = photo_loss(net, photos, truth, at, mirrored, late, dev, means)
        loss = loss + PHOTO_WEIGHT * real + config.even * even_loss(used)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        ema.update(net)
        clock.step = step + 1
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
        if runs and clock.step % 500 == 0:
            save_state(runs, kept, {"net": optimiser}, ema, streams.held(clock, random))
    if runs:
        save_state(runs, kept, {"net": optimiser}, ema, streams.held(clock, random))
    net.load_state_dict(ema.values)
    net.eval()
    return done


class Streams(nn.Module):
    """Where the random numbers of a run stand, as a part of its state."""

    drawn: Tensor
    missing: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("drawn", torch.get_rng_state())
        self.register_buffer("missing", torch.get_rng_state())

    def held(self, clock: TimeBudget, random: torch.Generator) -> TimeBudget:
        """Notes where they stand at this moment of the clock."""
        self.drawn.copy_(random.get_state())
        self.missing.copy_(torch.get_rng_state())
        return clock

    def go_on(self, random: torch.Generator) -> None:
        random.set_state(self.drawn)
        torch.set_rng_state(self.missing)


def adamw(net: nn.Module, rate: float, decay: float) -> torch.optim.AdamW:
    """Decay for matrices alone."""
    matrices = [p for p in net.parameters() if p.ndim >= 2]
    others = [p for p in net.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


def arguments(about: str | None) -> argparse.Namespace:
    """What both trainings of the path are told; sets threads and seed."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of training.impact.features")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--runs", type=Path, help="folder to resume from, and to keep the run in")
    parser.add_argument("--start", type=Path, help="folder of an adapter whose weights to begin with")
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--steps", type=int, default=TrainConfig.steps)
    parser.add_argument("--shards", type=int, default=10**6, help="of renders, at most")
    parser.add_argument("--sources", nargs="+", default=list(TAUGHT), choices=SOURCES, help="of photographs")
    parser.add_argument("--width", type=int, default=PhysicsNetConfig.width)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    return given


def training_pictures(given: argparse.Namespace) -> tuple[Scenes, Photos]:
    scenes = read_scenes(given.features, "train", given.shards)
    photos = read_photos(given.features, tuple(given.sources), "train")
    print(f"{len(scenes)} scenes with {len(scenes.things)} things, {len(photos)} photographs", flush=True)
    return scenes, photos


def net_config(pictures: Pictures, width: int) -> PhysicsNetConfig:
    """For the eyes that saw these."""
    early = tuple(layer.shape[1] for layer in pictures.early)
    return PhysicsNetConfig(pictures.features.shape[2], early, width)


def main() -> None:
    given = arguments(__doc__)
    scenes, photos = training_pictures(given)
    net = PhysicsNet(net_config(scenes.pictures, given.width))
    if given.start:
        net.load_state_dict(ImpactPredictor.load(given.start).net.state_dict())
        net.doubts.fill_(1.0)  # to be fitted anew
    else:
        set_scales(net, scenes, photos)
    config = TrainConfig(steps=given.steps, learned=given.start is not None, seed=given.seed)
    done = train(net, scenes, photos, config, given.runs, given.minutes)
    count_votes(net, scenes, photos)
    save_net(net, given.out)
    print(json.dumps({"done": done, "out": str(given.out)}))


if __name__ == "__main__":
    main()
