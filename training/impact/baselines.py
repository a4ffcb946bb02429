"""Name-only baselines: the usual object of a material, which the posterior or an ImageNet classifier names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.core import presets
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.predictor import clamp_to_valid
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.pretrained import imagenet_classifier
from training.common.pairs import IMAGENET_SAMPLE, imagenet_labels
from training.impact.photo_manifest import material_labels


def usual_objects(objects: Sequence[PhysicalObject]) -> tuple[PhysicalObject, ...]:
    """(M,) for each material its most frequent shape, with the median extents of its objects of that shape."""
    usual = []
    for material in MATERIALS:
        own = [one for one in objects if one.material == material] or list(objects)
        shape = Counter(one.shape for one in own).most_common(1)[0][0]
        rows = [(o.size_m, o.middle, o.least, o.thickness_m) for o in own if o.shape == shape]
        usual.append(clamp_to_valid(PhysicalObject(material, shape, *np.median(rows, axis=0).tolist())))
    return tuple(usual)


@dataclass(frozen=True)
class ObjectNameBaseline:
    """The vision network's ImageNet class, and the material that objects of that name usually have. layer: features to
    the 1,000 classes; material: (1000,) int64, -1 where a name implies none."""

    layer: nn.Linear
    material: Tensor

    @staticmethod
    def load(data: Path) -> ObjectNameBaseline:
        layer = imagenet_classifier(presets.embedded().vision)
        labels = material_labels(data)
        names = imagenet_labels(data)
        known = [labels.get((IMAGENET_SAMPLE, name), (-1, 0.0))[0] for name in names]
        return ObjectNameBaseline(layer, torch.tensor(known))

    @torch.inference_mode()
    def predict(self, grid: PatchGrid, row: int, col: int) -> int:
        """The material of the likeliest class that implies one, in the close crop around a patch."""
        scores = self.layer(grid.crop_features[row, col, -1].float())
        return int(self.material[scores.masked_fill(self.material < 0, -torch.inf).argmax()])
