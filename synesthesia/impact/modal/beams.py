"""Free beams: the functions that plates and shells are built of too, and the struck bar.

Bending of a free-free bar after Euler and Bernoulli, slowed by shear and rotary inertia where it is thick or the wave
short (Timoshenko 1921, first order in the square of wavenumber times radius of gyration), torsion and longitudinal
waves: Fletcher and Rossing, The Physics of Musical Instruments, ch. 2.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import Body, Family, Vibration, concatenate, indices

FREE_ROOTS = (4.730041, 7.853205, 10.995608, 14.137165)  # of cos(x) cosh(x) = 1; later ones are (n + 1/2) pi
CANTILEVER_ROOTS = (1.875104, 4.694091, 7.854757, 10.995541)  # of cos(x) cosh(x) = -1; later ones are (n - 1/2) pi
SHEAR_RECTANGLE, SHEAR_TUBE = 5 / 6, 1 / 2  # Timoshenko's coefficient: Cowper 1966, J. Applied Mechanics 33
SIDEWAYS = 0.15  # of a blow that meant to come straight down
ENDWAYS = 0.05


def free_roots(numbers: Tensor) -> Tensor:
    """(N,) 1, 2, ... -> wavenumber times length of a free-free beam's bending modes."""
    return _roots(numbers, FREE_ROOTS, 0.5)


def cantilever_roots(numbers: Tensor) -> Tensor:
    """(N,) 1, 2, ... -> the same of a beam with one end held."""
    return _roots(numbers, CANTILEVER_ROOTS, -0.5)


def _roots(numbers: Tensor, known: tuple[float, ...], past: float) -> Tensor:
    first = torch.tensor(known).to(numbers)[(numbers.long() - 1).clamp(0, len(known) - 1)]
    return torch.where(numbers <= len(known), first, (numbers + past) * math.pi)


def free_shape(roots: Tensor, along: Tensor) -> Tensor:
    """(N,) roots, (B,) places 0..1 -> (B, N) values of the bending modes of a free-free beam; their mean square is 1,
    the end's value 2. cosh and sinh are divided by their value at the end before they can overflow."""
    u, half = along[:, None] - 0.5, roots / 2
    near, far = torch.exp(roots * (u - 0.5)), torch.exp(-roots * (u + 0.5))
    even = torch.cos(roots * u) / torch.cos(half) + (near + far) / (1 + torch.exp(-roots))
    odd = torch.sin(roots * u) / torch.sin(half) + (near - far) / (1 - torch.exp(-roots))
    return torch.where(torch.round(roots / math.pi - 0.5) % 2 == 1, even, odd)


def cantilever_shape(roots: Tensor, along: Tensor) -> Tensor:
    """(N,) roots, (B,) places from the held end 0 to the free end 1 -> (B, N); mean square 1, the free end's value
    2."""
    x, small = along[:, None], torch.exp(-roots)
    whole = 1 - small**2 + 2 * small * torch.sin(roots)  # 2 e^-r (sinh r + sin r)
    rising = 2 * (torch.sin(roots) - torch.cos(roots) - small) / whole  # e^r (1 - sigma)
    sigma = 1 - small * rising  # (cosh r + cos r) / (sinh r + sin r)
    growing = 0.5 * rising * torch.exp(roots * (x - 1)) + 0.5 * (1 + sigma) * torch.exp(-roots * x)
    return growing - torch.cos(roots * x) + sigma * torch.sin(roots * x)


def slowed(
    frequencies_hz: Tensor, wavenumbers: Tensor, gyration_m: Tensor, properties: Properties, shear: float
) -> Tensor:
    """Thin-beam frequencies (B, N) -> those of a thick one. wavenumbers: (B, N) 1/m; gyration_m: (B,) radius of
    gyration.

    f / sqrt(1 + (k r)^2 (1 + E / (shear * G))): for short waves the speed stays finite, as Timoshenko's does.
    """
    to_shear = 2 * (1 + properties.poisson) / shear
    return frequencies_hz / torch.sqrt(1 + (wavenumbers * gyration_m[:, None]) ** 2 * (1 + to_shear[:, None]))


def bar(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A straight bar of rectangular section, free at both ends, struck on its broad side. place: (B, 2)."""
    length, width, height = body.length_m, body.width_m, body.height_m
    along, across = place[:, 0], place[:, 1]
    youngs, density = properties.youngs_modulus_pa, properties.density
    speed = torch.sqrt(youngs / density)
    shear = youngs * torch.sqrt(properties.grain) / (2 * (1 + properties.poisson))  # across a grain it is soft

    def bending(thick: Tensor, dense: int, total: int, share_of_blow: float) -> Family:
        numbers, counts = indices(1, dense, total, 1.15, length)
        roots = free_roots(numbers)
        wavenumbers, gyration = roots / length[:, None], thick / math.sqrt(12)
        hz = wavenumbers**2 * (gyration * speed)[:, None] / (2 * math.pi)
        shape = share_of_blow * free_shape(roots, along)
        hz = slowed(hz, wavenumbers, gyration, properties, SHEAR_RECTANGLE)
        return Family(hz, shape, torch.ones_like(hz), wavenumbers, counts)

    numbers, counts = indices(1, 16, 24, 1.15, length)
    waves = numbers * math.pi / length[:, None]
    flat = height / width
    stiffness = (
        width * height**3 * (1 / 3 - 0.21 * flat * (1 - flat**4 / 12))
    )  # of a rectangle: Roark, table for torsion
    inertia = width * height * (width**2 + height**2) / 12
    torsion = Family(
        waves * torch.sqrt(shear * stiffness / (density * inertia))[:, None] / (2 * math.pi),
        torch.cos(numbers * math.pi * along[:, None]) * (2 * across[:, None] - 1),
        ((1 + flat**2) / 6)[:, None], waves, counts,
    )  # fmt: skip
    stretch = Family(
        waves * speed[:, None] / (2 * math.pi), ENDWAYS * torch.cos(numbers * math.pi * along[:, None]),
        torch.full_like(waves, 0.5), waves, counts,
    )  # fmt: skip
    mass, volume = density * length * width * height, length * width * height
    area = 2 * (length * width + length * height + width * height)
    families = (bending(height, 24, 40, 1.0), bending(width, 16, 24, SIDEWAYS), torsion, stretch)
    return concatenate(families, mass, area, volume, height)
