"""Impact rendering: select an object hypothesis, synthesise its modes, and predict the energy envelope with its band.

The envelope follows from the modes without synthesis: modes of different frequencies add their energies, the residual
noise decays with its own T60, both build up during contact, and the click's energy falls into that time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.results import Impact
from synesthesia.core.vocabulary import MalletName, MaterialName
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.contact import ContactForce, at_least_four_samples, click_energy
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.modal_bank import Bubbles, Modes, sample_bubbles
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M, PhysicalObject
from synesthesia.impact.modal.strike import ENVELOPE_S, ExcitedModes, limited_peak, strike
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import Hypothesis, clamp_to_valid, excite_hypotheses, sample_hypotheses

if TYPE_CHECKING:
    from synesthesia.impact.predictor import ImpactPredictor

BAND_SAMPLES = 12  # further hypotheses, for the envelope's band
FADE_S = 0.02  # at the end of a sound that still rings
CONTACT_FRAMES, PARTS = 8, 8  # first frames, in which a mallet may be in contact, and the parts of each
CREST = 2.0  # ratio of a strike's peak to its root mean square in the loudest part


@dataclass(frozen=True)
class StrikeParams:
    """Counterfactuals: material: "" for the predicted one; size_factor: times the predicted size."""

    force_n: float
    mallet: MalletName
    seconds: float
    seed: int
    material: MaterialName | Literal[""] = ""
    size_factor: float = 1.0


def counterfactual(hypothesis: Hypothesis, params: StrikeParams) -> Hypothesis:
    """The same object with another material or size."""
    item, properties = hypothesis.item, hypothesis.properties
    material = params.material or item.material
    if material != item.material:
        properties = Properties.of([material])
    larger = min(max(item.size_m * params.size_factor, MIN_SIZE_M), MAX_SIZE_M) / item.size_m
    item = PhysicalObject(
        material, item.shape, item.size_m * larger, item.middle, item.least, item.thickness_m * larger
    )
    return Hypothesis(hypothesis.code, clamp_to_valid(item), hypothesis.point, properties)


@torch.inference_mode()
def render_impact(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int, params: StrikeParams, sample_rate_hz: int
) -> tuple[np.ndarray, Impact]:
    """-> ((samples,) float32 in [-1, 1], the state and modes behind it)."""
    selected = select(predictor, posterior, patch)
    struck = counterfactual(selected, params)
    item = struck.item
    sound = strike(
        item, struck.point, force_n=params.force_n, mallet=params.mallet, seconds=params.seconds,
        sample_rate_hz=sample_rate_hz, seed=params.seed, properties=struck.properties,
    )  # fmt: skip
    random = torch.Generator().manual_seed(0)  # the posterior's samples don't depend on the strike
    others = [
        counterfactual(one, params) for one in sample_hypotheses(predictor, posterior, patch, BAND_SAMPLES, random)
    ]
    envelopes = expected_envelopes([struck, *others], params, len(sound.envelope), sample_rate_hz)
    low, high = torch.quantile(envelopes, torch.tensor([0.05, 0.95]), dim=0)
    modes = sound.modes
    impact = Impact(
        state=predictor.physics_state(posterior, patch, selected),
        material=item.material,
        shape=item.shape,
        size_m=item.size_m,
        thickness_m=item.thickness_m,
        what_if=bool(params.material) or params.size_factor != 1.0,
        force_n=params.force_n,
        mallet=params.mallet,
        contact_s=sound.contact_s,
        frequencies_hz=modes.frequencies_hz[0].numpy().astype(np.float32),
        t60_s=(math.log(1000) / modes.decays_per_s[0].numpy()).astype(np.float32),
        gains=modes.gains[0].numpy().astype(np.float32),
        envelope=envelopes[0].numpy(),
        envelope_low=torch.minimum(low, envelopes[0]).numpy(),
        envelope_high=torch.maximum(high, envelopes[0]).numpy(),
        frame_s=ENVELOPE_S,
    )
    return fade_out(sound.waveform.astype(np.float32), sample_rate_hz), impact


def fade_out(waveform: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """A raised-cosine fade at the end, so that a sound that still rings ends without a click."""
    count = min(round(FADE_S * sample_rate_hz), len(waveform))
    start = len(waveform) - count
    ramp = 0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 1) / count)
    return np.concatenate([waveform[:start], waveform[start:] * ramp]).astype(np.float32)


def expected_envelopes(
    hypotheses: list[Hypothesis], params: StrikeParams, frames: int, sample_rate_hz: int
) -> Tensor:  # fmt: skip
    """(G, frames) float32, one a hypothesis."""
    excited = excite_hypotheses(hypotheses, params.force_n, params.mallet, sample_rate_hz)
    return expected_envelope(excited, frames, ENVELOPE_S, sample_rate_hz, params.seed).float()


def expected_envelope(
    excited: ExcitedModes, frames: int, frame_s: float, sample_rate_hz: int, seed: int = 0
) -> Tensor:  # fmt: skip
    """(B, frames) root mean square of each frame of frame_s seconds, of full scale. seed: that of the sound, which
    decides when bubbles start."""
    first = min(CONTACT_FRAMES, frames)
    fine = torch.arange(first * PARTS + 1).to(excited.force_n) * (frame_s / PARTS)
    coarse = torch.arange(first, frames + 1).to(excited.force_n) * frame_s
    start, rest = (_power(excited, edges, sample_rate_hz, seed).clamp(min=0.0) for edges in (fine, coarse))
    level = torch.cat([start.unflatten(1, (first, PARTS)).mean(dim=2), rest], dim=1).sqrt()
    peak = CREST * start.amax(dim=1, keepdim=True).sqrt()  # the limiter's factor follows from it
    return level * limited_peak(peak) / peak.clamp(min=1e-12)


def _power(excited: ExcitedModes, edges: Tensor, sample_rate_hz: int, seed: int) -> Tensor:
    """(n + 1,) seconds -> (B, n) mean square between neighbouring edges."""
    contact, properties = excited.contact, excited.properties
    noise = excited.noise_level[:, None] ** 2 * _noise_power(contact, properties.noise_t60_s, edges)
    energy = click_energy(contact, sample_rate_hz, excited.click_gain)[:, None]
    click = energy * _click_power(contact, edges, sample_rate_hz)
    power = (_mode_power(excited.modes, edges) + noise) * _attack(contact, edges) + click
    for row in (properties.bubbling > 0).nonzero()[:, 0].tolist():
        bubbles = sample_bubbles(float(excited.force_n[row]), float(excited.depth_m[row]), sample_rate_hz, seed)
        power[row] += properties.bubbling[row] ** 2 * _bubble_power(bubbles, edges)
    return power


def _mode_power(modes: Modes, edges: Tensor) -> Tensor:
    """(B, n) of damped sines."""
    decay = 2 * modes.decays_per_s[..., None]
    return (0.5 * modes.gains[..., None] ** 2 * -torch.exp(-decay * edges).diff() / decay).sum(dim=1) / edges.diff()


def _noise_power(contact: ContactForce, t60_s: Tensor, edges: Tensor) -> Tensor:
    """(B, n) of noise of level 1 until the middle of the contact, decaying from there."""
    middle = 0.5 * contact.contact_s[:, None]
    decay = 2 * math.log(1000) / t60_s[:, None]
    decayed = -torch.exp(-decay * (edges - middle).clamp(min=0.0)).diff() / decay
    return (torch.minimum(edges, middle).diff() + decayed) / edges.diff()


def _attack(contact: ContactForce, edges: Tensor) -> Tensor:
    """(B, n) mean of sin^4 during contact, 1 after it."""
    contact_s = contact.contact_s[:, None]
    angle = math.pi * (edges / contact_s).clamp(max=1.0)
    rising = contact_s / math.pi * (3 / 8 * angle - 0.5 * torch.sin(angle) + torch.sin(2 * angle) / 16)
    return (rising + (edges - contact_s).clamp(min=0.0)).diff() / edges.diff()


def _click_power(contact: ContactForce, edges: Tensor, sample_rate_hz: int) -> Tensor:
    """(B, n) of a click of energy 1: its square is that of the force's slope, sin cos^2."""
    contact_s = at_least_four_samples(contact, sample_rate_hz).contact_s[:, None]
    return (-0.5 * torch.cos(math.pi * (edges / contact_s).clamp(max=1.0)) ** 3).diff() / edges.diff()


def _bubble_power(bubbles: Bubbles, edges: Tensor) -> Tensor:
    """(n,) of damped sines with later starts."""
    decay, gain = 2 * bubbles.modes.decays_per_s[0][:, None], bubbles.modes.gains[0][:, None]
    elapsed = (edges - bubbles.starts_s[:, None]).clamp(min=0.0)
    return (0.5 * gain**2 * -torch.exp(-decay * elapsed).diff() / decay).sum(dim=0) / edges.diff()
