"""Placing a clip in a canvas keeps the length and the clip."""

from __future__ import annotations

import numpy as np

from training.common.crop_placing import place_in_canvas


def test_placing_keeps_the_length_and_the_clip() -> None:
    rng = np.random.default_rng(0)
    clip = np.arange(1.0, 11.0)
    assert place_in_canvas(np.arange(100.0), 30, rng).shape == (30,)
    once = place_in_canvas(clip, 40, rng, repeat=0.0)
    assert once.shape == (40,) and once.sum() == clip.sum()
    assert place_in_canvas(clip, 40, rng, repeat=1.0).sum() > clip.sum()
