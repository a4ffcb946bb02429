"""Train the baseline of the path "tap" that has no state: frozen features -> modes and noise (`tap_direct`).

    python -m training.train_tap_direct --features runs/tap_features --out runs/tap_direct --minutes 30

It learns from the pictures that `training.train_tap` learns from, but what it is told of them is only how they sound:
a few places of every render are struck once, with a force and a mallet of their own, and what the net says there has
to have the same energies over bands and time. Of a photograph only the material in the middle is known; there a random
training thing of that material is struck instead. Resumes from --state.
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

from synesthesia.hearing.physics_net import NetConfig, Views
from synesthesia.striking.contact import MALLETS
from synesthesia.striking.materials import Properties
from synesthesia.striking.strike import struck_modes
from synesthesia.striking.things import MATERIALS, MAX_SIZE_M, SHAPES
from synesthesia.striking.vibration import Body
from training.tap_data import Photos, Scenes, belief, cell_weights, rarity, read_photos, read_scenes
from training.tap_direct import DirectConfig, DirectNet, DirectPath
from training.tap_features import CELLS
from training.tap_sounds import Parts, apart_db, energies, parts_of
from training.train_tap import PHOTO_WEIGHT, SOURCES, draw, set_scales

FORCES_N = (1.0, 30.0)
AT_ONCE = 400  # blows that are worked out together
MOVABLE_M = 0.99 * MAX_SIZE_M  # floors and walls are larger: no photograph has one in its middle


@dataclass(frozen=True)
class TrainConfig:
    """blows: a scene, and a step takes all of its scenes'; kinds: blows of each material that photographs are given,
    places: of each photograph a step; widths: of the bells, in bands, at the beginning and from two thirds on."""

    steps: int = 4000
    scenes: int = 12
    photos: int = 6
    blows: int = 8
    kinds: int = 300
    places: int = 4
    rate: float = 1.5e-3
    decay: float = 0.05
    warm: int = 200
    widths: tuple[float, float] = (4.0, 0.7)
    seed: int = 0


@dataclass(frozen=True)
class Blows:
    """R blows and what they sound like. force_n: (R,); mallet: (R,) numbers of MALLETS."""

    force_n: Tensor
    mallet: Tensor
    parts: Parts

    def rows(self, at: Tensor) -> Blows:
        return Blows(self.force_n[at], self.mallet[at], self.parts.rows(at))


@dataclass(frozen=True)
class SceneBlows:
    """pictures: (S,) scenes that show anything; cells: (S, n) struck cells of each; blows: S * n rows."""

    pictures: Tensor
    cells: Tensor
    blows: Blows


@torch.no_grad()
def struck(things: Tensor, place: Tensor, random: torch.Generator) -> Blows:
    """(R, 8) rows of `Scenes.things`, (R, 2) places on them -> one blow each, of a random force and mallet."""
    low, high = (math.log(force) for force in FORCES_N)
    force = torch.exp(low + (high - low) * torch.rand(len(things), generator=random))
    mallet = torch.randint(len(MALLETS), (len(things),), generator=random)
    order, parts = [], []
    for number, name in enumerate(MALLETS):
        for at in (mallet == number).nonzero()[:, 0].split(AT_ONCE):
            if not len(at):
                continue
            _, material, shape, size, middle, least, thickness, _ = things[at].unbind(dim=1)
            modes = struck_modes(
                [SHAPES[k] for k in shape.long().tolist()], Body(size, middle, least, thickness),
                Properties.of([MATERIALS[k] for k in material.long().tolist()]), place[at], force[at], name,
            )  # fmt: skip
            parts.append(parts_of(modes, seed=int(torch.randint(2**31, (), generator=random))))
            order.append(at)
    return Blows(force, mallet, Parts.joined(parts).rows(torch.cat(order).argsort()))


def scene_blows(scenes: Scenes, count: int, random: torch.Generator) -> SceneBlows:
    """`count` cells of every scene, small things as often as large ones, and a blow on each."""
    shown = (scenes.thing >= 0).any(dim=1).nonzero()[:, 0]
    cells = torch.cat([draw(cell_weights(scenes.thing[at]), count, random) for at in shown.split(64)])
    thing, place = scenes.thing[shown[:, None], cells], scenes.place[shown[:, None], cells]
    return SceneBlows(shown, cells, struck(scenes.things[thing.flatten()], place.flatten(0, 1), random))


def material_blows(scenes: Scenes, count: int, random: torch.Generator) -> tuple[Blows, Tensor]:
    """(M * count rows: `count` blows of each material's things, anywhere on them; (M,) whether there are such things).
    Floors and walls only where a material has nothing else."""
    material, movable = scenes.things[:, 1].long(), scenes.things[:, 3] < MOVABLE_M
    rows, known = [], []
    for number in range(len(MATERIALS)):
        own = material == number
        kept = own & movable if bool((own & movable).any()) else own
        known.append(bool(own.any()))
        rows.append(draw(kept.float() if known[-1] else torch.ones(len(material)), count, random))
    at = torch.cat(rows)
    return struck(scenes.things[at], torch.rand(len(at), 2, generator=random), random), torch.tensor(known)


def scene_loss(net: DirectNet, scenes: Scenes, known: SceneBlows, at: Tensor, mirrored: Tensor, width: float) -> Tensor:
    """at: (B,) rows of known.pictures. Mean distance in dB."""
    cells = known.cells[at]
    cells = torch.where(mirrored[:, None], cells // CELLS * CELLS + CELLS - 1 - cells % CELLS, cells)
    count = cells.shape[1]
    true = known.blows.rows((at[:, None] * count + torch.arange(count)).flatten())
    return distance(net, scenes.pictures.views(known.pictures[at], mirrored), cells, true, width).mean()


def photo_loss(
    net: DirectNet, photos: Photos, blows: Blows, at: Tensor, mirrored: Tensor, places: int, width: float,
    random: torch.Generator,
) -> Tensor:  # fmt: skip
    """blows: as `material_blows` gives them. Mean distance in dB, of surely paired photographs more than of others."""
    cells = draw(belief().expand(len(at), -1), places, random)
    kinds = len(blows.force_n) // len(MATERIALS)
    which = photos.material[at][:, None] * kinds + torch.randint(kinds, cells.shape, generator=random)
    apart = distance(net, photos.pictures.views(at, mirrored), cells, blows.rows(which.flatten()), width)
    return (apart.view(cells.shape).mean(dim=1) * photos.weight[at]).mean()


def distance(net: DirectNet, views: Views, cells: Tensor, true: Blows, width: float) -> Tensor:
    """(B, n) cells, B * n true blows on them -> (B * n,) dB. The trunk works in bfloat16, all else in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        tokens = net.tokens(views)
    patches = tokens[torch.arange(len(cells))[:, None], cells].flatten(0, 1).float()
    made = net(patches, true.force_n, true.mallet)
    return apart_db(energies(made, width), energies(true.parts, width))


def bell_width(step: int, config: TrainConfig) -> float:
    part = min(1.0, step / (config.steps * 2 / 3))
    first, last = config.widths
    return first * (last / first) ** part


def train(net: DirectNet, scenes: Scenes, photos: Photos, config: TrainConfig, state: Path | None = None,
          minutes: float = 1e9) -> bool:  # fmt: skip
    """One run, or the next part of it. True when all steps are done."""
    random = torch.Generator().manual_seed(config.seed)
    known = scene_blows(scenes, config.blows, random)
    blows, has_things = material_blows(scenes, config.kinds, random)
    print(f"{len(known.blows.force_n)} blows of what scenes show, {len(blows.force_n)} for photographs", flush=True)
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
        mean, begun = kept["mean"], kept["step"]
        random.set_state(kept["random"])
    drawn = (rarity(scenes, photos) * has_things)[photos.material] * (0.3 + 0.7 * photos.weight)
    started, seen, step = time.monotonic(), dict[str, float](), begun
    while step < config.steps and time.monotonic() - started < minutes * 60:
        for group in optimiser.param_groups:
            group["lr"] = config.rate * min(1.0, (step + 1) / config.warm) * (1 - 0.98 * step / config.steps)
        width = bell_width(step, config)
        net.train()
        torch.manual_seed(config.seed + step)  # of the features that a step does without, also after a rest
        at = torch.randint(len(known.pictures), (config.scenes,), generator=random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        rendered = scene_loss(net, scenes, known, at, mirrored, width)
        at = draw(drawn, config.photos, random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        real = photo_loss(net, photos, blows, at, mirrored, config.places, width, random)
        optimiser.zero_grad()
        (rendered + PHOTO_WEIGHT * real).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        for name, value in net.state_dict().items():
            mean[name].lerp_(value, 1 - min(0.998, step / (step + 9)))
        for name, value in (("renders", float(rendered.detach())), ("photographs", float(real.detach()))):
            seen[name] = 0.98 * seen.get(name, value) + 0.02 * value
        if step % 50 == 0 or step == config.steps:
            told = " ".join(f"{name} {value:.2f} dB" for name, value in seen.items())
            print(f"{step}/{config.steps} {(time.monotonic() - started) / (step - begun):.2f} s  {told}", flush=True)
        if state is not None and step % 500 == 0:
            keep(state, net, optimiser, mean, step, random)
    if state is not None:
        keep(state, net, optimiser, mean, step, random)
    net.load_state_dict(mean)
    net.eval()
    return step >= config.steps


def keep(state: Path, net: nn.Module, optimiser: torch.optim.Optimizer, mean: dict[str, Tensor], step: int,
         random: torch.Generator) -> None:  # fmt: skip
    state.parent.mkdir(parents=True, exist_ok=True)
    part = state.with_suffix(".part")
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "mean": mean, "step": step,
                "random": random.get_state()}, part)  # fmt: skip
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
    net = DirectNet(DirectConfig(NetConfig(width=given.width)))
    set_scales(net.trunk, scenes, photos)
    done = train(net, scenes, photos, TrainConfig(steps=given.steps, seed=given.seed), given.state, given.minutes)
    DirectPath(net).save(given.out)
    print(json.dumps({"done": done, "out": str(given.out)}))


if __name__ == "__main__":
    main()
