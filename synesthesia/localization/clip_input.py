"""Input validation for binaural clips: shape and range checks, resampling, mono, panned and implausible input.

In a binaural recording the ears differ in time and level as a head makes them differ. Two equal channels hold no
direction; one signal at two levels is a panned mix. Below 400 Hz the ears are less than a quarter of a wavelength
apart and hear nearly the same, in any room (Cook et al. 1955 for the diffuse field; Lindevald and Benade 1986 for
heads); above 3 kHz a head that delays a sound also shadows it. Microphones far apart, artificial delays and inverted
channels break one rule or the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchaudio.functional import resample

from synesthesia.binaural.clip import BinauralClip, ClipKind
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.core.errors import UserError

RATES_HZ = (8_000, 192_000)
SECONDS = (0.2, 60.0)
LIMIT, NEAR_LIMIT = 1e-4, 1e-2  # distance to the clip's peak, relative, of samples at the limit and near it
RUN = 4  # consecutive samples at the limit
RUNS_SHARE, LIMIT_SHARE = 0.002, 0.5  # of all samples in runs; of the samples near the limit at it
SILENT_RMS = 1e-5  # -100 dBFS
EQUAL = 1e-5  # energy of what remains of one channel when the other, at its best gain, is subtracted
EQUAL_LEVEL_DB = 0.05

LOW_HZ, HIGH_HZ = (80.0, 300.0), (3_000.0, 7_500.0)  # ranges of the plausibility checks
MIN_POWER = 1e-3  # share of the clip's power that a range must hold to be checked
MIN_COHERENCE = 0.25
MIN_ILD_DB = 0.5  # mean level difference of the ears above 3 kHz
LATERAL_ITD_S = 150e-6  # a longer delay comes from a side, where a head casts a shadow
SEGMENT = 1024

NO_DIRECTION: dict[ClipKind, str] = {
    "silent": "The clip is silent: there is nothing to locate.",
    "mono": "There is no interaural difference: this is not a binaural recording (both channels are the same).",
    "panned": "The channels differ in level alone, not in time: this is panned stereo, not a binaural recording.",
}
OVERDRIVEN = "The recording is overdriven (samples stand at their limit), so level differences may be wrong."
INCOHERENT = "The two channels have little in common even at low frequencies, so they may not be two ears of one head."
INVERTED = "One channel seems to be upside down (inverted polarity), so the direction is likely to be wrong."
DELAYED = "The channels differ in time but not in level, which no head does: the direction is a guess."


def _whole_hertz(sample_rate: Any) -> int:
    """UserError unless it is a whole number."""
    try:
        rate_hz = int(sample_rate)
    except (TypeError, ValueError, OverflowError):
        rate_hz = 0
    if rate_hz != sample_rate or isinstance(sample_rate, bool):
        raise UserError(f"The sample rate must be a whole number of hertz, not {sample_rate!r}.")
    return rate_hz


def read_clip(waveform: np.ndarray, sample_rate: int) -> BinauralClip:
    """(2, n) or (1, n) or (n,) floats at 8 to 192 kHz, 0.2 to 60 s -> BinauralClip.

    UserError, one sentence: wrong shape, more than two channels, empty, not numbers, too short or long, rate out of
    range.
    """
    try:
        sound = np.asarray(waveform)
    except ValueError:  # rows of different lengths
        raise UserError("The clip must be an array of floats with as many samples for each ear.") from None
    sample_rate = _whole_hertz(sample_rate)
    if sound.ndim == 1:
        sound = sound[None]
    if sound.ndim != 2 or sound.size == 0:
        raise UserError("The clip holds no samples.")
    if sound.shape[0] > 2:
        raise UserError(f"The clip has {sound.shape[0]} channels; a binaural recording has two, left and right ear.")
    if not np.issubdtype(sound.dtype, np.floating):
        raise UserError("The samples must be floats between -1 and 1.")
    if not np.isfinite(sound).all():
        raise UserError("The clip holds values that are not numbers.")
    low, high = RATES_HZ
    if not low <= sample_rate <= high:
        raise UserError(f"The sample rate must lie between {low} and {high} Hz, but the clip has {sample_rate} Hz.")
    seconds = sound.shape[1] / sample_rate
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise UserError(f"The clip lasts {seconds:.3g} s; between {SECONDS[0]:g} and {SECONDS[1]:g} s can be located.")
    sound = sound.astype(np.float32)
    if sound.shape[0] == 1:
        sound = np.repeat(sound, 2, axis=0)
    clipped = is_clipped(sound)
    sound = sound - sound.mean(axis=1, keepdims=True)
    level = np.sqrt(np.square(sound, dtype=np.float64).mean(axis=1))  # (2,)
    kind = _kind(sound, level)
    scale = 0.1 / max(float(np.sqrt(np.square(level).mean())), SILENT_RMS)
    scaled = torch.from_numpy(np.ascontiguousarray(sound * scale, dtype=np.float32))
    return BinauralClip(
        waveform=(scaled if sample_rate == RATE_HZ else resample(scaled, sample_rate, RATE_HZ)).numpy(),
        rate_hz=sample_rate,
        seconds=seconds,
        kind=kind,
        clipped=clipped,
        level_difference_db=float(20 * np.log10((level[1] + 1e-9) / (level[0] + 1e-9))),
        warning=NO_DIRECTION.get(kind, OVERDRIVEN if clipped else ""),
    )


def is_clipped(sound: np.ndarray) -> bool:
    """(C, n) floats: are peaks cut flat, at least RUN samples long?

    The round peak of a slow wave has neighbouring samples close to its maximum too, but most of them lie a little
    below.
    """
    peak = float(np.abs(sound).max())
    if peak == 0:
        return False
    near, at = (np.abs(sound) >= (1 - distance) * peak for distance in (NEAR_LIMIT, LIMIT))
    held = sum(_in_runs(at[i] & (sign * sound[i] > 0)) for i in range(len(sound)) for sign in (1, -1))
    return held >= RUNS_SHARE * sound.size and bool(at.sum() >= LIMIT_SHARE * near.sum())


def _in_runs(at: np.ndarray) -> int:
    """(n,) bool -> how many True values stand RUN or more in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at, [0]])))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= RUN].sum())


def _kind(sound: np.ndarray, level: np.ndarray) -> ClipKind:
    if level.max() < SILENT_RMS:
        return "silent"
    left, right = sound.astype(np.float64)
    if level.min() < 1e-3 * level.max():  # one channel is empty: no head casts a shadow of 60 dB
        return "panned"
    gain = float(left @ right) / max(float(left @ left), 1e-12)
    rest = float(np.square(right - gain * left).sum()) / max(float(right @ right), 1e-12)
    if gain <= 0 or rest > EQUAL:
        return "stereo"
    return "mono" if abs(20 * np.log10(gain)) < EQUAL_LEVEL_DB else "panned"


def implausibility(waveform: np.ndarray, itd_s: float) -> str:
    """(2, n) at 16 kHz and its interaural time difference -> one sentence on why no head can have recorded this, or an
    empty string."""
    spectra = np.fft.rfft(_segments(waveform))  # (2, segments, F)
    hz = np.fft.rfftfreq(SEGMENT, 1 / RATE_HZ)
    left, right = np.square(np.abs(spectra)).sum(axis=1)
    cross = (spectra[0].conj() * spectra[1]).sum(axis=0)
    low = (hz >= LOW_HZ[0]) & (hz <= LOW_HZ[1])
    high = (hz >= HIGH_HZ[0]) & (hz <= HIGH_HZ[1])
    power = float((left + right).sum())
    if float((left + right)[low].sum()) > MIN_POWER * power:
        coherence = cross[low].sum() / np.sqrt(left[low].sum() * right[low].sum() + 1e-30)
        if abs(coherence) < MIN_COHERENCE:
            return INCOHERENT
        if coherence.real < -MIN_COHERENCE:
            return INVERTED
    if float((left + right)[high].sum()) > MIN_POWER * power and abs(itd_s) > LATERAL_ITD_S:
        audible = high & (left + right > 1e-2 * (left + right)[high].max())
        ild_db = 10 * np.log10((right[audible] + 1e-30) / (left[audible] + 1e-30))
        if float(np.abs(ild_db).mean()) < MIN_ILD_DB:
            return DELAYED
    return ""


def _segments(waveform: np.ndarray) -> np.ndarray:
    """(2, n) -> (2, segments, SEGMENT), half overlapping, Hann-windowed; a shorter clip is zero-padded."""
    short = max(0, SEGMENT - waveform.shape[1])
    cut = np.lib.stride_tricks.sliding_window_view(np.pad(waveform, ((0, 0), (0, short))), SEGMENT, axis=1)
    return cut[:, :: SEGMENT // 2] * np.hanning(SEGMENT).astype(np.float32)
