"""From pascals to full scale: one fixed rule for all things, so that louder stays louder and nothing clips.

Things differ by 60 dB in how loud a blow of one force is; a loudspeaker in a room has about 30, and force alone takes
40. What a thing gives per newton is therefore compressed (a power law of its A-weighted sound pressure), and nothing
else: force, place on the thing and variation keep every decibel. Above a knee one factor for the whole sound bends
the peak under the ceiling.
"""

from __future__ import annotations

import torch
from torch import Tensor

FORCE_N = 5.0  # at which a thing's loudness is told
REFERENCE_PA = 0.02  # of a thing in the middle, root mean square over WINDOW_S at FORCE_N
REFERENCE_LEVEL = 0.035  # what it becomes
COMPRESSION = 0.2  # dB that stay of each dB between two things
WINDOW_S = 0.005
QUIETEST_PA = 1e-7
KNEE, CEILING = 0.7, 0.89  # -3 and -1 dBFS


def a_weight(frequencies_hz: Tensor) -> Tensor:
    """Amplitude factor by which the ear's sensitivity is told in sound level meters: IEC 61672-1, curve A, 1 at 1
    kHz."""
    square = frequencies_hz**2
    over = 12194.0**2 * square**2
    under = (square + 20.6**2) * torch.sqrt((square + 107.7**2) * (square + 737.9**2)) * (square + 12194.0**2)
    return 1.2589 * over / under


def scale(loudness_pa: Tensor) -> Tensor:
    """(B,) loudness of things at FORCE_N, average place -> (B,) full scale per pascal."""
    loudness = loudness_pa + QUIETEST_PA
    return REFERENCE_LEVEL * (loudness / REFERENCE_PA) ** COMPRESSION / loudness


def limited(waveform: Tensor) -> Tensor:
    """(B, samples) -> the same shape, times one factor a row: peaks below KNEE stay, others stay under CEILING."""
    peak = waveform.abs().amax(dim=1, keepdim=True)
    over, room = (peak - KNEE).clamp(min=0.0), CEILING - KNEE
    bent = torch.where(peak > KNEE, KNEE + room * over / (room + over), peak)
    return waveform * (bent / peak.clamp(min=1e-12))
