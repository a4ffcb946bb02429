"""Results of `Studio` as frozen dataclasses, the same for the page, the command line and scripts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from synesthesia.core.recipe import Recipe


@dataclass(frozen=True)
class LabelScore:
    """One label that the project's own audio tagger gives a sound. score: 0..1."""

    label: str
    score: float


@dataclass(frozen=True)
class Neighbour:
    """A training sound near the one asked for. similarity: cosine in the tagger's embedding space, -1..1."""

    label: str
    similarity: float
    source: str
    recording_id: str
    licence: str


@dataclass(frozen=True)
class Evidence:
    """Why a sound is what it is: labels of the audio tagger, best first, and the training sounds that led to it."""

    labels: tuple[LabelScore, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True)
class Tokens:
    """Stereo codec tokens of the path "language" for one place, and their attention over the photograph.

    codes: (2, K, F) int64, left ear first, coarse codebook first; per_second: frame rate of the codes; sizes: codes of
    a codebook; cross_attention: (rows, cols) float32 over the photograph's patches, sums to 1; itd_s: seconds, positive
    when the right ear leads; takes: how many were sampled; take: number of the one that the tagger chose.
    """

    codes: np.ndarray
    per_second: float
    sizes: int
    cross_attention: np.ndarray
    itd_s: float
    takes: int
    take: int


@dataclass(frozen=True)
class Progress:
    """Progress of token generation. done, total: frames of 40 ms."""

    done: int
    total: int


@dataclass(frozen=True)
class Estimate:
    """A predicted quantity. value: the estimate; low, high: its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PhysicsState:
    """Predicted physics state of one place, from which its impact sound follows.

    code: number in the material codebook, which is learnt without material names; purity: 0..1, share of the code's
    training patches that have its majority material; materials, shapes: names with probabilities, likeliest first, sum
    to 1. size_m: the longest extent in metres; thickness_m: of the wall, or of a solid object; hollowness: 0 solid to 1
    a thin wall; density: kg/m3; youngs_modulus_pa: pascals; hardness_pa: Young's modulus of the surface, in pascals;
    t60_s: seconds in which a mode of 1 kHz decays by 60 dB; along, across: the strike point, see
    `impact.modal.objects.StrikePoint`.
    """

    code: int
    purity: float
    materials: tuple[LabelScore, ...]
    shapes: tuple[LabelScore, ...]
    size_m: Estimate
    thickness_m: Estimate
    hollowness: Estimate
    density: Estimate
    youngs_modulus_pa: Estimate
    hardness_pa: Estimate
    t60_s: Estimate
    along: Estimate
    across: Estimate


@dataclass(frozen=True)
class Impact:
    """One strike: what was struck and how, its modes and its expected envelope, all computed without samples.

    state: as predicted, its numbers those of the selected hypothesis; material, shape, size_m, thickness_m: of the
    selected hypothesis (where the prediction is uncertain, not always the likeliest name) unless the request asks for
    another (what_if); force_n: newtons; mallet: "finger", "wood" or "metal"; contact_s: contact time. frequencies_hz,
    t60_s, gains: (K,) float32, the modes by rising frequency, gains of full scale. envelope, envelope_low,
    envelope_high: (frames,) float32, expected root mean square of each frame of frame_s seconds, and its 90 % band over
    the possible objects.
    """

    state: PhysicsState
    material: str
    shape: str
    size_m: float
    thickness_m: float
    what_if: bool
    force_n: float
    mallet: str
    contact_s: float
    frequencies_hz: np.ndarray
    t60_s: np.ndarray
    gains: np.ndarray
    envelope: np.ndarray
    envelope_low: np.ndarray
    envelope_high: np.ndarray
    frame_s: float

    @property
    def rings(self) -> bool:
        """Whether any mode is audible; else the click and the noise alone are."""
        return bool(self.gains.any())

    def to_dict(self) -> dict[str, Any]:
        """Everything but the envelopes, ready for JSON; only modes that sound, by rising frequency."""
        modes = zip(self.frequencies_hz.tolist(), self.t60_s.tolist(), self.gains.tolist(), strict=True)
        return {
            "state": asdict(self.state),
            "material": self.material,
            "shape": self.shape,
            "size_m": self.size_m,
            "thickness_m": self.thickness_m,
            "what_if": self.what_if,
            "force_n": self.force_n,
            "mallet": self.mallet,
            "contact_s": self.contact_s,
            "modes": [{"frequency_hz": hz, "t60_s": t60_s, "gain": gain} for hz, t60_s, gain in modes if gain != 0],
            "frames": len(self.envelope),
            "frame_s": self.frame_s,
        }


@dataclass(frozen=True)
class MaterialMap:
    """Predicted materials of a photograph's patches.

    names: of the M materials; shares: (R, C, M) float32 probabilities; codes: (R, C) int64, of the material codebook;
    purities: (K,) float32, of each code; named: (K,) int64, index into names of each code's majority material; solid:
    (R, C) float32 in 0..1, probability of something to strike.
    """

    names: tuple[str, ...]
    shares: np.ndarray
    codes: np.ndarray
    purities: np.ndarray
    named: np.ndarray
    solid: np.ndarray


@dataclass(frozen=True)
class Sound:
    """What a capability makes of one place. waveform: (channels, samples) float32 in [-1, 1]; tokens: of the path
    "language"; blow: of the path "tap"."""

    waveform: np.ndarray
    evidence: Evidence
    tokens: Tokens | None = None
    blow: Impact | None = None


@dataclass(frozen=True)
class Heard:
    """The sound of one place.

    waveform: (channels, samples) float32 in [-1, 1], zeros when silent, two channels (left ear first) of the path
    "language" and else one; sample_rate: Hz; tokens: of the path "language", blow: of the path "tap", unless silent.
    presence: 0..1, how surely this place sounds at all; silent: the model abstains.
    row, col: the patch; box_px: (x1, y1, x2, y2) of it in natural pixels, x2 and y2 exclusive.
    """

    waveform: np.ndarray
    sample_rate: int
    presence: float
    silent: bool
    evidence: Evidence
    recipe: Recipe
    row: int
    col: int
    box_px: tuple[int, int, int, int]
    tokens: Tokens | None = None
    blow: Impact | None = None

    @property
    def seconds(self) -> float:
        return self.waveform.shape[-1] / self.sample_rate


@dataclass(frozen=True)
class Stem:
    """One part of a whole scene. gain: linear factor with which it entered the mix."""

    heard: Heard
    gain: float


@dataclass(frozen=True)
class SceneHeard:
    """A mix of the patches that sound. waveform: (channels, samples) float32 in [-1, 1], zeros when none does."""

    waveform: np.ndarray
    sample_rate: int
    stems: tuple[Stem, ...]

    @property
    def silent(self) -> bool:
        return not self.stems


@dataclass(frozen=True)
class AttentionMap:
    """How much each cell of time and frequency counted. weights: (T, K) float32, sums to 1; times_s: (T,) seconds,
    middles of the cells; frequencies_hz: (K,) hertz, middles of their bands."""

    weights: np.ndarray
    times_s: np.ndarray
    frequencies_hz: np.ndarray


@dataclass(frozen=True)
class Attention:
    """What a direction rests on. level: differences in level and spectrum (ILD); phase: time differences (ITD)."""

    level: AttentionMap
    phase: AttentionMap


@dataclass(frozen=True)
class Located:
    """Where a binaural clip's sound comes from. Degrees: 0 in front, positive to the RIGHT, (-180, 180].

    interval_deg: 90 %, clockwise from lo to hi, may wrap; front_probability: 0..1; elevation: "below", "level" or
    "above"; second_probability: of a second source, 0 where one source moves; second_deg: its azimuth, None when one
    source is likelier; distribution: (bins,) float32 that sums to 1, at azimuths_deg (bins,); track: (times_s,
    azimuth_deg), where it was from moment to moment; baseline_deg: what plain GCC-PHAT says (front half only) from the
    delay itd_s in seconds, positive when the right ear leads; token: (256,) the spatial token; kind: "stereo", or why
    the clip holds no direction ("mono", "panned", "silent"); warning: one sentence about that, or about why no head may
    have heard the clip, or empty.
    """

    azimuth_deg: float
    interval_deg: tuple[float, float]
    front_probability: float
    elevation: str
    second_probability: float
    second_deg: float | None
    distribution: np.ndarray
    azimuths_deg: np.ndarray
    track: tuple[np.ndarray, np.ndarray]
    attention: Attention
    token: np.ndarray
    baseline_deg: float
    itd_s: float
    seconds: float
    kind: str
    warning: str
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Everything of a direction but its arrays, ready for JSON."""
        return {
            "azimuth_deg": _rounded(self.azimuth_deg),
            "interval_deg": [round(end, 1) for end in self.interval_deg],
            "front_probability": round(self.front_probability, 4),
            "elevation": self.elevation,
            "second_probability": round(self.second_probability, 4),
            "second_deg": None if self.second_deg is None else _rounded(self.second_deg),
            "baseline_deg": _rounded(self.baseline_deg),
            "itd_s": self.itd_s,
            "seconds": round(self.seconds, 4),
            "kind": self.kind,
            "warning": self.warning,
            "sentence": self.sentence,
        }


def _rounded(azimuth_deg: float) -> float:
    """To a hundredth of a degree, still in (-180, 180]."""
    short = round(azimuth_deg, 2)
    return 180.0 if short <= -180.0 else short


@dataclass(frozen=True)
class Answered:
    """The language model's answer about a clip. spatial: False when the clip holds no direction (mono, panned), which
    the spatial token encodes too, so that the model can say it."""

    question: str
    text: str
    spatial: bool


@dataclass(frozen=True)
class CheckpointInfo:
    """One model in use. where: folder in checkpoints/ or hub id; revision: hub commit; megabytes: 0 if unknown."""

    role: str
    where: str
    revision: str
    licence: str
    megabytes: float
    present: bool


@dataclass(frozen=True)
class Info:
    """What is running: preset, models with licences, device and the versions that matter."""

    preset: str
    version: str
    device: str
    checkpoints: tuple[CheckpointInfo, ...]
    paths: tuple[str, ...]  # ways from a patch to a sound
    limits: str
    citation: str
    libraries: tuple[tuple[str, str], ...]  # (name, version)
