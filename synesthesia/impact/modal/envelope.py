"""How loud a blow is from moment to moment, from what rings alone: no sample is made for it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synesthesia.impact.modal.contact import Push
from synesthesia.impact.modal.level import CEILING, KNEE
from synesthesia.impact.modal.liquid import Bubbles, bubbles
from synesthesia.impact.modal.modal_bank import Modes
from synesthesia.impact.modal.radiation import click_energy, resolved
from synesthesia.impact.modal.strike import StruckModes

HEAD, PARTS = 8, 8  # frames in which a mallet may still push, looked at in so many parts each
CREST = 2.0  # of a blow's peak over its root mean square in the loudest part


def predicted_envelope(struck: StruckModes, frames: int, frame_s: float, sample_rate_hz: int, seed: int = 0) -> Tensor:
    """(B, frames) root mean square of each frame of frame_s seconds, of full scale.

    Modes of different frequencies add their energies; the residual noise falls by its own T60; both come up while the
    mallet stays, and the click lies in that time. Bubbles begin when `seed` says, as in the sound.
    """
    head = min(HEAD, frames)
    fine = torch.arange(head * PARTS + 1).to(struck.force_n) * (frame_s / PARTS)
    coarse = torch.arange(head, frames + 1).to(struck.force_n) * frame_s
    first, rest = (_power(struck, edges, sample_rate_hz, seed).clamp(min=0.0) for edges in (fine, coarse))
    level = torch.cat([first.unflatten(1, (head, PARTS)).mean(dim=2), rest], dim=1).sqrt()
    peak = CREST * first.amax(dim=1, keepdim=True).sqrt()  # as level.limited would bend it
    over, room = (peak - KNEE).clamp(min=0.0), CEILING - KNEE
    return level * torch.where(peak > KNEE, KNEE + room * over / (room + over), peak) / peak.clamp(min=1e-12)


def _power(struck: StruckModes, edges: Tensor, sample_rate_hz: int, seed: int) -> Tensor:
    """(n + 1,) seconds -> (B, n) mean square from each to the next."""
    push, properties = struck.push, struck.properties
    hiss = struck.noise_level[:, None] ** 2 * _hissing(push, properties.noise_t60_s, edges)
    click = click_energy(push, sample_rate_hz, struck.click_gain)[:, None] * _clicked(push, edges, sample_rate_hz)
    power = (_falling(struck.modes, edges) + hiss) * _risen(push, edges) + click
    for row in (properties.bubbling > 0).nonzero()[:, 0].tolist():
        found = bubbles(float(struck.force_n[row]), float(struck.depth_m[row]), sample_rate_hz, seed)
        power[row] += properties.bubbling[row] ** 2 * _bubbling(found, edges)
    return power


def _falling(modes: Modes, edges: Tensor) -> Tensor:
    """(B, n) power of sines that fall from the beginning on."""
    decay = 2 * modes.decays_per_s[..., None]
    return (0.5 * modes.gains[..., None] ** 2 * -torch.exp(-decay * edges).diff() / decay).sum(dim=1) / edges.diff()


def _hissing(push: Push, t60_s: Tensor, edges: Tensor) -> Tensor:
    """(B, n) power of noise that holds 1 to the middle of the push and falls from there."""
    middle = 0.5 * push.contact_s[:, None]
    decay = 2 * math.log(1000) / t60_s[:, None]
    fallen = -torch.exp(-decay * (edges - middle).clamp(min=0.0)).diff() / decay
    return (torch.minimum(edges, middle).diff() + fallen) / edges.diff()


def _risen(push: Push, edges: Tensor) -> Tensor:
    """(B, n) mean of sin^4 over the time in which the body gives way, 1 after it."""
    contact = push.contact_s[:, None]
    angle = math.pi * (edges / contact).clamp(max=1.0)
    rising = contact / math.pi * (3 / 8 * angle - 0.5 * torch.sin(angle) + torch.sin(2 * angle) / 16)
    return (rising + (edges - contact).clamp(min=0.0)).diff() / edges.diff()


def _clicked(push: Push, edges: Tensor, sample_rate_hz: int) -> Tensor:
    """(B, n) of a click's energy of 1, per second: its square goes as the push's slope's, sin cos^2."""
    contact = resolved(push, sample_rate_hz)[0][:, None]
    return (-0.5 * torch.cos(math.pi * (edges / contact).clamp(max=1.0)) ** 3).diff() / edges.diff()


def _bubbling(found: Bubbles, edges: Tensor) -> Tensor:
    """(n,) power of sines that begin later."""
    decay, gain = 2 * found.modes.decays_per_s[0][:, None], found.modes.gains[0][:, None]
    late = (edges - found.starts_s[:, None]).clamp(min=0.0)
    return (0.5 * gain**2 * -torch.exp(-decay * late).diff() / decay).sum(dim=0) / edges.diff()
