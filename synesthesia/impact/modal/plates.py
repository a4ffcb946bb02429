"""Plates with free edges, and thin-walled boxes as the plates of their faces.

G. B. Warburton 1954, The vibration of rectangular plates, Proc. Inst. Mech. Engrs 168, 371-384: one product of beam
functions a mode, frequencies within about 5 % of the exact ones; R. F. S. Hearmon 1959, The frequency of flexural
vibration of rectangular orthotropic plates, J. Applied Mechanics 26, 537-540, for materials with a grain. The two
products (2, 0) and (0, 2), which Poisson's ratio couples and a square splits (its X and ring mode: Fletcher and
Rossing, ch. 3), are solved together. Checked against A. W. Leissa 1973, J. Sound and Vibration 31, 257-293, in the
tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from synesthesia.impact.modal.beams import FREE_ROOTS, free_roots, free_shape, slowed
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import Body, Family, Vibration, concatenate, indices

SHEAR_PLATE = 5 / 6
LINES_DENSE, LINES, LINES_GROWTH = 9, 22, 1.35
FACE_DENSE, FACE, FACE_GROWTH = 8, 18, 1.35
WHOLE_BEND = 2 * FREE_ROOTS[0] * 2 * 0.982502  # integral of the second derivative of a free beam's first bending mode
OTHER_FACES = 0.25  # of the struck face's motion: what a box's edges pass on
RIM = 0.05  # of a face: nearer to an edge than this the edge itself gives way


def free_edge(lines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Warburton's G, H and J (N,) of beam functions with that many nodal lines between free edges.

    (pi G)^4, (pi^2 H)^2 and pi^2 J are the mean squares of the second derivative, of its product with the function and
    of the first derivative over a unit length.
    """
    half = (lines - 0.5).clamp(min=1.5)
    g = torch.where(lines < 2, 0.0, torch.where(lines == 2, 1.506, half))
    h = torch.where(lines < 2, 0.0, torch.where(lines == 2, 1.248, half**2 * (1 - 2 / (half * math.pi))))
    j = torch.where(lines == 2, 5.017, half**2 * (1 + 6 / (half * math.pi)))
    return g, h, torch.where(lines == 0, 0.0, torch.where(lines == 1, 12 / math.pi**2, j))


def line_shape(lines: Tensor, at: Tensor) -> Tensor:
    """(N,) nodal lines, (B,) places 0..1 -> (B, N): 1, a tilt, then the free beam's bending modes; mean square 1."""
    bent = free_shape(free_roots((lines - 1).clamp(min=1)), at)
    tilt = math.sqrt(3) * (2 * at[:, None] - 1)
    return torch.where(lines == 0, torch.ones_like(bent), torch.where(lines == 1, tilt.expand_as(bent), bent))


def stiffness(properties: Properties, thickness_m: Tensor) -> tuple[Tensor, Tensor]:
    """(B,) bending stiffness in N m of a sheet, along its grain and across it."""
    along = properties.youngs_modulus_pa * thickness_m**3 / (12 * (1 - properties.poisson**2))
    return along, along * properties.grain


def plate(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A flat rectangular plate with free edges, struck on its face. place: (B, 2)."""
    length, width, thickness = body.length_m, body.width_m, body.thickness_m
    numbers, counts = indices(0, LINES_DENSE, LINES, LINES_GROWTH, length)
    m, n = (grid.reshape(-1) for grid in torch.meshgrid(numbers, numbers, indexing="ij"))
    many = torch.outer(counts, counts).reshape(-1)
    moving = m + n >= 2  # the others are the rigid plate
    m, n, many = m[moving], n[moving], many[moving]
    along_stiff, across_stiff = (value[:, None] for value in stiffness(properties, thickness))
    mean = torch.sqrt(along_stiff * across_stiff)
    poisson = properties.poisson[:, None]
    a, b = length[:, None], width[:, None]
    (gx, hx, jx), (gy, hy, jy) = free_edge(m), free_edge(n)
    energy = math.pi**4 * (
        along_stiff * gx**4 / a**4
        + across_stiff * gy**4 / b**4
        + 2 * mean * (poisson * hx * hy + (1 - poisson) * jx * jy) / (a * b) ** 2
    )  # (B, N) N/m3
    shape = line_shape(m, place[:, 0]) * line_shape(n, place[:, 1])
    energy, shape = _ring_and_cross(energy, shape, (m, n), poisson * mean * WHOLE_BEND**2 / (a * b) ** 2)
    per_area = (properties.density * thickness)[:, None]
    omega = torch.sqrt(energy / per_area)
    waves = (energy / mean) ** 0.25
    hz = slowed(omega / (2 * math.pi), waves, thickness / math.sqrt(12), properties, SHEAR_PLATE)
    area, volume = length * width, length * width * thickness
    return concatenate(
        [Family(hz, shape, torch.ones_like(hz), waves, many)], properties.density * volume, 2 * area, volume, thickness
    )


def _ring_and_cross(
    energy: Tensor, shape: Tensor, lines: tuple[Tensor, Tensor], coupling: Tensor
) -> tuple[Tensor, Tensor]:
    """Products (2, 0) and (0, 2) replaced by their two combinations. coupling: (B, 1), in the units of energy."""
    first, second = ((lines[0] == m) & (lines[1] == n) for m, n in ((2, 0), (0, 2)))
    low, high = energy[:, first], energy[:, second]  # (B, 1)
    angle = 0.5 * torch.atan2(2 * coupling, low - high)
    middle, half = (low + high) / 2, torch.sqrt(((low - high) / 2) ** 2 + coupling**2)
    along, across = shape[:, first], shape[:, second]
    with_, against = (
        torch.cos(angle) * along + torch.sin(angle) * across,
        torch.cos(angle) * across - torch.sin(angle) * along,
    )
    energy = torch.where(first, middle + half, torch.where(second, middle - half, energy))
    return energy, torch.where(first, with_, torch.where(second, against, shape))


def hollow(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A closed box of thin walls, struck on its broadest face. Each face a plate that its neighbours hold at the edges
    but let turn (simply supported); the other faces move with the struck one a little. place: (B, 2)."""
    length, width, height = body.length_m, body.width_m, body.height_m
    wall = torch.minimum(body.thickness_m, 0.49 * height)
    along, across = RIM + (1 - 2 * RIM) * place[:, 0], RIM + (1 - 2 * RIM) * place[:, 1]
    total = 2 * (length * width + length * height + width * height)

    def sine(numbers: Tensor, at: Tensor) -> Tensor:
        return torch.sin(numbers * math.pi * at[:, None])

    struck = _face(length, width, wall, properties, lambda m, n: sine(m, along) * sine(n, across), total)
    long = _face(length, height, wall, properties, lambda m, n: OTHER_FACES * sine(m, along), total)
    short = _face(width, height, wall, properties, lambda m, n: OTHER_FACES * sine(m, across), total)
    return concatenate((struck, long, short), properties.density * total * wall, total, length * width * height, wall)


def _face(
    a: Tensor, b: Tensor, wall: Tensor, properties: Properties, shape: Callable[[Tensor, Tensor], Tensor], total: Tensor
) -> Family:
    """Modes of one face of a by b m, (B,). shape: of its numbers m and n (N,); total: m2 of all six faces."""
    numbers, counts = indices(1, FACE_DENSE, FACE, FACE_GROWTH, a)
    m, n = (grid.reshape(-1) for grid in torch.meshgrid(numbers, numbers, indexing="ij"))
    along_stiff, across_stiff = (value[:, None] for value in stiffness(properties, wall))
    x, y = m * math.pi / a[:, None], n * math.pi / b[:, None]
    energy = along_stiff * x**4 + across_stiff * y**4 + 2 * torch.sqrt(along_stiff * across_stiff) * (x * y) ** 2
    hz = torch.sqrt(energy / (properties.density * wall)[:, None]) / (2 * math.pi)
    waves = torch.sqrt(x**2 + y**2)
    hz = slowed(hz, waves, wall / math.sqrt(12), properties, SHEAR_PLATE)
    share = (0.25 * a * b / total)[:, None].expand_as(hz)
    return Family(hz, shape(m, n).expand_as(hz), share, waves, torch.outer(counts, counts).reshape(-1))
