"""SOFA reader (AES69, an HDF5 layout): free-field impulse responses of two ears, with a check of left and right.

Files exist whose metadata name the wrong ear. The ITD decides: from a direction to the left, the left ear leads. Where
most of the directions well to the side contradict the file, the ears are exchanged and the note says so. (Exchanged
ears and a mirrored azimuth are equivalent, so exchanging corrects both.)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synesthesia.binaural.geometry import from_sofa, unit_vector
from synesthesia.binaural.measured_hrtf import MeasuredHRTF
from synesthesia.core.errors import UserError

SIDE_DEG = 20.0  # directions further to the side than this have an unmistakable delay
LOW_PASS_HZ = 1500.0  # below it, delays are unambiguous: half a period is longer than the way around the head
MAX_ITD_S = 1.2e-3
MAX_VALUES = 100_000_000  # of all impulse responses together: 400 MB


@dataclass(frozen=True)
class SofaFile:
    ir: np.ndarray  # (M, 2, N) float32, [:, 0] the left ear
    azimuth_deg: np.ndarray  # (M,) in this project's convention: positive to the right
    elevation_deg: np.ndarray  # (M,)
    rate_hz: int
    note: str  # what was checked, and what was corrected

    def hrtf(self) -> MeasuredHRTF:
        """The HRTF to render with. UserError when there are too few directions or the rate is too low."""
        return MeasuredHRTF(self.ir, self.azimuth_deg, self.elevation_deg, self.rate_hz)


def read_sofa(path: Path) -> SofaFile:
    """Reads a SimpleFreeFieldHRIR file (or any with Data.IR of two receivers). UserError when it can't be used."""
    try:
        import h5py
    except ImportError:
        raise UserError("Reading SOFA files needs h5py: `pip install h5py`.") from None
    try:
        with h5py.File(path, "r") as file:
            ir = _array(h5py, file, "Data.IR")
            delay = _array(h5py, file, "Data.Delay") if "Data.Delay" in file else None
            rate_hz = round(float(_array(h5py, file, "Data.SamplingRate").ravel()[0]))
            positions = _array(h5py, file, "SourcePosition")
            kind, units = (_text(file["SourcePosition"].attrs.get(name, "")) for name in ("Type", "Units"))
            receivers = _array(h5py, file, "ReceiverPosition") if "ReceiverPosition" in file else None
    except OSError as error:
        raise UserError(f"The file {path.name} can't be read as SOFA (HDF5).") from error
    if ir.ndim != 3 or ir.shape[1] != 2:
        raise UserError(f"The SOFA file {path.name} needs two receivers; its responses are {ir.shape}.")
    if positions.ndim != 2 or positions.shape[1] < 2 or len(positions) != len(ir):
        raise UserError(f"The SOFA file {path.name} has {len(ir)} responses but source positions {positions.shape}.")
    if not (np.isfinite(ir).all() and np.isfinite(positions).all()):
        raise UserError(f"The SOFA file {path.name} holds values that are no numbers.")
    if delay is not None and np.ptp(delay) > 0:
        ir = _with_delays(ir, delay)
    azimuth_deg, elevation_deg = _directions(positions, kind, units)
    right_first = receivers is not None and receivers.shape[0] == 2 and float(receivers[0, 1].ravel()[0]) < 0
    if right_first:
        ir = ir[:, ::-1]
    ir, note = _ears_by_delay(ir, azimuth_deg, elevation_deg, rate_hz, right_first)
    return SofaFile(np.ascontiguousarray(ir, dtype=np.float32), azimuth_deg, elevation_deg, rate_hz, note)


def _array(h5py: Any, file: Any, name: str) -> np.ndarray:
    """One dataset that lies in the file itself: a link or external storage could name any file of this machine."""
    if name not in file or not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise UserError(f"The SOFA file lacks {name}.")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise UserError(f"The SOFA file keeps {name} elsewhere.")
    if dataset.dtype.kind not in "fiu" or not 0 < dataset.size <= MAX_VALUES:
        raise UserError(f"The SOFA file's {name} is empty, too large, or no array of numbers.")
    return np.asarray(dataset[()], dtype=np.float64 if dataset.size < 1_000_000 else np.float32)


def _text(value: Any) -> str:
    value = value.ravel()[0] if isinstance(value, np.ndarray) and value.size else value
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip().lower()


def _directions(positions: np.ndarray, kind: str, units: str) -> tuple[np.ndarray, np.ndarray]:
    """SourcePosition (M, 3), spherical or cartesian (x front, y left, z up) -> this project's azimuth and elevation."""
    if kind.startswith("cart"):
        if positions.shape[1] < 3 or not np.linalg.norm(positions, axis=1).all():
            raise UserError("The SOFA file has a source in the middle of the head.")
        x, y, z = positions[:, :3].T.astype(np.float64)
        return from_sofa(np.degrees(np.arctan2(y, x))), np.degrees(np.arctan2(z, np.hypot(x, y)))
    angles = positions[:, :2].astype(np.float64)
    if units.startswith("rad"):
        angles = np.degrees(angles)
    return from_sofa(angles[:, 0]), angles[:, 1].clip(-90.0, 90.0)


def _with_delays(ir: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """(M, 2, N) with Data.Delay (1 or M, 2) in samples, whole or not -> (M, 2, N + longest), delays applied."""
    if delay.ndim != 2 or delay.shape[0] not in (1, len(ir)) or delay.shape[1] not in (1, 2):
        raise UserError(f"The SOFA file has delays {delay.shape} for responses {ir.shape}.")
    extra = delay - delay.min()
    longest = int(np.ceil(extra.max()))
    if longest > 4096:
        raise UserError("The SOFA file has delays of more than 4096 samples.")
    length = ir.shape[2] + longest
    frequency = np.fft.rfftfreq(2 * length)
    shift = np.exp(-2j * np.pi * frequency * extra[..., None])  # (1 or M, 1 or 2, F)
    return np.fft.irfft(np.fft.rfft(ir, 2 * length, axis=-1) * shift, 2 * length, axis=-1)[..., :length]


def low_passed_itd_s(ir: np.ndarray, rate_hz: int) -> np.ndarray:
    """(M, 2, N) -> (M,) ITD, positive when the right ear leads, by cross-correlation below LOW_PASS_HZ."""
    length = 2 * ir.shape[2]
    max_lag = min(int(MAX_ITD_S * rate_hz), ir.shape[2] - 1)
    lags = np.arange(-max_lag, max_lag + 1)
    keep = np.fft.rfftfreq(length, 1 / rate_hz) <= LOW_PASS_HZ
    out = []
    for first in range(0, len(ir), 512):
        spectrum = np.fft.rfft(ir[first : first + 512], length, axis=-1)
        cross = spectrum[:, 0] * np.conj(spectrum[:, 1]) * keep
        out.append(lags[np.fft.irfft(cross, length, axis=-1)[:, lags].argmax(axis=1)] / rate_hz)
    return np.concatenate(out)


def _ears_by_delay(ir: np.ndarray, azimuth_deg: np.ndarray, elevation_deg: np.ndarray, rate_hz: int,
             right_first: bool) -> tuple[np.ndarray, str]:  # fmt: skip
    """The responses with the left ear first, according to their ITDs, and a note."""
    rightward = unit_vector(azimuth_deg, elevation_deg)[:, 1]
    side = np.abs(rightward) > np.sin(np.radians(SIDE_DEG))
    if not side.any():
        return ir, "No direction lies far enough to the side to check which ear is which."
    itd_s = low_passed_itd_s(ir[side], rate_hz)
    agree, count = int((np.sign(itd_s) == np.sign(rightward[side])).sum()), int(side.sum())
    if 2 * agree >= count:
        return ir, f"Ears and azimuths agree with the delays of {agree} of {count} directions to the side."
    claim = "names the right ear first" if right_first else "has the left ear first, or counts azimuth to the left"
    return ir[:, ::-1], (
        f"Corrected: the file {claim}, but {count - agree} of {count} directions to the side sound the other way "
        "round; the ears were exchanged."
    )
