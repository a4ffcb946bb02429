"""Linear probe (Alain and Bengio 2016): multinomial logistic regression on frozen features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.common.fit import minimise


@dataclass(frozen=True)
class Probe:
    """Standardisation and a linear layer: features (N, D) -> scores (N, K)."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        assert features.ndim == 2, f"expected (N, D), got {tuple(features.shape)}"
        return ((features - self.mean) / self.scale) @ self.weight.T + self.bias  # (N, K)


def fit_probe(features: Tensor, targets: Tensor, classes: int, l2: float = 3e-3, steps: int = 60) -> Probe:
    """Multinomial logistic regression by L-BFGS, classes weighted by the inverse root of their counts.

    features: (N, D) float32; targets: (N,) int64 in 0..classes-1.
    """
    mean, scale = features.mean(0), features.std(0) + 1e-3
    x = (features - mean) / scale
    counts = torch.bincount(targets, minlength=classes).clamp(min=1).float()
    class_weight = counts.rsqrt() / counts.rsqrt().mean()
    layer = nn.Linear(x.shape[1], classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)

    def loss() -> Tensor:
        return nn.functional.cross_entropy(layer(x), targets, weight=class_weight) + l2 * layer.weight.square().sum()

    minimise(layer.parameters(), loss, steps, history=8)
    return Probe(mean, scale, layer.weight.detach(), layer.bias.detach())
