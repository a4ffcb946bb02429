"""Full bodies: the free vibrations of an elastic ellipsoid, from a ball (H. Lamb 1882, On the vibrations of an elastic
sphere, Proc. London Math. Soc. 13, 189-212) to an egg, a pebble or a rod with round ends.

Rayleigh and Ritz with products of powers of x, y and z as in W. M. Visscher, A. Migliori, T. M. Bell and R. A. Reinert
1991, On the normal modes of free vibration of inhomogeneous and anisotropic elastic objects, J. Acoust. Soc. Am. 90,
2154-2162. All integrals are known; what depends on the body is one factor in front of each of twelve fixed matrices. A
block of the same extents has modes a little lower; nobody sees in a photograph which of the two a stone is.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import torch
from torch import Tensor

from synesthesia.impact.modal.eigen import symmetric_eigen
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import Body, Family, Vibration, concatenate

DEGREE = 8
KEPT = 16  # modes of each of the eight symmetries
OUTLINE = 0.98  # places outside the ellipse that is seen count as on its edge
SURFACE_WAVE = 0.93  # speed over that of shear waves: Rayleigh's surface wave
AREA_POWER = 1.6075  # of Thomsen's formula for the surface of an ellipsoid, within 1.1 %
AXES = range(3)
SCALES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # 1 / product of these two half axes stands before a matrix
Powers = tuple[int, int, int]


@lru_cache(maxsize=1)
@torch.inference_mode(mode=False)  # kept for good: whoever comes first must not forbid others a gradient
def _classes() -> list[tuple[list[tuple[int, Powers]], Tensor, int]]:
    """For each symmetry: its basis (component, powers), (D, 12, D) stiffness matrices of an orthonormal basis times
    (D, D) that leads to it as (D, 12 + 1, D), and how many of its motions are rigid."""
    steps = range(DEGREE + 1)
    powers = [(a, b, c) for a in steps for b in steps for c in steps if a + b + c <= DEGREE]
    found = []
    for parity in product((0, 1), repeat=3):
        basis = [
            (axis, p) for axis in AXES for p in powers
            if all((p[i] + (i == axis)) % 2 == parity[i] for i in AXES)
        ]  # fmt: skip
        component, grades = torch.tensor([axis for axis, _ in basis]), torch.tensor([p for _, p in basis])
        same = component[:, None] == component
        mass = same * _means(grades, None, None)
        lame, shear = torch.zeros(2, len(SCALES), *mass.shape, dtype=torch.float64)
        for a, b in product(AXES, repeat=2):
            here = (component[:, None] == a) & (component == b)
            scale = SCALES.index((min(a, b), max(a, b)))
            lame[scale] += here * _means(grades, a, b)
            shear[scale] += here * _means(grades, b, a)
            if a == b:
                shear[scale] += same * _means(grades, a, a)
        to_orthonormal = torch.linalg.inv(torch.linalg.cholesky(mass)).mT  # columns: orthonormal functions
        stiff = to_orthonormal.mT @ torch.cat([lame, shear]) @ to_orthonormal
        found.append((basis, torch.cat([stiff, to_orthonormal[None]]), 1 if sum(parity) in (1, 2) else 0))
    return found


def _means(grades: Tensor, left: int | None, right: int | None) -> Tensor:
    """(D, 3) powers -> (D, D) means over the unit ball of the product of any two of these functions, the first derived
    along axis `left`, the second along `right`."""
    total = grades[:, None] + grades  # (D, D, 3)
    factor = torch.ones(total.shape[:2], dtype=torch.float64)
    for axis, slope in ((left, grades[:, None, :]), (right, grades[None, :, :])):
        if axis is not None:
            factor = factor * slope[..., axis]
            total = total - torch.eye(3, dtype=torch.long)[axis]
    known = (factor != 0) & (total % 2 == 0).all(dim=-1)
    total = total.clamp(min=0).double()
    logs = torch.lgamma((total + 1) / 2).sum(dim=-1) - torch.lgamma((total.sum(dim=-1) + 3) / 2)
    return known * factor * 2 * torch.exp(logs) / (total.sum(dim=-1) + 3) / (4 * math.pi / 3)


def solid(body: Body, properties: Properties, place: Tensor) -> Vibration:
    """A full ellipsoid, struck on the side that is seen, straight inwards. place: (B, 2)."""
    like = body.size_m
    half = 0.5 * torch.stack([body.length_m, body.width_m, body.height_m], dim=1).double()  # (B, 3)
    density, poisson = properties.density.double(), properties.poisson.double()
    shear = (properties.youngs_modulus_pa * torch.sqrt(properties.grain)).double() / (2 * (1 + poisson))
    lame = 2 * shear * poisson / (1 - 2 * poisson)
    mean = half.prod(dim=1) ** (1 / 3)
    shape = half / mean[:, None]
    slow = torch.sqrt(shear / density)  # shear waves
    inverse = torch.stack([1 / (shape[:, a] * shape[:, b]) for a, b in SCALES], dim=1)
    factors = torch.cat([inverse * (lame / shear)[:, None], inverse], dim=1)  # (B, 12), without units
    point, normal = surface(place.double(), half)
    squares, shapes = [], []
    for basis, fixed, rigid in _classes():
        fixed = fixed.to(like.device)
        values, vectors = symmetric_eigen(torch.einsum("bc,cij->bij", factors, fixed[:12]))
        kept = slice(rigid, rigid + KEPT)
        functions = torch.stack(
            [normal[:, axis] * (point ** torch.tensor(p).to(point)).prod(dim=1) for axis, p in basis], dim=1
        )  # (B, D)
        squares.append(values[:, kept])
        shapes.append(torch.einsum("bi,ij,bjk->bk", functions, fixed[12], vectors[:, :, kept]))
    omega = torch.sqrt(torch.cat(squares, dim=1).clamp(min=1e-12)) * (slow / mean)[:, None]
    hz, at_place = (omega / (2 * math.pi)).to(like), torch.cat(shapes, dim=1).to(like)
    waves = (omega / (SURFACE_WAVE * slow)[:, None]).to(like)
    family = Family(hz, at_place, torch.ones_like(hz), waves, torch.ones_like(hz))
    volume = 4 / 3 * math.pi * half.prod(dim=1)
    powers = half**AREA_POWER
    pairs = (powers[:, 0] * powers[:, 1] + powers[:, 0] * powers[:, 2] + powers[:, 1] * powers[:, 2]) / 3
    area = 4 * math.pi * pairs ** (1 / AREA_POWER)
    return concatenate([family], (density * volume).to(like), area.to(like), volume.to(like), body.height_m)


def surface(place: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) places seen from above, (B, 3) half axes -> (B, 3) points on the unit ball that the ellipsoid is a
    stretched image of, and (B, 3) its outward normals there."""
    flat = 2 * place - 1
    square = (flat**2).sum(dim=1, keepdim=True)
    inside = torch.where(square > OUTLINE**2, OUTLINE / torch.sqrt(square.clamp(min=OUTLINE**2)), 1.0)
    flat = flat * inside
    up = torch.sqrt(1 - (flat**2).sum(dim=1, keepdim=True))
    point = torch.cat([flat, up], dim=1)
    slope = point / half
    return point, slope / slope.norm(dim=1, keepdim=True)
