"""What is left of a blow when its modes are taken away: rustle, crumple, the grain of two surfaces.

One band of noise with its own decay, as the residual of Z. Ren, H. Yeh and M. C. Lin 2013, Example-guided physically
based modal sound synthesis, ACM Trans. Graphics 32(1). Its fall towards high frequencies is measured
(`materials.json`).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.impact.modal.contact import Push
from synesthesia.impact.modal.materials import Properties

KEPT = 0.8  # of the noise is the surface's and comes back with every blow; the rest is this blow's
FLOOR = 0.03  # of the push's spectrum: parts of a surface that slip push faster than the hand
LEVEL_S = 0.01  # over which its level is meant


def noise(properties: Properties, push: Push, samples: int, sample_rate_hz: int, seed: int) -> Tensor:
    """(B, samples) with a root mean square of 1 over the first LEVEL_S before it decays: multiply with a level."""
    like = properties.density
    surface, blow = (_white(samples, number).to(like) for number in (0, seed + 1))
    grains = KEPT * surface + math.sqrt(1 - KEPT**2) * blow
    grains = grains * grains.abs() ** properties.crackle[:, None]
    spectrum = torch.fft.rfft(grains)
    hz = torch.fft.rfftfreq(samples, 1 / sample_rate_hz, device=like.device).to(like).clamp(min=1.0)
    ratio = (hz / properties.noise_corner_hz[:, None]) ** 2
    band = ratio / (1 + ratio) * (1 + ratio) ** (properties.slope_db_per_octave[:, None] / (40 * math.log10(2)))
    spectral = push.spectrum_ns(hz.expand(len(like), -1))
    band = band * (FLOOR + spectral / spectral[:, :1])
    coloured = torch.fft.irfft(spectrum * band, n=samples)
    coloured = coloured / (coloured.square().mean(dim=1, keepdim=True).sqrt() + 1e-12)
    seconds = torch.arange(samples, device=like.device).to(like) / sample_rate_hz
    fall = math.log(1000) / properties.noise_t60_s
    return coloured * torch.exp(-fall[:, None] * (seconds - 0.5 * push.contact_s[:, None]).clamp(min=0.0))


def _white(samples: int, seed: int) -> Tensor:
    """(samples,) standard normal."""
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
