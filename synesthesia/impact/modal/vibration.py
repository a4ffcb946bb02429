"""Modal model of bodies (frequencies, mode shapes, modal masses), its radiation, and free-beam theory.

A mode k of a body of mass M responds to a force at one point as a mass on a spring, with modal mass M * mean_square_k,
where mean_square is the mean of the squared mode shape over the body, and with the mode shape's value at that point
(Fletcher and Rossing, The Physics of Musical Instruments, ch. 2; van den Doel and Pai 1998, The sounds of physical
shapes, Presence 7(4)).

Bending of a free-free bar after Euler and Bernoulli, corrected for shear and rotary inertia where it is thick or the
wave short (Timoshenko 1921, first order in the square of wavenumber times radius of gyration), torsion and
longitudinal waves: Fletcher and Rossing, ch. 2.

Radiation: a body whose surface S moves with mean square velocity <v^2> radiates the power rho c S sigma <v^2> (L.
Cremer, M. Heckl and B. Petersson, Structure-Borne Sound, ch. 6; F. Fahy and P. Gardonio, Sound and Structural
Vibration, ch. 3). The radiation efficiency sigma is small while the body is small against the wavelength in air, and
while the wave in the body is shorter than that in air (below coincidence), where neighbouring parts cancel; in between
one smooth curve replaces the many exact ones of the literature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject

LOWEST_HZ = 20.0
SOUND_SPEED = 343.0  # m/s in air at 20 degrees C
AIR_DENSITY = 1.204  # kg/m3 at 20 degrees C
DISTANCE_M = 1.0  # at which sound pressures are given

FREE_ROOTS = (4.730041, 7.853205, 10.995608, 14.137165)  # of cos(x) cosh(x) = 1; later ones are (n + 1/2) pi
CANTILEVER_ROOTS = (1.875104, 4.694091, 7.854757, 10.995541)  # of cos(x) cosh(x) = -1; later ones are (n - 1/2) pi
SHEAR_RECTANGLE, SHEAR_TUBE = 5 / 6, 1 / 2  # Timoshenko's coefficient: Cowper 1966, J. Applied Mechanics 33
SIDEWAYS_SHARE = 0.15  # of a force that is meant to be vertical
LENGTHWISE_SHARE = 0.05


@dataclass(frozen=True)
class Body:
    """Extents, (B,) each, as in PhysicalObject: size_m the longest, middle and least as shares of it, thickness_m of
    the wall."""

    size_m: Tensor
    middle: Tensor
    least: Tensor
    thickness_m: Tensor

    @staticmethod
    def of(objects: Sequence[PhysicalObject], dtype: torch.dtype = torch.float32) -> Body:
        rows = [(item.size_m, item.middle, item.least, item.thickness_m) for item in objects]
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

    frequencies_hz; point_values: the mode shape's value at the strike point, >= 0; mean_square: of the mode shape over
    the body; wavenumbers_per_m: of the wave in the body, for its radiation efficiency; multiplicity: how many modes one
    stands for; extra_decays_per_s: added to the material's; mass_kg; area_m2: of the radiating surface; volume_m3: of
    the air that the body displaces; wall_m: thickness at the strike point.
    """

    frequencies_hz: Tensor
    point_values: Tensor
    mean_square: Tensor
    wavenumbers_per_m: Tensor
    multiplicity: Tensor
    extra_decays_per_s: Tensor
    mass_kg: Tensor
    area_m2: Tensor
    volume_m3: Tensor
    wall_m: Tensor


@dataclass(frozen=True)
class ModeFamily:
    """Modes of one kind, (B, N) or what broadcasts to it; see Vibration."""

    frequencies_hz: Tensor
    point_values: Tensor
    mean_square: Tensor
    wavenumbers_per_m: Tensor
    multiplicity: Tensor
    extra_decays_per_s: Tensor | float = 0.0


MODE_FIELDS = tuple(field.name for field in fields(ModeFamily))


def concatenate(
    families: Sequence[ModeFamily], mass_kg: Tensor, area_m2: Tensor, volume_m3: Tensor, wall_m: Tensor
) -> Vibration:
    def joined(name: str) -> Tensor:
        pairs = [(family.frequencies_hz, torch.as_tensor(getattr(family, name))) for family in families]
        return torch.cat([values.to(hz).expand_as(hz) for hz, values in pairs], 1)

    columns = {name: joined(name) for name in MODE_FIELDS}
    columns["point_values"] = columns["point_values"].abs()
    return Vibration(**columns, mass_kg=mass_kg, area_m2=area_m2, volume_m3=volume_m3, wall_m=wall_m)


def mode_indices(first: int, dense: int, total: int, growth: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """(total,) mode numbers, the first `dense` without gaps and the rest ever further apart, and how many numbers each
    stands for: a large thin body has thousands of modes, of which a few are computed."""
    numbers, step = list(range(first, first + dense)), 1.0
    while len(numbers) < total:
        step *= growth
        numbers.append(numbers[-1] + max(1, round(step)))
    edges = [(low + high) / 2 for low, high in pairwise(numbers)]
    bounds = [first - 0.5, *edges, 2 * numbers[-1] - edges[-1]]
    counts = [high - low for low, high in pairwise(bounds)]
    return torch.tensor(numbers).to(like), torch.tensor(counts).to(like)


def subsample_modes(vibration: Vibration, count: int, highest_hz: float, lowest_hz: float = LOWEST_HZ) -> Vibration:
    """`count` of the modes between lowest_hz and highest_hz, by rising frequency: all if there are no more, else the
    lowest third and then ever wider groups, each represented by one mode.

    Where fewer lie in the band, the rest have multiplicity 0 (and the frequency of the last valid mode).
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
    columns = {name: getattr(vibration, name).gather(1, picked) for name in MODE_FIELDS}
    return replace(vibration, **columns | {"multiplicity": torch.where(known, group, 0.0)})


def radiation_efficiency(frequencies_hz: Tensor, wavenumbers_per_m: Tensor, area_m2: Tensor) -> Tensor:
    """(B, K), (B, K), (B,) -> (B, K), 0..1."""
    in_air = 2 * math.pi * frequencies_hz / SOUND_SPEED
    size = in_air**2 * (area_m2 / (4 * math.pi))[:, None]
    return size / (1 + size) * in_air**2 / (in_air**2 + wavenumbers_per_m**2)


def mode_pressures_pa(vibration: Vibration, force_ns: Tensor, point_values: Tensor) -> Tensor:
    """(B, K) amplitude of each mode's sound pressure at DISTANCE_M. force_ns: (B, K) spectrum of the contact force;
    point_values: (B, K) of the mode shapes.

    A mode that stands for m similar ones of independent phases is louder by sqrt(m).
    """
    speed = point_values * force_ns / (vibration.mass_kg[:, None] * vibration.mean_square)  # m/s
    radiated = radiation_efficiency(vibration.frequencies_hz, vibration.wavenumbers_per_m, vibration.area_m2)
    spread = vibration.area_m2[:, None] * radiated * vibration.mean_square / (4 * math.pi * DISTANCE_M**2)
    return AIR_DENSITY * SOUND_SPEED * speed * torch.sqrt(spread) * torch.sqrt(vibration.multiplicity)


def free_roots(numbers: Tensor) -> Tensor:
    """(N,) 1, 2, ... -> wavenumber times length of a free-free beam's bending modes."""
    return _roots(numbers, FREE_ROOTS, 0.5)


def cantilever_roots(numbers: Tensor) -> Tensor:
    """(N,) 1, 2, ... -> the same for a beam with one clamped end."""
    return _roots(numbers, CANTILEVER_ROOTS, -0.5)


def _roots(numbers: Tensor, known: tuple[float, ...], offset: float) -> Tensor:
    first = torch.tensor(known).to(numbers)[(numbers.long() - 1).clamp(0, len(known) - 1)]
    return torch.where(numbers <= len(known), first, (numbers + offset) * math.pi)


def free_shape(roots: Tensor, along: Tensor) -> Tensor:
    """(N,) roots, (B,) positions 0..1 -> (B, N) bending modes of a free-free beam, of mean square 1 and end value 2.
    cosh and sinh are divided by their value at the end before they can overflow."""
    u, half = along[:, None] - 0.5, roots / 2
    near, far = torch.exp(roots * (u - 0.5)), torch.exp(-roots * (u + 0.5))
    even = torch.cos(roots * u) / torch.cos(half) + (near + far) / (1 + torch.exp(-roots))
    odd = torch.sin(roots * u) / torch.sin(half) + (near - far) / (1 - torch.exp(-roots))
    return torch.where(torch.round(roots / math.pi - 0.5) % 2 == 1, even, odd)


def cantilever_shape(roots: Tensor, along: Tensor) -> Tensor:
    """(N,) roots, (B,) positions from the clamped end 0 to the free end 1 -> (B, N), of mean square 1 and free-end
    value 2."""
    x, small = along[:, None], torch.exp(-roots)
    whole = 1 - small**2 + 2 * small * torch.sin(roots)  # 2 e^-r (sinh r + sin r)
    rising = 2 * (torch.sin(roots) - torch.cos(roots) - small) / whole  # e^r (1 - sigma)
    sigma = 1 - small * rising  # (cosh r + cos r) / (sinh r + sin r)
    growing = 0.5 * rising * torch.exp(roots * (x - 1)) + 0.5 * (1 + sigma) * torch.exp(-roots * x)
    return growing - torch.cos(roots * x) + sigma * torch.sin(roots * x)


def timoshenko_corrected(
    frequencies_hz: Tensor, wavenumbers: Tensor, gyration_m: Tensor, properties: Properties, shear: float
) -> Tensor:
    """Thin-beam frequencies (B, N) -> those of a thick one. wavenumbers: (B, N) 1/m; gyration_m: (B,) radius of
    gyration.

    f / sqrt(1 + (k r)^2 (1 + E / (shear * G))): for short waves the speed stays finite, as Timoshenko's does.
    """
    to_shear = 2 * (1 + properties.poisson) / shear
    return frequencies_hz / torch.sqrt(1 + (wavenumbers * gyration_m[:, None]) ** 2 * (1 + to_shear[:, None]))


def bar(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A straight bar of rectangular section, free at both ends, struck on its broad side. point: (B, 2)."""
    length, width, height = body.length_m, body.width_m, body.height_m
    along, across = point[:, 0], point[:, 1]
    youngs, density = properties.youngs_modulus_pa, properties.density
    speed = torch.sqrt(youngs / density)
    shear = youngs * torch.sqrt(properties.grain) / (2 * (1 + properties.poisson))  # softer across a grain

    def bending(thickness: Tensor, dense: int, total: int, force_share: float) -> ModeFamily:
        numbers, counts = mode_indices(1, dense, total, 1.15, length)
        roots = free_roots(numbers)
        wavenumbers, gyration = roots / length[:, None], thickness / math.sqrt(12)
        hz = wavenumbers**2 * (gyration * speed)[:, None] / (2 * math.pi)
        values = force_share * free_shape(roots, along)
        hz = timoshenko_corrected(hz, wavenumbers, gyration, properties, SHEAR_RECTANGLE)
        return ModeFamily(hz, values, torch.ones_like(hz), wavenumbers, counts)

    numbers, counts = mode_indices(1, 16, 24, 1.15, length)
    waves = numbers * math.pi / length[:, None]
    flat = height / width
    stiffness = width * height**3 * (1 / 3 - 0.21 * flat * (1 - flat**4 / 12))  # of a rectangle: Roark, torsion table
    inertia = width * height * (width**2 + height**2) / 12
    torsion = ModeFamily(
        waves * torch.sqrt(shear * stiffness / (density * inertia))[:, None] / (2 * math.pi),
        torch.cos(numbers * math.pi * along[:, None]) * (2 * across[:, None] - 1),
        ((1 + flat**2) / 6)[:, None], waves, counts,
    )  # fmt: skip
    longitudinal = ModeFamily(
        waves * speed[:, None] / (2 * math.pi), LENGTHWISE_SHARE * torch.cos(numbers * math.pi * along[:, None]),
        torch.full_like(waves, 0.5), waves, counts,
    )  # fmt: skip
    mass, volume = density * length * width * height, length * width * height
    area = 2 * (length * width + length * height + width * height)
    families = (bending(height, 24, 40, 1.0), bending(width, 16, 24, SIDEWAYS_SHARE), torsion, longitudinal)
    return concatenate(families, mass, area, volume, height)
