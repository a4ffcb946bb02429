"""Scene mix: selected patches are likely and far apart, and loudness follows presence."""

from __future__ import annotations

import numpy as np

from synesthesia.core.recipe import FlowRecipe
from synesthesia.core.results import Evidence, Heard
from synesthesia.image_to_sound.mix import mix, select_patches


def heard(level: float, presence: float) -> Heard:
    recipe = FlowRecipe(
        preset="embedded", picture_sha256="", weights_sha256="", x=0, y=0, version="0", seconds=1.0, seed=0, path="flow"
    )
    wave = np.full((1, 1000), level, dtype=np.float32)
    return Heard(wave, 16_000, presence, False, Evidence(), recipe, 0, 0, (0, 0, 1, 1))


def test_places_are_sure_and_apart() -> None:
    presence = np.zeros((10, 10), dtype=np.float32)
    presence[1:4, 1:4], presence[7, 8] = 0.9, 0.8
    places = select_patches(presence, threshold=0.5, count=4)
    assert places[0] == (2, 2) and (7, 8) in places and len(places) == 2
    assert select_patches(np.zeros((5, 5)), threshold=0.5, count=3) == []


def test_mix_weighs_by_presence_whatever_the_level() -> None:
    scene = mix([heard(0.01, 0.3), heard(0.5, 0.9)], samples=1000, sample_rate=16_000)
    assert scene.waveform.shape == (1, 1000) and abs(float(scene.waveform.max()) - 0.95) < 1e-5
    loud, quiet = scene.stems
    assert loud.heard.presence == 0.9
    assert loud.gain * 0.5 / (quiet.gain * 0.01) > 2.9
    assert mix([], samples=10, sample_rate=16_000).silent
