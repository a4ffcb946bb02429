"""Scene mix: non-maximum suppression over the presence map, and a loudness-normalised sum of the patches' sounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synesthesia.core.results import Heard, SceneHeard, Stem


def select_patches(
    presence: np.ndarray, *, threshold: float, count: int, min_distance: float = 0.25
) -> list[tuple[int, int]]:  # fmt: skip
    """presence: (R, C) in 0..1 -> up to `count` (row, column) at or above the threshold, highest first. min_distance:
    between any two, as a share of the longer side."""
    assert presence.ndim == 2, f"presence must be (R, C), got {presence.shape}"
    rows, cols = presence.shape
    distance = min_distance * max(rows, cols)
    selected: list[tuple[int, int]] = []
    for flat in np.argsort(-_box_filtered(presence), axis=None, kind="stable"):
        if len(selected) == count:
            break
        row, col = divmod(int(flat), cols)
        apart = all((row - r) ** 2 + (col - c) ** 2 >= distance**2 for r, c in selected)
        if presence[row, col] >= threshold and apart:
            selected.append((row, col))
    return selected


def _box_filtered(values: np.ndarray) -> np.ndarray:
    """Mean of each cell's 3x3 neighbourhood, edges repeated: favours the centre of an object over its rim."""
    padded = np.pad(values, 1, mode="edge")
    rows, cols = values.shape
    return np.mean([padded[i : i + rows, j : j + cols] for i in range(3) for j in range(3)], axis=0)


def mix(
    heard: Sequence[Heard], *, samples: int, sample_rate: int, channels: int = 1, peak: float = 0.95
) -> SceneHeard:  # fmt: skip
    """Each sound at equal loudness times its presence, then one common gain so that the mix peaks at `peak`."""
    if not heard:
        return SceneHeard(np.zeros((channels, samples), dtype=np.float32), sample_rate, ())
    gains = []
    for part in heard:
        assert part.waveform.shape[1] == samples, f"a stem has {part.waveform.shape[1]} samples, the scene {samples}"
        loudness = float(np.sqrt(np.mean(part.waveform**2)))
        gains.append(part.presence / max(loudness, 1e-4))
    total = np.sum([gain * part.waveform for gain, part in zip(gains, heard, strict=True)], axis=0)
    scale = peak / max(float(np.abs(total).max()), 1e-6)
    stems = [Stem(part, float(gain * scale)) for gain, part in zip(gains, heard, strict=True)]
    stems.sort(key=lambda stem: -stem.heard.presence)
    return SceneHeard((scale * total).astype(np.float32), sample_rate, tuple(stems))
