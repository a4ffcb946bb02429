"""Thin plates and shells: free plates, boxes of plates, tubes, bottles and bowls.

Plates: G. B. Warburton 1954, The vibration of rectangular plates, Proc. Inst. Mech. Engrs 168, 371-384: one product of
beam functions a mode, frequencies within about 5 % of the exact ones; R. F. S. Hearmon 1959, The frequency of flexural
vibration of rectangular orthotropic plates, J. Applied Mechanics 26, 537-540, for materials with a grain. The products
(2, 0) and (0, 2), which Poisson's ratio couples and a square splits (its X and ring mode: Fletcher and Rossing, ch. 3),
are solved together. The tests compare with A. W. Leissa 1973, J. Sound and Vibration 31, 257-293.

Shells: around the rim a mode has n waves, along the wall about m half waves. One formula for all shapes: the wall's
bending, as of a curved plate, and the stretching of its middle surface (Rayleigh, The Theory of Sound, sections
233-235; Love, A Treatise on the Mathematical Theory of Elasticity, ch. 24; Arnold and Warburton 1949, Proc. R. Soc. A
197, 238-256; shallow-shell form as in Soedel, Vibrations of Shells and Plates, ch. 6). For n waves on a long tube this
is Hoppe's ring, for one wave the bending of the tube as a beam; modes of a bowl that do not stretch the wall are the
wine glass's of A. P. French 1983, In vino veritas: a study of wineglass acoustics, Am. J. Physics 51, 688-694. A round
object has each mode twice, turned by a quarter wave; small flaws detune the two, so that they beat (Fletcher and
Rossing, ch. 21, bells).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import (
    FREE_ROOTS,
    SHEAR_TUBE,
    SOUND_SPEED,
    Body,
    ModeFamily,
    Vibration,
    cantilever_roots,
    cantilever_shape,
    concatenate,
    free_roots,
    free_shape,
    mode_indices,
    timoshenko_corrected,
)

SHEAR_PLATE = 5 / 6
LINES_DENSE, LINES, LINES_GROWTH = 9, 22, 1.35
FACE_DENSE, FACE, FACE_GROWTH = 8, 18, 1.35
WHOLE_BEND = 2 * FREE_ROOTS[0] * 2 * 0.982502  # integral of the second derivative of a free beam's first bending mode
OTHER_FACES = 0.25  # motion of a box's other faces over the struck one's: transmitted by the edges
RIM = 0.05  # of a face: closer to an edge than this the edge itself moves

PAIR_DETUNING = 0.0015  # share by which each of a pair is moved
FLAW_RAD = 0.4  # angle of the flaw, from the middle of the visible side
FLAT_STEEPNESS = 30.0
FOOT = 0.08  # of the wall's height at a bowl's foot: no foot is perfectly clamped
BODY_SHARE = 0.75  # of a bottle's length, below its shoulder
NECK_RADIUS, NECK_LENGTH = 0.35, 0.2  # of the bottle's radius and length
HELMHOLTZ_Q, HELMHOLTZ_SHARE = 25.0, 0.1


# ---------------------------------------------------------------------------------------------------------- plates


def warburton_coefficients(lines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Warburton's G, H and J (N,) of beam functions with that many nodal lines between free edges.

    (pi G)^4, (pi^2 H)^2 and pi^2 J are the mean squares of the second derivative, of its product with the function and
    of the first derivative over a unit length.
    """
    half = (lines - 0.5).clamp(min=1.5)
    g = torch.where(lines < 2, 0.0, torch.where(lines == 2, 1.506, half))
    h = torch.where(lines < 2, 0.0, torch.where(lines == 2, 1.248, half**2 * (1 - 2 / (half * math.pi))))
    j = torch.where(lines == 2, 5.017, half**2 * (1 + 6 / (half * math.pi)))
    return g, h, torch.where(lines == 0, 0.0, torch.where(lines == 1, 12 / math.pi**2, j))


def nodal_line_shape(lines: Tensor, at: Tensor) -> Tensor:
    """(N,) nodal lines, (B,) positions 0..1 -> (B, N): 1, a tilt, then the free beam's bending modes; mean square 1."""
    bent = free_shape(free_roots((lines - 1).clamp(min=1)), at)
    tilt = math.sqrt(3) * (2 * at[:, None] - 1)
    return torch.where(lines == 0, torch.ones_like(bent), torch.where(lines == 1, tilt.expand_as(bent), bent))


def bending_stiffness(properties: Properties, thickness_m: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) bending stiffness of a sheet in N m, along its grain and across it."""
    along = properties.youngs_modulus_pa * thickness_m**3 / (12 * (1 - properties.poisson**2))
    return along, along * properties.grain


def plate(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A flat rectangular plate with free edges, struck on its face. point: (B, 2)."""
    length, width, thickness = body.length_m, body.width_m, body.thickness_m
    numbers, counts = mode_indices(0, LINES_DENSE, LINES, LINES_GROWTH, length)
    m, n = (grid.reshape(-1) for grid in torch.meshgrid(numbers, numbers, indexing="ij"))
    many = torch.outer(counts, counts).reshape(-1)
    moving = m + n >= 2  # the others are rigid-body motions
    m, n, many = m[moving], n[moving], many[moving]
    along_stiff, across_stiff = (value[:, None] for value in bending_stiffness(properties, thickness))
    mean = torch.sqrt(along_stiff * across_stiff)
    poisson = properties.poisson[:, None]
    a, b = length[:, None], width[:, None]
    (gx, hx, jx), (gy, hy, jy) = warburton_coefficients(m), warburton_coefficients(n)
    energy = math.pi**4 * (
        along_stiff * gx**4 / a**4
        + across_stiff * gy**4 / b**4
        + 2 * mean * (poisson * hx * hy + (1 - poisson) * jx * jy) / (a * b) ** 2
    )  # (B, N) N/m3
    values = nodal_line_shape(m, point[:, 0]) * nodal_line_shape(n, point[:, 1])
    energy, values = _ring_and_cross(energy, values, (m, n), poisson * mean * WHOLE_BEND**2 / (a * b) ** 2)
    per_area = (properties.density * thickness)[:, None]
    omega = torch.sqrt(energy / per_area)
    waves = (energy / mean) ** 0.25
    hz = timoshenko_corrected(omega / (2 * math.pi), waves, thickness / math.sqrt(12), properties, SHEAR_PLATE)
    area, volume = length * width, length * width * thickness
    family = ModeFamily(hz, values, torch.ones_like(hz), waves, many)
    return concatenate([family], properties.density * volume, 2 * area, volume, thickness)


def _ring_and_cross(
    energy: Tensor, values: Tensor, lines: tuple[Tensor, Tensor], coupling: Tensor
) -> tuple[Tensor, Tensor]:
    """Products (2, 0) and (0, 2) replaced by their two combinations. coupling: (B, 1), in the units of energy."""
    first, second = ((lines[0] == m) & (lines[1] == n) for m, n in ((2, 0), (0, 2)))
    low, high = energy[:, first], energy[:, second]  # (B, 1)
    angle = 0.5 * torch.atan2(2 * coupling, low - high)
    middle, half = (low + high) / 2, torch.sqrt(((low - high) / 2) ** 2 + coupling**2)
    along, across = values[:, first], values[:, second]
    ring = torch.cos(angle) * along + torch.sin(angle) * across
    cross = torch.cos(angle) * across - torch.sin(angle) * along
    energy = torch.where(first, middle + half, torch.where(second, middle - half, energy))
    return energy, torch.where(first, ring, torch.where(second, cross, values))


def hollow(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A closed box of thin walls, struck on its broadest face. Each face is a simply supported plate; the other faces
    move with the struck one a little. point: (B, 2)."""
    length, width, height = body.length_m, body.width_m, body.height_m
    wall = torch.minimum(body.thickness_m, 0.49 * height)
    along, across = RIM + (1 - 2 * RIM) * point[:, 0], RIM + (1 - 2 * RIM) * point[:, 1]
    total = 2 * (length * width + length * height + width * height)

    def sine(numbers: Tensor, at: Tensor) -> Tensor:
        return torch.sin(numbers * math.pi * at[:, None])

    struck = _face(length, width, wall, properties, lambda m, n: sine(m, along) * sine(n, across), total)
    long = _face(length, height, wall, properties, lambda m, n: OTHER_FACES * sine(m, along), total)
    short = _face(width, height, wall, properties, lambda m, n: OTHER_FACES * sine(m, across), total)
    return concatenate((struck, long, short), properties.density * total * wall, total, length * width * height, wall)


def _face(
    a: Tensor, b: Tensor, wall: Tensor, properties: Properties, values: Callable[[Tensor, Tensor], Tensor],
    total: Tensor,
) -> ModeFamily:  # fmt: skip
    """Modes of one face of a by b m, (B,). values: of its mode numbers m and n (N,); total: m2 of all six faces."""
    numbers, counts = mode_indices(1, FACE_DENSE, FACE, FACE_GROWTH, a)
    m, n = (grid.reshape(-1) for grid in torch.meshgrid(numbers, numbers, indexing="ij"))
    along_stiff, across_stiff = (value[:, None] for value in bending_stiffness(properties, wall))
    x, y = m * math.pi / a[:, None], n * math.pi / b[:, None]
    energy = along_stiff * x**4 + across_stiff * y**4 + 2 * torch.sqrt(along_stiff * across_stiff) * (x * y) ** 2
    hz = torch.sqrt(energy / (properties.density * wall)[:, None]) / (2 * math.pi)
    waves = torch.sqrt(x**2 + y**2)
    hz = timoshenko_corrected(hz, waves, wall / math.sqrt(12), properties, SHEAR_PLATE)
    mean_square = (0.25 * a * b / total)[:, None].expand_as(hz)
    return ModeFamily(hz, values(m, n).expand_as(hz), mean_square, waves, torch.outer(counts, counts).reshape(-1))


# ---------------------------------------------------------------------------------------------------------- shells


def round_extents(body: Body) -> tuple[Tensor, Tensor, Tensor]:
    """(B,) mean diameter and height in metres of a round object, and how flat it is, 0..1.

    Two of its extents are alike, the diameters: the longer two of a dish or a ring, the shorter two of a cup or a pipe.
    """
    flat = torch.sigmoid(FLAT_STEEPNESS * (torch.log(body.middle) - 0.5 * torch.log(body.least)))
    wide, narrow = torch.sqrt(body.middle), torch.sqrt(body.middle * body.least)
    diameter = flat * torch.log(wide) + (1 - flat) * torch.log(narrow)
    height = flat * torch.log(body.least)
    return body.size_m * torch.exp(diameter), body.size_m * torch.exp(height), flat


def round_coordinates(point: Tensor, flat: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) -> height on the wall 0 (foot) to 1 (rim), (B,), and angle from the middle of the visible side.

    A standing object is seen from the side: `along` is the height. A flat one from above: its rim is its outline.
    """
    x, y = 2 * point[:, 0] - 1, 2 * point[:, 1] - 1
    square = x**2 + y**2
    middle = square < 1e-6
    from_above = torch.atan2(torch.where(middle, 1e-3, y), torch.where(middle, 1e-3, x))
    height = flat * square.clamp(max=1.0) + (1 - flat) * point[:, 0]
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
    stretch: (B, N) x^2 where the middle surface has to stretch, else 0.
    """
    poisson = properties.poisson[:, None]
    thin = (wall**2 / (12 * radius_m**2))[:, None]
    fourth, twist = bend
    squares = thin * ((waves**2 - 1) ** 2 + fourth + 2 * waves**2 * twist)
    squares = squares + (1 - poisson**2) * (stretch / (stretch + waves**2)) ** 2
    squares = squares * waves**2 / (waves**2 + 1)  # the wall moves tangentially as well
    youngs = properties.youngs_modulus_pa * torch.sqrt(properties.grain)
    speed = torch.sqrt(youngs / (properties.density * (1 - properties.poisson**2)))
    return torch.sqrt(squares) * (speed / radius_m)[:, None] / (2 * math.pi)


def mode_pairs(
    hz: Tensor, values: Tensor, waves: Tensor, angle: Tensor, mean_square: Tensor, along_per_m: Tensor,
    radius_m: Tensor, counts: Tensor,
) -> list[ModeFamily]:  # fmt: skip
    """Both modes of every pair: the first has an antinode at the flaw."""
    from_flaw = waves * (angle[:, None] - FLAW_RAD)
    wavenumbers = torch.sqrt((waves / radius_m[:, None]) ** 2 + along_per_m**2)
    mean_square = (0.5 * mean_square * (1 + 1 / waves**2)).expand_as(hz)
    return [
        ModeFamily(hz * (1 + side * PAIR_DETUNING), values * turned(from_flaw), mean_square, wavenumbers, counts)
        for side, turned in ((-1, torch.cos), (1, torch.sin))
    ]


def _grid(around: tuple[Tensor, Tensor], up: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    (n, many_n), (m, many_m) = around, up
    n, m = (grid.reshape(-1) for grid in torch.meshgrid(n, m, indexing="ij"))
    return n, m, torch.outer(many_n, many_m).reshape(-1)


def tube(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A round tube, open and free at both ends: a pipe or, when short, a ring."""
    diameter, height, flat = round_extents(body)
    wall, radius = wall_m(body, diameter)
    up, angle = round_coordinates(point, flat)
    n, m, many = _grid(mode_indices(2, 8, 16, 1.35, diameter), mode_indices(0, 7, 14, 1.35, diameter))
    per_height = (radius / height)[:, None]
    g, h, j = warburton_coefficients(m)
    poisson = properties.poisson[:, None]
    square = (math.pi * g * per_height) ** 2
    twist = math.pi**2 * per_height**2 * (poisson * h + (1 - poisson) * j)
    hz = shell_hz(n, radius, wall, properties, (square**2, twist), square)
    along = torch.sqrt(j) * math.pi / height[:, None]
    families = mode_pairs(hz, nodal_line_shape(m, up), n, angle, torch.ones_like(hz), along, radius, many)

    numbers, counts = mode_indices(1, 8, 14, 1.2, diameter)
    waves = free_roots(numbers) / height[:, None]
    inside = (radius - 0.5 * wall) ** 2 + (radius + 0.5 * wall) ** 2
    gyration = torch.sqrt(inside) / 2
    youngs = properties.youngs_modulus_pa
    beam_hz = waves**2 * (gyration * torch.sqrt(youngs / properties.density))[:, None] / (2 * math.pi)
    beam_hz = timoshenko_corrected(beam_hz, waves, gyration, properties, SHEAR_TUBE)
    values = free_shape(free_roots(numbers), up)
    families.append(ModeFamily(beam_hz, values, torch.ones_like(beam_hz), waves, counts))
    surface = 2 * math.pi * radius * height
    volume = math.pi * (radius + 0.5 * wall) ** 2 * height
    return concatenate(families, properties.density * surface * wall, 2 * surface, volume, wall)


def bottle(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A round wall closed below and narrowed above, which keeps both its ends round, and the air in its belly and neck
    (H. von Helmholtz; Fletcher and Rossing, section 8.11), which a knock excites a little."""
    diameter, height = body.size_m * torch.sqrt(body.middle * body.least), body.size_m
    wall, radius = wall_m(body, diameter)
    belly = BODY_SHARE * height
    up, angle = round_coordinates(point, torch.zeros_like(diameter))
    n, m, many = _grid(mode_indices(1, 9, 16, 1.35, diameter), mode_indices(1, 6, 13, 1.35, diameter))
    per_height = m * math.pi * (radius / belly)[:, None]
    hz = shell_hz(n, radius, wall, properties, (per_height**4, per_height**2), per_height**2)
    values = torch.sin(m * math.pi * (FOOT + (1 - 2 * FOOT) * (up / BODY_SHARE).clamp(max=1.0))[:, None])
    mean_square = torch.full_like(hz, 0.5 * BODY_SHARE)
    families = mode_pairs(hz, values, n, angle, mean_square, m * math.pi / belly[:, None], radius, many)

    inside = radius - 0.5 * wall
    neck, length = NECK_RADIUS * inside, NECK_LENGTH * height
    air = math.pi * inside**2 * belly
    air_hz = SOUND_SPEED / (2 * math.pi) * torch.sqrt(math.pi * neck**2 / (air * (length + 1.5 * neck)))[:, None]
    zero = torch.zeros_like(air_hz)
    families.append(
        ModeFamily(
            air_hz, zero + HELMHOLTZ_SHARE, zero + 1, zero, torch.ones(1).to(zero), math.pi * air_hz / HELMHOLTZ_Q
        )
    )
    surface = 2 * math.pi * radius * height
    return concatenate(families, properties.density * surface * wall, surface, math.pi * radius**2 * height, wall)


def bowl(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A round wall that stands on its foot and is free at its rim: a bowl, a cup, a glass, a pot."""
    diameter, height, flat = round_extents(body)
    wall, radius = wall_m(body, diameter)
    up, angle = round_coordinates(point, flat)
    n, m, many = _grid(mode_indices(2, 8, 16, 1.35, diameter), mode_indices(1, 6, 13, 1.35, diameter))
    roots = cantilever_roots(m)
    per_height = roots * (radius / height)[:, None]
    first = m == 1  # French's: the wall leans out without stretching
    stretch = torch.where(first, 0.0, per_height**2)
    hz = shell_hz(n, radius, wall, properties, (per_height**4, stretch), stretch)
    hz = torch.where(first, hz * torch.sqrt(1 - properties.poisson[:, None] ** 2), hz)
    values = cantilever_shape(roots, FOOT + (1 - FOOT) * up)
    families = mode_pairs(hz, values, n, angle, torch.ones_like(hz), roots / height[:, None], radius, many)
    surface = 2 * math.pi * radius * height + math.pi * radius**2
    return concatenate(families, properties.density * surface * wall, 2 * surface, math.pi * radius**2 * height, wall)
