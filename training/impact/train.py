"""Physics adapter of the path "tap": frozen features -> material code, shape, extents, strike point, by max likelihood.

    python -m tools.blender.scenes --out renders --count 1400 --samples 8
    python -m tools.blender.scenes --out crowds --count 800 --samples 4 --px 320 --seed 2 --crowded
    python -m tools.blender.scenes --out more --count 900 --samples 4 --px 256 --seed 3 --crowded --more-surfaces
    python -m training.impact.features --renders renders crowds more --data DIR --out runs/tap_features
    python -m training.impact.train --features runs/tap_features --out checkpoints/tap --minutes 30

Renders supervise everything, photographs the material of the object in their centre. Late layers would memorise
rendered scenes, so a render mostly gets those of another render or none, a photograph mostly its own. No material's
name is a target: the target is what a material does to a sound (density, stiffness, damping, residual noise), and the
codebook's mixture has to give it a high density, with a deviation that shrinks during training. Names are counted
afterwards (`codebook.count_materials`). Resumes from --runs.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.physics_net import ALONG, BY_SHAPE, PhysicsNet
from synesthesia.impact.predictor import ImpactPredictor, save_net
from training.common.cli import run
from training.common.fit import Step
from training.impact import trainer
from training.impact.codebook import CodebookEma, count_materials
from training.impact.data import PhotoData, SceneData, cell_weights, centre_weights, forward_bf16, mirror

PHOTO_LATE = 0.75  # share of the photographs that keep their late layers
SMOOTHING = 0.02  # label smoothing over the codes, so that no patch costs more than a few nats
RESTART_EVERY = 20  # steps, in the first half of the run


@dataclass(frozen=True)
class PhysicsTraining(trainer.Optimisation):
    """scenes, photos: per step; deviations: of the property mixture at the start and from the middle on; balancing:
    weight of the load-balancing loss; pretrained: the net starts from trained weights and keeps its codebook."""

    scenes: int = 16
    photos: int = 12
    deviations: tuple[float, float] = (0.35, 0.15)
    balancing: float = 0.1
    pretrained: bool = False

    def deviation(self, step: int) -> float:
        return trainer.interpolate_geometric(self.deviations, 1.0 if self.pretrained else step / (self.steps / 2))


class PhysicsTargets:
    """Targets of all objects, computed once. properties: (M, P) of each material, standardised; of each object (T,) its
    material and shape, and for each of BY_SHAPE (T, bins)."""

    def __init__(self, scenes: SceneData, net: PhysicsNet) -> None:
        columns = scenes.objects.unbind(dim=1)
        self.properties = net.codebook.standardised(Properties.of(list(MATERIALS)))
        self.material, self.shape = columns[1].long(), columns[2].long()
        self.by_shape = tuple(scale.target(values) for scale, values in zip(BY_SHAPE, columns[3:7], strict=True))


@dataclass(frozen=True)
class Objective:
    """The losses of one step. deviation: of the property mixture."""

    net: PhysicsNet
    targets: PhysicsTargets
    codebook: CodebookEma
    deviation: float

    def material_loss(self, codes: Tensor, material: Tensor, weights: Tensor) -> Tensor:
        """Negative log density of the materials' properties under the codes' mixture (N, K); updates the codebook."""
        target = self.targets.properties[material]
        joint = self.net.codebook.joint(smooth_labels(codes), target, self.deviation)
        self.codebook.update(self.net.codebook, joint.detach(), target, weights)
        return -(weights * joint.logsumexp(dim=1)).sum()

    def scene_loss(
        self, scenes: SceneData, at: Tensor, mirrored: Tensor, late: Tensor
    ) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """(loss, its parts, mean probabilities of the codes (K,))."""
        posterior = forward_bf16(self.net, scenes.pictures.views(at, mirrored, late))
        rows, points = mirror(scenes.object_at[at], mirrored), mirror(scenes.points[at], mirrored)
        solid = rows >= 0
        patches, objects, points = posterior.rows(solid), rows[solid], points[solid]
        weights = cell_weights(rows)[solid]
        weights = weights / weights.sum()
        shape = self.targets.shape[objects]

        def cross_entropy(log_probabilities: Tensor, target: Tensor) -> Tensor:
            return -(weights * (log_probabilities * target).sum(dim=1)).sum()

        extents = [
            cross_entropy(part[torch.arange(len(shape)), shape], target[objects])
            for part, target in zip(patches.by_shape, self.targets.by_shape, strict=True)
        ]
        at_point = [
            cross_entropy(part, ALONG.target(points[:, k])) for k, part in enumerate((patches.along, patches.across))
        ]
        parts = {
            "material": self.material_loss(patches.codes, self.targets.material[objects], weights),
            "solid": F.nll_loss(posterior.solid.flatten(0, 1), solid.long().flatten()),
            "shape": (weights * F.nll_loss(patches.shape, shape, reduction="none")).sum(),
            "size": extents[0],
            "thickness": extents[3],
            "along": at_point[0],
        }
        loss = parts["material"] + 0.5 * parts["solid"] + 0.5 * parts["shape"]
        loss = loss + 0.5 * extents[0] + 0.25 * sum(extents[1:]) + 0.1 * sum(at_point)
        return loss, parts, (weights[:, None] * patches.codes.exp()).sum(dim=0)

    def photo_loss(self, photos: PhotoData, at: Tensor, mirrored: Tensor, late: Tensor) -> Tensor:
        posterior = forward_bf16(self.net, photos.pictures.views(at, mirrored, late))
        centre = centre_weights()
        used = centre > 0.1 * centre.max()
        centre = centre[used] / centre[used].sum()
        material = photos.material[at]
        known = material >= 0
        solid = F.nll_loss(posterior.solid[:, used].transpose(1, 2), known.long()[:, None].expand(-1, len(centre)))
        weights = (photos.weight[at][known][:, None] * centre / len(at)).flatten()
        codes = posterior.codes[known][:, used].flatten(0, 1)
        return 0.3 * solid + self.material_loss(codes, material[known].repeat_interleave(len(centre)), weights)


def smooth_labels(codes: Tensor) -> Tensor:
    """(N, K) log probabilities, mixed with a uniform distribution."""
    least = torch.tensor(math.log(SMOOTHING / codes.shape[1]))
    return torch.logaddexp(codes + math.log(1 - SMOOTHING), least)


def load_balancing_loss(usage: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the codes' usage (K,) from uniform usage, in nats."""
    return (usage * (usage + 1e-9).log()).sum() + torch.log(torch.tensor(float(len(usage))))


def train(
    net: PhysicsNet, scenes: SceneData, photos: PhotoData, config: PhysicsTraining, runs: Path | None = None,
    minutes: float = math.inf, stop_at: int | None = None,
) -> bool:  # fmt: skip
    """One run, or its next part until `minutes` are over or step `stop_at` is reached. True when all steps are done."""
    targets, codebook = PhysicsTargets(scenes, net), CodebookEma(net.codebook)
    random = torch.Generator().manual_seed(config.seed)
    torch.manual_seed(config.seed)
    of_objects = targets.properties[targets.material]
    if not config.pretrained:
        chosen = torch.randint(len(of_objects), (len(net.codebook.codes),), generator=random)
        codebook.reset(net.codebook, of_objects[chosen])
    photo_weights = trainer.photo_sampling_weights(photos)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        if step.number and step.number - 1 < config.steps / 2 and step.number % RESTART_EVERY == 0:
            codebook.restart_unused(net.codebook, of_objects, random)
        objective = Objective(net, targets, codebook, config.deviation(step.number))
        at = torch.randint(len(scenes), (config.scenes,), generator=random)
        mirrored = trainer.sample_mirrored(len(at), random)
        late = trainer.sample_late_rows(scenes.pictures, at, 1.0, trainer.OTHER_LATE, random)
        rendered, parts, usage = objective.scene_loss(scenes, at, mirrored, late)
        at = trainer.sample(photo_weights, config.photos, random)
        mirrored = trainer.sample_mirrored(len(at), random)
        late = trainer.sample_late_rows(photos.pictures, at, PHOTO_LATE, 0.0, random)
        real = objective.photo_loss(photos, at, mirrored, late)
        loss = rendered + trainer.PHOTO_WEIGHT * real + config.balancing * load_balancing_loss(usage)
        return loss, parts | {"photo": real}

    kept = nn.ModuleDict({"net": net, "codebook": codebook})
    return trainer.run_fit(net, config, step_loss, random, kept=kept, runs=runs, minutes=minutes, stop_at=stop_at)


def main(options: trainer.ImpactTrainOptions) -> None:
    scenes, photos = trainer.read_training_data(options)
    net = PhysicsNet(trainer.net_config(scenes.pictures, options.width))
    if options.start:
        net.load_state_dict(ImpactPredictor.load(options.start).net.state_dict())
        net.temperatures.fill_(1.0)  # to be fitted again
    else:
        trainer.set_feature_scales(net, scenes, photos)
    config = PhysicsTraining(steps=options.steps, pretrained=options.start is not None, seed=options.seed)
    done = train(net, scenes, photos, config, options.runs, options.minutes)
    count_materials(net, scenes, photos)
    save_net(net, options.out)
    print(json.dumps({"done": done, "out": str(options.out)}))


if __name__ == "__main__":
    run(main, trainer.ImpactTrainOptions, __doc__)
