"""Low-rank adaptation (LoRA, Hu et al. 2021) of a language model's query and value projections.

peft injects the trainable layers; `merge_lora` adds trained ones to the weights, so that inference costs nothing extra.
Audio and vision towers are never adapted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LORA_TARGETS = r".*language_model.*\.(q_proj|v_proj)"


@dataclass(frozen=True)
class LoraSettings:
    rank: int = 16  # 0: no LoRA
    alpha: int = 32
    dropout: float = 0.05


def add_lora(model: nn.Module, settings: LoraSettings) -> None:
    """Injects LoRA layers into the language model's query and value projections, in place."""
    from peft import LoraConfig, inject_adapter_in_model  # a second to import

    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=LORA_TARGETS
    )
    inject_adapter_in_model(config, model)
    model.train(model.training)  # new layers come in training mode, with their dropout on


def is_lora(name: str) -> bool:
    """Whether a parameter of this name belongs to a LoRA layer."""
    return ".lora_" in name


def lora_shapes(model: nn.Module, settings: LoraSettings) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the LoRA tensors that `add_lora` would give a model without LoRA; empty for rank 0."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in model.named_modules():
        if settings.rank and re.fullmatch(LORA_TARGETS, name):
            outputs, inputs = module.weight.shape
            shapes[_tensor_name(name, "A")] = settings.rank, inputs
            shapes[_tensor_name(name, "B")] = outputs, settings.rank
    return shapes


@torch.no_grad()
def merge_lora(model: nn.Module, lora: Mapping[str, Tensor], settings: LoraSettings) -> None:
    """Adds `B @ A * alpha / rank` to each adapted weight of a model without LoRA layers, in place.

    lora: tensors named as in `lora_shapes`.
    """
    for name, module in model.named_modules():
        if _tensor_name(name, "A") in lora:
            change = lora[_tensor_name(name, "B")] @ lora[_tensor_name(name, "A")] * (settings.alpha / settings.rank)
            module.weight.copy_(module.weight.float() + change)


def _tensor_name(module: str, side: str) -> str:
    """Name that peft gives to matrix A or B of a module."""
    return f"{module}.lora_{side}.default.weight"
