"""How far the physics adapter's doubts are to be believed: temperatures, fitted on scenes that taught it nothing.

    python -m training.impact.calibrate --features runs/tap_features --of apart --checkpoint checkpoints/tap

A network is surer of what it never saw than it has reason to be (C. Guo et al. 2017, On calibration of modern neural
networks, ICML). One temperature each for codes, shapes and extents, under which what is true is likeliest. The scenes
are those of the split "val" of a folder of renders of their own: no figure is measured on them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.impact.physics_net import BY_SHAPE, DOUBTED, PhysicsNet
from synesthesia.impact.predictor import ImpactPredictor, save_net
from training.impact.data import Scenes, cell_weights, read_in_half, read_scenes

STEPS = torch.logspace(-0.3, 0.8, 45, base=10.0)  # temperatures that are tried


def likeliest(score: Callable[[float], float]) -> float:
    """The temperature of the highest score."""
    return max(STEPS.tolist(), key=score)


@torch.inference_mode()
def fit_doubts(net: PhysicsNet, scenes: Scenes, batch: int = 25) -> dict[str, float]:
    """Sets net.doubts; the temperatures by name. Every thing weighs as much as in training."""
    net.eval()
    net.doubts.fill_(1.0)
    cells, rows, weights = [], [], []
    for at in torch.arange(len(scenes)).split(batch):
        thing = scenes.thing[at]
        there = thing >= 0
        cells.append(read_in_half(net, scenes.pictures.views(at)).rows(there))
        rows.append(scenes.things[thing[there]])
        weights.append(cell_weights(thing)[there])
    weight, truth = torch.cat(weights), torch.cat(rows)
    material, shape = truth[:, 1].long(), truth[:, 2].long()
    at = torch.arange(len(truth))

    def mean(likelihoods: Tensor) -> float:
        return float((weight * likelihoods).sum() / weight.sum())

    codes, shapes = (torch.cat([getattr(read, part) for read in cells]) for part in ("codes", "shape"))
    of_shape = shape.split([len(read.shape) for read in cells])
    extents = [
        torch.cat([read.by_shape[k][torch.arange(len(of)), of] for read, of in zip(cells, of_shape, strict=True)])
        for k in range(len(BY_SHAPE))
    ]
    targets = [scale.target(values) for scale, values in zip(BY_SHAPE, truth[:, 3:7].unbind(dim=1), strict=True)]

    def of_codes(t: float) -> float:
        shares = (codes / t).softmax(dim=1) @ net.codebook.votes
        return mean((shares[at, material] + 1e-6).log())

    def of_shapes(t: float) -> float:
        return mean((shapes / t).log_softmax(dim=1)[at, shape])

    def of_extents(t: float) -> float:
        pairs = zip(extents, targets, strict=True)
        return sum(mean(((part / t).log_softmax(dim=1) * target).sum(dim=1)) for part, target in pairs)

    found = [likeliest(score) for score in (of_codes, of_shapes, of_extents)]
    net.doubts.copy_(torch.tensor(found))
    return dict(zip(DOUBTED, found, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, required=True, help="folder of training.impact.features")
    parser.add_argument("--of", required=True, help="name of the folder of renders")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    net = ImpactPredictor.load(given.checkpoint).net
    print(json.dumps(fit_doubts(net, read_scenes(given.features, "val", of=given.of))))
    save_net(net, given.checkpoint)


if __name__ == "__main__":
    main()
