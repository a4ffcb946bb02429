"""The student network split into the teacher's 18 units, and the training pairs of each unit alone.

Unit 0 is the stem with the first block, 1 to 16 are inverted residuals, 17 is the 1x1 head. Early units get
small windows of their maps (they are translation-equivariant and have many pixels), late ones the whole map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import timm
import torch
from torch import Tensor, nn

from training.vision.image_teacher import ImageTeacher

UNITS = 18


@dataclass(frozen=True)
class Window:
    """A square of a unit's input map. size: its side; stride: input pixels per output pixel; rim: output pixels
    next to the cut that see padding the whole map does not have, and so are left out of the loss."""

    size: int
    stride: int
    rim: int


# Input maps: 224 (picture), 112, 56, 56, 28, ...; None: the whole map.
_EARLY = ((48, 2, 2), (40, 2, 1), (20, 1, 1), (36, 2, 1), (16, 1, 1), (16, 1, 1))
WINDOWS: tuple[Window | None, ...] = tuple(Window(*numbers) for numbers in _EARLY) + (None,) * 12


class Units(nn.Module):
    """The 18 units of a timm `mobilenetv2_100`, in order."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        blocks = [block for stage in net.blocks for block in stage]
        assert len(blocks) == 17, f"expected 17 blocks, got {len(blocks)}"
        stem = nn.Sequential(net.conv_stem, net.bn1, blocks[0])
        self.units = nn.ModuleList([stem, *blocks[1:], nn.Sequential(net.conv_head, net.bn2)])

    def without_sums(self) -> None:
        """From now on each unit returns its branch without the residual."""
        for unit in self.units:
            if hasattr(unit, "has_skip"):
                unit.has_skip = False


def new_student(num_classes: int = 1000) -> nn.Module:
    """A random network of the teacher's family (its padding too): 2.2M parameters without the classifier."""
    return timm.create_model("mobilenetv2_100", pretrained=False, num_classes=num_classes, pad_type="same")


def as_input(crops: np.ndarray, device: str) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float in [-1, 1], channels last."""
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float().div(127.5).sub(1.0)


# How many of 64 crops each unit is trained on: early maps have many pixels, late ones few.
SHARE = (8,) * 6 + (32,) * 7 + (64,) * 5
# Crops a step: about 3,000 output pixels.
STEP_CROPS = (8,) * 6 + (16,) * 7 + (32,) * 5

Pair = tuple[np.ndarray, np.ndarray]


def unit_pairs(teacher: ImageTeacher, rng: np.random.Generator, crop: np.ndarray, first_unit: int) -> list[Pair]:
    """After `teacher.run(crop)`: input and target branch output of the units from first_unit on.

    Each is (C, H, W) float16, cut to the unit's window.
    """
    pairs = []
    entering = crop.astype(np.float32) / 127.5 - 1.0 if first_unit == 0 else teacher.joined(first_unit - 1)
    for index in range(first_unit, UNITS):
        x, y, window = entering, teacher.branch(index), WINDOWS[index]
        if window is not None:
            out = window.size // window.stride
            top, left = rng.integers(0, y.shape[0] - out + 1, size=2)
            y = y[top : top + out, left : left + out]
            x = x[top * window.stride :, left * window.stride :][: window.size, : window.size]
        pairs.append((x.transpose(2, 0, 1).astype(np.float16), y.transpose(2, 0, 1).astype(np.float16)))
        entering = teacher.joined(index)
    return pairs
