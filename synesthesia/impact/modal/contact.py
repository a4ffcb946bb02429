"""The blow: how long a mallet stays and which frequencies its push holds.

Two bodies that touch with a round tip push back with stiffness * depth^(3/2) (H. Hertz 1882; K. L. Johnson, Contact
Mechanics, ch. 4 and 11.4); with a mass behind it the push rises and falls in a time that shortens with force^(-1/6).
The same law drives the mallets of A. Chaigne and V. Doutaut 1997, Numerical simulations of xylophones, J. Acoust.
Soc. Am. 101, 539-557, and the power law of F. Avanzini and D. Rocchesso 2001, Modeling collision sounds, Proc. DAFx.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import Vibration

MalletName = Literal["finger", "wood", "metal"]
MALLETS: tuple[MalletName, ...] = get_args(MalletName)
MIN_FORCE_N, MAX_FORCE_N = 0.5, 50.0

EXPONENT = 1.5  # of the push over time, sin(pi t / tau)^1.5: its impulse within 3 % of Hertz's
IMPULSE = 0.556418  # mean of sin^1.5 over its half turn
TIME = 2.943275 * math.sqrt(5 / 4)  # Johnson eq. 11.24: tau = 2.94 depth / speed
SPREAD = 0.205  # standard deviation in time of the push, over tau
TAIL = 0.5148  # frequency times tau at which the tail's slope of f^-2.5 meets the impulse
WALL = 8 / math.sqrt(12)  # impedance of a wide wall over rho c h^2: Cremer, Heckl and Petersson, ch. 5
BACKED = 0.25  # of a push that even the thinnest sheet withstands, by what it lies on
LOBE = 1.5  # frequency times tau at which the tail takes over


@dataclass(frozen=True)
class Mallet:
    """What strikes: effective mass, radius of its tip, Young's modulus, Poisson's ratio and density of the tip."""

    mass_kg: float
    radius_m: float
    youngs_modulus_pa: float
    poisson: float
    density: float


# A finger: the effective mass of its last joint, and its pulp, which 5 N press in by about 2 mm (E. R. Serina, S. D.
# Mote and D. Rempel 1997, Force response of the fingertip pulp to repeated compression, J. Biomechanics 30, 1035-1040).
TIPS: dict[MalletName, Mallet] = {
    "finger": Mallet(0.008, 0.008, 0.37e6, 0.45, 1050.0),
    "wood": Mallet(0.025, 0.008, 4e9, 0.35, 700.0),
    "metal": Mallet(0.025, 0.006, 200e9, 0.29, 7850.0),
}


@dataclass(frozen=True)
class Push:
    """Force over time, F sin(pi t / tau)^1.5 for 0 <= t <= tau. force_n, contact_s: (B,)."""

    force_n: Tensor
    contact_s: Tensor

    def spectrum_ns(self, frequencies_hz: Tensor) -> Tensor:
        """(B, K) hertz -> (B, K) magnitude in N s: the impulse at 0 Hz, then the main lobe, then the fall of f^-2.5.

        The zeros between side lobes are filled: no two pushes have them at the same place, and no gradient should.
        """
        x = frequencies_hz * self.contact_s[:, None]
        main = torch.exp(-((2 * math.pi * SPREAD * x) ** 2))  # squared
        beyond = 1 - torch.exp(-((x / LOBE) ** 6))
        tail = (TAIL / x.clamp(min=0.1)) ** 5 * beyond  # squared
        return IMPULSE * (self.force_n * self.contact_s)[:, None] * torch.sqrt(main + tail + 1e-30)


def push(
    force_n: Tensor, tip: Mallet, properties: Properties, vibration: Vibration, hardness: Tensor | float = 1.0
) -> Push:
    """(B,) the peak force on something that does not give way, what strikes and the body -> the push that moves it.

    A thin wall yields while it is pushed (C. Zener 1941, The intrinsic inelasticity of large plates, Phys. Rev. 59,
    669-673): where its impedance is small against the mallet's mass over the contact time, the push is weaker and
    longer. Much longer it does not get, for the thing lies on something, which takes what the wall does not.
    hardness: (B,) factor of the contact's stiffness.
    """
    softness = (1 - properties.poisson**2) / properties.hardness_pa + (1 - tip.poisson**2) / tip.youngs_modulus_pa
    stiffness = hardness * 4 / 3 * math.sqrt(tip.radius_m) / softness  # N / m^1.5
    moving = tip.mass_kg * vibration.mass_kg / (tip.mass_kg + vibration.mass_kg)
    contact = TIME * torch.sqrt(moving) * stiffness ** (-1 / 3) * force_n ** (-1 / 6)
    stiff = properties.youngs_modulus_pa * torch.sqrt(properties.grain)
    impedance = WALL * torch.sqrt(properties.density * stiff) * vibration.wall_m**2
    held = impedance / (impedance + moving / contact)
    return Push(force_n * held, contact / (BACKED + (1 - BACKED) * held))
