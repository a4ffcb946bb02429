"""From a physics state to the blow: what is struck, its modes, its predicted envelope, its sound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.results import Impact
from synesthesia.impact.hypotheses import Hypothesis, clamp_to_valid, modes_of, sample
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.contact import MalletName
from synesthesia.impact.modal.envelope import predicted_envelope
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.strike import ENVELOPE_S, strike
from synesthesia.impact.modal.things import MAX_SIZE_M, MIN_SIZE_M, MaterialName, PhysicalObject
from synesthesia.impact.physics_net import PhysicsPosterior

if TYPE_CHECKING:
    from synesthesia.impact.predictor import ImpactPredictor

DOUBTS = 12  # other states that the place may have, for the envelope's band
FADE_S = 0.02  # at the end of a sound that still rings


@dataclass(frozen=True)
class StrikeParams:
    """How a place is struck. material: "" for the one that is seen; size_factor: times the size that is seen."""

    force_n: float
    mallet: MalletName
    seconds: float
    seed: int
    material: str = ""
    size_factor: float = 1.0


def counterfactual(guess: Hypothesis, hit: StrikeParams) -> Hypothesis:
    """What if it were of another material, or larger: everything else stays."""
    thing, properties = guess.thing, guess.properties
    material: MaterialName = hit.material or thing.material  # type: ignore[assignment]
    if material != thing.material:
        properties = Properties.of([material])
    larger = min(max(thing.size_m * hit.size_factor, MIN_SIZE_M), MAX_SIZE_M) / thing.size_m
    thing = PhysicalObject(
        material, thing.shape, thing.size_m * larger, thing.middle, thing.least, thing.thickness_m * larger
    )
    return Hypothesis(guess.code, clamp_to_valid(thing), guess.place, properties)


@torch.inference_mode()
def render_impact(
    adapter: ImpactPredictor, read: PhysicsPosterior, patch: int, hit: StrikeParams, sample_rate_hz: int
) -> tuple[np.ndarray, Impact]:
    """((samples,) float32 in [-1, 1], what it followed from)."""
    seen = select(adapter, read, patch)
    struck = counterfactual(seen, hit)
    thing = struck.thing
    made = strike(
        thing, struck.place, force_n=hit.force_n, mallet=hit.mallet, seconds=hit.seconds,
        sample_rate_hz=sample_rate_hz, seed=hit.seed, properties=struck.properties,
    )  # fmt: skip
    random = torch.Generator().manual_seed(0)  # what a place may be does not hang on the blow
    others = [counterfactual(guess, hit) for guess in sample(adapter, read, patch, DOUBTS, random)]
    frames = len(made.envelope)
    predicted = envelopes([struck, *others], hit, frames, sample_rate_hz)
    low, high = torch.quantile(predicted, torch.tensor([0.05, 0.95]), dim=0)
    modes = made.modes
    blow_ = Impact(
        state=adapter.state(read, patch, seen),
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
    return fade_out(made.waveform.astype(np.float32), sample_rate_hz), blow_


def envelopes(guesses: list[Hypothesis], hit: StrikeParams, frames: int, sample_rate_hz: int) -> Tensor:
    """(G, frames) float32, of all of them at once."""
    struck = modes_of(guesses, hit.force_n, hit.mallet, sample_rate_hz)
    return predicted_envelope(struck, frames, ENVELOPE_S, sample_rate_hz, hit.seed).float()


def fade_out(waveform: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """The same sound, brought to zero at its end: what still rings must not break off with a click."""
    count = min(round(FADE_S * sample_rate_hz), len(waveform))
    ramp = 0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 1) / count)
    return np.concatenate([waveform[: len(waveform) - count], waveform[len(waveform) - count :] * ramp]).astype(
        np.float32
    )
