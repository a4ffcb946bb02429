"""Solid bodies: Rayleigh-Ritz modes of a free elastic ellipsoid (Visscher et al. 1991).

W. M. Visscher, A. Migliori, T. M. Bell and R. A. Reinert 1991, On the normal modes of free vibration of inhomogeneous
and anisotropic elastic objects, J. Acoust. Soc. Am. 90, 2154-2162, with products of powers of x, y and z as the basis;
a ball gives the modes of H. Lamb 1882, On the vibrations of an elastic sphere, Proc. London Math. Soc. 13, 189-212.
All integrals have closed forms; the body enters as one factor in front of each of twelve fixed matrices. A block of the
same extents has slightly lower modes; a photograph rarely shows which of the two a stone is.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import Any

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import Body, ModeFamily, Vibration, concatenate

DEGREE = 8
KEPT = 16  # modes of each of the eight symmetries
OUTLINE = 0.98  # points outside the visible ellipse count as on its edge
SURFACE_WAVE = 0.93  # speed over that of shear waves: Rayleigh's surface wave
AREA_POWER = 1.6075  # of Thomsen's formula for the surface of an ellipsoid, within 1.1 %
AXES = range(3)
AXIS_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # a matrix' factor is 1 / product of these half axes
EIGENVALUE_BROADENING = 1e-5  # of the mean eigenvalue: closer ones than this count as one
Powers = tuple[int, int, int]


@lru_cache(maxsize=1)
@torch.inference_mode(mode=False)  # cached: a first caller in inference mode must not deny gradients to later ones
def _symmetries() -> list[tuple[list[tuple[int, Powers]], Tensor, int]]:
    """For each symmetry: its basis (component, powers); (12 + 1, D, D): the stiffness matrices of an orthonormal basis,
    then the (D, D) transform to it; how many of its motions are rigid."""
    steps = range(DEGREE + 1)
    powers = [(a, b, c) for a in steps for b in steps for c in steps if a + b + c <= DEGREE]
    symmetries = []
    for parity in product((0, 1), repeat=3):
        basis = [
            (axis, p) for axis in AXES for p in powers
            if all((p[i] + (i == axis)) % 2 == parity[i] for i in AXES)
        ]  # fmt: skip
        component, grades = torch.tensor([axis for axis, _ in basis]), torch.tensor([p for _, p in basis])
        same = component[:, None] == component
        mass = same * _means(grades, None, None)
        lame, shear = torch.zeros(2, len(AXIS_PAIRS), *mass.shape, dtype=torch.float64)
        for a, b in product(AXES, repeat=2):
            here = (component[:, None] == a) & (component == b)
            scale = AXIS_PAIRS.index((min(a, b), max(a, b)))
            lame[scale] += here * _means(grades, a, b)
            shear[scale] += here * _means(grades, b, a)
            if a == b:
                shear[scale] += same * _means(grades, a, a)
        to_orthonormal = torch.linalg.inv(torch.linalg.cholesky(mass)).mT  # columns: orthonormal functions
        stiff = to_orthonormal.mT @ torch.cat([lame, shear]) @ to_orthonormal
        symmetries.append((basis, torch.cat([stiff, to_orthonormal[None]]), 1 if sum(parity) in (1, 2) else 0))
    return symmetries


def _means(grades: Tensor, left: int | None, right: int | None) -> Tensor:
    """(D, 3) powers -> (D, D) means over the unit ball of the products of any two of these functions, the first
    differentiated along axis `left`, the second along `right`."""
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


def solid(body: Body, properties: Properties, point: Tensor) -> Vibration:
    """A solid ellipsoid, struck on its visible side along the inward normal. point: (B, 2)."""
    like = body.size_m
    half = 0.5 * torch.stack([body.length_m, body.width_m, body.height_m], dim=1).double()  # (B, 3)
    density, poisson = properties.density.double(), properties.poisson.double()
    shear = (properties.youngs_modulus_pa * torch.sqrt(properties.grain)).double() / (2 * (1 + poisson))
    lame = 2 * shear * poisson / (1 - 2 * poisson)
    mean = half.prod(dim=1) ** (1 / 3)
    shape = half / mean[:, None]
    shear_speed = torch.sqrt(shear / density)
    inverse = torch.stack([1 / (shape[:, a] * shape[:, b]) for a, b in AXIS_PAIRS], dim=1)
    factors = torch.cat([inverse * (lame / shear)[:, None], inverse], dim=1)  # (B, 12), without units
    contact, normal = surface_point(point.double(), half)
    squares, shapes = [], []
    for basis, fixed, rigid in _symmetries():
        fixed = fixed.to(like.device)
        values, vectors = symmetric_eigen(torch.einsum("bc,cij->bij", factors, fixed[:12]))
        kept = slice(rigid, rigid + KEPT)
        functions = torch.stack(
            [normal[:, axis] * (contact ** torch.tensor(p).to(contact)).prod(dim=1) for axis, p in basis], dim=1
        )  # (B, D)
        squares.append(values[:, kept])
        shapes.append(torch.einsum("bi,ij,bjk->bk", functions, fixed[12], vectors[:, :, kept]))
    omega = torch.sqrt(torch.cat(squares, dim=1).clamp(min=1e-12)) * (shear_speed / mean)[:, None]
    hz, values = (omega / (2 * math.pi)).to(like), torch.cat(shapes, dim=1).to(like)
    waves = (omega / (SURFACE_WAVE * shear_speed)[:, None]).to(like)
    family = ModeFamily(hz, values, torch.ones_like(hz), waves, torch.ones_like(hz))
    volume = 4 / 3 * math.pi * half.prod(dim=1)
    powers = half**AREA_POWER
    pairs = (powers[:, 0] * powers[:, 1] + powers[:, 0] * powers[:, 2] + powers[:, 1] * powers[:, 2]) / 3
    area = 4 * math.pi * pairs ** (1 / AREA_POWER)
    return concatenate([family], (density * volume).to(like), area.to(like), volume.to(like), body.height_m)


def surface_point(point: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2) points seen from above, (B, 3) half axes -> (B, 3) points on the unit ball that is stretched to the
    ellipsoid, and (B, 3) the ellipsoid's outward normals there."""
    flat = 2 * point - 1
    square = (flat**2).sum(dim=1, keepdim=True)
    inside = torch.where(square > OUTLINE**2, OUTLINE / torch.sqrt(square.clamp(min=OUTLINE**2)), 1.0)
    flat = flat * inside
    up = torch.sqrt(1 - (flat**2).sum(dim=1, keepdim=True))
    on_ball = torch.cat([flat, up], dim=1)
    slope = on_ball / half
    return on_ball, slope / slope.norm(dim=1, keepdim=True)


class _SymmetricEigen(torch.autograd.Function):
    """torch.linalg.eigh whose gradient has 1 / d replaced by d / (d^2 + e^2), after Liao, Liu, Wang and Xiang 2019,
    Differentiable programming tensor networks, Phys. Rev. X 9, 031041: a sphere's modes are degenerate."""

    @staticmethod
    def forward(ctx: Any, matrices: Tensor) -> tuple[Tensor, Tensor]:
        values, vectors = torch.linalg.eigh(matrices)
        ctx.save_for_backward(values, vectors)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, values_gradient: Tensor, vectors_gradient: Tensor) -> Tensor:
        values, vectors = ctx.saved_tensors
        apart = values[..., None, :] - values[..., :, None]
        near = EIGENVALUE_BROADENING * values.abs().mean(dim=-1)[..., None, None]
        inner = vectors.mT @ vectors_gradient * (apart / (apart**2 + near**2))
        inner = inner + torch.diag_embed(values_gradient)
        gradient = vectors @ inner @ vectors.mT
        return (gradient + gradient.mT) / 2


def symmetric_eigen(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """(B, D, D) symmetric -> (B, D) rising eigenvalues and (B, D, D) eigenvectors in columns, with a gradient that
    stays finite where eigenvalues meet."""
    return _SymmetricEigen.apply(matrices)
