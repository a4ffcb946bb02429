"""Weight quantisation on disk: int8 with one absmax scale a row, a quarter of float32's size.

Every row of a matrix is divided by its largest magnitude and rounded to -127..127; vectors are stored as float16. Only
the file is small: tensors are float32 once loaded.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

SCALE = ".scale"  # suffix of the name under which a matrix's scales are stored


def save_quantised(state: dict[str, Tensor], path: Path) -> None:
    """Writes a state dict; tensors of two and more dimensions as int8 with a float32 scale a row."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2 or not value.is_floating_point():
            out[name] = value.detach().half().contiguous() if value.is_floating_point() else value.contiguous()
            continue
        out[name], out[name + SCALE] = quantise(value)
    save_file(out, path)


def quantise(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """(N, ...) -> the same as int8, and (N,) float32 scales of its rows."""
    rows = matrix.detach().float().flatten(1)
    scale = rows.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127.0
    return (rows / scale).round().to(torch.int8).view(matrix.shape).contiguous(), scale[:, 0].contiguous()


def load_quantised(path: Path) -> dict[str, Tensor]:
    """What `save_quantised` wrote, as float32. FileNotFoundError when there is no such file."""
    stored = load_file(path)
    state: dict[str, Tensor] = {}
    for name, value in stored.items():
        if name.endswith(SCALE):
            continue
        if value.dtype == torch.int8:
            scale = stored[name + SCALE].view(-1, *[1] * (value.ndim - 1))
            state[name] = value.float() * scale
        else:
            state[name] = value.float() if value.is_floating_point() else value
    return state
