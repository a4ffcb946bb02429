"""The thinker with a linear classifier of what sounds: its loss by hand, and overfitting one batch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, load_tiny
from synesthesia.vlm_to_sound.thinker import Thinker
from tests.vlm_to_sound.training.tiny import small_config
from training.vlm_to_sound.clicked_sounds import Clicks, sample_clicks
from training.vlm_to_sound.image_dataset import PRIOR_WEIGHT, ClickableImage, FeatureImage, FeatureStore
from training.vlm_to_sound.losses import IMAGE_TOKEN_WEIGHT, thinker_loss
from training.vlm_to_sound.trainable import RegionClassifier


class FakeClassifier(nn.Module):
    """A classifier that returns these logits."""

    def __init__(self, region: Tensor, dense: Tensor) -> None:
        super().__init__()
        self.said, self.dense = region, dense

    def forward(self, clicks: Clicks) -> tuple[Tensor, Tensor]:
        return self.said, self.dense


def test_the_thinkers_loss_is_that_of_the_click_and_of_every_cell(clicks: Clicks, folder: Path) -> None:
    def targets_of(sight: ClickableImage) -> Tensor:
        assert isinstance(sight, FeatureImage)
        return (PRIOR_WEIGHT * sight.class_probs + (1 - PRIOR_WEIGHT) * sight.labels).flatten(0, 1)

    cells = torch.cat([targets_of(sight) for sight in clicks.images])
    cells = cells / cells.sum(dim=1, keepdim=True)

    def loss(region: Tensor, dense: Tensor) -> float:
        return float(thinker_loss(FakeClassifier(region, dense), clicks))  # type: ignore[arg-type]

    def entropy(shares: Tensor) -> float:
        return float(-torch.xlogy(shares, shares).sum(dim=1).mean())

    best = loss(clicks.targets.log().clamp(min=-50), cells.log().clamp(min=-50))
    assert best == pytest.approx(entropy(clicks.targets) + IMAGE_TOKEN_WEIGHT * entropy(cells), abs=1e-4)
    even = loss(torch.zeros(6, 2), torch.zeros_like(cells))
    assert even == pytest.approx((1 + IMAGE_TOKEN_WEIGHT) * math.log(2), abs=1e-5)
    thinker = load_tiny(folder / "thinker")
    classifier = RegionClassifier(thinker, 2)
    region, dense = classifier(clicks)
    assert region.shape == (6, 2) and dense.shape == cells.shape
    with torch.no_grad():
        alone = torch.cat([classifier(Clicks((sight,), clicks.boxes[[n]], clicks.targets[[n]]))[1]
                           for n, sight in enumerate(clicks.images)])  # fmt: skip
    assert torch.allclose(dense, alone, atol=1e-4), "in the order of the cells"


def test_the_region_classifier_overfits_one_batch(folder: Path, store: FeatureStore) -> None:
    """The click's own classes from the last state."""
    torch.manual_seed(0)
    thinker: Thinker = build_tiny(small_config(4))
    classifier, clicks = RegionClassifier(thinker, 2).train(), sample_clicks(store, 6, np.random.default_rng(1))
    optimiser = torch.optim.Adam(classifier.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        loss = thinker_loss(classifier, clicks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    with torch.no_grad():
        region = classifier(clicks)[0].softmax(dim=1)
    assert losses[-1] < 0.8 * losses[0] and (region - clicks.targets).abs().max() < 0.1, losses[::10]
