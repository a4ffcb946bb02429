"""Visual tower of the tiny Qwen3-VL: a two-layer projector on frozen patch features, with Qwen's 2 x 2 patch merger.

Qwen3-VL builds its tower from `config.vision_config` with `AutoModel`, so registering another configuration type swaps
the tower. Its "pixels" are the features of a `PatchGrid`: each patch as the vision network encodes it in the whole
picture, and the windows around it encoded alone. 2 x 2 patches become one token, as in Qwen's own merger.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

from synesthesia.vision.grid import PatchGrid

MERGE = 2


class FeatureVisionTowerConfig(PretrainedConfig):  # type: ignore[misc]
    """feature_dim: size of the feature vector of a patch, and of each of its windows; windows: per patch."""

    model_type = "synesthesia_eyes"
    base_config_key = "vision_config"

    def __init__(self, feature_dim: int = 1280, windows: int = 2, hidden_size: int = 512, out_hidden_size: int = 256,
                 **kwargs: Any) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.feature_dim, self.windows = feature_dim, windows
        self.hidden_size, self.out_hidden_size = hidden_size, out_hidden_size
        self.spatial_merge_size = MERGE  # read by Qwen3-VL

    @property
    def patch_dim(self) -> int:
        return int(self.feature_dim * (1 + self.windows))


class FeatureVisionTower(PreTrainedModel):  # type: ignore[misc]
    """(patches, patch_dim) in 2 x 2 blocks, see `merge_blocks`, -> `pooler_output` (patches / 4, out_hidden_size)."""

    config_class = FeatureVisionTowerConfig
    main_input_name = "pixel_values"

    def __init__(self, config: FeatureVisionTowerConfig) -> None:
        super().__init__(config)
        self.register_buffer("feature_std", torch.ones(config.patch_dim))
        self.fc1 = nn.Linear(config.patch_dim, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.fc2 = nn.Linear(config.hidden_size, config.out_hidden_size)
        self.post_init()

    @property
    def spatial_merge_size(self) -> int:
        return MERGE

    def forward(self, pixel_values: Tensor, grid_thw: Tensor, **kwargs: Any) -> BaseModelOutputWithDeepstackFeatures:
        merged = (pixel_values / self.feature_std).unflatten(0, (-1, MERGE * MERGE)).mean(dim=1)  # (tokens, patch_dim)
        hidden = F.gelu(self.fc1(merged))
        return BaseModelOutputWithDeepstackFeatures(
            last_hidden_state=hidden, pooler_output=self.fc2(self.norm(hidden)), deepstack_features=[]
        )


def merge_blocks(grid: PatchGrid) -> tuple[Tensor, tuple[int, int]]:
    """A photograph's features as the tower reads them.

    Returns (patches, patch_dim) float32 in blocks of 2 x 2, and (rows, columns) of patches, both even: an odd last row
    or column is repeated.
    """
    features = torch.cat([grid.features.float(), grid.crop_features.float().flatten(2)], dim=2)  # (R, C, 3 D)
    rows, cols = (side + side % MERGE for side in features.shape[:2])
    features = features[torch.arange(rows).clamp(max=grid.rows - 1)][:, torch.arange(cols).clamp(max=grid.cols - 1)]
    blocks = features.unflatten(0, (-1, MERGE)).unflatten(2, (-1, MERGE)).transpose(1, 2)  # (R/2, C/2, 2, 2, 3 D)
    return blocks.flatten(0, 3), (rows, cols)


AutoConfig.register(FeatureVisionTowerConfig.model_type, FeatureVisionTowerConfig, exist_ok=True)
AutoModel.register(FeatureVisionTowerConfig, FeatureVisionTower, exist_ok=True)
