"""How a clip becomes a training excerpt of a given length: cut when long; placed, or repeated with gaps, when short."""

from __future__ import annotations

import numpy as np


def place_in_canvas(
    clip: np.ndarray, length: int, rng: np.random.Generator, silence: float = 0.0, repeat: float = 0.6
) -> np.ndarray:
    """clip: (n, ...) of samples or frames -> (length, ...). A short clip is repeated with the probability `repeat`.

    Many recordings are one bark or one knock of half a second: standing once in four seconds of silence they would
    teach that most of a sound is nothing.
    """
    count = len(clip)
    if count >= length:
        start = rng.integers(0, count - length + 1)
        return clip[start : start + length]
    out = np.full((length, *clip.shape[1:]), silence, dtype=clip.dtype)
    if rng.random() >= repeat:
        start = rng.integers(0, min(length - count, max(1, length // 2)) + 1)
        out[start : start + count] = clip
        return out
    gap = int(rng.uniform(0.05, 0.6) * count)
    start = -int(rng.integers(0, count + gap))
    while start < length:
        first, last = max(0, start), min(length, start + count)
        if last > first:
            out[first:last] = clip[first - start : last - start]
        start += count + gap
    return out
