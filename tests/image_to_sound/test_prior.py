"""The prior: a patch follows its own object rather than the rest of the picture, and silent classes mean silence."""

from __future__ import annotations

from pathlib import Path

import torch

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
    prior = Prior(PriorConfig(feature_dim=DIM, prototypes=KINDS, classes=4, query_dim=5))
    pairs = torch.zeros(KINDS, 4)
    pairs[range(4), range(4)] = 1.0
    prior.initialise(torch.eye(KINDS, DIM) * 3, torch.zeros(KINDS), pairs, torch.eye(4, 5), torch.ones(DIM))
    return prior.eval()


def test_region_features_of_a_patch_are_of_its_own_object() -> None:
    region = region_features(grid_of(0, 1))
    assert region.views.shape == (96, 6, DIM) and region.position.shape == (96, 4)
    thing = region.views[4 * 12 + 4, 2]
    assert thing[0] > 20 * thing[1]  # the neighbours beyond the edge are unlike it


def test_each_half_predicts_its_own_class() -> None:
    condition = small_prior().predict(region_features(grid_of(1, 3)))
    classes = condition.class_probs.reshape(8, 12, 4).argmax(dim=2)
    assert (classes[:, 1] == 1).all() and (classes[:, 10] == 3).all()
    assert torch.allclose(condition.query.norm(dim=1), torch.ones(96), atol=1e-5)


def test_silent_classes_predict_silence() -> None:
    prior = small_prior()
    with torch.no_grad():
        logits = prior(region_features(grid_of(2, 5)))[0].reshape(8, 12, 5)
    assert (logits[:, 1].argmax(dim=1) == 2).all() and (logits[:, 10].argmax(dim=1) == 4).all()


def test_prior_loads_back(tmp_path: Path) -> None:
    prior = small_prior()
    prior.save(tmp_path)
    region = region_features(grid_of(0, 5))
    assert torch.allclose(Prior.load(tmp_path).predict(region).query, prior.predict(region).query, atol=5e-3)
