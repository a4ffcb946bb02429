"""Binaural sound localization: clip -> `Located`, by the localizer network, with GCC-PHAT beside it as the baseline.

Generalised cross-correlation with phase transform (Knapp and Carter 1976) gives the interaural time difference (ITD) of
the whole clip; the baseline's answer is the frontal azimuth at which a reference HRTF has the nearest ITD. It can't
tell front from back, ignores level, and follows the louder of two sources: what the network has to add.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from synesthesia.binaural.clip import BinauralClip
from synesthesia.binaural.geometry import OCTANTS, is_front, lateral_angle, octant, wrap
from synesthesia.binaural.hrtf import HRTF, RATE_HZ
from synesthesia.core import checkpoints
from synesthesia.core.presets import LocalizationConfig
from synesthesia.core.results import Attention, AttentionMap, Located
from synesthesia.localization.clip_input import implausibility
from synesthesia.localization.encoder import BANDS_PER_CELL, FRAMES_PER_CELL
from synesthesia.localization.localizer import ELEVATIONS, Localizer, peak, shortest_arc, two_peaks

KEPT_TOKENS = 64  # spatial tokens of the clips located last: 1 kB each
TRACK_WINDOW_S = 0.4
TRACK_HOP_S = 0.08
MIN_PATH_DEG = 30.0  # between the ends of a moving source's track
MAX_STEP_DEG = 25.0  # further than any source moves in TRACK_HOP_S
MIN_SMALL_STEPS, MIN_STRAIGHTNESS = 0.6, 0.7  # share of small steps; distance of the ends over length of the path
LATERAL_DEG = 20.0  # within this of the ears' axis front and back coincide
LOBE_DEG, MIN_LOBE_MASS = 15.0, 0.15  # of a second lobe that is reported
MAX_INTERVAL_DEG = 120.0  # on either side; a wider interval says little
NO_DIRECTION = "It holds no direction."
MAX_ITD_S = 1e-3
MARGIN = 8  # the correlation is cut out this many times further than the longest delay
OVERSAMPLING = 16  # of the correlation over the sample rate
ITD_TABLE = "itd_table.json"  # beside the reference HRTF


class LocalizationPipeline:
    """The localizer of a preset and the ITD table of its baseline.

    Of a clip only the spatial token is kept, by content, so that a question about it needn't locate it again.
    """

    def __init__(self, localizer: Localizer, itd_table: ItdTable) -> None:
        self.localizer, self.itd_table = localizer, itd_table
        self._tokens: deque[tuple[bytes, np.ndarray]] = deque(maxlen=KEPT_TOKENS)

    @classmethod
    def load(cls, config: LocalizationConfig) -> LocalizationPipeline:
        """UserError when a file is missing or damaged."""
        localizer = Localizer.load(checkpoints.folder(config.localizer_weights.folder))
        return cls(localizer, ItdTable.load(checkpoints.folder(config.hrtf_weights.folder)))

    def token(self, clip: BinauralClip) -> np.ndarray:
        """(256,) float32, the spatial token; a clip among those located last is not located again."""
        known = dict(self._tokens).get(_content(clip))
        return self.locate(clip).token if known is None else known

    def locate(self, clip: BinauralClip) -> Located:
        """A clip whose `kind` holds no direction is located too, with the warning that says so."""
        localizer, config, stereo = self.localizer, self.localizer.config, clip.kind == "stereo"
        waveform = torch.from_numpy(clip.waveform)[None]  # (1, 2, n)
        cells = -(-(1 + waveform.shape[2] // config.cues.hop_samples) // FRAMES_PER_CELL)
        cell_s = FRAMES_PER_CELL / config.cues.frames_per_second
        segments = max(1, round(TRACK_WINDOW_S / cell_s)), max(1, round(TRACK_HOP_S / cell_s))
        found = localizer.predict(waveform, segments)
        assert found.track is not None and found.track_cells is not None
        azimuths = config.azimuths_deg.numpy()
        distribution = found.distribution[0].numpy()
        if clip.kind == "silent":
            distribution = np.full_like(distribution, 1 / len(azimuths))
        first, second = peak(distribution, azimuths), None
        track = np.array([peak(row, azimuths) for row in found.track[0].numpy()], dtype=np.float32)
        moving = is_moving(track)
        second_probability = 0.0 if moving else float(found.second[0].sigmoid())  # a moving source is in two places
        if second_probability >= config.second_threshold and stereo:
            first, second = two_peaks(found.pair[0].numpy(), distribution, azimuths)
        times_s = ((torch.arange(cells, dtype=torch.float32) + 0.5) * cell_s).numpy()
        frequencies_hz = cell_frequencies_hz(localizer)
        delay_s = itd_s(clip.waveform, config.cues.sample_rate_hz)
        interval = shortest_arc(distribution, azimuths, config.interval_mass)
        other = front_back_alternative(distribution, azimuths, first)
        located = Located(
            azimuth_deg=first,
            interval_deg=interval,
            front_probability=float(distribution[is_front(azimuths)].sum()),
            elevation=ELEVATIONS[int(found.elevation[0].argmax())],
            second_probability=second_probability,
            second_deg=second,
            distribution=distribution.astype(np.float32),
            azimuths_deg=azimuths,
            track=((found.track_cells * cell_s).numpy(), track),
            attention=Attention(
                AttentionMap(found.clip.level_map[0, 0].numpy(), times_s, frequencies_hz),
                AttentionMap(found.clip.phase_map[0, 0].numpy(), times_s, frequencies_hz),
            ),
            token=found.clip.token[0, 0].numpy(),
            baseline_deg=self.itd_table.azimuth(delay_s),
            itd_s=delay_s,
            seconds=clip.seconds,
            kind=clip.kind,
            warning=clip.warning or (implausibility(clip.waveform, delay_s) if stereo else ""),
            sentence=direction_sentence(first, interval, second, track if moving else None, other)
            if stereo
            else NO_DIRECTION,
        )
        self._tokens.append((_content(clip), located.token.copy()))  # `located` belongs to the caller
        return located


def _content(clip: BinauralClip) -> bytes:
    """The same samples, the same key."""
    return hashlib.sha256(clip.waveform.tobytes()).digest()


def cell_frequencies_hz(localizer: Localizer) -> np.ndarray:
    """(K',) centre frequencies of the cells of the attention maps, in hertz."""
    filters = localizer.cues.filters  # (F, K)
    hz = torch.arange(len(filters)) * (localizer.config.cues.sample_rate_hz / 2 / (len(filters) - 1))
    center_hz = (filters * hz[:, None]).sum(dim=0) / filters.sum(dim=0).clamp(min=1e-6)  # (K,)
    return center_hz.unflatten(0, (-1, BANDS_PER_CELL)).mean(dim=1).numpy()


def is_moving(track_deg: np.ndarray) -> bool:
    """(W,) azimuths of successive segments: whether most steps are small and in one direction, and lead somewhere.

    Leaps between front and back are left out; the lateral angle is tried as well, because a mirrored azimuth has the
    same one.
    """
    if len(track_deg) < 4:
        return False
    for path, period in ((track_deg, 360.0), (lateral_angle(track_deg), np.inf)):
        steps = np.diff(path)
        steps = steps if np.isinf(period) else (steps + period / 2) % period - period / 2
        small = steps[np.abs(steps) <= MAX_STEP_DEG]
        distance, length = abs(float(small.sum())), float(np.abs(small).sum())
        if len(small) >= MIN_SMALL_STEPS * len(steps) and distance >= max(MIN_PATH_DEG, MIN_STRAIGHTNESS * length):
            return True
    return False


def circular_medoid(azimuths_deg: np.ndarray) -> float:
    """(N,) -> the one with the smallest sum of angular distances to the others, robust against a front-back leap."""
    away = np.abs(wrap(azimuths_deg[:, None] - azimuths_deg))
    return float(azimuths_deg[away.sum(axis=1).argmin()])


def front_back_alternative(distribution: np.ndarray, azimuths_deg: np.ndarray, azimuth_deg: float) -> float | None:
    """The peak of (bins,) in the other hemisphere, front or back, where the sound may come from as well; None when its
    lobe holds too little, or beside the head, where the hemispheres meet."""
    if abs(abs(float(wrap(azimuth_deg))) - 90.0) < LATERAL_DEG:
        return None
    opposite = np.where(is_front(azimuths_deg) == is_front(azimuth_deg), 0.0, distribution)
    other = peak(opposite, azimuths_deg)
    mass = float(opposite[np.abs(wrap(azimuths_deg - other)) <= LOBE_DEG].sum())
    return other if mass >= MIN_LOBE_MASS else None


def direction_sentence(
    azimuth_deg: float, interval_deg: tuple[float, float], second_deg: float | None,
    track_deg: np.ndarray | None = None, other_deg: float | None = None,
) -> str:  # fmt: skip
    """The result in words. track_deg: azimuths of a moving source; other_deg: see `front_back_alternative`."""
    where = direction_phrase(azimuth_deg)
    if track_deg is not None and second_deg is None:
        start, end = (direction_phrase(circular_medoid(part)) for part in (track_deg[:3], track_deg[-3:]))
        return f"It moves from {start} to {end}."
    if other_deg is not None and second_deg is None:
        return f"From {where}; or, less likely, from {direction_phrase(other_deg)}: front and back sound alike here."
    low, high = interval_deg
    reach = max((azimuth_deg - low) % 360.0, (high - azimuth_deg) % 360.0)
    certainty = "little more than a guess" if reach > MAX_INTERVAL_DEG else f"90 % interval: {_interval(low, high)}"
    second = "" if second_deg is None else f" A second source from {direction_phrase(second_deg)}."
    return f"From {where}; {certainty}.{second}"


def direction_phrase(azimuth_deg: float) -> str:
    """The octant, and how many degrees to which side."""
    turned = round(abs(float(wrap(azimuth_deg))))
    name = OCTANTS[octant(azimuth_deg)]
    return f"the {name}" if turned in (0, 180) else f"the {name}, {turned} degrees to the {_side(azimuth_deg)}"


def _side(azimuth_deg: float) -> str:
    return "right" if float(wrap(azimuth_deg)) > 0 else "left"


def _interval(low_deg: float, high_deg: float) -> str:
    """Clockwise from low to high; 0 and 180 degrees have no side."""
    low, high = (round(abs(float(wrap(end)))) for end in (low_deg, high_deg))
    sides = ["" if turned in (0, 180) else f" {_side(end)}" for turned, end in ((low, low_deg), (high, high_deg))]
    if "" in sides or sides[0] == sides[1]:
        return f"{low} to {high} degrees{max(sides)}"
    return f"{low} degrees{sides[0]} to {high} degrees{sides[1]}"


def itd_s(waveform: np.ndarray, rate_hz: int) -> float:
    """(2, n), left ear first -> GCC-PHAT delay in seconds by which the right ear leads: positive from the right."""
    assert waveform.ndim == 2 and waveform.shape[0] == 2, f"waveform must be (2, n), got {waveform.shape}"
    size = 1 << int(np.ceil(np.log2(2 * waveform.shape[1])))
    left, right = np.fft.rfft(waveform, size)
    cross = left * right.conj()  # its correlation peaks at the delay of the left ear
    cross /= np.maximum(np.abs(cross), 1e-12 + 1e-3 * np.abs(cross).mean())
    coarse = np.fft.irfft(cross, size)
    reach = int(MAX_ITD_S * rate_hz)
    near = coarse[np.arange(-MARGIN * reach, MARGIN * reach)]  # the rest is too far off to matter between samples
    fine = np.fft.irfft(np.fft.rfft(near), len(near) * OVERSAMPLING)
    lags = np.arange(-reach * OVERSAMPLING, reach * OVERSAMPLING + 1)
    return float(lags[fine[lags + MARGIN * reach * OVERSAMPLING].argmax()] / (rate_hz * OVERSAMPLING))


@dataclass(frozen=True)
class ItdTable:
    """ITDs of a reference HRTF over the frontal half. azimuth_deg, itd_s: (N,) float64."""

    azimuth_deg: np.ndarray
    itd_s: np.ndarray

    @classmethod
    def of(cls, hrtf: HRTF, step_deg: float = 1.0) -> ItdTable:
        """Measured with the same correlation on the HRTF's impulse responses at elevation 0."""
        azimuth = np.arange(-90.0, 90.0 + step_deg / 2, step_deg)
        responses = hrtf.responses(azimuth, np.zeros_like(azimuth))  # (N, 2, taps)
        return cls(azimuth, np.array([itd_s(response, RATE_HZ) for response in responses]))

    def save(self, folder: Path) -> None:
        """Writes itd_table.json."""
        values = {name: values.tolist() for name, values in asdict(self).items()}
        (folder / ITD_TABLE).write_text(json.dumps(values) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ItdTable:
        """Reads what `save` wrote beside an HRTF; computes it from the HRTF where it is missing."""
        if (folder / ITD_TABLE).is_file():
            values = json.loads((folder / ITD_TABLE).read_text(encoding="utf-8"))
            return cls(**{name: np.array(value) for name, value in values.items()})
        from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF

        return cls.of(SphericalHarmonicHRTF.load(folder))

    def azimuth(self, itd_s: float) -> float:
        """The frontal azimuth in degrees with the nearest ITD; the mean of several."""
        away = np.abs(self.itd_s - itd_s)
        return float(self.azimuth_deg[away <= away.min() + 1e-9].mean())
