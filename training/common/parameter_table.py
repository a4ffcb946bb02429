"""Table of a model's parameters by part, and how many of them train."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

Counts = dict[str, tuple[int, int]]  # part -> (parameters, trainable ones)


def count_parameters(module: nn.Module, parts: Mapping[str, str], rest: str) -> Counts:
    """parts: name of a part -> text in its parameters' names, first match counts; rest: name of everything else."""
    counts: Counts = dict.fromkeys((*parts, rest), (0, 0))
    for name, parameter in module.named_parameters():
        part = next((part for part, mark in parts.items() if mark in name), rest)
        every, trainable = counts[part]
        counts[part] = every + parameter.numel(), trainable + parameter.requires_grad * parameter.numel()
    return counts


def format_counts(counts: Counts) -> str:
    rows = [f"{part:16} {every:>14,} {trainable:>14,}" for part, (every, trainable) in counts.items()]
    return "\n".join([f"{'part':16} {'parameters':>14} {'trainable':>14}", *rows])
