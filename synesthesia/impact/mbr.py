"""Minimum-Bayes-risk selection of an object hypothesis by expected log-spectral distance.

S. Kumar and W. Byrne 2004, Minimum Bayes-risk decoding for statistical machine translation, Proc. HLT-NAACL, 169-176:
hypotheses are sampled from the posterior; of the candidates the one with the least mean distance to all samples is
selected. A confident, wrong, untypical sound costs more than a typical one. One reference strike decides, so that
neither seed nor force nor mallet changes the selected object.

The distance is the log-spectral distance (A. H. Gray and J. D. Markel 1976, Distance measures for speech processing,
IEEE Trans. ASSP 24, 380-391) on a coarse grid of frames and mel bands, which follows from the modes without synthesis;
`training.impact.sound_distance` computes it from samples on a finer grid.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MATERIALS, SHAPES, MalletName
from synesthesia.impact.modal.contact import click_energy
from synesthesia.impact.modal.modal_bank import SLIP_FLOOR, noise_band, sample_bubbles
from synesthesia.impact.modal.strike import ExcitedModes
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import (
    Hypothesis,
    ImpactPredictor,
    excite_hypotheses,
    median_hypotheses,
    mode_hypothesis,
    sample_hypotheses,
)

SAMPLES, MAX_SOLIDS = 32, 4  # hypotheses sampled; how many solid bodies of them are used: their modes cost ten times
REFERENCE_FORCE_N: float = 8.0
REFERENCE_MALLET: MalletName = "wood"
MIN_RATIO = 0.5  # of the likeliest material's, and the likeliest shape's, probability that a candidate must reach

BANDS, LOW_HZ, HIGH_HZ, BINS = 32, 50.0, 8_000.0, 513  # mel bands, from bins between 0 Hz and HIGH_HZ
FRAMES, SECONDS, CROWDING = 20, 1.0, 1.7  # frames crowd towards the strike
WINDOW_S = 0.012  # of a frame: about the effective length of a raised cosine of 25 ms
SKIRT_HZ, SKIRT_BINS = 29.0, 20  # spread of a sine through such a window: 1 / (1 + (f / 29)^6)
RANGE_DB = 60.0  # below the loudest cell, which is the floor of the distance
MIN_POWER = 1e-14


@torch.inference_mode()
def select(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, min_ratio: float = MIN_RATIO
) -> Hypothesis:
    """The candidate of least expected distance in dB."""
    options = candidates(predictor, posterior, patch, min_ratio)
    if len(options) == 1:
        return options[0]
    random = torch.Generator().manual_seed(0)
    samples, weights = subsample(sample_hypotheses(predictor, posterior, patch, SAMPLES, random))
    excited = excite_hypotheses([*samples, *options], REFERENCE_FORCE_N, REFERENCE_MALLET, SAMPLE_RATE_HZ)
    levels = expected_spectrogram_db(excited, SAMPLE_RATE_HZ)
    risks = weights @ log_spectral_distances_db(levels[: len(samples)], levels[len(samples) :])
    return options[int(risks.argmin())]


def subsample(samples: list[Hypothesis]) -> tuple[list[Hypothesis], Tensor]:
    """The first MAX_SOLIDS solid bodies and all others, and the number of samples (G,) that each represents."""
    solids = [one for one in samples if one.item.shape == "solid"]
    kept = [*solids[:MAX_SOLIDS], *(one for one in samples if one.item.shape != "solid")]
    few = min(len(solids), MAX_SOLIDS)
    return kept, torch.tensor([len(solids) / max(few, 1)] * few + [1.0] * (len(kept) - few))


def candidates(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, min_ratio: float
) -> list[Hypothesis]:  # fmt: skip
    """The mode, and one hypothesis of every other likely material and shape: the material's likeliest code, the median
    of every extent. Samples themselves may be extreme, and would be reported as a size; and a dull knock, which is
    close to everything, must not win where it is unlikely. min_ratio: 0 keeps every pair, 1 the mode alone."""
    first = mode_hypothesis(predictor, posterior, patch)
    materials, shapes = (
        (probabilities >= min_ratio * probabilities.max()).nonzero()[:, 0].tolist()
        for probabilities in (
            predictor.material_probabilities(posterior.patch(patch))[0], posterior.shape[patch].exp(),
        )
    )  # fmt: skip
    own = MATERIALS.index(first.item.material), SHAPES.index(first.item.shape)
    pairs = [(material, shape) for material in materials for shape in shapes if (material, shape) != own]
    if not pairs:
        return [first]
    named, _ = predictor.net.codebook.majority_material()
    of_material, of_shape = torch.tensor(pairs).T
    codes = posterior.codes[patch].masked_fill(named != of_material[:, None], -torch.inf).argmax(dim=1)
    return [first, *median_hypotheses(predictor, posterior, patch, codes, of_shape)]


def frame_times() -> tuple[Tensor, Tensor]:
    """(FRAMES,) seconds after the strike, and the share (FRAMES,) of all time that each frame represents."""
    edges = SECONDS * (torch.arange(FRAMES + 1) / FRAMES) ** CROWDING
    return (edges[1:] + edges[:-1]) / 2, edges.diff() / SECONDS


def expected_spectrogram_db(excited: ExcitedModes, sample_rate_hz: int) -> Tensor:
    """(G, FRAMES, BANDS) decibels of the mean square, of full scale, without the peak limiter.

    Modes add their energies, each spread by the window; the residual noise has its spectrum and decay, but no grain;
    the click is in the first frame. A liquid's bubbles are sampled for each row.
    """
    step = HIGH_HZ / (BINS - 1)
    hz = (torch.arange(BINS) * step).clamp(min=1.0)
    bands = melscale_fbanks(BINS, LOW_HZ, HIGH_HZ, BANDS, round(2 * HIGH_HZ), norm=None, mel_scale="slaney")
    offsets = torch.arange(-SKIRT_BINS, SKIRT_BINS + 1) * step
    skirt = 1 / (1 + (offsets / SKIRT_HZ) ** 6)
    spread = F.conv1d(bands.T[:, None], (skirt / skirt.sum())[None, None], padding=SKIRT_BINS)[:, 0].T  # (BINS, BANDS)

    def sines(hertz: Tensor, decays_per_s: Tensor, gains: Tensor, starts_s: Tensor | float = 0.0) -> Tensor:
        """(..., K) sines -> (..., FRAMES, BANDS)."""
        energy = 0.5 * gains[..., None] ** 2 * mean_decay(2 * decays_per_s[..., None], starts_s)
        return energy.mT @ spread[(hertz / step).round().long().clamp(0, BINS - 1)]

    modes, contact, properties = excited.modes, excited.contact, excited.properties
    power = sines(modes.frequencies_hz, modes.decays_per_s, modes.gains)
    force = contact.spectrum_ns(hz.expand(len(power), -1))  # (G, BINS)
    noise = band_shares(noise_band(properties, hz) * (SLIP_FLOOR + force / force[:, :1]), bands)
    fall = mean_decay(2 * math.log(1000) / properties.noise_t60_s[:, None], 0.5 * contact.contact_s[:, None])
    power = power + (excited.noise_level[:, None] ** 2 * fall)[..., None] * noise[:, None]
    click = click_energy(contact, sample_rate_hz, excited.click_gain) / WINDOW_S
    power[:, 0] += click[:, None] * band_shares(force * hz, bands)
    for row in (properties.bubbling > 0).nonzero()[:, 0].tolist():
        bubbles = sample_bubbles(float(excited.force_n[row]), float(excited.depth_m[row]), sample_rate_hz, row)
        ring = bubbles.modes
        late = sines(ring.frequencies_hz[0], ring.decays_per_s[0], ring.gains[0], bubbles.starts_s[:, None])
        power[row] += properties.bubbling[row] ** 2 * late
    return 10 * torch.log10(power.clamp(min=MIN_POWER))


def mean_decay(rate_per_s: Tensor, starts_s: Tensor | float) -> Tensor:
    """(..., 1) rates, and starts that broadcast -> (..., FRAMES) mean over each window of exp(-rate t) from its start
    on, 0 before."""
    middle, _ = frame_times()
    begin, end = ((middle + side * WINDOW_S / 2 - starts_s).clamp(min=0.0) for side in (-1, 1))
    return (torch.exp(-rate_per_s * begin) - torch.exp(-rate_per_s * end)) / (rate_per_s * WINDOW_S)


def band_shares(amplitudes: Tensor, bands: Tensor) -> Tensor:
    """(G, BINS) spectra -> (G, BANDS) share of their energy in each band."""
    energy = amplitudes.square()
    return energy / energy.sum(dim=1, keepdim=True) @ bands


def log_spectral_distances_db(references: Tensor, options: Tensor) -> Tensor:
    """(T, FRAMES, BANDS), (A, FRAMES, BANDS) -> (T, A): each option's distance from each reference, both floored at
    RANGE_DB below the reference's loudest cell; a frame weighs as much as the time that it represents."""
    floor = references.amax(dim=(1, 2))[:, None, None, None] - RANGE_DB
    apart = torch.maximum(references[:, None], floor) - torch.maximum(options[None], floor)
    _, weight = frame_times()
    return (apart.square().mean(dim=3) @ weight).sqrt()
