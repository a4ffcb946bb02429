"""From motion to sound pressure one metre away.

A body whose surface S moves with mean square velocity <v^2> sends out rho c S sigma <v^2> of power (L. Cremer, M.
Heckl and B. Petersson, Structure-Borne Sound, ch. 6; F. Fahy and P. Gardonio, Sound and Structural Vibration, ch. 3).
The radiation efficiency sigma is small while the body is small against the wave in air, and while the wave in the
body is shorter than that in air (below coincidence), where neighbouring parts cancel; between, a smooth curve stands
for the many exact ones of the literature. The body as a whole is thrown by the blow as well, which clicks: E. J.
Richards, M. E. Westcott and R. K. Jeyapalan 1979, On the prediction of impact noise, I: acceleration noise, J. Sound
and Vibration 62.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.impact.modal.contact import EXPONENT, Push
from synesthesia.impact.modal.vibration import SOUND_SPEED, Vibration

AIR_DENSITY = 1.204  # kg/m3 at 20 degrees C
DISTANCE_M = 1.0


def efficiency(frequencies_hz: Tensor, wavenumbers_per_m: Tensor, area_m2: Tensor) -> Tensor:
    """(B, K), (B, K), (B,) -> (B, K) radiation efficiency, 0..1."""
    in_air = 2 * math.pi * frequencies_hz / SOUND_SPEED
    size = in_air**2 * (area_m2 / (4 * math.pi))[:, None]
    return size / (1 + size) * in_air**2 / (in_air**2 + wavenumbers_per_m**2)


def pressures_pa(vibration: Vibration, blow_ns: Tensor, at_place: Tensor) -> Tensor:
    """(B, K) amplitude of each mode's pressure at DISTANCE_M. blow_ns: (B, K) the push's spectrum; at_place: (B, K).

    A mode that stands for m alike ones with phases of their own is louder by sqrt(m).
    """
    speed = at_place * blow_ns / (vibration.mass_kg[:, None] * vibration.share)  # m/s
    radiated = efficiency(vibration.frequencies_hz, vibration.wavenumbers_per_m, vibration.area_m2)
    spread = vibration.area_m2[:, None] * radiated * vibration.share / (4 * math.pi * DISTANCE_M**2)
    return AIR_DENSITY * SOUND_SPEED * speed * torch.sqrt(spread) * torch.sqrt(vibration.multiplicity)


def click_pa_s(vibration: Vibration, push: Push, mallet_density: float) -> Tensor:
    """(B,) what the push's change in time (N/s) is multiplied with: two bodies thrown apart, each a dipole with the air
    that it takes along, as long as the body is small against the sound's way in half a contact time."""
    lightness = vibration.volume_m3 / vibration.mass_kg + 1 / mallet_density  # m3/kg
    radius = torch.sqrt(vibration.area_m2 / (4 * math.pi))
    compact = 1 / (1 + (math.pi * radius / (SOUND_SPEED * push.contact_s)) ** 2)
    return compact * 1.5 * AIR_DENSITY * lightness / (4 * math.pi * SOUND_SPEED * DISTANCE_M)


def click(push: Push, samples: int, sample_rate_hz: int, gain: Tensor) -> Tensor:
    """(B, samples): gain (B,) times the push's derivative; a push shorter than four samples is stretched to them."""
    contact, force = resolved(push, sample_rate_hz)
    seconds = torch.arange(samples, device=gain.device).to(gain) / sample_rate_hz
    part = (seconds / contact[:, None]).clamp(0.0, 1.0) * math.pi
    sine = torch.sin(part).clamp(min=0.0)
    slope = EXPONENT * torch.sqrt(sine + 1e-12) * torch.cos(part) * (part < math.pi)
    return (gain * force * math.pi / contact)[:, None] * slope


def resolved(push: Push, sample_rate_hz: int) -> tuple[Tensor, Tensor]:
    """(B,) contact time of at least four samples, and the force that keeps the impulse."""
    contact = push.contact_s.clamp(min=4 / sample_rate_hz)
    return contact, push.force_n * push.contact_s / contact


def click_energy(push: Push, sample_rate_hz: int, gain: Tensor) -> Tensor:
    """(B,) Pa^2 s: the integral of the click's square."""
    contact, force = resolved(push, sample_rate_hz)
    return (gain * force) ** 2 * (2 / 3) * EXPONENT**2 * math.pi / contact
