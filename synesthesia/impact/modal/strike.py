"""One blow: from a thing's state, a place on it, a force and a mallet to the sound.

`strike` for a page or a script, one thing at a time; `struck_modes` and `sound` for training: the same, in batches,
with a gradient towards extents, materials, place and force.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.modal import level
from synesthesia.impact.modal.contact import MALLETS, MAX_FORCE_N, MIN_FORCE_N, TIPS, MalletName, Push, push
from synesthesia.impact.modal.liquid import bubbles, ringing
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.modal_bank import Modes, below_nyquist, synthesise
from synesthesia.impact.modal.noise import noise
from synesthesia.impact.modal.radiation import click, click_energy, click_pa_s, pressures_pa
from synesthesia.impact.modal.shapes import vibration
from synesthesia.impact.modal.things import MAX_SIZE_M, MIN_SIZE_M, PhysicalObject, ShapeName, StrikePoint
from synesthesia.impact.modal.vibration import Body

COUNT = 48
MAX_SECONDS = 10.0
ENVELOPE_S = 0.01


@dataclass(frozen=True)
class Variation:
    """How one blow of a hand differs from the next. place: (B, 2) added; gains_db: (B, K); hardness: (B,) factor."""

    place: Tensor
    gains_db: Tensor
    hardness: Tensor

    @staticmethod
    def drawn(rows: int, count: int, seed: int) -> Variation:
        """A centimetre or so on a metre, gains within 1 dB, hardness within some percent."""
        random = torch.Generator().manual_seed(seed)
        place = 0.012 * torch.randn(rows, 2, generator=random, dtype=torch.float64)
        hardness = torch.exp(0.05 * torch.randn(rows, generator=random, dtype=torch.float64))
        gains = (0.5 * torch.randn(rows, count, generator=random, dtype=torch.float64)).clamp(-1.0, 1.0)
        return Variation(place, gains, hardness)


@dataclass(frozen=True)
class StruckModes:
    """All that decides the samples. modes: (B, K), gains of full scale; push: what moves the body; force_n: (B,) what
    was asked for; noise_level: (B,) of full scale; click_gain: (B,) full scale per N/s; properties, depth_m (B,): for
    noise and bubbles."""

    modes: Modes
    push: Push
    force_n: Tensor
    noise_level: Tensor
    click_gain: Tensor
    properties: Properties
    depth_m: Tensor


@dataclass(frozen=True)
class Struck:
    """The sound of one blow.

    waveform: (samples,) float32 in [-1, 1]; sample_rate: Hz; modes: (1, K) of what rings, by rising frequency (gain 0
    where there are fewer); envelope: root mean square of each 10 ms; contact_s: how long the mallet stayed.
    """

    waveform: np.ndarray
    sample_rate: int
    modes: Modes
    envelope: np.ndarray
    contact_s: float


def struck_modes(
    shapes: Sequence[ShapeName], body: Body, properties: Properties, place: Tensor, force_n: Tensor, mallet: MalletName,
    *, sample_rate_hz: int = SAMPLE_RATE_HZ, variation: Variation | None = None, count: int = COUNT,
) -> StruckModes:  # fmt: skip
    """(B,) shapes, extents and materials, (B, 2) places along and across, (B,) newtons -> what rings, and how loud.

    Damping: Properties.decays_per_s; gains: mode shape at the place, the push's spectrum and radiation, put in full
    scale by `level.scale`, which knows the thing and the mallet but neither force nor place.
    """
    hardness: Tensor | float = 1.0
    if variation is not None:
        place = (place + variation.place.to(place)).clamp(0.0, 1.0)
        hardness = variation.hardness.to(force_n)
    tip = TIPS[mallet]
    found = vibration(shapes, body, properties, place, count, 0.5 * sample_rate_hz)
    hz = found.frequencies_hz
    decays = properties.decays_per_s(hz) + found.own_decays_per_s
    heard = below_nyquist(hz, sample_rate_hz)
    blow = push(force_n, tip, properties, found, hardness)
    gains = heard * pressures_pa(found, blow.spectrum_ns(hz), found.at_place)
    clicks = click_pa_s(found, blow, tip.density)
    if variation is not None:
        gains = gains * 10 ** (variation.gains_db.to(gains) / 20)

    usual = push(torch.full_like(force_n, level.FORCE_N), tip, properties, found)
    usual_gains = heard * pressures_pa(found, usual.spectrum_ns(hz), torch.sqrt(found.share))
    energy = _energy(usual_gains * level.a_weight(hz), decays) + click_energy(
        usual, sample_rate_hz, click_pa_s(found, usual, tip.density)
    )
    solid_pa = torch.sqrt(energy / level.WINDOW_S + 1e-20)
    share = properties.noise_share
    to_scale = level.scale(solid_pa / torch.sqrt(1 - share))
    noise_pa = solid_pa * torch.sqrt(share / (1 - share)) / _noise_rms(properties)
    solid = 1 - properties.bubbling
    return StruckModes(
        Modes(hz, decays, gains * (to_scale * solid)[:, None]), blow, force_n,
        noise_pa * to_scale * force_n / level.FORCE_N, clicks * to_scale * solid, properties, body.height_m,
    )  # fmt: skip


def _energy(gains: Tensor, decays_per_s: Tensor) -> Tensor:
    """(B, K) -> (B,) integral of the square over the first moments."""
    return (gains**2 * (1 - torch.exp(-2 * decays_per_s * level.WINDOW_S)) / (4 * decays_per_s)).sum(dim=1)


def _noise_rms(properties: Properties) -> Tensor:
    """(B,) root mean square over the first moments of a noise that begins at 1 and decays."""
    fall = 2 * math.log(1000) / properties.noise_t60_s * level.WINDOW_S
    return torch.sqrt((1 - torch.exp(-fall)) / fall)


def sound(struck: StruckModes, seconds: float, sample_rate_hz: int = SAMPLE_RATE_HZ, seed: int = 0) -> Tensor:
    """-> (B, samples) in [-1, 1]."""
    samples = round(seconds * sample_rate_hz)
    ringing_modes = synthesise(struck.modes, samples, sample_rate_hz)
    blow = struck.push
    hiss = struck.noise_level[:, None] * noise(struck.properties, blow, samples, sample_rate_hz, seed)
    times = torch.arange(samples, device=hiss.device).to(hiss) / sample_rate_hz
    pressed = (times / blow.contact_s[:, None]).clamp(max=1.0)  # the body gives way while it is pushed
    waveform = (ringing_modes + hiss) * torch.sin(0.5 * math.pi * pressed) ** 2
    waveform = waveform + click(blow, samples, sample_rate_hz, struck.click_gain)
    wet = struck.properties.bubbling
    if bool((wet > 0).any()):
        rows = []
        for force, depth in zip(struck.force_n.tolist(), struck.depth_m.tolist(), strict=True):
            rows.append(ringing(bubbles(force, depth, sample_rate_hz, seed), samples, sample_rate_hz))
        waveform = waveform + wet[:, None] * torch.stack(rows).to(waveform)
    return level.limited(waveform)


def strike(
    thing: PhysicalObject, place: StrikePoint, *, force_n: float, mallet: MalletName, seconds: float = 1.5,
    sample_rate_hz: int = SAMPLE_RATE_HZ, seed: int = 0, properties: Properties | None = None,
) -> Struck:  # fmt: skip
    """The sound of one blow; the same arguments give the same samples. properties: (1,) of the thing's own, when what
    is known of it goes beyond its material's name."""
    _check(thing, force_n, mallet, seconds)
    made_of = properties or Properties.of([thing.material])
    with torch.no_grad():
        body, at = Body.of([thing]), torch.tensor([[place.along, place.across]])
        struck = struck_modes(
            [thing.shape], body, made_of, at, torch.tensor([float(force_n)]), mallet,
            sample_rate_hz=sample_rate_hz, variation=Variation.drawn(1, COUNT, seed),
        )  # fmt: skip
        waveform = sound(struck, seconds, sample_rate_hz, seed)[0].numpy()
    modes = struck.modes
    if float(made_of.bubbling[0]) > 0.5:
        modes = bubbles(force_n, float(struck.depth_m[0]), sample_rate_hz, seed).modes
    frame = round(ENVELOPE_S * sample_rate_hz)
    whole = waveform[: len(waveform) // frame * frame].reshape(-1, frame)
    return Struck(
        waveform, sample_rate_hz, modes, np.sqrt(np.square(whole).mean(axis=1)), float(struck.push.contact_s[0])
    )


def _check(thing: PhysicalObject, force_n: float, mallet: MalletName, seconds: float) -> None:
    if mallet not in MALLETS:
        raise UserError(f"Strike with one of {', '.join(MALLETS)}, not with '{mallet}'.")
    if not MIN_FORCE_N <= force_n <= MAX_FORCE_N:
        raise UserError(f"The force has to lie between {MIN_FORCE_N} and {MAX_FORCE_N:.0f} newtons.")
    if not 0.1 <= seconds <= MAX_SECONDS:
        raise UserError(f"A struck sound lasts between 0.1 and {MAX_SECONDS:.0f} seconds.")
    if not MIN_SIZE_M <= thing.size_m <= MAX_SIZE_M:
        raise UserError(f"A thing's size has to lie between {MIN_SIZE_M} and {MAX_SIZE_M:.0f} metres.")
    if not (0 < thing.least <= thing.middle <= 1 and thing.thickness_m > 0):
        raise UserError("A thing's extents have to be positive, the smallest not above the middle one.")
