"""The physics adapter: a photograph's frozen features -> an explicit physics state of every place, with its doubts.

The state comes first and is all that the sound is made from (`hearing.blow`): material code and the properties that
the code stands for, shape, extents, wall, place on the thing.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.results import Estimate, LabelScore, MaterialMap, PhysicsState
from synesthesia.impact.binned_variable import estimated
from synesthesia.impact.modal.things import MATERIALS, SHAPES, WALLED
from synesthesia.impact.physics_net import (
    ALONG,
    BY_SHAPE,
    BackboneFeatures,
    PhysicsNet,
    PhysicsNetConfig,
    PhysicsPosterior,
    grid_positions,
)
from synesthesia.nn.quantised import load_quantised, save_quantised

if TYPE_CHECKING:
    from synesthesia.impact.hypotheses import Hypothesis
    from synesthesia.vision.grid import PatchGrid

RING_HZ = 1000.0  # at which a ring time is told


class ImpactPredictor:
    """A trained PhysicsNet, and what a person is told of its readings."""

    def __init__(self, net: PhysicsNet) -> None:
        self.net = net.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path) -> ImpactPredictor:
        """Reads what `save_net` wrote. UserError when a file is missing."""
        try:
            told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            config = PhysicsNetConfig(**told | {"early": tuple(told["early"])})
            tensors = load_quantised(folder / "model.safetensors")
        except FileNotFoundError as error:
            raise UserError(f"The physics adapter's folder {folder} is incomplete; train it anew.") from error
        net = PhysicsNet(config)
        net.load_state_dict(tensors)
        return cls(net)

    @property
    def threshold(self) -> float:
        return self.net.config.threshold

    @torch.inference_mode()
    def read(self, grid: PatchGrid) -> PhysicsPosterior:
        """All R * C patches of a photograph, row by row. UserError when the features are another network's."""
        config = self.net.config
        early = tuple(layer.shape[0] for layer in grid.early)
        if (grid.features.shape[2], early) != (config.feature_dim, tuple(config.early)):
            raise UserError("The physics adapter was trained on features of another vision network.")
        read = self.net(backbone_features(grid))
        return read.rows(torch.zeros(1, dtype=torch.long)).rows(torch.tensor(0))

    def solid(self, read: PhysicsPosterior) -> Tensor:
        """(N,) in 0..1: how surely there is something to strike."""
        return read.solid[:, 1].exp()

    def shares(self, read: PhysicsPosterior) -> Tensor:
        """(N, M) shares of materials, sum to 1: those under each code, weighed by the codes' shares."""
        shares = read.codes.exp() @ self.net.codebook.votes
        return shares / shares.sum(dim=1, keepdim=True)  # votes were rounded to eight bits

    def materials(self, read: PhysicsPosterior, rows: int, cols: int) -> MaterialMap:
        name, purity = self.net.codebook.called()
        shape = (rows, cols)
        return MaterialMap(
            MATERIALS,
            self.shares(read).view(*shape, -1).numpy(),
            read.codes.argmax(dim=1).view(shape).numpy(),
            purity.numpy(),
            name.numpy(),
            self.solid(read).view(shape).numpy(),
        )

    def code(self, read: PhysicsPosterior, patch: int) -> tuple[int, str]:
        """The code of a patch: the likeliest of those that are called by the likeliest material, and its name."""
        name, _ = self.net.codebook.called()
        material = int(self.shares(read.patch(patch))[0].argmax())
        shares = read.codes[patch].exp() * (name == material)
        if not bool((shares > 0).any()):
            shares = read.codes[patch].exp()
        code = int(shares.argmax())
        return code, MATERIALS[int(name[code])]

    @torch.inference_mode()
    def state(self, read: PhysicsPosterior, patch: int, struck: Hypothesis) -> PhysicsState:
        """What one patch is taken for: names as the reading shares them out; numbers of the state that is struck, in
        intervals of all that may be there (of extents: in a thing of the struck shape)."""
        thing, own = struck.thing, struck.properties
        one = read.patch(patch)
        codes = self.net.codebook.properties(torch.arange(len(self.net.codebook.codes)))
        weights = one.codes[0].exp()
        shape = SHAPES.index(thing.shape)
        size, middle, least, thick = (
            scale.estimate(part[0, shape].exp()) for scale, part in zip(BY_SHAPE, one.by_shape, strict=True)
        )
        share = min(least.value, middle.value)  # as `possible`: no extent above the next one, no wall above half
        full = widened_to_contain(Estimate(0.0, size.low * share, size.high * share), thing.least * thing.size_m)
        wall = full
        if thing.shape in WALLED:
            low, high = (min(at, 0.5 * full.value) for at in (thick.low, thick.high))
            wall = widened_to_contain(Estimate(0.0, low, high), thing.thickness_m)

        def of(values: Tensor, value: Tensor) -> Estimate:
            return widened_to_contain(estimated(values, weights), float(value[0]))

        ring = torch.full((1, 1), RING_HZ)
        t60 = [torch.log(torch.tensor(1000.0)) / part.decays_per_s(ring.expand(len(part.density), 1))[:, 0]
               for part in (codes, own)]  # fmt: skip
        return PhysicsState(
            code=struck.code,
            purity=float(self.net.codebook.called()[1][struck.code]),
            materials=ranked_labels(MATERIALS, self.shares(one)[0]),
            shapes=ranked_labels(SHAPES, one.shape[0].exp()),
            size_m=widened_to_contain(size, thing.size_m),
            thickness_m=wall,
            hollowness=widened_to_contain(hollowness_of(one), thing.hollowness),
            density=of(codes.density, own.density),
            youngs_modulus_pa=of(codes.youngs_modulus_pa, own.youngs_modulus_pa),
            hardness_pa=of(codes.hardness_pa, own.hardness_pa),
            t60_s=of(*t60),
            along=ALONG.estimate(one.along[0].exp()),
            across=ALONG.estimate(one.across[0].exp()),
        )


def backbone_features(grid: PatchGrid) -> BackboneFeatures:
    """What the eyes saw of one photograph, as a batch of one."""
    return BackboneFeatures(
        grid.features.flatten(0, 1)[None], grid.closer.flatten(0, 1).float()[None],
        tuple(layer.float()[None] for layer in grid.early), grid_positions(grid.rows, grid.cols)[None],
    )  # fmt: skip


def widened_to_contain(found: Estimate, value: float) -> Estimate:
    """The value that is struck, in the interval that was found."""
    return Estimate(value, min(found.low, value), max(found.high, value))


def hollowness_of(read: PhysicsPosterior) -> Estimate:
    """Of one patch (1, .), over all the shapes that it may have: full ones are not hollow at all."""
    values, weights = [], []
    for number, name in enumerate(SHAPES):
        share = float(read.shape[0, number].exp())
        if name not in WALLED:
            values.append(0.0)
            weights.append(share)
            continue
        size, middle, least, thick = (
            scale.estimate(part[0, number].exp()) for scale, part in zip(BY_SHAPE, read.by_shape, strict=True)
        )
        full = size.value * min(least.value, middle.value)
        for wall, part in ((thick.low, 0.25), (thick.value, 0.5), (thick.high, 0.25)):
            values.append(hollowness(min(wall, 0.5 * full), full))
            weights.append(share * part)
    return estimated(torch.tensor(values), torch.tensor(weights) / sum(weights))


def hollowness(thickness_m: float, smallest_m: float) -> float:
    """As `Thing.hollowness`."""
    return min(1.0, max(0.0, 1.0 - thickness_m / (0.5 * smallest_m)))


def ranked_labels(names: tuple[str, ...], shares: Tensor) -> tuple[LabelScore, ...]:
    """Names with their shares, largest first."""
    return tuple(LabelScore(names[int(k)], float(shares[k])) for k in shares.argsort(descending=True))


def save_net(net: PhysicsNet, folder: Path) -> None:
    """Writes config.json and model.safetensors (eight bits)."""
    folder.mkdir(parents=True, exist_ok=True)
    save_quantised(net.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(net.config), indent=1) + "\n", encoding="utf-8")
