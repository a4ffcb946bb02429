"""Temperature scaling of the physics adapter (C. Guo et al. 2017, On calibration of modern neural networks, ICML).

    python -m training.impact.calibrate --features runs/tap_features --of apart --checkpoint checkpoints/tap

On pictures it was not trained on, a network is more confident than it has reason to be. One temperature each for codes,
shapes and extents maximises the likelihood of the truth on the split "val" of a folder of renders that is used for
nothing else: neither training nor figures.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.impact.physics_net import BY_SHAPE, CALIBRATED, PhysicsNet
from synesthesia.impact.predictor import ImpactPredictor, save_net
from training.common.cli import run
from training.impact.data import SceneData, cell_weights, forward_bf16, read_scenes

TEMPERATURES = torch.logspace(-0.3, 0.8, 45, base=10.0)  # that are tried


@dataclass(frozen=True)
class CalibrateConfig:
    features: Path  # folder of training.impact.features
    of: str  # name of the folder of renders
    checkpoint: Path
    threads: int = 2


def best_temperature(score: Callable[[float], float]) -> float:
    """The temperature with the highest score."""
    return max(TEMPERATURES.tolist(), key=score)


@torch.inference_mode()
def fit_temperatures(net: PhysicsNet, scenes: SceneData, batch: int = 25) -> dict[str, float]:
    """Sets net.temperatures and returns them by name. Objects are weighted as in training."""
    net.eval()
    net.temperatures.fill_(1.0)
    posteriors, objects, weights = [], [], []
    for at in torch.arange(len(scenes)).split(batch):
        rows = scenes.object_at[at]
        solid = rows >= 0
        posteriors.append(forward_bf16(net, scenes.pictures.views(at)).rows(solid))
        objects.append(scenes.objects[rows[solid]])
        weights.append(cell_weights(rows)[solid])
    weight, truth = torch.cat(weights), torch.cat(objects)
    material, shape = truth[:, 1].long(), truth[:, 2].long()
    at = torch.arange(len(truth))

    def mean(likelihoods: Tensor) -> float:
        return float((weight * likelihoods).sum() / weight.sum())

    codes, shapes = (torch.cat([getattr(one, part) for one in posteriors]) for part in ("codes", "shape"))
    extents = [torch.cat([one.by_shape[k] for one in posteriors])[at, shape] for k in range(len(BY_SHAPE))]
    targets = [scale.target(values) for scale, values in zip(BY_SHAPE, truth[:, 3:7].unbind(dim=1), strict=True)]

    def of_codes(t: float) -> float:
        shares = (codes / t).softmax(dim=1) @ net.codebook.material_shares
        return mean((shares[at, material] + 1e-6).log())

    def of_shapes(t: float) -> float:
        return mean((shapes / t).log_softmax(dim=1)[at, shape])

    def of_extents(t: float) -> float:
        pairs = zip(extents, targets, strict=True)
        return sum(mean(((part / t).log_softmax(dim=1) * target).sum(dim=1)) for part, target in pairs)

    found = [best_temperature(score) for score in (of_codes, of_shapes, of_extents)]
    net.temperatures.copy_(torch.tensor(found))
    return dict(zip(CALIBRATED, found, strict=True))


def main(config: CalibrateConfig) -> None:
    torch.set_num_threads(config.threads)
    net = ImpactPredictor.load(config.checkpoint).net
    print(json.dumps(fit_temperatures(net, read_scenes(config.features, "val", of=config.of))))
    save_net(net, config.checkpoint)


if __name__ == "__main__":
    run(main, CalibrateConfig, __doc__)
