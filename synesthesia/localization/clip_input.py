"""A stranger's clip made ready for the localiser: checked, resampled, and recognised when it can't hold a direction.

A recording is binaural when the ears differ in time and level as a head makes them differ. Two equal channels hold no
direction at all; one signal at two levels is a panned mix, which a pan pot made and no head.
"""

from __future__ import annotations

import numpy as np
import torch
from torchaudio.functional import resample

from synesthesia.binaural.clip import BinauralClip, ClipKind
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.core.errors import UserError

RATES_HZ = (8_000, 192_000)
SECONDS = (0.2, 60.0)
LIMIT = 1e-4  # so close to the clip's peak a sample stands at the limit
NEAR_LIMIT = 1e-2
RUN = 4  # consecutive samples at the limit
RUNS_SHARE, LIMIT_SHARE = 0.002, 0.5  # of all samples in runs; of the samples near the limit at it
SILENT_RMS = 1e-5  # -100 dBFS
EQUAL = 1e-5  # energy of what remains of one channel when the other, at its best gain, is taken out
EQUAL_LEVEL_DB = 0.05

NO_DIRECTION: dict[ClipKind, str] = {
    "silent": "The clip is silent: there is nothing to locate.",
    "mono": "There is no interaural difference: this is not a binaural recording (both channels are the same).",
    "panned": "The channels differ in level alone, not in time: this is panned stereo, not a binaural recording.",
}
OVERDRIVEN = "The recording is overdriven (samples stand at their limit), so level differences may be wrong."


def read_clip(waveform: np.ndarray, sample_rate: int) -> BinauralClip:
    """(2, n) or (1, n) or (n,) floats at 8 to 192 kHz, 0.2 to 60 s -> BinauralClip.

    UserError, one sentence: wrong shape, more than two channels, empty, not numbers, too short or long, rate out of
    range.
    """
    sound = np.asarray(waveform)
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
    overdriven = clipped(sound)
    sound = sound - sound.mean(axis=1, keepdims=True)
    level = np.sqrt(np.square(sound, dtype=np.float64).mean(axis=1))  # (2,)
    difference_db = float(20 * np.log10((level[1] + 1e-9) / (level[0] + 1e-9)))
    kind = _kind(sound, level)
    scale = 0.1 / max(float(np.sqrt(np.square(level).mean())), SILENT_RMS)
    made = resample(_tensor(sound * scale), sample_rate, RATE_HZ) if sample_rate != RATE_HZ else _tensor(sound * scale)
    warning = NO_DIRECTION.get(kind, OVERDRIVEN if overdriven else "")
    return BinauralClip(made.numpy().astype(np.float32), sample_rate, seconds, kind, overdriven, difference_db, warning)


def clipped(sound: np.ndarray) -> bool:
    """(C, n) floats: are waves cut flat, at least RUN samples long?

    A slow wave's round top has samples in a row close to its peak too, but most of what is near lies a little below.
    """
    peak = float(np.abs(sound).max())
    if peak == 0:
        return False
    near, at = (np.abs(sound) >= (1 - within) * peak for within in (NEAR_LIMIT, LIMIT))
    held = sum(_in_runs(at[i] & (sign * sound[i] > 0)) for i in range(len(sound)) for sign in (1, -1))
    return held >= RUNS_SHARE * sound.size and bool(at.sum() >= LIMIT_SHARE * near.sum())


def _in_runs(at: np.ndarray) -> int:
    """(n,) bool -> how many of its True stand RUN or more in a row."""
    borders = np.flatnonzero(np.diff(np.concatenate([[0], at, [0]])))
    lengths = borders[1::2] - borders[::2]
    return int(lengths[lengths >= RUN].sum())


def _kind(sound: np.ndarray, level: np.ndarray) -> ClipKind:
    if level.max() < SILENT_RMS:
        return "silent"
    left, right = sound.astype(np.float64)
    if level.min() < 1e-3 * level.max():  # one ear hears nothing: no head casts a shadow of 60 dB
        return "panned"
    gain = float(left @ right) / max(float(left @ left), 1e-12)
    rest = float(np.square(right - gain * left).sum()) / max(float(right @ right), 1e-12)
    if gain <= 0 or rest > EQUAL:
        return "stereo"
    return "mono" if abs(20 * np.log10(gain)) < EQUAL_LEVEL_DB else "panned"


def _tensor(sound: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(sound, dtype=np.float32))
