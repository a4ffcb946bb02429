"""Validated binaural clip, made by `localization.clip_input` and read by several capabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

ClipKind = Literal["stereo", "mono", "panned", "silent"]


@dataclass(frozen=True)
class BinauralClip:
    """waveform: (2, n) float32 at 16 kHz, left ear first, no offset, RMS 0.1; rate_hz, seconds: of the original;
    kind: "stereo", or why the clip holds no direction; clipped: samples stand at their limit; level_difference_db:
    right over left; warning: one sentence about a clip that holds no direction or little of it, else empty."""

    waveform: np.ndarray
    rate_hz: int
    seconds: float
    kind: ClipKind
    clipped: bool
    level_difference_db: float
    warning: str
