"""Modal synthesis of one strike: object, strike point, force and mallet -> excited modes -> waveform.

`strike` makes one sound; `excite_modes` and `synthesize` do the same in batches, with a gradient with respect to
extents, materials, strike point and force, for training.

From pascals to full scale: objects differ by 60 dB in loudness at the same force, a loudspeaker in a room has a range
of about 30 dB, and force alone spans 40. An object's loudness per newton is therefore compressed (a power law of its
A-weighted sound pressure) by one fixed rule; force, strike point and variation keep their decibels. Above a knee one
factor for the whole sound limits the peak.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MALLETS, MalletName, ShapeName
from synesthesia.impact.modal.contact import (
    MALLET_TIPS,
    MAX_FORCE_N,
    MIN_FORCE_N,
    ContactForce,
    click,
    click_energy,
    click_gain,
    contact_force,
)
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.modal_bank import (
    Modes,
    nyquist_fade,
    residual_noise,
    sample_bubbles,
    synthesize_bubbles,
    synthesize_modes,
)
from synesthesia.impact.modal.objects import MAX_SIZE_M, MIN_SIZE_M, PhysicalObject, StrikePoint
from synesthesia.impact.modal.shells import bottle, bowl, hollow, plate, tube
from synesthesia.impact.modal.solids import solid
from synesthesia.impact.modal.vibration import Body, Vibration, bar, mode_pressures_pa, subsample_modes

MODE_COUNT = 48
MAX_SECONDS = 10.0
ENVELOPE_S = 0.01

REFERENCE_FORCE_N = 5.0  # at which an object's loudness is measured
REFERENCE_PA = 0.02  # of an average object, root mean square over LOUDNESS_WINDOW_S at REFERENCE_FORCE_N
REFERENCE_LEVEL = 0.035  # of full scale, for REFERENCE_PA
COMPRESSION = 0.2  # dB that remain of each dB between two objects
LOUDNESS_WINDOW_S = 0.005
QUIETEST_PA = 1e-7
KNEE, CEILING = 0.7, 0.89  # of the limiter: -3 and -1 dBFS

SHAPE_MODES: dict[ShapeName, Callable[[Body, Properties, Tensor], Vibration]] = {
    "solid": solid, "hollow": hollow, "plate": plate, "bar": bar, "bowl": bowl, "bottle": bottle, "tube": tube,
}  # fmt: skip


@dataclass(frozen=True)
class Variation:
    """Differences between strikes by hand. point: (B, 2) added; gains_db: (B, K); hardness: (B,) factor."""

    point: Tensor
    gains_db: Tensor
    hardness: Tensor

    @staticmethod
    def sample(rows: int, count: int, seed: int) -> Variation:
        """About a centimetre on a metre, gains within 1 dB, hardness within some percent."""
        random = torch.Generator().manual_seed(seed)
        point = 0.012 * torch.randn(rows, 2, generator=random, dtype=torch.float64)
        hardness = torch.exp(0.05 * torch.randn(rows, generator=random, dtype=torch.float64))
        gains = (0.5 * torch.randn(rows, count, generator=random, dtype=torch.float64)).clamp(-1.0, 1.0)
        return Variation(point, gains, hardness)


@dataclass(frozen=True)
class ExcitedModes:
    """All that decides the samples. modes: (B, K), gains of full scale; contact: the force on the body; force_n: (B,)
    as requested; noise_level: (B,) of full scale; click_gain: (B,) full scale per N/s; properties, depth_m (B,): for
    noise and bubbles."""

    modes: Modes
    contact: ContactForce
    force_n: Tensor
    noise_level: Tensor
    click_gain: Tensor
    properties: Properties
    depth_m: Tensor


@dataclass(frozen=True)
class StruckSound:
    """The sound of one strike.

    waveform: (samples,) float32 in [-1, 1]; sample_rate: Hz; modes: (1, K) by rising frequency (gain 0 where there are
    fewer); envelope: root mean square of each 10 ms; contact_s: contact time.
    """

    waveform: np.ndarray
    sample_rate: int
    modes: Modes
    envelope: np.ndarray
    contact_s: float


def body_modes(
    shapes: Sequence[ShapeName], body: Body, properties: Properties, point: Tensor, count: int, highest_hz: float
) -> Vibration:
    """(B,) shapes, extents and materials, (B, 2) strike points along and across (see StrikePoint) -> `count` modes of
    each body below highest_hz, by rising frequency; see `subsample_modes` for which ones. A batch may mix shapes."""
    groups, order = [], []
    for name in sorted(set(shapes)):
        at = [row for row, shape in enumerate(shapes) if shape == name]
        modes = SHAPE_MODES[name](body.rows(at), properties.rows(at), point[at])
        groups.append(subsample_modes(modes, count, highest_hz))
        order.extend(at)
    back = torch.tensor(order).argsort()
    return Vibration(
        **{field.name: torch.cat([getattr(group, field.name) for group in groups])[back] for field in fields(Vibration)}
    )


def excite_modes(
    shapes: Sequence[ShapeName], body: Body, properties: Properties, point: Tensor, force_n: Tensor, mallet: MalletName,
    *, sample_rate_hz: int = SAMPLE_RATE_HZ, variation: Variation | None = None, count: int = MODE_COUNT,
) -> ExcitedModes:  # fmt: skip
    """(B,) shapes, extents and materials, (B, 2) strike points along and across, (B,) newtons -> modes with gains.

    Damping: Properties.decays_per_s; gains: mode shape at the point, the force's spectrum and radiation, scaled by
    `full_scale_per_pa`, which depends on the object and the mallet but neither on force nor on the point.
    """
    hardness: Tensor | float = 1.0
    if variation is not None:
        point = (point + variation.point.to(point)).clamp(0.0, 1.0)
        hardness = variation.hardness.to(force_n)
    tip = MALLET_TIPS[mallet]
    vibration = body_modes(shapes, body, properties, point, count, 0.5 * sample_rate_hz)
    hz = vibration.frequencies_hz
    decays = properties.decays_per_s(hz) + vibration.extra_decays_per_s
    audible = nyquist_fade(hz, sample_rate_hz)
    contact = contact_force(force_n, tip, properties, vibration, hardness)
    gains = audible * mode_pressures_pa(vibration, contact.spectrum_ns(hz), vibration.point_values)
    clicks = click_gain(vibration, contact, tip.density)
    if variation is not None:
        gains = gains * 10 ** (variation.gains_db.to(gains) / 20)

    usual = contact_force(torch.full_like(force_n, REFERENCE_FORCE_N), tip, properties, vibration)
    usual_gains = audible * mode_pressures_pa(vibration, usual.spectrum_ns(hz), torch.sqrt(vibration.mean_square))
    energy = _energy(usual_gains * a_weighting(hz), decays) + click_energy(
        usual, sample_rate_hz, click_gain(vibration, usual, tip.density)
    )
    solid_pa = torch.sqrt(energy / LOUDNESS_WINDOW_S + 1e-20)
    share = properties.noise_share
    to_scale = full_scale_per_pa(solid_pa / torch.sqrt(1 - share))
    noise_pa = solid_pa * torch.sqrt(share / (1 - share)) / _noise_rms(properties)
    dry = 1 - properties.bubbling
    return ExcitedModes(
        Modes(hz, decays, gains * (to_scale * dry)[:, None]), contact, force_n,
        noise_pa * to_scale * force_n / REFERENCE_FORCE_N, clicks * to_scale * dry, properties, body.height_m,
    )  # fmt: skip


def _energy(gains: Tensor, decays_per_s: Tensor) -> Tensor:
    """(B, K) -> (B,) integral of the square over LOUDNESS_WINDOW_S."""
    return (gains**2 * (1 - torch.exp(-2 * decays_per_s * LOUDNESS_WINDOW_S)) / (4 * decays_per_s)).sum(dim=1)


def _noise_rms(properties: Properties) -> Tensor:
    """(B,) root mean square over LOUDNESS_WINDOW_S of a noise that begins at 1 and decays."""
    fall = 2 * math.log(1000) / properties.noise_t60_s * LOUDNESS_WINDOW_S
    return torch.sqrt((1 - torch.exp(-fall)) / fall)


def a_weighting(frequencies_hz: Tensor) -> Tensor:
    """Amplitude factor of IEC 61672-1, curve A, 1 at 1 kHz."""
    square = frequencies_hz**2
    over = 12194.0**2 * square**2
    under = (square + 20.6**2) * torch.sqrt((square + 107.7**2) * (square + 737.9**2)) * (square + 12194.0**2)
    return 1.2589 * over / under


def full_scale_per_pa(loudness_pa: Tensor) -> Tensor:
    """(B,) loudness of objects at REFERENCE_FORCE_N, average point -> (B,) full scale per pascal."""
    loudness = loudness_pa + QUIETEST_PA
    return REFERENCE_LEVEL * (loudness / REFERENCE_PA) ** COMPRESSION / loudness


def soft_limit_peak(waveform: Tensor) -> Tensor:
    """(B, samples) -> the same shape, times one factor a row: peaks below KNEE stay, others stay under CEILING."""
    peak = waveform.abs().amax(dim=1, keepdim=True)
    return waveform * (limited_peak(peak) / peak.clamp(min=1e-12))


def limited_peak(peak: Tensor) -> Tensor:
    """The limiter's curve: `peak` up to KNEE, then bent towards CEILING."""
    over, room = (peak - KNEE).clamp(min=0.0), CEILING - KNEE
    return torch.where(peak > KNEE, KNEE + room * over / (room + over), peak)


def synthesize(
    excited: ExcitedModes, seconds: float, sample_rate_hz: int = SAMPLE_RATE_HZ, seed: int = 0
) -> Tensor:  # fmt: skip
    """-> (B, samples) in [-1, 1]."""
    samples = round(seconds * sample_rate_hz)
    modes = synthesize_modes(excited.modes, samples, sample_rate_hz)
    contact = excited.contact
    noise = residual_noise(excited.properties, contact, samples, sample_rate_hz, seed)
    noise = excited.noise_level[:, None] * noise
    times = torch.arange(samples, device=noise.device).to(noise) / sample_rate_hz
    progress = (times / contact.contact_s[:, None]).clamp(max=1.0)  # sound builds up while the mallet is in contact
    waveform = (modes + noise) * torch.sin(0.5 * math.pi * progress) ** 2
    waveform = waveform + click(contact, samples, sample_rate_hz, excited.click_gain)
    bubbling = excited.properties.bubbling
    if bool((bubbling > 0).any()):
        rows = []
        for force, depth in zip(excited.force_n.tolist(), excited.depth_m.tolist(), strict=True):
            bubbles = sample_bubbles(force, depth, sample_rate_hz, seed)
            rows.append(synthesize_bubbles(bubbles, samples, sample_rate_hz))
        waveform = waveform + bubbling[:, None] * torch.stack(rows).to(waveform)
    return soft_limit_peak(waveform)


def strike(
    item: PhysicalObject, point: StrikePoint, *, force_n: float, mallet: MalletName, seconds: float = 1.5,
    sample_rate_hz: int = SAMPLE_RATE_HZ, seed: int = 0, properties: Properties | None = None,
) -> StruckSound:  # fmt: skip
    """The sound of one strike; the same arguments give the same samples. properties: (1,) of this object, if known
    better than by its material's name."""
    _check(item, force_n, mallet, seconds)
    properties = properties or Properties.of([item.material])
    with torch.no_grad():
        body, at = Body.of([item]), torch.tensor([[point.along, point.across]])
        excited = excite_modes(
            [item.shape], body, properties, at, torch.tensor([float(force_n)]), mallet,
            sample_rate_hz=sample_rate_hz, variation=Variation.sample(1, MODE_COUNT, seed),
        )  # fmt: skip
        waveform = synthesize(excited, seconds, sample_rate_hz, seed)[0].numpy()
    modes = excited.modes
    if float(properties.bubbling[0]) > 0.5:
        modes = sample_bubbles(force_n, float(excited.depth_m[0]), sample_rate_hz, seed).modes
    frame = round(ENVELOPE_S * sample_rate_hz)
    frames = waveform[: len(waveform) // frame * frame].reshape(-1, frame)
    return StruckSound(
        waveform, sample_rate_hz, modes, np.sqrt(np.square(frames).mean(axis=1)), float(excited.contact.contact_s[0])
    )


def _check(item: PhysicalObject, force_n: float, mallet: MalletName, seconds: float) -> None:
    if mallet not in MALLETS:
        raise UserError(f"Strike with one of {', '.join(MALLETS)}, not with '{mallet}'.")
    if not MIN_FORCE_N <= force_n <= MAX_FORCE_N:
        raise UserError(f"The force has to lie between {MIN_FORCE_N} and {MAX_FORCE_N:.0f} newtons.")
    if not 0.1 <= seconds <= MAX_SECONDS:
        raise UserError(f"A struck sound lasts between 0.1 and {MAX_SECONDS:.0f} seconds.")
    if not MIN_SIZE_M <= item.size_m <= MAX_SIZE_M:
        raise UserError(f"An object's size has to lie between {MIN_SIZE_M} and {MAX_SIZE_M:.0f} metres.")
    if not (0 < item.least <= item.middle <= 1 and item.thickness_m > 0):
        raise UserError("An object's extents have to be positive, the smallest not above the middle one.")
