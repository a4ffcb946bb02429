"""The measured heads of the shared data, turned to this project's sense of azimuth.

`hrtf/*.npz`: ir (M, 2, N) with [0] = left, az_deg (positive to the left, as in SOFA), el_deg, samplerate, licence,
source and split. Four heads are `val`: no model or localiser sees them in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synesthesia.errors import UserError
from synesthesia.spatial.geometry import from_sofa
from synesthesia.spatial.measured_head import MeasuredHead


@dataclass(frozen=True)
class NamedHead:
    name: str
    split: str  # "train" | "val"
    head: MeasuredHead
    licence: str = ""


def load_heads(data: Path, split: str | None = None) -> list[NamedHead]:
    """All heads below `data`/hrtf by name, or those of one split. UserError when there are none."""
    heads = []
    for path in sorted((data / "hrtf").glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            own = str(file["split"])
            if split is not None and own != split:
                continue
            azimuth_deg = from_sofa(file["az_deg"].astype(np.float64))
            head = MeasuredHead(file["ir"], azimuth_deg, file["el_deg"], int(file["samplerate"]))
            heads.append(NamedHead(path.stem, own, head, str(file["licence"])))
    if not heads:
        raise UserError(f"The data folder {data} holds no measured heads (hrtf/*.npz) of the wanted split.")
    return heads
