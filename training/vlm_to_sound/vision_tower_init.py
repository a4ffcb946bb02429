"""Where the tiny thinker's visual tower begins: at what sets kinds of things apart, not at chance.

The first layer is given the main directions of the eyes' own class scores, for the patch and for each window around
it, so that kinds which few training pictures show are still told apart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.vision_tower import FeatureVisionTower


@torch.no_grad()
def begin_with_kinds(tower: FeatureVisionTower, features: Tensor, kinds: nn.Linear) -> None:
    """features: (N, patch_numbers) of training cells, whose deviations the tower keeps as well; kinds: the classifier
    on one patch's features."""
    config = tower.config
    tower.deviation.copy_(features.std(0).clamp(min=1e-3))
    if kinds.in_features != config.feature_dim:
        raise ValueError(f"The classifier reads {kinds.in_features} numbers, a patch has {config.feature_dim}.")
    windows = features.unflatten(1, (1 + config.windows, config.feature_dim))
    count = config.hidden_size // windows.shape[1]
    for number, part in enumerate(windows.unbind(1)):
        scores = part @ kinds.weight.T
        scores = scores - scores.mean(dim=0)
        directions = torch.linalg.eigh(scores.T @ scores / len(scores)).eigenvectors[:, -count:]  # (classes, count)
        spread = (scores @ directions).std(0).clamp(min=1e-6)
        rows = (kinds.weight.T @ directions / spread).T  # (count, feature_dim), unit deviation each
        mine = slice(number * count, (number + 1) * count)
        seen = slice(number * config.feature_dim, (number + 1) * config.feature_dim)
        tower.inner.weight[mine] = 0.0
        tower.inner.weight[mine, seen] = rows * tower.deviation[seen]
        tower.inner.bias[mine] = -(part.mean(dim=0) @ rows.T)
