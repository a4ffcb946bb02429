"""Sines-plus-noise model of a strike, and a spectral distance in closed form, without synthesising samples.

A strike is a sum of decaying sines (modes, bubbles) and decaying noises (the residual, the click). Their powers add. A
sine's power is spread over mel bands (Slaney's scale) by a Gaussian kernel; the wider it is, the further away a wrong
frequency still has a gradient towards the right one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from synesthesia.audio.mel import hz_to_slaney_mel, slaney_mel_to_hz
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.modal.contact import at_least_four_samples, click_energy
from synesthesia.impact.modal.modal_bank import BUBBLES, SLIP_FLOOR, nyquist_fade, sample_bubbles
from synesthesia.impact.modal.strike import ExcitedModes

BANDS, LOW_HZ, HIGH_HZ = 40, 50.0, 8000.0
TIMES, FIRST_S, LAST_S = 20, 0.008, 1.0  # time segments: one up to FIRST_S, then each longer than the one before
POINTS = 120  # frequencies at which a noise's spectrum is given
ONSET = 5 / 8  # of the contact: everything starts here, with the power of the gradual onset over the whole contact
RANGE_DB = 60.0  # below the loudest, where nothing counts any more


@dataclass(frozen=True)
class SinesAndNoise:
    """R sounds of K sines and J noises. hz, decays_per_s, gains, starts_s: (R, K), gains at the start; bands: (R, J,
    POINTS) mean square of a noise at its start, by frequency; bands_decay_per_s, bands_start_s: (R, J)."""

    hz: Tensor
    decays_per_s: Tensor
    gains: Tensor
    starts_s: Tensor
    bands: Tensor
    bands_decay_per_s: Tensor
    bands_start_s: Tensor

    def __len__(self) -> int:
        return len(self.hz)

    def rows(self, at: Tensor) -> SinesAndNoise:
        return SinesAndNoise(*(getattr(self, field.name)[at] for field in fields(self)))

    @staticmethod
    def concatenate(parts: list[SinesAndNoise]) -> SinesAndNoise:
        names = [field.name for field in fields(SinesAndNoise)]
        return SinesAndNoise(*(torch.cat([getattr(part, name) for part in parts]) for name in names))


def mel_range() -> tuple[float, float]:
    low, high = hz_to_slaney_mel(torch.tensor([LOW_HZ, HIGH_HZ])).tolist()
    return low, high


def band_of(hz: Tensor) -> Tensor:
    """Hertz -> bands: the centre of the first is 0, that of the last BANDS - 1. Any shape."""
    low, high = mel_range()
    return (hz_to_slaney_mel(hz) - low) * (BANDS / (high - low)) - 0.5


def noise_frequencies() -> tuple[Tensor, Tensor]:
    """(POINTS,) hertz, evenly spaced in mel from LOW_HZ to HIGH_HZ, and the bandwidth in hertz of each."""
    edges = slaney_mel_to_hz(torch.linspace(*mel_range(), 2 * POINTS + 1))
    return edges[1::2], edges[::2].diff()


def edges_s() -> Tensor:
    """(TIMES + 1,) seconds."""
    growing = torch.linspace(math.log(FIRST_S), math.log(LAST_S), TIMES).exp()
    return torch.cat([torch.zeros(1), growing])


def band_energies(sounds: SinesAndNoise, width: float) -> Tensor:
    """(R, BANDS, TIMES) mean square in each band and time segment. width: deviation of the kernel, in bands."""
    sines = band_weights(sounds.hz, width) * (0.5 * sounds.gains**2)[..., None]
    noises = sounds.bands @ band_weights(noise_frequencies()[0], width)  # (R, J, BANDS)
    energies = sines.mT @ mean_decay(sounds.decays_per_s, sounds.starts_s)
    return energies + noises.mT @ mean_decay(sounds.bands_decay_per_s, sounds.bands_start_s)


def band_weights(hz: Tensor, width: float) -> Tensor:
    """(..., BANDS) share of a power at each frequency in each band; sums to 1 but for what falls outside."""
    apart = (band_of(hz)[..., None] - torch.arange(BANDS)) / width
    return torch.exp(-0.5 * apart**2) / (width * math.sqrt(2 * math.pi))


def mean_decay(decays_per_s: Tensor, starts_s: Tensor) -> Tensor:
    """(R, K) -> (R, K, TIMES) mean of exp(-2 decay (t - start)) over each time segment, 0 before the start."""
    fall, edges = 2 * decays_per_s[..., None], edges_s()
    return -torch.exp(-fall * (edges - starts_s[..., None]).clamp(min=0.0)).diff() / fall / edges.diff()


def energy_distance_db(energies: Tensor, reference: Tensor) -> Tensor:
    """(R, BANDS, TIMES) twice -> (R,) mean absolute distance in dB, both floored at RANGE_DB below the reference's
    maximum. A segment weighs the square root of its length: an onset is short but half of what is heard."""
    floor = reference.amax(dim=(1, 2), keepdim=True) * 10 ** (-RANGE_DB / 10) + 1e-20
    weight = edges_s().diff().sqrt()
    apart = 10 * ((energies + floor) / (reference + floor)).log10().abs().mean(dim=1)
    return (apart * weight).sum(dim=1) / weight.sum()


def noise_spectrum(corner_hz: Tensor, slope_db_per_octave: Tensor) -> Tensor:
    """(R,), (R,) -> (R, POINTS) power spectrum of a noise that rises to its corner and slopes above it, as the residual
    noise of `modal_bank`; of arbitrary level."""
    hz, bandwidth = noise_frequencies()
    ratio = (hz / corner_hz[:, None]) ** 2
    band = ratio / (1 + ratio) * (1 + ratio) ** (slope_db_per_octave[:, None] / (40 * math.log10(2)))
    return band**2 * bandwidth


def scale_to_power(spectrum: Tensor, power: Tensor) -> Tensor:
    """(R, POINTS), (R,) -> (R, POINTS) that sum to the power."""
    return spectrum * (power / spectrum.sum(dim=1).clamp(min=1e-30))[:, None]


@torch.no_grad()
def sines_and_noise(excited: ExcitedModes, seed: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> SinesAndNoise:
    """The model of what `strike.synthesize` makes of these modes, before its peak limiter. Liquids have bubbles instead
    of modes, of one seed per row, from `seed` on."""
    modes, contact, properties = excited.modes, excited.contact, excited.properties
    begin = ONSET * contact.contact_s[:, None]
    gains = modes.gains * nyquist_fade(modes.frequencies_hz, sample_rate_hz) * torch.exp(-modes.decays_per_s * begin)
    hz, decays, starts = modes.frequencies_hz.clone(), modes.decays_per_s.clone(), begin.expand_as(gains).clone()
    for row in (properties.bubbling > 0.5).nonzero()[:, 0].tolist():
        found = sample_bubbles(float(excited.force_n[row]), float(excited.depth_m[row]), sample_rate_hz, seed + row)
        hz[row, :BUBBLES], decays[row, :BUBBLES] = found.modes.frequencies_hz[0], found.modes.decays_per_s[0]
        gains[row, :BUBBLES], starts[row, :BUBBLES] = found.modes.gains[0], found.starts_s
        gains[row, BUBBLES:] = 0.0

    at, bandwidth = noise_frequencies()
    at = at.expand(len(gains), -1)
    force = contact.spectrum_ns(at) / contact.spectrum_ns(torch.ones_like(at[:, :1]))
    residual = noise_spectrum(properties.noise_corner_hz, properties.slope_db_per_octave) * (SLIP_FLOOR + force) ** 2
    sampled = at_least_four_samples(contact, sample_rate_hz)
    click = (at * sampled.spectrum_ns(at)) ** 2 * bandwidth
    click_power = click_energy(contact, sample_rate_hz, excited.click_gain) * 2 / sampled.contact_s
    return SinesAndNoise(
        hz, decays, gains, starts,
        torch.stack([scale_to_power(residual, excited.noise_level**2), scale_to_power(click, click_power)], dim=1),
        torch.stack([math.log(1000) / properties.noise_t60_s, 1 / sampled.contact_s], dim=1),  # a click has no tail
        torch.cat([begin, torch.zeros_like(begin)], dim=1),
    )  # fmt: skip
