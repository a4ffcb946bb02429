"""Train the baseline of the path "tap" that has no state: frozen features -> modes and noise (`tap_direct`).

    python -m training.impact.train_direct --features runs/tap_features --out runs/tap_direct --minutes 30

It learns from the pictures that `training.impact.train` learns from, but what it is told of them is only how they sound:
a few places of every render are struck once, with a force and a mallet of their own, and what the net says there has
to have the same energies over bands and time. Of a photograph only the material in the middle is known; there a random
training thing of that material is struck instead. Resumes from --runs.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from synesthesia.impact.modal.contact import MALLETS
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import struck_modes
from synesthesia.impact.modal.things import MATERIALS, MAX_SIZE_M, SHAPES
from synesthesia.impact.modal.vibration import Body
from synesthesia.impact.physics_net import BackboneFeatures
from synesthesia.impact.predictor import ImpactPredictor
from training.common.run_state import Ema, TimeBudget, load_state, save_state
from training.impact.band_energies import Parts, apart_db, energies, parts_of
from training.impact.data import Photos, Scenes, belief, cell_weights, rarity
from training.impact.direct import DirectConfig, DirectNet, DirectPath
from training.impact.features import CELLS
from training.impact.train import (
    EMA,
    OTHERS_LATE,
    PHOTO_WEIGHT,
    Streams,
    adamw,
    arguments,
    draw,
    late_rows,
    net_config,
    set_scales,
    training_pictures,
)

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


def scene_loss(
    net: DirectNet, scenes: Scenes, known: SceneBlows, at: Tensor, mirrored: Tensor, width: float,
    late: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """at: (B,) rows of known.pictures; late: as `tap_data.Pictures.views`. Mean distance in dB."""
    cells = known.cells[at]
    cells = torch.where(mirrored[:, None], cells // CELLS * CELLS + CELLS - 1 - cells % CELLS, cells)
    count = cells.shape[1]
    true = known.blows.rows((at[:, None] * count + torch.arange(count)).flatten())
    return distance(net, scenes.pictures.views(known.pictures[at], mirrored, late), cells, true, width).mean()


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


def distance(net: DirectNet, views: BackboneFeatures, cells: Tensor, true: Blows, width: float) -> Tensor:
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


def train(net: DirectNet, scenes: Scenes, photos: Photos, config: TrainConfig, runs: Path | None = None,
          minutes: float = 1e9) -> bool:  # fmt: skip
    """One run, or the next part of it. True when all steps are done."""
    random = torch.Generator().manual_seed(config.seed)
    known = scene_blows(scenes, config.blows, random)
    blows, has_things = material_blows(scenes, config.kinds, random)
    print(f"{len(known.blows.force_n)} blows of what scenes show, {len(blows.force_n)} for photographs", flush=True)
    optimiser, streams = adamw(net, config.rate, config.decay), Streams()
    ema, kept = Ema(net, EMA), {"net": net, "streams": streams}
    begun = load_state(runs, kept, {"net": optimiser}, ema)[0] if runs else 0
    if begun > 0:
        streams.go_on(random)
    clock = TimeBudget(math.inf, config.steps, step=begun)
    drawn = (photos.material >= 0) * (rarity(photos)[1:] * has_things)[photos.material] * (0.3 + 0.7 * photos.weight)
    started, seen, step = time.monotonic(), dict[str, float](), begun
    while step < config.steps and time.monotonic() - started < minutes * 60:
        for group in optimiser.param_groups:
            group["lr"] = config.rate * min(1.0, (step + 1) / config.warm) * (1 - 0.98 * step / config.steps)
        width = bell_width(step, config)
        net.train()
        torch.manual_seed(config.seed + step)  # of the features that a step does without, also after a rest
        at = torch.randint(len(known.pictures), (config.scenes,), generator=random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        late = late_rows(scenes.pictures, known.pictures[at], 1.0, OTHERS_LATE, random)
        rendered = scene_loss(net, scenes, known, at, mirrored, width, late)
        at = draw(drawn, config.photos, random)
        mirrored = torch.rand(len(at), generator=random) < 0.5
        real = photo_loss(net, photos, blows, at, mirrored, config.places, width, random)
        optimiser.zero_grad()
        (rendered + PHOTO_WEIGHT * real).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        ema.update(net)
        clock.step = step
        for name, value in (("renders", float(rendered.detach())), ("photographs", float(real.detach()))):
            seen[name] = 0.98 * seen.get(name, value) + 0.02 * value
        if step % 50 == 0 or step == config.steps:
            told = " ".join(f"{name} {value:.2f} dB" for name, value in seen.items())
            print(f"{step}/{config.steps} {(time.monotonic() - started) / (step - begun):.2f} s  {told}", flush=True)
        if runs and step % 500 == 0:
            save_state(runs, kept, {"net": optimiser}, ema, streams.held(clock, random))
    if runs:
        save_state(runs, kept, {"net": optimiser}, ema, streams.held(clock, random))
    net.load_state_dict(ema.values)
    net.eval()
    return step >= config.steps


def main() -> None:
    given = arguments(__doc__)
    scenes, photos = training_pictures(given)
    net = DirectNet(DirectConfig(net_config(scenes.pictures, given.width)))
    if given.start:  # a head start for the baseline: what the state has taught the trunk
        net.trunk.load_state_dict(ImpactPredictor.load(given.start).net.state_dict(), strict=False)
    else:
        set_scales(net.trunk, scenes, photos)
    done = train(net, scenes, photos, TrainConfig(steps=given.steps, seed=given.seed), given.runs, given.minutes)
    DirectPath(net).save(given.out)
    print(json.dumps({"done": done, "out": str(given.out)}))


if __name__ == "__main__":
    main()
