"""Physics posterior of a photograph: a trained PhysicsNet, object hypotheses sampled from it, and a summary for people.

The physics state comes first, and the sound is made from it alone (`impact.render`): material code and the code's
acoustic properties, shape, extents, wall thickness, strike point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.results import Estimate, LabelScore, MaterialMap, PhysicsState
from synesthesia.core.vocabulary import MATERIALS, SHAPES, MalletName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M, THIN_WALLED, PhysicalObject, StrikePoint
from synesthesia.impact.modal.strike import ExcitedModes, excite_modes
from synesthesia.impact.modal.vibration import Body
from synesthesia.impact.physics_net import (
    ALONG,
    BY_SHAPE,
    BackboneFeatures,
    PhysicsNet,
    PhysicsNetConfig,
    PhysicsPosterior,
    grid_positions,
    weighted_estimate,
)
from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from synesthesia.vision.grid import PatchGrid

T60_HZ = 1000.0  # frequency of the reported T60
ATTRIBUTES = {  # by stored tensor name, where it differs
    "doubts": "temperatures",
    "place.weight": "position.weight",
    "wide.weight": "wide_crop.weight",
    "close.weight": "close_crop.weight",
    "codebook.numbers": "codebook.code_properties",
    "codebook.middle": "codebook.mean",
    "codebook.spread": "codebook.std",
    "codebook.votes": "codebook.material_shares",
    "codebook.weight": "codebook.usage",
}


@dataclass(frozen=True)
class Hypothesis:
    """One possible object at a patch. code: of the material codebook; properties: (1,) of the code."""

    code: int
    item: PhysicalObject
    point: StrikePoint
    properties: Properties


class ImpactPredictor:
    """A trained PhysicsNet, and summaries of its posterior."""

    def __init__(self, net: PhysicsNet) -> None:
        self.net = net.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path) -> ImpactPredictor:
        """Reads what `save_net` wrote. UserError when a file is missing."""
        config, tensors = load_checkpoint(
            folder, what="The physics adapter's folder", trained_by="training.impact.train", quantised=True
        )
        net = PhysicsNet(PhysicsNetConfig(**config | {"early": tuple(config["early"])}))
        net.load_state_dict({ATTRIBUTES.get(name, name): value for name, value in tensors.items()})
        return cls(net)

    @property
    def threshold(self) -> float:
        return self.net.config.threshold

    @torch.inference_mode()
    def predict(self, grid: PatchGrid) -> PhysicsPosterior:
        """Of all R * C patches, row by row. UserError when the features are another network's."""
        config = self.net.config
        channels = tuple(layer.shape[0] for layer in grid.stage_maps)
        if (grid.features.shape[2], channels) != (config.feature_dim, tuple(config.early)):
            raise UserError("The physics adapter was trained on features of another vision network.")
        posterior = self.net(backbone_features(grid))
        return posterior.rows(torch.zeros(1, dtype=torch.long)).rows(torch.tensor(0))

    def solid_probability(self, posterior: PhysicsPosterior) -> Tensor:
        """(N,) that there is something to strike."""
        return posterior.solid[:, 1].exp()

    def material_probabilities(self, posterior: PhysicsPosterior) -> Tensor:
        """(N, M), sum to 1: the material shares of the codes, weighted by the codes' probabilities."""
        shares = posterior.codes.exp() @ self.net.codebook.material_shares
        return shares / shares.sum(dim=1, keepdim=True)  # stored in eight bits, so their sums are not exactly 1

    def material_map(self, posterior: PhysicsPosterior, rows: int, cols: int) -> MaterialMap:
        name, purity = self.net.codebook.majority_material()
        shape = (rows, cols)
        return MaterialMap(
            MATERIALS,
            self.material_probabilities(posterior).view(*shape, -1).numpy(),
            posterior.codes.argmax(dim=1).view(shape).numpy(),
            purity.numpy(),
            name.numpy(),
            self.solid_probability(posterior).view(shape).numpy(),
        )

    def likeliest_code(self, posterior: PhysicsPosterior, patch: int) -> int:
        """The likeliest code among those whose majority material is the patch's likeliest material."""
        name, _ = self.net.codebook.majority_material()
        material = int(self.material_probabilities(posterior.patch(patch))[0].argmax())
        probabilities = posterior.codes[patch].exp() * (name == material)
        if not bool((probabilities > 0).any()):
            probabilities = posterior.codes[patch].exp()
        return int(probabilities.argmax())

    @torch.inference_mode()
    def physics_state(self, posterior: PhysicsPosterior, patch: int, selected: Hypothesis) -> PhysicsState:
        """Summary of one patch: names with their probabilities; numbers of the selected hypothesis, in intervals of the
        whole posterior (extents: given the selected shape)."""
        item, own = selected.item, selected.properties
        one = posterior.patch(patch)
        codes = self.net.codebook.properties(torch.arange(len(self.net.codebook.codes)))
        weights = one.codes[0].exp()
        size, middle, least, thickness = _extents(one, SHAPES.index(item.shape))
        share = min(least.value, middle.value)  # as `clamp_to_valid`: extents in order, no wall above half
        full = widened_to_contain(Estimate(0.0, size.low * share, size.high * share), item.least * item.size_m)
        wall = full
        if item.shape in THIN_WALLED:
            low, high = (min(at, 0.5 * full.value) for at in (thickness.low, thickness.high))
            wall = widened_to_contain(Estimate(0.0, low, high), item.thickness_m)
        own_hollowness = hollowness(item.thickness_m, full.value) if item.shape in THIN_WALLED else 0.0

        def of(values: Tensor, value: Tensor) -> Estimate:
            return widened_to_contain(weighted_estimate(values, weights), float(value[0]))

        hz = torch.full((1, 1), T60_HZ)
        t60 = [torch.log(torch.tensor(1000.0)) / part.decays_per_s(hz.expand(len(part.density), 1))[:, 0]
               for part in (codes, own)]  # fmt: skip
        return PhysicsState(
            code=selected.code,
            purity=float(self.net.codebook.majority_material()[1][selected.code]),
            materials=ranked_labels(MATERIALS, self.material_probabilities(one)[0]),
            shapes=ranked_labels(SHAPES, one.shape[0].exp()),
            size_m=widened_to_contain(size, item.size_m),
            thickness_m=wall,
            hollowness=widened_to_contain(hollowness_estimate(one), own_hollowness),
            density=of(codes.density, own.density),
            youngs_modulus_pa=of(codes.youngs_modulus_pa, own.youngs_modulus_pa),
            hardness_pa=of(codes.hardness_pa, own.hardness_pa),
            t60_s=of(*t60),
            along=ALONG.estimate(one.along[0].exp()),
            across=ALONG.estimate(one.across[0].exp()),
        )


def save_net(net: PhysicsNet, folder: Path) -> None:
    """Writes config.json and model.safetensors (eight bits)."""
    stored = {name: stored for stored, name in ATTRIBUTES.items()}
    tensors = {stored.get(name, name): value for name, value in net.state_dict().items()}
    save_checkpoint(folder, net.config, tensors, quantise=True)


def backbone_features(grid: PatchGrid) -> BackboneFeatures:
    """Features of one photograph as a batch of one."""
    return BackboneFeatures(
        grid.features.flatten(0, 1)[None], grid.crop_features.flatten(0, 1).float()[None],
        tuple(layer.float()[None] for layer in grid.stage_maps), grid_positions(grid.rows, grid.cols)[None],
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------ hypotheses


def mode_hypothesis(predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int) -> Hypothesis:
    """The likeliest material, the likeliest shape, and the median of every extent."""
    code = torch.tensor([predictor.likeliest_code(posterior, patch)])
    return median_hypotheses(predictor, posterior, patch, code, posterior.shape[patch].argmax()[None])[0]


def median_hypotheses(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, codes: Tensor, shapes: Tensor
) -> list[Hypothesis]:
    """(G,) codes and shapes -> their hypotheses with the median of every extent given the shape."""
    return _hypotheses(predictor, posterior, patch, codes, shapes, torch.full((len(BY_SHAPE), len(codes)), 0.5))


def sample_hypotheses(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, count: int, random: torch.Generator
) -> list[Hypothesis]:
    """`count` hypotheses drawn from the posterior."""
    codes, shapes = (
        torch.multinomial(log_probabilities[patch].exp(), count, replacement=True, generator=random)
        for log_probabilities in (posterior.codes, posterior.shape)
    )
    quantiles = torch.rand(len(BY_SHAPE), count, generator=random)
    return _hypotheses(predictor, posterior, patch, codes, shapes, quantiles)


def _hypotheses(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, codes: Tensor, shapes: Tensor,
    quantiles: Tensor,
) -> list[Hypothesis]:  # fmt: skip
    """codes, shapes: (G,); quantiles: (len(BY_SHAPE), G) of each extent's distribution."""
    extents = [
        scale.quantile(part[patch, shapes].exp(), at).tolist()
        for scale, part, at in zip(BY_SHAPE, posterior.by_shape, quantiles, strict=True)
    ]
    along, across = (
        float(ALONG.quantile(part[patch].exp()[None], 0.5)) for part in (posterior.along, posterior.across)
    )
    names = predictor.net.codebook.majority_material()[0][codes].tolist()
    properties = predictor.net.codebook.properties(codes).split()
    found = []
    for code, name, shape, own, *extent in zip(
        codes.tolist(), names, shapes.tolist(), properties, *extents, strict=True
    ):  # fmt: skip
        item = clamp_to_valid(PhysicalObject(MATERIALS[name], SHAPES[shape], *extent))
        found.append(Hypothesis(code, item, StrikePoint(along, across), own))
    return found


def clamp_to_valid(item: PhysicalObject) -> PhysicalObject:
    """The same object with its extents in order and within bounds."""
    size = min(max(item.size_m, MIN_SIZE_M), MAX_SIZE_M)
    middle = min(max(item.middle, 1e-3), 1.0)
    least = min(item.least, middle)
    smallest = least * size
    thickness = min(item.thickness_m, 0.5 * smallest) if item.shape in THIN_WALLED else smallest
    return PhysicalObject(item.material, item.shape, size, middle, least, thickness)


def excite_hypotheses(
    hypotheses: Sequence[Hypothesis], force_n: float, mallet: MalletName, sample_rate_hz: int
) -> ExcitedModes:
    """The modes of each (G,), all struck with the same force and mallet."""
    items = [one.item for one in hypotheses]
    return excite_modes(
        [item.shape for item in items], Body.of(items), Properties.concatenate([one.properties for one in hypotheses]),
        torch.tensor([[one.point.along, one.point.across] for one in hypotheses]),
        torch.full((len(items),), force_n), mallet, sample_rate_hz=sample_rate_hz,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------- estimates


def _extents(one: PhysicsPosterior, shape: int) -> list[Estimate]:
    """Of one patch (1, .), in the order of BY_SHAPE, given the shape's index."""
    pairs = zip(BY_SHAPE, one.by_shape, strict=True)
    return [scale.estimate(part[0, shape].exp()) for scale, part in pairs]


def widened_to_contain(found: Estimate, value: float) -> Estimate:
    """`value` within the interval found, which is widened where needed."""
    return Estimate(value, min(found.low, value), max(found.high, value))


def hollowness_estimate(one: PhysicsPosterior) -> Estimate:
    """Of one patch (1, .), over all shapes that it may have: solid ones have a hollowness of 0."""
    values, weights = [], []
    for number, name in enumerate(SHAPES):
        share = float(one.shape[0, number].exp())
        if name not in THIN_WALLED:
            values.append(0.0)
            weights.append(share)
            continue
        size, middle, least, thickness = _extents(one, number)
        full = size.value * min(least.value, middle.value)
        for wall, part in ((thickness.low, 0.25), (thickness.value, 0.5), (thickness.high, 0.25)):
            values.append(hollowness(min(wall, 0.5 * full), full))
            weights.append(share * part)
    return weighted_estimate(torch.tensor(values), torch.tensor(weights) / sum(weights))


def hollowness(thickness_m: float, smallest_m: float) -> float:
    """As `PhysicalObject.hollowness`."""
    return min(1.0, max(0.0, 1.0 - thickness_m / (0.5 * smallest_m)))


def ranked_labels(names: tuple[str, ...], probabilities: Tensor) -> tuple[LabelScore, ...]:
    """Names with their probabilities, largest first."""
    return tuple(LabelScore(names[int(k)], float(probabilities[k])) for k in probabilities.argsort(descending=True))
