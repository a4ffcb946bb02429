"""What the path "tap" is compared with: a material's name and nothing more, told by its own reading or by the object's
name, struck as that material's usual thing."""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from synesthesia.core import presets
from synesthesia.impact.hypotheses import clamp_to_valid
from synesthesia.impact.modal.things import MATERIALS, PhysicalObject
from training.common.imagenet_classifier import imagenet_classifier
from training.common.pairs import IMAGENET_SAMPLE, imagenet_labels
from training.impact.features import strongest
from training.impact.rendered import RenderedThing, Split, shard_paths

if TYPE_CHECKING:
    from synesthesia.vision.grid import PatchGrid

GROUNDS = ("ground", "floor", "wall")  # kinds that stand for nothing with an extent of its own


def told_things(folder: Path, split: Split) -> list[RenderedThing]:
    """All things of a split's scenes but its grounds, without opening a picture."""
    from tools.blender.materials import HELD_OUT

    found: list[RenderedThing] = []
    for path in shard_paths(folder, split):
        with tarfile.open(path) as tar:
            for member in tar:
                source = tar.extractfile(member)
                if source is None or not member.name.endswith(".json") or member.name == "shard.json":
                    continue
                rows = json.loads(source.read())["things"]
                found += [RenderedThing(**row, held_out=row["variant"] in HELD_OUT) for row in rows]
    return [thing for thing in found if thing.kind not in GROUNDS]


@dataclass(frozen=True)
class Templates:
    """things: (M,) the usual thing of each material."""

    things: tuple[PhysicalObject, ...]

    @staticmethod
    def of(things: Sequence[PhysicalObject]) -> Templates:
        """The shape that a material has most often, and the median extents of its things of that shape."""
        usual = []
        for material in MATERIALS:
            own = [thing for thing in things if thing.material == material] or list(things)
            shape = Counter(thing.shape for thing in own).most_common(1)[0][0]
            rows = [(t.size_m, t.middle, t.least, t.thickness_m) for t in own if t.shape == shape]
            usual.append(clamp_to_valid(PhysicalObject(material, shape, *np.median(rows, axis=0).tolist())))
        return Templates(tuple(usual))


@dataclass(frozen=True)
class ObjectNames:
    """The path over text: the vision network names the object, and an object of that name is usually made of one
    material. layer: features to the 1,000 ImageNet classes; material: (1000,) int64, -1 where a name tells none."""

    layer: nn.Linear
    material: Tensor

    @staticmethod
    def load(data: Path) -> ObjectNames | None:
        """None when the vision network came without its classifier."""
        layer = imagenet_classifier(presets.embedded())
        if layer is None:
            return None
        known = strongest(data)
        names = imagenet_labels(data)
        return ObjectNames(layer, torch.tensor([known.get((IMAGENET_SAMPLE, name), (-1, 0.0))[0] for name in names]))

    @torch.inference_mode()
    def named(self, grid: PatchGrid, row: int, col: int) -> int:
        """The material of the likeliest class, among those that tell one, in the close window around a patch."""
        scores = self.layer(grid.crop_features[row, col, -1].float())
        return int(self.material[scores.masked_fill(self.material < 0, -torch.inf).argmax()])
