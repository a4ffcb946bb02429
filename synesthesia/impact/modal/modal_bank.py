"""Synthesis of an impact sound: a bank of damped sines, residual noise, and the bubbles of a liquid.

Modal bank: the sum of g exp(-d t) sin(2 pi f t) over modes (K. van den Doel and D. K. Pai 1998, The sounds of physical
shapes, Presence 7(4), 382-395). Time is split into two digits, t = coarse + fine: exp(z (coarse + fine)) is the product
of two short tables, so that the whole sound is one matrix product, and its gradient another.

Residual noise: one band of noise with its own decay, as the residual of Z. Ren, H. Yeh and M. C. Lin 2013,
Example-guided physically based modal sound synthesis, ACM Trans. Graphics 32(1). Its slope towards high frequencies is
measured (`materials.json`).

Bubbles: each is a damped sine of rising pitch. M. Minnaert 1933, On musical air-bubbles and the sound of running
water, Phil. Mag. 16, 235-248: f = 3.26 / radius (metres); damping by radiation and heat, distribution of sizes and
rising pitch after K. van den Doel 2005, Physically based models for liquid sounds, ACM Trans. Applied Perception 2(4),
534-546.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthesia.impact.modal.contact import ContactForce
from synesthesia.impact.modal.materials import Properties

FADE_FROM = 0.9  # of the Nyquist frequency: from here to it modes fade out

SURFACE_SHARE = 0.8  # of the noise belongs to the surface and repeats with every strike; the rest is this strike's
SLIP_FLOOR = 0.03  # added to the force's relative spectrum: slipping parts of a surface excite faster than the mallet

MINNAERT_M_PER_S = 3.26  # sqrt(3 * 1.4 * 101325 / 998) / (2 pi)
SMALLEST_M, LARGEST_M = 0.45e-3, 5e-3
DEPTH_SHARE = 0.1  # of the liquid's depth: the largest bubble that fits
BUBBLES, SPREAD_S = 20, 0.12  # their number, and the time after the strike in which most start
RISE = 0.1  # of its decay rate: share by which the pitch rises in a second
LOUDNESS_EXPONENT = 1.0  # of the radius; large ones are louder
BUBBLES_LEVEL = 0.12  # of full scale, all bubbles, at BUBBLES_FORCE_N
BUBBLES_FORCE_N = 5.0


@dataclass(frozen=True)
class Modes:
    """(B, K) each: frequency in hertz, decay of the amplitude in 1/s (T60 = ln(1000) / decay), gain at t = 0."""

    frequencies_hz: Tensor
    decays_per_s: Tensor
    gains: Tensor


def nyquist_fade(frequencies_hz: Tensor, sample_rate_hz: int) -> Tensor:
    """1 well below half the sample rate, 0 from there on, a raised cosine between."""
    reach = frequencies_hz / (0.5 * sample_rate_hz)
    return 0.5 + 0.5 * torch.cos(math.pi * ((reach - FADE_FROM) / (1 - FADE_FROM)).clamp(0.0, 1.0))


def synthesize_modes(modes: Modes, samples: int, sample_rate_hz: int) -> Tensor:
    """(B, K) modes -> (B, samples) in the modes' own type; modes above the Nyquist frequency are left out."""
    gains = modes.gains * nyquist_fade(modes.frequencies_hz, sample_rate_hz)
    fine = math.ceil(math.sqrt(samples))
    coarse = math.ceil(samples / fine)
    # Phases reach 1e5 rad: in double precision until only their sine is left.
    turn = 2 * math.pi * modes.frequencies_hz.double() / sample_rate_hz  # (B, K) per sample
    fall = modes.decays_per_s.double() / sample_rate_hz

    def table(steps: Tensor) -> tuple[Tensor, Tensor]:
        size, phase = torch.exp(-fall[..., None] * steps), turn[..., None] * steps
        return (size * torch.sin(phase)).to(gains), (size * torch.cos(phase)).to(gains)

    steps = torch.arange(max(fine, coarse), device=gains.device, dtype=torch.float64)
    near_sine, near_cosine = table(steps[:fine])
    far_sine, far_cosine = table(steps[:coarse] * fine)
    far = torch.cat([far_sine * gains[..., None], far_cosine * gains[..., None]], dim=1)  # (B, 2K, coarse)
    near = torch.cat([near_cosine, near_sine], dim=1)  # (B, 2K, fine)
    return (far.mT @ near).flatten(1)[:, :samples]


def residual_noise(
    properties: Properties, contact: ContactForce, samples: int, sample_rate_hz: int, seed: int
) -> Tensor:
    """(B, samples) with a root mean square of 1 before it decays: multiply by a level."""
    like = properties.density
    surface, strike = (_white_noise(samples, number).to(like) for number in (0, seed + 1))
    grains = SURFACE_SHARE * surface + math.sqrt(1 - SURFACE_SHARE**2) * strike
    grains = grains * grains.abs() ** properties.crackle[:, None]
    spectrum = torch.fft.rfft(grains)
    hz = torch.fft.rfftfreq(samples, 1 / sample_rate_hz, device=like.device).to(like).clamp(min=1.0)
    band = noise_band(properties, hz)
    excitation = contact.spectrum_ns(hz.expand(len(like), -1))
    band = band * (SLIP_FLOOR + excitation / excitation[:, :1])
    coloured = torch.fft.irfft(spectrum * band, n=samples)
    coloured = coloured / (coloured.square().mean(dim=1, keepdim=True).sqrt() + 1e-12)
    seconds = torch.arange(samples, device=like.device).to(like) / sample_rate_hz
    fall = math.log(1000) / properties.noise_t60_s
    return coloured * torch.exp(-fall[:, None] * (seconds - 0.5 * contact.contact_s[:, None]).clamp(min=0.0))


def noise_band(properties: Properties, hz: Tensor) -> Tensor:
    """(N,) hertz -> (B, N) amplitude: rises to the corner frequency, then falls by the material's slope."""
    ratio = (hz / properties.noise_corner_hz[:, None]) ** 2
    return ratio / (1 + ratio) * (1 + ratio) ** (properties.slope_db_per_octave[:, None] / (40 * math.log10(2)))


def _white_noise(samples: int, seed: int) -> Tensor:
    """(samples,) standard normal."""
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@dataclass(frozen=True)
class Bubbles:
    """modes: (1, BUBBLES); starts_s: (BUBBLES,); rise_per_s: (BUBBLES,) share by which the pitch rises in a second."""

    modes: Modes
    starts_s: Tensor
    rise_per_s: Tensor


def sample_bubbles(force_n: float, depth_m: float, sample_rate_hz: int, seed: int) -> Bubbles:
    """The bubbles of one strike: a harder one makes larger bubbles, a shallow liquid only small ones."""
    random = torch.Generator().manual_seed(seed)
    size, when, level = torch.rand(3, BUBBLES, generator=random, dtype=torch.float64)
    largest = min(LARGEST_M * (force_n / BUBBLES_FORCE_N) ** (1 / 6), max(DEPTH_SHARE * depth_m, 2 * SMALLEST_M))
    radius = SMALLEST_M * (largest / SMALLEST_M) ** size
    hz = MINNAERT_M_PER_S / radius
    decay = 0.13 / radius + 0.0072 * radius**-1.5  # van den Doel eq. 7
    gains = (radius / LARGEST_M) ** LOUDNESS_EXPONENT * (0.3 + 0.7 * level)
    gains = gains * nyquist_fade(hz * 1.3, sample_rate_hz)
    gains = BUBBLES_LEVEL * force_n / BUBBLES_FORCE_N * gains / (gains.square().sum().sqrt() + 1e-9)
    modes = Modes(*(value.float()[None] for value in (hz, decay, gains)))
    starts = -SPREAD_S * torch.log(1 - 0.95 * when)  # exponential waiting times, bounded
    return Bubbles(modes, starts.float(), (RISE * decay).float())


def synthesize_bubbles(bubbles: Bubbles, samples: int, sample_rate_hz: int) -> Tensor:
    """(samples,): the sum of the bubbles, each from its start on."""
    seconds = torch.arange(samples) / sample_rate_hz
    elapsed = (seconds - bubbles.starts_s[:, None]).clamp(min=0.0)  # (BUBBLES, samples)
    modes = bubbles.modes
    hz, decay, gain = (value[0][:, None] for value in (modes.frequencies_hz, modes.decays_per_s, modes.gains))
    phase = 2 * math.pi * hz * elapsed * (1 + 0.5 * bubbles.rise_per_s[:, None] * elapsed)
    return (gain * torch.exp(-decay * elapsed) * torch.sin(phase)).sum(dim=0)
