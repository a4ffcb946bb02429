"""Baseline of the path "tap" without a physics state (`direct_model`): features -> modes and noise, by spectral loss.

    python -m training.impact.train_direct --features runs/tap_features --out runs/tap_direct --minutes 30

It uses the pictures of `training.impact.train`, but supervises sounds alone: some points of every render are struck
once, with a sampled force and mallet, and the predicted sound has to have the same energies over bands and time. Of a
photograph only the material in the centre is known; there a random training object of that material is struck.
Resumes from --runs.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.core.vocabulary import MALLETS, MATERIALS, SHAPES
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import MAX_SIZE_M
from synesthesia.impact.modal.strike import excite_modes
from synesthesia.impact.modal.vibration import Body
from synesthesia.impact.physics_net import BackboneFeatures
from synesthesia.impact.predictor import ImpactPredictor
from training.common.cli import run
from training.common.fit import Step
from training.impact import trainer
from training.impact.band_energies import SinesAndNoise, band_energies, energy_distance_db, sines_and_noise
from training.impact.data import CELLS, PhotoData, SceneData, cell_weights, centre_weights
from training.impact.direct_model import DirectConfig, DirectModel, DirectNet

FORCES_N = (1.0, 30.0)
BATCH = 400  # strikes that are computed together
MOVABLE_M = 0.99 * MAX_SIZE_M  # grounds are larger: no photograph has one in its centre


@dataclass(frozen=True)
class DirectTraining(trainer.Optimisation):
    """scenes, photos: per step; strikes: per scene, fixed for the run; per_material: strikes of each material, from
    which photographs take theirs; points: of each photograph per step; widths: of the band kernels, in bands, at the
    start and from two thirds on."""

    scenes: int = 12
    photos: int = 6
    strikes: int = 8
    per_material: int = 300
    points: int = 4
    widths: tuple[float, float] = (4.0, 0.7)

    def kernel_width(self, step: int) -> float:
        return trainer.interpolate_geometric(self.widths, step / (self.steps * 2 / 3))


@dataclass(frozen=True)
class Strikes:
    """R strikes and their sounds. force_n: (R,); mallet: (R,) indices of MALLETS."""

    force_n: Tensor
    mallet: Tensor
    sounds: SinesAndNoise

    def rows(self, at: Tensor) -> Strikes:
        return Strikes(self.force_n[at], self.mallet[at], self.sounds.rows(at))


@dataclass(frozen=True)
class SceneStrikes:
    """pictures: (S,) scenes that show anything; cells: (S, n) struck patches of each; strikes: S * n rows."""

    pictures: Tensor
    cells: Tensor
    strikes: Strikes


@torch.no_grad()
def render_strikes(objects: Tensor, points: Tensor, random: torch.Generator) -> Strikes:
    """(R, 8) rows of `SceneData.objects`, (R, 2) strike points -> one strike each, of a random force and mallet."""
    low, high = (math.log(force) for force in FORCES_N)
    force = torch.exp(low + (high - low) * torch.rand(len(objects), generator=random))
    mallet = torch.randint(len(MALLETS), (len(objects),), generator=random)
    order, sounds = [], []
    for number, name in enumerate(MALLETS):
        for at in (mallet == number).nonzero()[:, 0].split(BATCH):
            if not len(at):
                continue
            _, material, shape, size, middle, least, thickness, _ = objects[at].unbind(dim=1)
            excited = excite_modes(
                [SHAPES[k] for k in shape.long().tolist()], Body(size, middle, least, thickness),
                Properties.of([MATERIALS[k] for k in material.long().tolist()]), points[at], force[at], name,
            )  # fmt: skip
            sounds.append(sines_and_noise(excited, seed=int(torch.randint(2**31, (), generator=random))))
            order.append(at)
    return Strikes(force, mallet, SinesAndNoise.concatenate(sounds).rows(torch.cat(order).argsort()))


def scene_strikes(scenes: SceneData, count: int, random: torch.Generator) -> SceneStrikes:
    """`count` strikes in every scene, on small objects as often as on large ones."""
    shown = (scenes.object_at >= 0).any(dim=1).nonzero()[:, 0]
    cells = torch.cat([trainer.sample(cell_weights(scenes.object_at[at]), count, random) for at in shown.split(64)])
    rows, points = scenes.object_at[shown[:, None], cells], scenes.points[shown[:, None], cells]
    return SceneStrikes(shown, cells, render_strikes(scenes.objects[rows.flatten()], points.flatten(0, 1), random))


def material_strikes(scenes: SceneData, count: int, random: torch.Generator) -> tuple[Strikes, Tensor]:
    """M * count rows, `count` strikes at random points of each material's objects, and (M,) whether there are any.
    Grounds are used only where a material has nothing else."""
    material, movable = scenes.objects[:, 1].long(), scenes.objects[:, 3] < MOVABLE_M
    rows, known = [], []
    for number in range(len(MATERIALS)):
        own = material == number
        usable = own & movable if bool((own & movable).any()) else own
        known.append(bool(own.any()))
        rows.append(trainer.sample(usable.float() if known[-1] else torch.ones(len(material)), count, random))
    at = torch.cat(rows)
    points = torch.rand(len(at), 2, generator=random)
    return render_strikes(scenes.objects[at], points, random), torch.tensor(known)


def struck_patches(known: SceneStrikes, at: Tensor, mirrored: Tensor) -> tuple[Tensor, Strikes]:
    """(B,) rows of known.pictures, which to flip -> (B, n) struck patches, and their strikes (B * n rows)."""
    cells = known.cells[at]
    count = cells.shape[1]
    cells = torch.where(mirrored[:, None], cells // CELLS * CELLS + CELLS - 1 - cells % CELLS, cells)
    return cells, known.strikes.rows((at[:, None] * count + torch.arange(count)).flatten())


def scene_loss(
    net: DirectNet, scenes: SceneData, known: SceneStrikes, at: Tensor, mirrored: Tensor, width: float,
    late: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """at: (B,) rows of known.pictures; late: as in `FeatureSet.views`. Mean distance in dB."""
    cells, target = struck_patches(known, at, mirrored)
    return net_distance_db(net, scenes.pictures.views(known.pictures[at], mirrored, late), cells, target, width).mean()


def photo_loss(
    net: DirectNet, photos: PhotoData, strikes: Strikes, at: Tensor, mirrored: Tensor, points: int, width: float,
    random: torch.Generator,
) -> Tensor:  # fmt: skip
    """strikes: from `material_strikes`. Mean distance in dB, weighted by the labels' confidence."""
    cells = trainer.sample(centre_weights().expand(len(at), -1), points, random)
    count = len(strikes.force_n) // len(MATERIALS)
    which = photos.material[at][:, None] * count + torch.randint(count, cells.shape, generator=random)
    views = photos.pictures.views(at, mirrored)
    apart = net_distance_db(net, views, cells, strikes.rows(which.flatten()), width)
    return (apart.view(cells.shape).mean(dim=1) * photos.weight[at]).mean()


def net_distance_db(net: DirectNet, views: BackboneFeatures, cells: Tensor, target: Strikes, width: float) -> Tensor:
    """(B, n) patches, B * n strikes on them -> (B * n,) dB. The trunk runs in bfloat16, all else in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        tokens = net.tokens(views)
    patches = tokens[torch.arange(len(cells))[:, None], cells].flatten(0, 1).float()
    sounds = net(patches, target.force_n, target.mallet)
    return energy_distance_db(band_energies(sounds, width), band_energies(target.sounds, width))


def train(
    net: DirectNet, scenes: SceneData, photos: PhotoData, config: DirectTraining, runs: Path | None = None,
    minutes: float = math.inf, stop_at: int | None = None,
) -> bool:  # fmt: skip
    """One run, or its next part until `minutes` are over or step `stop_at` is reached. True when all steps are done."""
    random = torch.Generator().manual_seed(config.seed)
    known = scene_strikes(scenes, config.strikes, random)
    strikes, has_objects = material_strikes(scenes, config.per_material, random)
    print(f"{len(known.strikes.force_n)} strikes in scenes, {len(strikes.force_n)} for photographs", flush=True)
    photo_weights = trainer.photo_sampling_weights(photos) * (photos.material >= 0) * has_objects[photos.material]

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        width = config.kernel_width(step.number)
        torch.manual_seed(config.seed + step.number)  # of the feature dropout
        at = torch.randint(len(known.pictures), (config.scenes,), generator=random)
        mirrored = trainer.sample_mirrored(len(at), random)
        late = trainer.sample_late_rows(scenes.pictures, known.pictures[at], 1.0, trainer.OTHER_LATE, random)
        rendered = scene_loss(net, scenes, known, at, mirrored, width, late)
        at = trainer.sample(photo_weights, config.photos, random)
        mirrored = trainer.sample_mirrored(len(at), random)
        real = photo_loss(net, photos, strikes, at, mirrored, config.points, width, random)
        return rendered + trainer.PHOTO_WEIGHT * real, {"renders_db": rendered, "photos_db": real}

    return trainer.run_fit(net, config, step_loss, random, kept=net, runs=runs, minutes=minutes, stop_at=stop_at)


def main(options: trainer.ImpactTrainOptions) -> None:
    scenes, photos = trainer.read_training_data(options)
    net = DirectNet(DirectConfig(trainer.net_config(scenes.pictures, options.width)))
    if options.start:  # the trunk starts from what the state has taught it
        net.trunk.load_state_dict(ImpactPredictor.load(options.start).net.state_dict(), strict=False)
    else:
        trainer.set_feature_scales(net.trunk, scenes, photos)
    config = DirectTraining(steps=options.steps, seed=options.seed)
    done = train(net, scenes, photos, config, options.runs, options.minutes)
    DirectModel(net).save(options.out)
    print(json.dumps({"done": done, "out": str(options.out)}))


if __name__ == "__main__":
    run(main, trainer.ImpactTrainOptions, __doc__)
