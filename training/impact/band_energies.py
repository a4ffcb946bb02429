"""What a blow sounds like as energies over bands of frequency and stretches of time, without a sample: the target and
the measure of the path without a state (`tap_direct`).

A blow is a sum of sines that fall (modes, bubbles) and of noises that fall (the residual, the click). Their powers add,
each in closed form. A sine gives its power to the bands around it by a bell on the mel scale (Slaney's); as wide as
that bell is, so far away a wrong frequency still feels which way is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from synesthesia.audio.mel import hz_to_slaney_mel, slaney_mel_to_hz
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.modal.contact import Push
from synesthesia.impact.modal.liquid import BUBBLES, bubbles
from synesthesia.impact.modal.modal_bank import below_nyquist
from synesthesia.impact.modal.noise import FLOOR as SLIP
from synesthesia.impact.modal.radiation import click_energy, resolved
from synesthesia.impact.modal.strike import StruckModes

BANDS, LOW_HZ, HIGH_HZ = 40, 50.0, 8000.0
TIMES, FIRST_S, LAST_S = 20, 0.008, 1.0  # stretches of time: one up to FIRST_S, then each longer than the one before
POINTS = 120  # frequencies at which a noise's spectrum is told
RISEN = 5 / 8  # of the push: all begins here, which leaves as much power as the rise over the whole push does
RANGE_DB = 60.0  # below the loudest, where nothing counts any more


@dataclass(frozen=True)
class Parts:
    """R blows of K sines and J noises. hz, decays_per_s, gains, starts_s: (R, K), gains at the start; bands: (R, J,
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

    def rows(self, at: Tensor) -> Parts:
        return Parts(*(getattr(self, field.name)[at] for field in fields(self)))

    @staticmethod
    def joined(parts: list[Parts]) -> Parts:
        return Parts(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Parts)))


def band_of(hz: Tensor) -> Tensor:
    """Hertz -> bands: the middle of the first is 0, that of the last BANDS - 1. Any shape."""
    low, high = hz_to_slaney_mel(torch.tensor([LOW_HZ, HIGH_HZ])).tolist()
    return (hz_to_slaney_mel(hz) - low) * (BANDS / (high - low)) - 0.5


def points() -> tuple[Tensor, Tensor]:
    """(POINTS,) hertz evenly over the mel scale from LOW_HZ to HIGH_HZ, and hertz for which each of them speaks."""
    low, high = hz_to_slaney_mel(torch.tensor([LOW_HZ, HIGH_HZ])).tolist()
    edges = slaney_mel_to_hz(torch.linspace(low, high, 2 * POINTS + 1))
    return edges[1::2], edges[::2].diff()


def edges_s() -> Tensor:
    """(TIMES + 1,) seconds."""
    growing = torch.linspace(math.log(FIRST_S), math.log(LAST_S), TIMES).exp()
    return torch.cat([torch.zeros(1), growing])


def energies(parts: Parts, width: float) -> Tensor:
    """(R, BANDS, TIMES) mean square in each band and stretch. width: deviation of the bells, in bands."""
    sines = shared(parts.hz, width) * (0.5 * parts.gains**2)[..., None]
    noises = parts.bands @ shared(points()[0], width)  # (R, J, BANDS)
    heard = sines.mT @ falling(parts.decays_per_s, parts.starts_s)
    return heard + noises.mT @ falling(parts.bands_decay_per_s, parts.bands_start_s)


def shared(hz: Tensor, width: float) -> Tensor:
    """(..., BANDS) how much of a power at each frequency goes to each band: 1 in all, but for what falls outside."""
    apart = (band_of(hz)[..., None] - torch.arange(BANDS)) / width
    return torch.exp(-0.5 * apart**2) / (width * math.sqrt(2 * math.pi))


def falling(decays_per_s: Tensor, starts_s: Tensor) -> Tensor:
    """(R, K) -> (R, K, TIMES) mean of exp(-2 decay (t - start)) over each stretch, nothing before the start."""
    fall, edges = 2 * decays_per_s[..., None], edges_s()
    return -torch.exp(-fall * (edges - starts_s[..., None]).clamp(min=0.0)).diff() / fall / edges.diff()


def apart_db(made: Tensor, true: Tensor) -> Tensor:
    """(R, BANDS, TIMES) energies twice -> (R,) mean distance in dB, each limited below at RANGE_DB under the loudest of
    `true`. A stretch counts by the square root of its length: an onset is short and still half of what is heard."""
    least = true.amax(dim=(1, 2), keepdim=True) * 10 ** (-RANGE_DB / 10) + 1e-20
    weight = edges_s().diff().sqrt()
    apart = 10 * ((made + least) / (true + least)).log10().abs().mean(dim=1)
    return (apart * weight).sum(dim=1) / weight.sum()


def coloured(corner_hz: Tensor, slope_db_per_octave: Tensor) -> Tensor:
    """(R,), (R,) -> (R, POINTS) power by frequency of a noise that falls below its corner and slopes above it, as
    `striking.noise` colours it; not yet of any level."""
    hz, wide = points()
    ratio = (hz / corner_hz[:, None]) ** 2
    band = ratio / (1 + ratio) * (1 + ratio) ** (slope_db_per_octave[:, None] / (40 * math.log10(2)))
    return band**2 * wide


def levelled(spectrum: Tensor, power: Tensor) -> Tensor:
    """(R, POINTS), (R,) -> (R, POINTS) that sum to the power."""
    return spectrum * (power / spectrum.sum(dim=1).clamp(min=1e-30))[:, None]


@torch.no_grad()
def parts_of(struck: StruckModes, seed: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> Parts:
    """What `strike.sound` would make of these modes, before its level is limited. Rows that bubble have the bubbles of
    one seed each, from `seed` on, in place of their modes."""
    modes, push, properties = struck.modes, struck.push, struck.properties
    begin = RISEN * push.contact_s[:, None]
    gains = modes.gains * below_nyquist(modes.frequencies_hz, sample_rate_hz) * torch.exp(-modes.decays_per_s * begin)
    hz, decays, starts = modes.frequencies_hz.clone(), modes.decays_per_s.clone(), begin.expand_as(gains).clone()
    for row in (properties.bubbling > 0.5).nonzero()[:, 0].tolist():
        found = bubbles(float(struck.force_n[row]), float(struck.depth_m[row]), sample_rate_hz, seed + row)
        hz[row, :BUBBLES], decays[row, :BUBBLES] = found.modes.frequencies_hz[0], found.modes.decays_per_s[0]
        gains[row, :BUBBLES], starts[row, :BUBBLES] = found.modes.gains[0], found.starts_s
        gains[row, BUBBLES:] = 0.0

    at, wide = points()
    at = at.expand(len(gains), -1)
    pushed = push.spectrum_ns(at) / push.spectrum_ns(torch.ones_like(at[:, :1]))
    hiss = coloured(properties.noise_corner_hz, properties.slope_db_per_octave) * (SLIP + pushed) ** 2
    contact, force = resolved(push, sample_rate_hz)
    slope = (at * Push(force, contact).spectrum_ns(at)) ** 2 * wide
    energy = click_energy(push, sample_rate_hz, struck.click_gain)
    return Parts(
        hz, decays, gains, starts,
        torch.stack([levelled(hiss, struck.noise_level**2), levelled(slope, energy * 2 / contact)], dim=1),
        torch.stack([math.log(1000) / properties.noise_t60_s, 1 / contact], dim=1),  # a click is over as soon as it was
        torch.cat([begin, torch.zeros_like(begin)], dim=1),
    )  # fmt: skip
