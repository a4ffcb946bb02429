"""A tiny localizer config, and noise as a batch of clips."""

from __future__ import annotations

import torch

from synesthesia.localization.encoder import SpatialEncoderConfig
from synesthesia.localization.localizer import LocalizerConfig

TINY = LocalizerConfig(encoder=SpatialEncoderConfig(widths=(4, 4, 8), heads=2, token=16), hidden=16)


def noise(samples: int = 8000, seed: int = 0) -> torch.Tensor:
    """(2, 2, samples): two clips."""
    return 0.1 * torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(seed))
