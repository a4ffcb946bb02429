"""Batch normalisation folded into the convolutions before it, for inference."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


@torch.no_grad()
def fold_batch_norms(net: nn.Module) -> None:
    """Replaces every batch normalisation that follows a convolution in the same module; outputs stay the same.

    timm's `BatchNormAct2d` leaves its activation behind. The network must be in evaluation mode.
    """
    assert not net.training, "batch statistics can be folded in evaluation mode alone"
    for module in net.modules():
        convolution: nn.Conv2d | None = None
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d):
                convolution = child
            elif isinstance(child, nn.BatchNorm2d) and convolution is not None:
                assert child.num_features == convolution.out_channels, f"{name} does not follow its convolution"
                convolution.weight, convolution.bias = fuse_conv_bn_weights(
                    convolution.weight, convolution.bias, child.running_mean, child.running_var, child.eps,
                    child.weight, child.bias,
                )  # fmt: skip
                setattr(module, name, getattr(child, "act", nn.Identity()))
                convolution = None
