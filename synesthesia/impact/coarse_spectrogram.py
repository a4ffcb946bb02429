"""What a blow will sound like on a coarse grid of moments and bands, from what rings alone: no sample is made for it.

And how far one such sound lies from another: the log-spectral distance (A. H. Gray and J. D. Markel 1976, Distance
measures for speech processing, IEEE Trans. ASSP 24, 380-391) on this grid, as `training.impact.measures` takes it from
samples on a finer one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from synesthesia.impact.modal.liquid import bubbles
from synesthesia.impact.modal.noise import FLOOR
from synesthesia.impact.modal.radiation import click_energy
from synesthesia.impact.modal.strike import StruckModes

BANDS, LOW_HZ, HIGH_HZ, BINS = 32, 50.0, 8_000.0, 513  # bands even in mels, made of bins from 0 Hz to HIGH_HZ
MOMENTS, SECONDS, CROWDING = 20, 1.0, 1.7  # moments crowd towards the blow
WINDOW_S = 0.012  # around a moment: about what a raised cosine of 25 ms takes in
SKIRT_HZ, SKIRT_BINS = 29.0, 20  # and how far, through such a window, a steady sine spreads: as 1 / (1 + (f / 29)^6)
RANGE_DB = 60.0  # below the loudest cell nothing counts
LEAST_POWER = 1e-14


def moments() -> tuple[Tensor, Tensor]:
    """(MOMENTS,) seconds after the blow, and the share (MOMENTS,) of all time that each of them stands for."""
    edges = SECONDS * (torch.arange(MOMENTS + 1) / MOMENTS) ** CROWDING
    return (edges[1:] + edges[:-1]) / 2, edges.diff() / SECONDS


def levels_db(struck: StruckModes, sample_rate_hz: int) -> Tensor:
    """(G, MOMENTS, BANDS) decibels of the mean square, of full scale; a peak that `level.limited` would bend is not.

    Modes add their energies, each spread as the window shows it; the residual noise has the spectrum and the fall of
    `noise`, but no grain; the click lies in the first moment. A liquid's bubbles are one blow's, another for each row.
    """
    step = HIGH_HZ / (BINS - 1)
    hz = (torch.arange(BINS) * step).clamp(min=1.0)
    bands = melscale_fbanks(BINS, LOW_HZ, HIGH_HZ, BANDS, round(2 * HIGH_HZ), norm=None, mel_scale="slaney")
    apart = torch.arange(-SKIRT_BINS, SKIRT_BINS + 1) * step
    skirt = 1 / (1 + (apart / SKIRT_HZ) ** 6)
    spread = F.conv1d(bands.T[:, None], (skirt / skirt.sum())[None, None], padding=SKIRT_BINS)[:, 0].T  # (BINS, BANDS)

    def rung(hertz: Tensor, decays_per_s: Tensor, gains: Tensor, starts_s: Tensor | float = 0.0) -> Tensor:
        """(..., K) sines -> (..., MOMENTS, BANDS)."""
        energy = 0.5 * gains[..., None] ** 2 * decayed(2 * decays_per_s[..., None], starts_s)
        return energy.mT @ spread[(hertz / step).round().long().clamp(0, BINS - 1)]

    modes, push, made_of = struck.modes, struck.push, struck.properties
    power = rung(modes.frequencies_hz, modes.decays_per_s, modes.gains)
    pushed = push.spectrum_ns(hz.expand(len(power), -1))  # (G, BINS)
    ratio = (hz / made_of.noise_corner_hz[:, None]) ** 2
    tilt = (1 + ratio) ** (made_of.slope_db_per_octave[:, None] / (40 * math.log10(2)))
    hiss = shares(ratio / (1 + ratio) * tilt * (FLOOR + pushed / pushed[:, :1]), bands)
    fall = decayed(2 * math.log(1000) / made_of.noise_t60_s[:, None], 0.5 * push.contact_s[:, None])
    power = power + (struck.noise_level[:, None] ** 2 * fall)[..., None] * hiss[:, None]
    clicked = click_energy(push, sample_rate_hz, struck.click_gain) / WINDOW_S
    power[:, 0] += clicked[:, None] * shares(pushed * hz, bands)
    for row in (made_of.bubbling > 0).nonzero()[:, 0].tolist():
        found = bubbles(float(struck.force_n[row]), float(struck.depth_m[row]), sample_rate_hz, row)
        ring = found.modes
        late = rung(ring.frequencies_hz[0], ring.decays_per_s[0], ring.gains[0], found.starts_s[:, None])
        power[row] += made_of.bubbling[row] ** 2 * late
    return 10 * torch.log10(power.clamp(min=LEAST_POWER))


def decayed(rate_per_s: Tensor, starts_s: Tensor | float) -> Tensor:
    """(..., 1) rates, and starts that broadcast -> (..., MOMENTS) mean over each window of what falls as exp(-rate t)
    from its start on, and is 0 before."""
    middle, _ = moments()
    begin, end = ((middle + side * WINDOW_S / 2 - starts_s).clamp(min=0.0) for side in (-1, 1))
    return (torch.exp(-rate_per_s * begin) - torch.exp(-rate_per_s * end)) / (rate_per_s * WINDOW_S)


def shares(amplitudes: Tensor, bands: Tensor) -> Tensor:
    """(G, BINS) spectra -> (G, BANDS) share of their energy in each band."""
    energy = amplitudes.square()
    return energy / energy.sum(dim=1, keepdim=True) @ bands


def distances_db(truths: Tensor, answers: Tensor) -> Tensor:
    """(T, MOMENTS, BANDS), (A, MOMENTS, BANDS) -> (T, A): each answer's distance from each truth, both raised to the
    floor RANGE_DB below the truth's loudest cell first; a moment counts as much as the time that it stands for."""
    floor = truths.amax(dim=(1, 2))[:, None, None, None] - RANGE_DB
    apart = torch.maximum(truths[:, None], floor) - torch.maximum(answers[None], floor)
    _, weight = moments()
    return (apart.square().mean(dim=3) @ weight).sqrt()
