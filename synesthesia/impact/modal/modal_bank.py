"""Many damped sines at once, exactly and fast.

The sum of g exp(-d t) sin(2 pi f t) over modes (K. van den Doel and D. K. Pai 1998, The sounds of physical shapes,
Presence 7(4), 382-395). Time is split in two digits, t = coarse + fine: exp(z (coarse + fine)) is the product of two
short tables, so that the whole sound is one matrix product, and its gradient another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

FADE_FROM = 0.9  # of the Nyquist frequency: from here to it modes fade out


@dataclass(frozen=True)
class Modes:
    """(B, K) each: frequency in hertz, decay of the amplitude in 1/s (T60 = ln(1000) / decay), gain at t = 0."""

    frequencies_hz: Tensor
    decays_per_s: Tensor
    gains: Tensor


def below_nyquist(frequencies_hz: Tensor, sample_rate_hz: int) -> Tensor:
    """1 well below half the sample rate, 0 from there on, a raised cosine between."""
    reach = frequencies_hz / (0.5 * sample_rate_hz)
    return 0.5 + 0.5 * torch.cos(math.pi * ((reach - FADE_FROM) / (1 - FADE_FROM)).clamp(0.0, 1.0))


def synthesise(modes: Modes, samples: int, sample_rate_hz: int) -> Tensor:
    """(B, K) modes -> (B, samples) in the modes' own type; modes above the Nyquist frequency are left out."""
    gains = modes.gains * below_nyquist(modes.frequencies_hz, sample_rate_hz)
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
