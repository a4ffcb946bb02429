"""Linear ImageNet classifier of a vision checkpoint: pooled features -> 1,000 classes."""

from __future__ import annotations

from torch import nn

from synesthesia.core import checkpoints
from synesthesia.core.presets import Preset
from synesthesia.nn.quantised import load_quantised


def imagenet_classifier(preset: Preset) -> nn.Linear | None:
    """The frozen classifier of the preset's vision checkpoint over the 1,000 classes, if it has one."""
    state = load_quantised(checkpoints.files(preset.vision.weights)[1])
    weight = state.get("classifier.weight")
    if weight is None or len(weight) != 1000:
        return None
    layer = nn.Linear(weight.shape[1], 1000)
    layer.load_state_dict({"weight": weight, "bias": state["classifier.bias"]})
    return layer.requires_grad_(False)
