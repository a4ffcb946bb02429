"""From a physics state to the blow: what is struck, its modes, its predicted envelope, its sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synesthesia.hearing.physics_net import ALONG, BY_SHAPE, Reading
from synesthesia.results import Blow
from synesthesia.striking.contact import MalletName
from synesthesia.striking.envelope import predicted_envelope
from synesthesia.striking.materials import Properties
from synesthesia.striking.strike import ENVELOPE_S, strike, struck_modes
from synesthesia.striking.things import MATERIALS, MAX_SIZE_M, MIN_SIZE_M, SHAPES, WALLED, MaterialName, Place, Thing
from synesthesia.striking.vibration import Body

if TYPE_CHECKING:
    from synesthesia.hearing.tap import TapAdapter

DOUBTS = 12  # other states that the place may have, for the envelope's band
FADE_S = 0.02  # at the end of a sound that still rings


@dataclass(frozen=True)
class Hit:
    """How a place is struck. material: "" for the one that is seen; size_factor: times the size that is seen."""

    force_n: float
    mallet: MalletName
    seconds: float
    seed: int
    material: str = ""
    size_factor: float = 1.0


@dataclass(frozen=True)
class Guess:
    """One state that a place may have."""

    thing: Thing
    place: Place
    properties: Properties  # (1,)


def likeliest(adapter: TapAdapter, read: Reading, patch: int) -> Guess:
    """The state in the middle of what the reading says."""
    code, _ = adapter.code(read, patch)
    shape = read.shape[patch].argmax()[None]
    return _guesses(adapter, read, patch, torch.tensor([code]), shape, torch.full((len(BY_SHAPE), 1), 0.5))[0]


def drawn(adapter: TapAdapter, read: Reading, patch: int, count: int, random: torch.Generator) -> list[Guess]:
    """States that the reading holds for possible, each as often as it holds it for likely."""
    codes, shapes = (
        torch.multinomial(shares[patch].exp(), count, replacement=True, generator=random)
        for shares in (read.codes, read.shape)
    )
    return _guesses(adapter, read, patch, codes, shapes, torch.rand(len(BY_SHAPE), count, generator=random))


def _guesses(
    adapter: TapAdapter, read: Reading, patch: int, codes: Tensor, shapes: Tensor, at: Tensor
) -> list[Guess]:  # fmt: skip
    """codes, shapes: (G,); at: (len(BY_SHAPE), G) share of what is likely that lies below each extent taken."""
    extents = [
        scale.quantile(part[patch, shapes].exp(), below).tolist()
        for scale, part, below in zip(BY_SHAPE, read.by_shape, at, strict=True)
    ]
    along, across = (float(ALONG.quantile(part[patch].exp()[None], 0.5)) for part in (read.along, read.across))
    names = adapter.net.codebook.called()[0][codes].tolist()
    properties = adapter.net.codebook.properties(codes)
    guesses = []
    for row, (name, shape, *told) in enumerate(zip(names, shapes.tolist(), *extents, strict=True)):
        thing = possible(Thing(MATERIALS[name], SHAPES[shape], *told))
        guesses.append(Guess(thing, Place(along, across), properties.rows([row])))
    return guesses


def possible(thing: Thing) -> Thing:
    """The same thing with extents that a thing can have."""
    size = min(max(thing.size_m, MIN_SIZE_M), MAX_SIZE_M)
    middle = min(max(thing.middle, 1e-3), 1.0)
    least = min(thing.least, middle)
    smallest = least * size
    thickness = min(thing.thickness_m, 0.5 * smallest) if thing.shape in WALLED else smallest
    return Thing(thing.material, thing.shape, size, middle, least, thickness)


def instead(guess: Guess, hit: Hit) -> Guess:
    """What if it were of another material, or larger: everything else stays."""
    thing, properties = guess.thing, guess.properties
    material: MaterialName = hit.material or thing.material  # type: ignore[assignment]
    if material != thing.material:
        properties = Properties.of([material])
    larger = min(max(thing.size_m * hit.size_factor, MIN_SIZE_M), MAX_SIZE_M) / thing.size_m
    thing = Thing(material, thing.shape, thing.size_m * larger, thing.middle, thing.least, thing.thickness_m * larger)
    return Guess(possible(thing), guess.place, properties)


@torch.inference_mode()
def blow(adapter: TapAdapter, read: Reading, patch: int, hit: Hit, sample_rate_hz: int) -> tuple[np.ndarray, Blow]:
    """((samples,) float32 in [-1, 1], what it followed from)."""
    struck = instead(likeliest(adapter, read, patch), hit)
    thing = struck.thing
    made = strike(
        thing, struck.place, force_n=hit.force_n, mallet=hit.mallet, seconds=hit.seconds,
        sample_rate_hz=sample_rate_hz, seed=hit.seed, properties=struck.properties,
    )  # fmt: skip
    random = torch.Generator().manual_seed(0)  # what a place may be does not hang on the blow
    others = [instead(guess, hit) for guess in drawn(adapter, read, patch, DOUBTS, random)]
    frames = len(made.envelope)
    predicted = envelopes([struck, *others], hit, frames, sample_rate_hz)
    low, high = torch.quantile(predicted, torch.tensor([0.05, 0.95]), dim=0)
    modes = made.modes
    blow_ = Blow(
        state=adapter.state(read, patch),
        material=thing.material,
        shape=thing.shape,
        size_m=thing.size_m,
        thickness_m=thing.thickness_m,
        what_if=bool(hit.material) or hit.size_factor != 1.0,
        force_n=hit.force_n,
        mallet=hit.mallet,
        contact_s=made.contact_s,
        frequencies_hz=modes.frequencies_hz[0].numpy().astype(np.float32),
        t60_s=(math.log(1000) / modes.decays_per_s[0].numpy()).astype(np.float32),
        gains=modes.gains[0].numpy().astype(np.float32),
        envelope=predicted[0].numpy(),
        envelope_low=torch.minimum(low, predicted[0]).numpy(),
        envelope_high=torch.maximum(high, predicted[0]).numpy(),
        frame_s=ENVELOPE_S,
    )
    return faded(made.waveform.astype(np.float32), sample_rate_hz), blow_


def envelopes(guesses: list[Guess], hit: Hit, frames: int, sample_rate_hz: int) -> Tensor:
    """(G, frames) float32, of all of them at once."""
    things = [guess.thing for guess in guesses]
    columns = [
        torch.cat([getattr(guess.properties, name) for guess in guesses]) for name in Properties.__dataclass_fields__
    ]
    struck = struck_modes(
        [thing.shape for thing in things], Body.of(things), Properties(*columns),
        torch.tensor([[guess.place.along, guess.place.across] for guess in guesses]),
        torch.full((len(things),), hit.force_n), hit.mallet, sample_rate_hz=sample_rate_hz,
    )  # fmt: skip
    return predicted_envelope(struck, frames, ENVELOPE_S, sample_rate_hz, hit.seed).float()


def faded(waveform: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """The same sound, brought to zero at its end: what still rings must not break off with a click."""
    count = min(round(FADE_S * sample_rate_hz), len(waveform))
    ramp = 0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 1) / count)
    return np.concatenate([waveform[: len(waveform) - count], waveform[len(waveform) - count :] * ramp]).astype(
        np.float32
    )
