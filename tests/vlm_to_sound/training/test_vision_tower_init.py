"""Initialisation of the thinker's visual tower, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTower, FeatureVisionTowerConfig
from training.vlm_to_sound.vision_tower_init import init_from_classifier

FEATURES, CLASSES = 8, 5


def material() -> tuple[torch.Tensor, nn.Linear]:
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(400, 3 * FEATURES, generator=generator) * torch.rand(3 * FEATURES, generator=generator) + 1.0
    classifier = nn.Linear(FEATURES, CLASSES)
    classifier.weight.data = torch.randn(CLASSES, FEATURES, generator=generator)
    return cells, classifier.requires_grad_(False)


def test_the_first_layer_holds_the_classifiers_scores() -> None:
    cells, classifier = material()
    tower = FeatureVisionTower(FeatureVisionTowerConfig(feature_dim=FEATURES, hidden_size=3 * (CLASSES - 1)))
    init_from_classifier(tower, cells, classifier)
    assert torch.allclose(tower.feature_std, cells.std(0))
    with torch.no_grad():
        inner = tower.fc1(cells / tower.feature_std).unflatten(1, (3, CLASSES - 1))
    assert torch.allclose(inner.mean(dim=0), torch.zeros(3, CLASSES - 1), atol=1e-4)
    assert torch.allclose(inner.std(dim=0), torch.ones(3, CLASSES - 1), atol=1e-3)
    for number, window in enumerate(cells.unflatten(1, (3, FEATURES)).unbind(1)):
        scores = window @ classifier.weight.T
        scores = scores - scores.mean(dim=0)
        solution = torch.linalg.lstsq(inner[:, number], scores).solution
        left = (scores - inner[:, number] @ solution).square().sum() / scores.square().sum()
        assert left < 0.15, "all but the faintest direction of this window's class scores"


def test_the_rest_of_the_layer_stays_as_it_was() -> None:
    cells, classifier = material()
    tower = FeatureVisionTower(FeatureVisionTowerConfig(feature_dim=FEATURES, hidden_size=13))
    before = tower.fc1.weight[12:].clone()
    init_from_classifier(tower, cells, classifier)
    assert torch.equal(tower.fc1.weight[12:], before)


def test_a_classifier_of_another_size_is_refused() -> None:
    cells, _ = material()
    tower = FeatureVisionTower(FeatureVisionTowerConfig(feature_dim=FEATURES, hidden_size=12))
    with pytest.raises(ValueError, match="reads 9 numbers, a patch has 8"):
        init_from_classifier(tower, cells, nn.Linear(9, CLASSES))
