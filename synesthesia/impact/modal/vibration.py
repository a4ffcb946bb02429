"""What the shapes share: a body's extents as tensors, its modes of vibration, and which of many modes are worth
keeping.

Shapes as the modal bank sees them: every mode k of a body of mass M answers a force at one place as a mass on a spring,
with modal mass M * share_k, where share is the mean over the body of the mode shape squared, and with the mode shape's
value at that place (Fletcher and Rossing, The Physics of Musical Instruments, ch. 2; van den Doel and Pai 1998, The
sounds of physical shapes, Presence 7(4)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from synesthesia.impact.modal.things import PhysicalObject

LOWEST_HZ = 20.0
SOUND_SPEED = 343.0  # m/s in air at 20 degrees C


@dataclass(frozen=True)
class Body:
    """Extents, (B,) each, as in Thing: size_m the longest, middle and least as shares of it, thickness_m of the
    wall."""

    size_m: Tensor
    middle: Tensor
    least: Tensor
    thickness_m: Tensor

    @staticmethod
    def of(things: Sequence[PhysicalObject], dtype: torch.dtype = torch.float32) -> Body:
        rows = [(thing.size_m, thing.middle, thing.least, thing.thickness_m) for thing in things]
        return Body(*torch.tensor(rows, dtype=dtype).unbind(dim=1))

    @property
    def length_m(self) -> Tensor:
        return self.size_m

    @property
    def width_m(self) -> Tensor:
        return self.size_m * self.middle

    @property
    def height_m(self) -> Tensor:
        return self.size_m * self.least

    def rows(self, at: Sequence[int]) -> Body:
        at = list(at)
        return Body(self.size_m[at], self.middle[at], self.least[at], self.thickness_m[at])


@dataclass(frozen=True)
class Vibration:
    """The modes of B bodies, (B, N) each, and the bodies, (B,) each.

    frequencies_hz; at_place: the mode shape's value where it is struck, >= 0; share: its mean square over the body;
    wavenumbers_per_m: of the wave in the body, for how well it radiates; multiplicity: how many modes one stands for;
    own_decays_per_s: added to the material's; mass_kg; area_m2: of the surface that radiates; volume_m3: of the air
    that the body displaces; wall_m: how thick it is where it is struck.
    """

    frequencies_hz: Tensor
    at_place: Tensor
    share: Tensor
    wavenumbers_per_m: Tensor
    multiplicity: Tensor
    own_decays_per_s: Tensor
    mass_kg: Tensor
    area_m2: Tensor
    volume_m3: Tensor
    wall_m: Tensor


@dataclass(frozen=True)
class Family:
    """Modes of one kind, (B, N) or what broadcasts to it; see Vibration."""

    frequencies_hz: Tensor
    at_place: Tensor
    share: Tensor
    wavenumbers_per_m: Tensor
    multiplicity: Tensor
    own_decays_per_s: Tensor | float = 0.0


def concatenate(
    families: Sequence[Family], mass_kg: Tensor, area_m2: Tensor, volume_m3: Tensor, wall_m: Tensor
) -> Vibration:
    def joined(values: Sequence[Tensor | float]) -> Tensor:
        pairs = zip(families, values, strict=True)
        return torch.cat(
            [torch.as_tensor(value).to(f.frequencies_hz).expand_as(f.frequencies_hz) for f, value in pairs], 1
        )

    return Vibration(
        joined([family.frequencies_hz for family in families]), joined([family.at_place.abs() for family in families]),
        joined([family.share for family in families]), joined([family.wavenumbers_per_m for family in families]),
        joined([family.multiplicity for family in families]), joined([family.own_decays_per_s for family in families]),
        mass_kg, area_m2, volume_m3, wall_m,
    )  # fmt: skip


def indices(first: int, dense: int, total: int, growth: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """(total,) mode numbers, `dense` of them without a gap and the rest further and further apart, and how many numbers
    each of them stands for: a large thin thing has thousands of modes, and a few must speak for the many."""
    numbers, step = list(range(first, first + dense)), 1.0
    while len(numbers) < total:
        step *= growth
        numbers.append(numbers[-1] + max(1, round(step)))
    edges = [(low + high) / 2 for low, high in pairwise(numbers)]
    bounds = [first - 0.5, *edges, 2 * numbers[-1] - edges[-1]]
    counts = [high - low for low, high in pairwise(bounds)]
    return torch.tensor(numbers).to(like), torch.tensor(counts).to(like)


def subsample_modes(vibration: Vibration, count: int, highest_hz: float, lowest_hz: float = LOWEST_HZ) -> Vibration:
    """`count` of the modes between lowest_hz and highest_hz, by rising frequency: all when there are no more, else the
    lowest third and then ever wider groups, each with one mode that stands for all of its group.

    Where fewer lie in the band, the rest have multiplicity 0 (and the frequency of the last one that does).
    """
    hz = vibration.frequencies_hz
    inside = (hz >= lowest_hz) & (hz <= highest_hz)
    order = torch.where(inside, hz, math.inf).argsort(dim=1, stable=True)
    found = inside.sum(dim=1, keepdim=True)  # (B, 1)
    dense = count // 3
    at = torch.arange(count + 1, device=hz.device).expand(len(hz), -1)
    reach = (found.clamp(min=count) / dense).double()
    wide = dense * reach ** ((at - dense) / (count - dense))
    edges = torch.where(found <= count, at, torch.where(at <= dense, at.double(), wide).round().long())
    edges = torch.maximum(edges, at)  # never the same mode twice
    ranks = edges[:, :-1]
    known = ranks < found
    picked = order.gather(1, ranks.clamp(max=hz.shape[1] - 1).minimum((found - 1).clamp(min=0)))
    sums = torch.cat([hz.new_zeros(len(hz), 1), (vibration.multiplicity * inside).gather(1, order).cumsum(1)], dim=1)
    group = sums.gather(1, edges[:, 1:].minimum(found)) - sums.gather(1, ranks.minimum(found))
    return Vibration(
        hz.gather(1, picked), vibration.at_place.gather(1, picked), vibration.share.gather(1, picked),
        vibration.wavenumbers_per_m.gather(1, picked), torch.where(known, group, 0.0),
        vibration.own_decays_per_s.gather(1, picked), vibration.mass_kg, vibration.area_m2, vibration.volume_m3,
        vibration.wall_m,
    )  # fmt: skip
