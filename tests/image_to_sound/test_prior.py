"""The prior: a patch follows its own object rather than the rest of the picture, and silent classes mean silence."""

from __future__ import annotations

from pathlib import Path

import torch

from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.region_features import VIEWS, RegionFeatures, region_features
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
    prior = Prior(PriorConfig(feature_dim=DIM, prototypes=KINDS, classes=4, query_dim=5, components=4))
    pairs = torch.zeros(KINDS, 4)
    pairs[range(4), range(4)] = 1.0
    classifier = torch.nn.Linear(DIM, KINDS)
    classifier.weight.data.copy_(torch.eye(KINDS, DIM) * 3)
    classifier.bias.data.zero_()
    prior.set_prototypes(classifier, pairs)
    prior.set_components(torch.randn(40, VIEWS, DIM, generator=torch.Generator().manual_seed(0)))
    prior.class_embeddings.copy_(torch.eye(4, 5))
    return prior.eval()


def test_region_features_of_a_patch_are_of_its_own_object() -> None:
    region = region_features(grid_of(0, 1))
    assert region.views.shape == (96, VIEWS, DIM)
    thing = region.views[4 * 12 + 4, 0]
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


def test_prototypes_have_no_verdict_on_sounds_that_they_never_make() -> None:
    """A class that no visual class makes is not ruled out by them, one that they make elsewhere is."""
    prior = small_prior()
    pairs = torch.zeros(KINDS, 4)
    pairs[range(3), range(3)] = 1.0  # nothing makes sound 3 directly
    prior.set_prototypes(prior.classify, pairs)
    named = prior.prototype_logits(region_features(grid_of(0, 0)))[0, 0]
    assert named[0] > named[3] > named[1] + 1


def test_components_are_the_directions_in_which_places_differ() -> None:
    views = torch.randn(400, VIEWS, DIM, generator=torch.Generator().manual_seed(1)) * 0.01
    views[:, :, 7] += torch.randn(400, 1, generator=torch.Generator().manual_seed(2)) * 5 + 3
    prior = Prior(PriorConfig(feature_dim=DIM, prototypes=0, classes=4, query_dim=5, components=1))
    prior.set_components(views)
    components = prior.components(RegionFeatures(views)).unflatten(1, (VIEWS, 1))
    assert torch.allclose(components.std(dim=0), torch.full((VIEWS, 1), 0.3), atol=0.01)
    assert torch.corrcoef(torch.stack([components[:, 0, 0], views[:, 0, 7]]))[0, 1].abs() > 0.99


def test_prior_loads_back(tmp_path: Path) -> None:
    prior = small_prior()
    prior.save(tmp_path)
    region = region_features(grid_of(0, 5))
    assert torch.allclose(Prior.load(tmp_path).predict(region).query, prior.predict(region).query, atol=5e-3)
