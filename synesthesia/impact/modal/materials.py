"""Acoustic material properties: density, elastic constants, damping and residual noise, by material name or blended.

Elastic constants: M. F. Ashby, Materials Selection in Mechanical Design (appendix of material data), and for musical
materials N. H. Fletcher and T. D. Rossing, The Physics of Musical Instruments, ch. 22; other sources stand next to
their numbers. Each value is the middle of a range that spans a factor of two or more. Damping: `materials.json`, made
by `training/impact/fit_damping.py`, which records for each material what was measured and what comes from the
literature.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.core.vocabulary import MATERIALS, MaterialName

DAMPING_FILE = Path(__file__).with_name("materials.json")


@dataclass(frozen=True)
class DampingModel:
    """Decay rate of a mode's amplitude at f hertz: base_per_s + pi * loss_factor * f, in 1/s; T60 = ln(1000) / rate.

    The first term, constant over frequency, is mostly support and air, the second the material's structural damping
    (Cremer, Heckl and Petersson, Structure-Borne Sound). slope_db_per_octave: how onset levels fall with frequency.
    """

    base_per_s: float
    loss_factor: float
    slope_db_per_octave: float


@dataclass(frozen=True)
class Material:
    """density: kg/m3; youngs_modulus_pa: along the stiffest direction; poisson: Poisson's ratio; grain: Young's modulus
    across the stiffest direction / along it; hardness_pa: Young's modulus of the surface under a mallet's tip, which
    sets the contact time: lower than the body's where that is layered, fluffy or cellular.

    The residual noise beside the modes: noise_share: of the energy of the first moments; noise_t60_s: its T60;
    noise_corner_hz: it falls off below this; crackle: 0 smooth to 1 grainy; bubbling: 0..1, whether the sound comes
    from bubbles instead of a solid's modes.
    """

    density: float
    youngs_modulus_pa: float
    poisson: float
    grain: float
    hardness_pa: float
    noise_share: float
    noise_t60_s: float
    noise_corner_hz: float
    crackle: float
    bubbling: float = 0.0


LITERATURE: dict[MaterialName, Material] = {
    # Ashby: 600-800 kg/m3, 6-20 GPa along the grain, 0.5-3 GPa across it.
    "wood": Material(650.0, 11e9, 0.35, 0.1, 2e9, 0.08, 0.04, 300.0, 0.2),
    # Steel; aluminium (2700, 70 GPa) has the same speed of sound, brass (8500, 104 GPa) two thirds of it.
    "metal": Material(7850.0, 200e9, 0.29, 1.0, 200e9, 0.01, 0.03, 1500.0, 0.0),
    "glass": Material(2480.0, 70e9, 0.23, 1.0, 70e9, 0.02, 0.03, 1500.0, 0.0),
    # Porcelain and stoneware, not technical alumina.
    "ceramic": Material(2350.0, 60e9, 0.22, 1.0, 60e9, 0.03, 0.03, 1200.0, 0.0),
    "stone": Material(2700.0, 50e9, 0.25, 1.0, 50e9, 0.10, 0.03, 800.0, 0.2),
    "concrete": Material(2300.0, 28e9, 0.18, 1.0, 28e9, 0.20, 0.04, 500.0, 0.3),
    # ABS, polypropylene, PET: 900-1400 kg/m3, 1-4 GPa.
    "plastic": Material(1050.0, 2.4e9, 0.38, 1.0, 2.4e9, 0.10, 0.04, 400.0, 0.1),
    # Vulcanised; stiffer at audio frequencies than in a slow pull: Nashif, Jones and Henderson, Vibration Damping.
    "rubber": Material(1150.0, 10e6, 0.49, 1.0, 8e6, 0.25, 0.05, 150.0, 0.0),
    # Corrugated board as one homogeneous sheet: the liners' stiffness over the thickness of the whole.
    "cardboard": Material(160.0, 1.2e9, 0.3, 0.5, 20e6, 0.55, 0.07, 250.0, 0.4),
    # K. Niskanen (ed.), Mechanics of Paper Products: 2-8 GPa, half of it across the machine direction.
    "paper": Material(750.0, 5e9, 0.3, 0.45, 30e6, 0.90, 0.09, 500.0, 0.8),
    # Bending stiffness of cotton cloth (about 1e-5 N m for 0.5 mm): S. Kawabata, The Standardization and Analysis of
    # Hand Evaluation.
    "fabric": Material(450.0, 2e6, 0.3, 0.7, 200e3, 0.90, 0.07, 120.0, 0.2),
    "leather": Material(900.0, 0.15e9, 0.4, 0.7, 4e6, 0.60, 0.06, 180.0, 0.2),
    # A liquid has no bending stiffness: the modulus only sets how soft the contact is.
    "liquid": Material(1000.0, 1e5, 0.49, 1.0, 20e3, 0.35, 0.12, 400.0, 0.3, bubbling=1.0),
}


@lru_cache(maxsize=1)
def damping_models() -> dict[str, DampingModel]:
    """Damping by material, from DAMPING_FILE."""
    read = json.loads(DAMPING_FILE.read_text(encoding="utf-8"))["materials"]
    return {
        name: DampingModel(**read[name]["law"], slope_db_per_octave=read[name]["slope_db_per_octave"])
        for name in MATERIALS
    }


@dataclass(frozen=True)
class Properties:
    """Material properties as tensors, (B,) each; see Material and DampingModel. They need not be a named material's."""

    density: Tensor
    youngs_modulus_pa: Tensor
    poisson: Tensor
    grain: Tensor
    hardness_pa: Tensor
    noise_share: Tensor
    noise_t60_s: Tensor
    noise_corner_hz: Tensor
    crackle: Tensor
    bubbling: Tensor
    base_per_s: Tensor
    loss_factor: Tensor
    slope_db_per_octave: Tensor

    @staticmethod
    def of(materials: Sequence[MaterialName], dtype: torch.dtype = torch.float32) -> Properties:
        rows = [MATERIALS.index(name) for name in materials]
        return Properties(**{name: values[rows].to(dtype) for name, values in _columns().items()})

    @staticmethod
    def blend(weights: Tensor) -> Properties:
        """(B, 13) shares of MATERIALS that sum to 1 -> properties in between: quantities that span decades by their
        geometric mean, shares by their mean log odds, the rest by their mean. One-hot rows give the materials."""
        mixed = {}
        for name, values in _columns().items():
            to_linear, from_linear = BLEND_SCALES.get(name, (_identity, _identity))
            mixed[name] = from_linear(weights @ to_linear(values.to(weights)))
        return Properties(**mixed)

    @staticmethod
    def concatenate(parts: Sequence[Properties]) -> Properties:
        return Properties(*(torch.cat([getattr(part, name) for part in parts]) for name in PROPERTY_NAMES))

    @staticmethod
    def from_vector(vector: Tensor) -> Properties:
        """(B, P) as of `to_vector`."""
        columns = dict(zip(PROPERTY_NAMES, vector.unbind(dim=1), strict=True))
        return Properties(
            **{name: BLEND_SCALES[name][1](at) if name in BLEND_SCALES else at for name, at in columns.items()}
        )

    def to_vector(self) -> Tensor:
        """(B, P): each quantity on the scale on which it blends, in the order of PROPERTY_NAMES."""
        columns = []
        for name in PROPERTY_NAMES:
            values = getattr(self, name)
            columns.append(BLEND_SCALES[name][0](values) if name in BLEND_SCALES else values)
        return torch.stack(columns, dim=1)

    def decays_per_s(self, frequencies_hz: Tensor) -> Tensor:
        """(B, K) -> (B, K), see DampingModel."""
        return self.base_per_s[:, None] + math.pi * self.loss_factor[:, None] * frequencies_hz

    def rows(self, at: Sequence[int]) -> Properties:
        return Properties(*(getattr(self, name)[list(at)] for name in PROPERTY_NAMES))

    def split(self) -> list[Properties]:
        """B of (1,) each."""
        columns = [getattr(self, name).split(1) for name in PROPERTY_NAMES]
        return [Properties(*row) for row in zip(*columns, strict=True)]


PROPERTY_NAMES = tuple(field.name for field in fields(Properties))  # P of them


def _identity(values: Tensor) -> Tensor:
    return values


BLEND_SCALES = {
    **{
        name: (torch.log, torch.exp)
        for name in (
            "density", "youngs_modulus_pa", "grain", "hardness_pa", "noise_t60_s", "noise_corner_hz", "base_per_s",
            "loss_factor",
        )
    },
    "noise_share": (torch.logit, torch.sigmoid),
}  # fmt: skip


@lru_cache(maxsize=1)
@torch.inference_mode(mode=False)  # cached: a first caller in inference mode must not deny gradients to later ones
def _columns() -> dict[str, Tensor]:
    """By quantity, (13,) float64 in the order of MATERIALS."""
    damping = damping_models()
    columns = {
        field.name: [getattr(LITERATURE[name], field.name) for name in MATERIALS] for field in fields(Material)
    } | {field.name: [getattr(damping[name], field.name) for name in MATERIALS] for field in fields(DampingModel)}
    return {name: torch.tensor(values, dtype=torch.float64) for name, values in columns.items()}
