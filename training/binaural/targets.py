"""Azimuth targets for cross-entropy: a circular Gaussian around each source, over the bins of the full circle."""

from __future__ import annotations

import torch
from torch import Tensor

TARGET_SPREAD_DEG = 3.0  # standard deviation
LOUDER_SHARE = 0.6  # of the probability that the louder of two sources gets


def azimuth_target(azimuth: Tensor, azimuths_deg: Tensor) -> Tensor:
    """(B, 1 or 2) degrees (nan: none) -> (B, bins), sums to 1; the first source, the louder one, gets more."""
    away = (azimuths_deg[None, None] - azimuth[:, :, None] + 180.0) % 360.0 - 180.0  # (B, 1 or 2, bins)
    bell = torch.exp(-0.5 * (away / TARGET_SPREAD_DEG) ** 2).nan_to_num(0.0)
    bell = bell / bell.sum(dim=2, keepdim=True).clamp(min=1e-9)
    total = LOUDER_SHARE * bell[:, 0] + (1 - LOUDER_SHARE) * bell[:, 1:].sum(dim=1)
    return total / total.sum(dim=1, keepdim=True)
