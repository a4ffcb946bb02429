"""Initialisation of the tiny thinker's visual tower from principal components of an image classifier's logits.

The first layer computes the main directions of the vision network's own class scores, for the patch and for each window
around it, so that classes which few training pictures show can still be told apart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTower


@torch.no_grad()
def init_from_classifier(tower: FeatureVisionTower, features: Tensor, classifier: nn.Linear) -> None:
    """features: (N, patch_dim) of training cells, whose deviations the tower stores too; classifier: on one patch's
    features."""
    config = tower.config
    tower.feature_std.copy_(features.std(0).clamp(min=1e-3))
    if classifier.in_features != config.feature_dim:
        raise ValueError(f"The classifier reads {classifier.in_features} numbers, a patch has {config.feature_dim}.")
    windows = features.unflatten(1, (1 + config.windows, config.feature_dim))
    count = config.hidden_size // windows.shape[1]
    for number, part in enumerate(windows.unbind(1)):
        scores = part @ classifier.weight.T
        scores = scores - scores.mean(dim=0)
        directions = torch.linalg.eigh(scores.T @ scores / len(scores)).eigenvectors[:, -count:]  # (classes, count)
        std = (scores @ directions).std(0).clamp(min=1e-6)
        weight = (classifier.weight.T @ directions / std).T  # (count, feature_dim), unit deviation each
        rows = slice(number * count, (number + 1) * count)
        inputs = slice(number * config.feature_dim, (number + 1) * config.feature_dim)
        tower.fc1.weight[rows] = 0.0
        tower.fc1.weight[rows, inputs] = weight * tower.feature_std[inputs]
        tower.fc1.bias[rows] = -(part.mean(dim=0) @ weight.T)
