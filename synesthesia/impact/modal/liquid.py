"""A struck liquid: bubbles that the blow shuts in, each a damped sine that rises as the bubble does.

M. Minnaert 1933, On musical air-bubbles and the sound of running water, Phil. Mag. 16, 235-248: f = 3.26 / radius
(metres); damping by radiation and heat, spread of sizes and the rising pitch after K. van den Doel 2005, Physically
based models for liquid sounds, ACM Trans. Applied Perception 2(4), 534-546.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthesia.impact.modal.modal_bank import Modes, below_nyquist

MINNAERT_M_PER_S = 3.26  # sqrt(3 * 1.4 * 101325 / 998) / (2 pi)
SMALLEST_M, LARGEST_M = 0.45e-3, 5e-3
DEPTH_SHARE = 0.1  # of the liquid's depth: no larger bubble fits
BUBBLES, SPREAD_S = 20, 0.12  # how many, and in which time after the blow most of them come
RISE = 0.1  # of its decay: share by which the pitch rises in a second
LOUDNESS = 1.0  # power of the radius; large ones are louder
LEVEL = 0.12  # of full scale, all bubbles, at FORCE_N
FORCE_N = 5.0


@dataclass(frozen=True)
class Bubbles:
    """modes: (1, BUBBLES); starts_s: (BUBBLES,); rise_per_s: (BUBBLES,) share by which the pitch rises in a second."""

    modes: Modes
    starts_s: Tensor
    rise_per_s: Tensor


def bubbles(force_n: float, depth_m: float, sample_rate_hz: int, seed: int) -> Bubbles:
    """What one blow shuts in; a harder one makes larger bubbles, a shallow liquid holds none."""
    random = torch.Generator().manual_seed(seed)
    size, when, level = torch.rand(3, BUBBLES, generator=random, dtype=torch.float64)
    largest = min(LARGEST_M * (force_n / FORCE_N) ** (1 / 6), max(DEPTH_SHARE * depth_m, 2 * SMALLEST_M))
    radius = SMALLEST_M * (largest / SMALLEST_M) ** size
    hz = MINNAERT_M_PER_S / radius
    decay = 0.13 / radius + 0.0072 * radius**-1.5  # van den Doel eq. 7
    gains = (radius / LARGEST_M) ** LOUDNESS * (0.3 + 0.7 * level)
    gains = gains * below_nyquist(hz * 1.3, sample_rate_hz)
    gains = LEVEL * force_n / FORCE_N * gains / (gains.square().sum().sqrt() + 1e-9)
    modes = Modes(*(value.float()[None] for value in (hz, decay, gains)))
    starts = -SPREAD_S * torch.log(1 - 0.95 * when)  # exponential waiting, none for ever
    return Bubbles(modes, starts.float(), (RISE * decay).float())


def ringing(found: Bubbles, samples: int, sample_rate_hz: int) -> Tensor:
    """(samples,): the sum of the bubbles from their starts on."""
    seconds = torch.arange(samples) / sample_rate_hz
    late = (seconds - found.starts_s[:, None]).clamp(min=0.0)  # (BUBBLES, samples)
    hz, decay, gain = (
        value[0][:, None] for value in (found.modes.frequencies_hz, found.modes.decays_per_s, found.modes.gains)
    )
    phase = 2 * math.pi * hz * late * (1 + 0.5 * found.rise_per_s[:, None] * late)
    return (gain * torch.exp(-decay * late) * torch.sin(phase)).sum(dim=0)
