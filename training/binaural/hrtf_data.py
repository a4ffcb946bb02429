"""Measured HRTFs of a data folder, in this project's azimuth convention and centred on the listener's true front.

`hrtf/*.npz`, one file a head: ir (M, 2, N) float32, [:, 0] = left ear, at least 8 directions and at most 1024 samples;
az_deg (M,) positive to the left, as in SOFA; el_deg (M,) positive upwards; samplerate in Hz; split, "train" or "val".
licence and source are kept with them for the cards. No model is trained on the split `val`. Reading an HRTF at another
sample rate scales the head: one 5 % larger has delays 5 % longer and notches 5 % lower.

Listeners don't sit quite straight while they are measured: by the delays, the front of ARI's nh898 is 6 degrees off
what the file calls 0, that of CIPIC's 015 as much. In front means that neither ear leads, so the azimuths of every set
are shifted until its ITD is odd in azimuth (by the phase of its first harmonic around the horizon).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample

from synesthesia.binaural.geometry import from_sofa, wrap
from synesthesia.binaural.hrtf import RATE_HZ
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.core.errors import UserError

MAX_SAMPLES = 1024  # of a measured response


@dataclass(frozen=True)
class NamedHRTF:
    name: str
    split: str  # "train" | "val"
    hrtf: MeasuredHRTF


@dataclass(frozen=True)
class MeasuredResponses:
    """Impulse responses of one head as measured: ir (M, 2, n) float32 at 16 kHz, directions (M,) degrees."""

    name: str
    ir: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray


def yaw_deg(hrtf: MeasuredHRTF) -> float:
    """The azimuth, in the file's own sense, of the listener's true front: where the ITD changes sign."""
    azimuth = np.arange(-180.0, 180.0, 5.0)
    first = (hrtf.spectra(azimuth, np.zeros_like(azimuth)).itd_s * np.exp(-1j * np.radians(azimuth))).sum()
    return float(np.degrees(np.angle(-1j * first.conj())))


def _azimuths(file: Mapping[str, np.ndarray]) -> np.ndarray:
    """(M,) degrees in this project's convention, with the true front at 0."""
    azimuth_deg = from_sofa(file["az_deg"].astype(np.float64))
    uncorrected = MeasuredHRTF(file["ir"], azimuth_deg, file["el_deg"].astype(np.float64), int(file["samplerate"]))
    return wrap(azimuth_deg - yaw_deg(uncorrected))


def _files(data: Path, split: str | None) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Names and arrays of the measured HRTFs of one split, or of all. UserError when there are none."""
    found = False
    for path in sorted((data / "hrtf").glob("*.npz")):
        arrays = _checked_arrays(path)
        if split in (None, str(arrays["split"])):
            found = True
            yield path.stem, arrays
    if not found:
        which = f" of the split {split}" if split else ""
        raise UserError(f"The data folder {data} holds no measured HRTFs (hrtf/*.npz){which}.")


def _checked_arrays(path: Path) -> dict[str, np.ndarray]:
    """UserError unless the file holds what the module's docstring says."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError):
        raise UserError(f"{path} is no npz file of plain arrays.") from None
    if missing := [name for name in ("ir", "az_deg", "el_deg", "samplerate", "split") if name not in arrays]:
        raise UserError(f"{path} lacks {', '.join(missing)}.")
    ir = arrays["ir"]
    if ir.ndim != 3 or ir.shape[1] != 2 or len(ir) < 8 or ir.shape[2] > MAX_SAMPLES:
        raise UserError(f"{path}: ir must be (directions >= 8, 2, samples <= {MAX_SAMPLES}), but is {ir.shape}.")
    if arrays["az_deg"].shape != (len(ir),) or arrays["el_deg"].shape != (len(ir),):
        raise UserError(f"{path}: az_deg and el_deg must have one angle for each of the {len(ir)} directions.")
    if str(arrays["split"]) not in ("train", "val"):
        raise UserError(f"{path}: split must be train or val, not {arrays['split']}.")
    return arrays


def load_measured_responses(data: Path, split: str, scale: float = 1.0) -> list[MeasuredResponses]:
    """The measurements of one split, only resampled. UserError when there are none."""
    found = []
    for name, file in _files(data, split):
        ir = np.pad(file["ir"], ((0, 0), (0, 0), (0, MAX_SAMPLES - file["ir"].shape[2])))
        count = round(MAX_SAMPLES * RATE_HZ * scale / int(file["samplerate"]))
        ir = resample(ir, count, axis=2)[:, :, :256].astype(np.float32)
        found.append(MeasuredResponses(name, ir, _azimuths(file), file["el_deg"].astype(np.float64)))
    return found


def load_hrtfs(data: Path, split: str | None = None, scale: float = 1.0) -> list[NamedHRTF]:
    """All HRTFs below `data`/hrtf by name, or those of one split, of heads `scale` times as large as measured.
    UserError when there are none."""
    found = []
    for name, file in _files(data, split):
        rate_hz = round(int(file["samplerate"]) / scale)
        hrtf = MeasuredHRTF(file["ir"], _azimuths(file), file["el_deg"].astype(np.float64), rate_hz)
        found.append(NamedHRTF(name, str(file["split"]), hrtf))
    return found
