"""The measured heads of the shared data, turned to this project's sense of azimuth.

`hrtf/*.npz`: ir (M, 2, N) with [0] = left, az_deg (positive to the left, as in SOFA), el_deg, samplerate, licence,
source and split. Four heads are `val`: no model or localiser sees them in training. A head can be made larger or
smaller by reading it at another rate: a head 5 % larger has delays 5 % longer and notches 5 % lower.

People don't sit quite straight while they are measured: by the delays, the front of ARI's nh898 is 6 degrees off what
the file calls 0, that of CIPIC's 015 as much. What "in front" means to a listener is where neither ear leads, so every
head is turned until its delays are odd in azimuth (by the phase of their first harmonic around the horizon).
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


@dataclass(frozen=True)
class NamedHead:
    name: str
    split: str  # "train" | "val"
    head: MeasuredHRTF
    licence: str = ""


@dataclass(frozen=True)
class Measured:
    """What the microphones of one head gave, unsmoothed: ir (M, 2, n) float32 at 16 kHz, directions (M,) degrees."""

    name: str
    ir: np.ndarray
    azimuth_deg: np.ndarray
    elevation_deg: np.ndarray


def yaw_deg(head: MeasuredHRTF) -> float:
    """The azimuth in the file's own sense at which this head really looked: where its horizon's delays turn sign."""
    azimuth = np.arange(-180.0, 180.0, 5.0)
    first = (head.spectra(azimuth, np.zeros_like(azimuth)).itd_s * np.exp(-1j * np.radians(azimuth))).sum()
    return float(np.degrees(np.angle(-1j * first.conj())))


def _azimuths(file: Mapping[str, np.ndarray]) -> np.ndarray:
    """(M,) degrees as this project counts them, with the head looking at 0."""
    azimuth_deg = from_sofa(file["az_deg"].astype(np.float64))
    as_said = MeasuredHRTF(file["ir"], azimuth_deg, file["el_deg"].astype(np.float64), int(file["samplerate"]))
    return wrap(azimuth_deg - yaw_deg(as_said))


def _files(data: Path, split: str | None) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Names and arrays of the measured heads of one split, or of all. UserError when there are none."""
    found = False
    for path in sorted((data / "hrtf").glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            if split in (None, str(file["split"])):
                found = True
                yield path.stem, {name: file[name] for name in file.files}
    if not found:
        wanted = f" of the split {split}" if split else ""
        raise UserError(f"The data folder {data} holds no measured heads (hrtf/*.npz){wanted}.")


def load_measured(data: Path, split: str, scale: float = 1.0) -> list[Measured]:
    """The measurements of one split as they are, but for the rate. UserError when there are none."""
    found = []
    for name, file in _files(data, split):
        ir = np.pad(file["ir"], ((0, 0), (0, 0), (0, 1024 - file["ir"].shape[2])))
        count = round(1024 * RATE_HZ * scale / int(file["samplerate"]))
        ir = resample(ir, count, axis=2)[:, :, :256].astype(np.float32)
        found.append(Measured(name, ir, _azimuths(file), file["el_deg"].astype(np.float64)))
    return found


def load_heads(data: Path, split: str | None = None, scale: float = 1.0) -> list[NamedHead]:
    """All heads below `data`/hrtf by name, or those of one split, `scale` times as large as measured. UserError when
    there are none."""
    heads = []
    for name, file in _files(data, split):
        rate_hz = round(int(file["samplerate"]) / scale)
        head = MeasuredHRTF(file["ir"], _azimuths(file), file["el_deg"].astype(np.float64), rate_hz)
        heads.append(NamedHead(name, str(file["split"]), head, str(file["licence"])))
    return heads
