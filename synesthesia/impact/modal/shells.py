"""Round thin walls: tubes, bottles and bowls.

Around the rim a mode has n waves, along the wall m half waves or so. One formula for all three: the wall's bending,
as of a curved plate, and the stretching of its middle surface (Rayleigh, The Theory of Sound, sections 233-235; Love,
A Treatise on the Mathematical Theory of Elasticity, ch. 24; Arnold and Warburton 1949, Proc. R. Soc. A 197, 238-256;
shallow-shell form as in Soedel, Vibrations of Shells and Plates, ch. 6). For n waves on a long tube it is Hoppe's
ring, for one wave the bending of the tube as a beam; a bowl's modes that do not stretch the wall are the wine glass's
of A. P. French 1983, In vino veritas: a study of wineglass acoustics, Am. J. Physics 51, 688-694. A round thing has
each mode twice, turned by a quarter wave; small flaws set the two a little apart, and one hears them beat (Fletcher
and Rossing, ch. 21, bells).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.impact.modal import beams
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.plates import free_edge, line_shape
from synesthesia.impact.modal.vibration import SOUND_SPEED, Body, Family, Vibration, concatenate, indices

APART = 0.0015  # share by which each of a pair is moved
FLAW_RAD = 0.4  # where on the round the flaw sits, from the middle of the side that is seen
FLAT_STEEPNESS = 30.0
FOOT = 0.08  # of the wall's height at a bowl's foot: no foot holds quite still
BODY_SHARE = 0.75  # of a bottle's length, below its shoulder
NECK_RADIUS, NECK_LENGTH = 0.35, 0.2  # of the bottle's radius and length
HELMHOLTZ_Q, HELMHOLTZ_SHARE = 25.0, 0.1


def round_extents(body: Body) -> tuple[Tensor, Tensor, Tensor]:
    """(B,) mean diameter and height in metres of a round thing, and how flat it is, 0..1.

    Two of its extents are alike, the diameters: the longer two of a dish or a ring, the shorter two of a cup or a pipe.
    """
    flat = torch.sigmoid(FLAT_STEEPNESS * (torch.log(body.middle) - 0.5 * torch.log(body.least)))
    wide, narrow = torch.sqrt(body.middle), torch.sqrt(body.middle * body.least)
    diameter = flat * torch.log(wide) + (1 - flat) * torch.log(narrow)
    height = flat * torch.log(body.least)
    return body.size_m * torch.exp(diameter), body.size_m * torch.exp(height), flat


def round_place(place: Tensor, flat: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) -> height on the wall 0 (foot) to 1 (rim), (B,), and angle from the middle of the side that is seen.

    A standing thing is seen from the side: `along` is the height. A flat one from above: its rim is its outline.
    """
    x, y = 2 * place[:, 0] - 1, 2 * place[:, 1] - 1
    square = x**2 + y**2
    middle = square < 1e-6
    from_above = torch.atan2(torch.where(middle, 1e-3, y), torch.where(middle, 1e-3, x))
    height = flat * square.clamp(max=1.0) + (1 - flat) * place[:, 0]
    return height, flat * from_above + (1 - flat) * torch.asin(y.clamp(-0.98, 0.98))


def wall_m(body: Body, diameter_m: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) thickness that fits, and the radius of its middle surface, in metres."""
    wall = torch.minimum(body.thickness_m, 0.45 * diameter_m)
    return wall, 0.5 * (diameter_m - wall)


def shell_hz(
    waves: Tensor, radius_m: Tensor, wall: Tensor, properties: Properties, bend: tuple[Tensor, Tensor], stretch: Tensor
) -> Tensor:
    """(B, N) frequencies of modes with `waves` (N,) waves around.

    bend: (B, N) x^4 and twist, the wall's curvature along its height: mean squares times radius^4 and radius^2;
    stretch: (B, N) x^2 where the middle surface has to stretch, 0 where it needs not.
    """
    poisson = properties.poisson[:, None]
    thin = (wall**2 / (12 * radius_m**2))[:, None]
    fourth, twist = bend
    squares = thin * ((waves**2 - 1) ** 2 + fourth + 2 * waves**2 * twist)
    squares = squares + (1 - poisson**2) * (stretch / (stretch + waves**2)) ** 2
    squares = squares * waves**2 / (waves**2 + 1)  # the wall moves sideways as well
    youngs = properties.youngs_modulus_pa * torch.sqrt(properties.grain)
    speed = torch.sqrt(youngs / (properties.density * (1 - properties.poisson**2)))
    return torch.sqrt(squares) * (speed / radius_m)[:, None] / (2 * math.pi)


def pairs(hz: Tensor, shape: Tensor, waves: Tensor, angle: Tensor, share: Tensor, along_per_m: Tensor, radius_m: Tensor,
          counts: Tensor) -> list[Family]:  # fmt: skip
    """Both modes of every pair: the first has an antinode at the flaw."""
    from_flaw = waves * (angle[:, None] - FLAW_RAD)
    wavenumbers = torch.sqrt((waves / radius_m[:, None]) ** 2 + along_per_m**2)
    share = 0.5 * share * (1 + 1 / waves**2)
    return [
        Family(hz * (1 + side * APART), shape * turned(from_flaw), share.expand_as(hz), wavenumbers, counts)
        for side, turned in ((-1, torch.cos), (1, torch.sin))
    ]


def _grid(around: tuple[Tensor, Tensor], up: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    (n, many_n), (m, many_m) = around, up
    n, m = (grid.reshape(-1) for grid in torch.meshgrid(n, m, indexing="ij"))
    return n, m, torch.outer(many_n, many_m).reshape(-1)


def tube(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A round tube, open and free at both ends: a pipe or, when short, a ring."""
    diameter, height, flat = round_extents(body)
    wall, radius = wall_m(body, diameter)
    up, angle = round_place(place, flat)
    n, m, many = _grid(indices(2, 8, 16, 1.35, diameter), indices(0, 7, 14, 1.35, diameter))
    per_height = (radius / height)[:, None]
    g, h, j = free_edge(m)
    poisson = properties.poisson[:, None]
    square = (math.pi * g * per_height) ** 2
    twist = math.pi**2 * per_height**2 * (poisson * h + (1 - poisson) * j)
    hz = shell_hz(n, radius, wall, properties, (square**2, twist), square)
    along = torch.sqrt(j) * math.pi / height[:, None]
    families = pairs(hz, line_shape(m, up), n, angle, torch.ones_like(hz), along, radius, many)

    numbers, counts = indices(1, 8, 14, 1.2, diameter)
    waves = beams.free_roots(numbers) / height[:, None]
    inside = (radius - 0.5 * wall) ** 2 + (radius + 0.5 * wall) ** 2
    gyration = torch.sqrt(inside) / 2
    youngs = properties.youngs_modulus_pa
    beam_hz = waves**2 * (gyration * torch.sqrt(youngs / properties.density))[:, None] / (2 * math.pi)
    beam_hz = beams.slowed(beam_hz, waves, gyration, properties, beams.SHEAR_TUBE)
    families.append(
        Family(beam_hz, beams.free_shape(beams.free_roots(numbers), up), torch.ones_like(beam_hz), waves, counts)
    )
    surface = 2 * math.pi * radius * height
    volume = math.pi * (radius + 0.5 * wall) ** 2 * height
    return concatenate(families, properties.density * surface * wall, 2 * surface, volume, wall)


def bottle(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A round wall closed below and drawn in above, which keeps both its ends round, and the air in its belly and neck
    (H. von Helmholtz; Fletcher and Rossing, section 8.11), which a knock stirs a little."""
    diameter, height = body.size_m * torch.sqrt(body.middle * body.least), body.size_m
    wall, radius = wall_m(body, diameter)
    belly = BODY_SHARE * height
    up, angle = round_place(place, torch.zeros_like(diameter))
    n, m, many = _grid(indices(1, 9, 16, 1.35, diameter), indices(1, 6, 13, 1.35, diameter))
    per_height = m * math.pi * (radius / belly)[:, None]
    hz = shell_hz(n, radius, wall, properties, (per_height**4, per_height**2), per_height**2)
    shape = torch.sin(m * math.pi * (FOOT + (1 - 2 * FOOT) * (up / BODY_SHARE).clamp(max=1.0))[:, None])
    share = torch.full_like(hz, 0.5 * BODY_SHARE)
    families = pairs(hz, shape, n, angle, share, m * math.pi / belly[:, None], radius, many)

    inside = radius - 0.5 * wall
    neck, length = NECK_RADIUS * inside, NECK_LENGTH * height
    air = math.pi * inside**2 * belly
    air_hz = SOUND_SPEED / (2 * math.pi) * torch.sqrt(math.pi * neck**2 / (air * (length + 1.5 * neck)))[:, None]
    still = torch.zeros_like(air_hz)
    families.append(
        Family(
            air_hz, still + HELMHOLTZ_SHARE, still + 1, still, torch.ones(1).to(still), math.pi * air_hz / HELMHOLTZ_Q
        )
    )
    surface = 2 * math.pi * radius * height
    return concatenate(families, properties.density * surface * wall, surface, math.pi * radius**2 * height, wall)


def bowl(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A round wall that stands on its foot and is free at its rim: a bowl, a cup, a glass, a pot."""
    diameter, height, flat = round_extents(body)
    wall, radius = wall_m(body, diameter)
    up, angle = round_place(place, flat)
    n, m, many = _grid(indices(2, 8, 16, 1.35, diameter), indices(1, 6, 13, 1.35, diameter))
    roots = beams.cantilever_roots(m)
    per_height = roots * (radius / height)[:, None]
    first = m == 1  # French's: the wall leans out without stretching
    stretch = torch.where(first, 0.0, per_height**2)
    hz = shell_hz(n, radius, wall, properties, (per_height**4, stretch), stretch)
    hz = torch.where(first, hz * torch.sqrt(1 - properties.poisson[:, None] ** 2), hz)
    shape = beams.cantilever_shape(roots, FOOT + (1 - FOOT) * up)
    families = pairs(hz, shape, n, angle, torch.ones_like(hz), roots / height[:, None], radius, many)
    surface = 2 * math.pi * radius * height + math.pi * radius**2
    return concatenate(families, properties.density * surface * wall, 2 * surface, math.pi * radius**2 * height, wall)
