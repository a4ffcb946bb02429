"""States that a place may have: what a reading holds for possible, as things that can be struck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from synesthesia.impact.modal.contact import MalletName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import StruckModes, struck_modes
from synesthesia.impact.modal.things import (
    MATERIALS,
    MAX_SIZE_M,
    MIN_SIZE_M,
    SHAPES,
    WALLED,
    PhysicalObject,
    StrikePoint,
)
from synesthesia.impact.modal.vibration import Body
from synesthesia.impact.physics_net import ALONG, BY_SHAPE, PhysicsPosterior

if TYPE_CHECKING:
    from synesthesia.impact.predictor import ImpactPredictor


@dataclass(frozen=True)
class Hypothesis:
    """One state that a place may have. code: of the material codebook; properties: (1,) of what it stands for."""

    code: int
    thing: PhysicalObject
    place: StrikePoint
    properties: Properties


def mode_hypothesis(adapter: ImpactPredictor, read: PhysicsPosterior, patch: int) -> Hypothesis:
    """The likeliest material, the likeliest shape, and the middle of every extent."""
    code, _ = adapter.code(read, patch)
    return median_hypotheses(adapter, read, patch, torch.tensor([code]), read.shape[patch].argmax()[None])[0]


def median_hypotheses(
    adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, codes: Tensor, shapes: Tensor
) -> list[Hypothesis]:
    """(G,) codes and shapes -> states of them with the middle of every extent that such a shape may have here."""
    return _guesses(adapter, read, patch, codes, shapes, torch.full((len(BY_SHAPE), len(codes)), 0.5))


def sample(
    adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, count: int, random: torch.Generator
) -> list[Hypothesis]:
    """States that the reading holds for possible, each as often as it holds it for likely."""
    codes, shapes = (
        torch.multinomial(shares[patch].exp(), count, replacement=True, generator=random)
        for shares in (read.codes, read.shape)
    )
    return _guesses(adapter, read, patch, codes, shapes, torch.rand(len(BY_SHAPE), count, generator=random))


def _guesses(
    adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, codes: Tensor, shapes: Tensor, at: Tensor
) -> list[Hypothesis]:  # fmt: skip
    """codes, shapes: (G,); at: (len(BY_SHAPE), G) share of what is likely that lies below each extent taken."""
    extents = [
        scale.quantile(part[patch, shapes].exp(), below).tolist()
        for scale, part, below in zip(BY_SHAPE, read.by_shape, at, strict=True)
    ]
    along, across = (float(ALONG.quantile(part[patch].exp()[None], 0.5)) for part in (read.along, read.across))
    names = adapter.net.codebook.called()[0][codes].tolist()
    made_of = adapter.net.codebook.properties(codes)
    columns = [getattr(made_of, name).split(1) for name in Properties.__dataclass_fields__]
    guesses = []
    numbers = zip(codes.tolist(), names, shapes.tolist(), *extents, strict=True)
    for (code, name, shape, *told), properties in zip(numbers, zip(*columns, strict=True), strict=True):
        thing = clamp_to_valid(PhysicalObject(MATERIALS[name], SHAPES[shape], *told))
        guesses.append(Hypothesis(code, thing, StrikePoint(along, across), Properties(*properties)))
    return guesses


def clamp_to_valid(thing: PhysicalObject) -> PhysicalObject:
    """The same thing with extents that a thing can have."""
    size = min(max(thing.size_m, MIN_SIZE_M), MAX_SIZE_M)
    middle = min(max(thing.middle, 1e-3), 1.0)
    least = min(thing.least, middle)
    smallest = least * size
    thickness = min(thing.thickness_m, 0.5 * smallest) if thing.shape in WALLED else smallest
    return PhysicalObject(thing.material, thing.shape, size, middle, least, thickness)


def modes_of(guesses: Sequence[Hypothesis], force_n: float, mallet: MalletName, sample_rate_hz: int) -> StruckModes:
    """What rings in each of them (G,), all of them struck alike."""
    things = [guess.thing for guess in guesses]
    columns = [
        torch.cat([getattr(guess.properties, name) for guess in guesses]) for name in Properties.__dataclass_fields__
    ]
    return struck_modes(
        [thing.shape for thing in things], Body.of(things), Properties(*columns),
        torch.tensor([[guess.place.along, guess.place.across] for guess in guesses]),
        torch.full((len(things),), force_n), mallet, sample_rate_hz=sample_rate_hz,
    )  # fmt: skip
