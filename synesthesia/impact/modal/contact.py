"""Hertzian contact force of a mallet: contact time, force spectrum, and the click that the force's slope radiates.

Two bodies that touch with a round tip repel with stiffness * depth^(3/2) (H. Hertz 1882; K. L. Johnson, Contact
Mechanics, ch. 4 and 11.4); with a mass behind it the force rises and falls in a time that shortens with force^(-1/6).
The same law drives the mallets of A. Chaigne and V. Doutaut 1997, Numerical simulations of xylophones, J. Acoust.
Soc. Am. 101, 539-557, and the power law of F. Avanzini and D. Rocchesso 2001, Modeling collision sounds, Proc. DAFx.
The impact also accelerates the body as a whole, which clicks: E. J. Richards, M. E. Westcott and R. K. Jeyapalan 1979,
On the prediction of impact noise, I: acceleration noise, J. Sound and Vibration 62.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthesia.core.vocabulary import MalletName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.vibration import AIR_DENSITY, DISTANCE_M, SOUND_SPEED, Vibration

MIN_FORCE_N, MAX_FORCE_N = 0.5, 50.0

FORCE_EXPONENT = 1.5  # of the force over time, sin(pi t / tau)^1.5: its impulse within 3 % of Hertz's
MEAN_FORCE = 0.556418  # mean of sin^1.5 over its half period
CONTACT_FACTOR = 2.943275 * math.sqrt(5 / 4)  # Johnson eq. 11.24: tau = 2.94 depth / speed
SPREAD = 0.205  # standard deviation of the force in time, over tau
TAIL = 0.5148  # frequency times tau at which the tail's slope of f^-2.5 meets the impulse
WALL_IMPEDANCE = 8 / math.sqrt(12)  # of a wide wall over rho c h^2: Cremer, Heckl and Petersson, ch. 5
BACKING_SHARE = 0.25  # of the force that even the thinnest sheet withstands, thanks to what it lies on
LOBE = 1.5  # frequency times tau at which the tail takes over


@dataclass(frozen=True)
class Mallet:
    """Effective mass, radius of the tip, and the tip's Young's modulus, Poisson's ratio and density."""

    mass_kg: float
    radius_m: float
    youngs_modulus_pa: float
    poisson: float
    density: float


# Finger: effective mass of its last joint, and its pulp, which 5 N press in by about 2 mm (E. R. Serina, S. D. Mote and
# D. Rempel 1997, Force response of the fingertip pulp to repeated compression, J. Biomechanics 30, 1035-1040).
MALLET_TIPS: dict[MalletName, Mallet] = {
    "finger": Mallet(0.008, 0.008, 0.37e6, 0.45, 1050.0),
    "wood": Mallet(0.025, 0.008, 4e9, 0.35, 700.0),
    "metal": Mallet(0.025, 0.006, 200e9, 0.29, 7850.0),
}


@dataclass(frozen=True)
class ContactForce:
    """F sin(pi t / tau)^1.5 for 0 <= t <= tau. force_n: F, the peak, contact_s: tau, (B,) each."""

    force_n: Tensor
    contact_s: Tensor

    def spectrum_ns(self, frequencies_hz: Tensor) -> Tensor:
        """(B, K) hertz -> (B, K) magnitude in N s: the impulse at 0 Hz, then the main lobe, then a fall as f^-2.5.

        The zeros between side lobes are filled: no two strikes have them at the same frequency, and no gradient should.
        """
        x = frequencies_hz * self.contact_s[:, None]
        main = torch.exp(-((2 * math.pi * SPREAD * x) ** 2))  # squared
        beyond = 1 - torch.exp(-((x / LOBE) ** 6))
        tail = (TAIL / x.clamp(min=0.1)) ** 5 * beyond  # squared
        return MEAN_FORCE * (self.force_n * self.contact_s)[:, None] * torch.sqrt(main + tail + 1e-30)


def contact_force(
    force_n: Tensor, tip: Mallet, properties: Properties, vibration: Vibration, hardness: Tensor | float = 1.0
) -> ContactForce:
    """force_n: (B,) peak force on a rigid body. -> The force on this one. hardness: (B,) factor of the contact
    stiffness.

    A thin wall yields (C. Zener 1941, The intrinsic inelasticity of large plates, Phys. Rev. 59, 669-673): where its
    impedance is small against the mallet's mass over the contact time, the force is weaker and lasts longer. The
    increase is bounded, because the object lies on something that takes the rest.
    """
    softness = (1 - properties.poisson**2) / properties.hardness_pa + (1 - tip.poisson**2) / tip.youngs_modulus_pa
    stiffness = hardness * 4 / 3 * math.sqrt(tip.radius_m) / softness  # N / m^1.5
    moving = tip.mass_kg * vibration.mass_kg / (tip.mass_kg + vibration.mass_kg)
    contact = CONTACT_FACTOR * torch.sqrt(moving) * stiffness ** (-1 / 3) * force_n ** (-1 / 6)
    stiff = properties.youngs_modulus_pa * torch.sqrt(properties.grain)
    impedance = WALL_IMPEDANCE * torch.sqrt(properties.density * stiff) * vibration.wall_m**2
    share = impedance / (impedance + moving / contact)
    return ContactForce(force_n * share, contact / (BACKING_SHARE + (1 - BACKING_SHARE) * share))


def click_gain(vibration: Vibration, contact: ContactForce, mallet_density: float) -> Tensor:
    """(B,) Pa per N/s of the force's slope: both bodies are accelerated, each a dipole with the air that it carries
    along, while the body is small against the distance that sound travels in half a contact time."""
    lightness = vibration.volume_m3 / vibration.mass_kg + 1 / mallet_density  # m3/kg
    radius = torch.sqrt(vibration.area_m2 / (4 * math.pi))
    compact = 1 / (1 + (math.pi * radius / (SOUND_SPEED * contact.contact_s)) ** 2)
    return compact * 1.5 * AIR_DENSITY * lightness / (4 * math.pi * SOUND_SPEED * DISTANCE_M)


def click(contact: ContactForce, samples: int, sample_rate_hz: int, gain: Tensor) -> Tensor:
    """(B, samples): gain (B,) times the force's derivative."""
    sampled = at_least_four_samples(contact, sample_rate_hz)
    seconds = torch.arange(samples, device=gain.device).to(gain) / sample_rate_hz
    phase = (seconds / sampled.contact_s[:, None]).clamp(0.0, 1.0) * math.pi
    sine = torch.sin(phase).clamp(min=0.0)
    slope = FORCE_EXPONENT * torch.sqrt(sine + 1e-12) * torch.cos(phase) * (phase < math.pi)
    return (gain * sampled.force_n * math.pi / sampled.contact_s)[:, None] * slope


def at_least_four_samples(contact: ContactForce, sample_rate_hz: int) -> ContactForce:
    """The same impulse over a contact time of at least four samples."""
    contact_s = contact.contact_s.clamp(min=4 / sample_rate_hz)
    return ContactForce(contact.force_n * contact.contact_s / contact_s, contact_s)


def click_energy(contact: ContactForce, sample_rate_hz: int, gain: Tensor) -> Tensor:
    """(B,) Pa^2 s: the integral of the click's square."""
    sampled = at_least_four_samples(contact, sample_rate_hz)
    return (gain * sampled.force_n) ** 2 * (2 / 3) * FORCE_EXPONENT**2 * math.pi / sampled.contact_s
