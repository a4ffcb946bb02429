"""From patches to wishes: the clicked thing beats the rest of the picture, and presence follows the silent class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synesthesia.core.results import Evidence, Heard, Recipe
from synesthesia.image_to_sound.mix import mix, pick_places
from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.region_features import region_features
from synesthesia.vision.grid import PatchGrid

KINDS, DIM = 6, 12


def grid_of(left: int, right: int) -> PatchGrid:
    """A picture whose left half shows kind `left` and whose right half kind `right`."""
    features = torch.zeros(8, 12, DIM)
    features[:, :6, left], features[:, 6:, right] = 3.0, 3.0
    return PatchGrid(
        features, features.mean(dim=(0, 1)), features[:, :, None].repeat(1, 1, 2, 1), 240, 160, f"{left}-{right}"
    )


def small_prior() -> Prior:
    """Six kinds of things of which the first four make sound 0 to 3."""
    prior = Prior(PriorConfig(feature_dim=DIM, prototypes=KINDS, voices=4, query_dim=5))
    pairs = torch.zeros(KINDS, 4)
    pairs[range(4), range(4)] = 1.0
    prior.start(torch.eye(KINDS, DIM) * 3, torch.zeros(KINDS), pairs, torch.eye(4, 5), torch.ones(DIM))
    return prior.eval()


def test_context_of_a_patch_is_its_own_thing() -> None:
    context = region_features(grid_of(0, 1))
    assert context.views.shape == (96, 6, DIM) and context.place.shape == (96, 4)
    thing = context.views[4 * 12 + 4, 2]
    assert thing[0] > 20 * thing[1]  # the neighbours beyond the edge are unlike it


def test_each_half_wishes_its_own_sound() -> None:
    wish = small_prior().wish(region_features(grid_of(1, 3)))
    voices = wish.voices.reshape(8, 12, 4).argmax(dim=2)
    assert (voices[:, 1] == 1).all() and (voices[:, 10] == 3).all()
    assert torch.allclose(wish.query.norm(dim=1), torch.ones(96), atol=1e-5)


def test_silent_kinds_ask_for_silence() -> None:
    prior = small_prior()
    with torch.no_grad():
        logits = prior(region_features(grid_of(2, 5)))[0].reshape(8, 12, 5)
    assert (logits[:, 1].argmax(dim=1) == 2).all() and (logits[:, 10].argmax(dim=1) == 4).all()


def test_prior_loads_back(tmp_path: Path) -> None:
    prior = small_prior()
    prior.save(tmp_path)
    context = region_features(grid_of(0, 5))
    assert torch.allclose(Prior.load(tmp_path).wish(context).query, prior.wish(context).query, atol=5e-3)


def heard(level: float, presence: float) -> Heard:
    recipe = Recipe("embedded", "", "", 0, 0, "flow", 1.0, 0, 12, 3.0, False, "0")
    wave = np.full((1, 1000), level, dtype=np.float32)
    return Heard(wave, 16_000, presence, False, Evidence(), recipe, 0, 0, (0, 0, 1, 1))


def test_places_are_sure_and_apart() -> None:
    presence = np.zeros((10, 10), dtype=np.float32)
    presence[1:4, 1:4], presence[7, 8] = 0.9, 0.8
    places = pick_places(presence, threshold=0.5, count=4)
    assert places[0] == (2, 2) and (7, 8) in places and len(places) == 2
    assert pick_places(np.zeros((5, 5)), threshold=0.5, count=3) == []


def test_mix_weighs_by_presence_whatever_the_level() -> None:
    scene = mix([heard(0.01, 0.3), heard(0.5, 0.9)], samples=1000, sample_rate=16_000)
    assert scene.waveform.shape == (1, 1000) and abs(float(scene.waveform.max()) - 0.95) < 1e-5
    loud, quiet = scene.stems
    assert loud.heard.presence == 0.9
    assert loud.gain * 0.5 / (quiet.gain * 0.01) > 2.9
    assert mix([], samples=10, sample_rate=16_000).silent
