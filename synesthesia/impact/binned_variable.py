"""A quantity as a distribution over bins: what a network says of a size, with its own doubt.

Classification instead of regression, trained against a target that is spread over neighbouring bins (Imani and White
2018, Improving regression performance with distributional losses): an answer may have two peaks, and its quantiles are
an interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from synesthesia.core.results import Estimate


@dataclass(frozen=True)
class BinnedVariable:
    """Bins from low to high, even on a logarithmic scale or a linear one."""

    low: float
    high: float
    bins: int
    logarithmic: bool = True

    @property
    def ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)

    @property
    def step(self) -> float:
        low, high = self.ends
        return (high - low) / self.bins

    def middles(self) -> Tensor:
        """(bins,) of each bin, in logarithms if the scale is logarithmic."""
        return self.ends[0] + (torch.arange(self.bins) + 0.5) * self.step

    def target(self, values: Tensor, spread: float = 0.8) -> Tensor:
        """(N,) -> (N, bins) that sum to 1: a normal curve of `spread` bins around the value, or around the nearest end
        of the scale."""
        at = (values.clamp(min=self.low).log() if self.logarithmic else values).clamp(*self.ends)
        apart = (at[:, None] - self.middles().to(at)) / (spread * self.step)
        return (-0.5 * apart**2).softmax(dim=1)

    def value(self, position: Tensor) -> Tensor:
        return position.exp() if self.logarithmic else position

    def quantile(self, shares: Tensor, at: float | Tensor) -> Tensor:
        """(N, bins) that sum to 1 -> (N,) values below which a share `at`, one or (N,), lies, linear within a bin."""
        summed = shares.cumsum(dim=1)
        number = (
            (summed < torch.as_tensor(at).reshape(-1, 1)).sum(dim=1).clamp(max=self.bins - 1)
        )  # (N,) the bin that crosses it
        inside = shares.gather(1, number[:, None])[:, 0]
        before = summed.gather(1, number[:, None])[:, 0] - inside
        part = ((at - before) / inside.clamp(min=1e-9)).clamp(0, 1)
        return self.value(self.ends[0] + (number + part) * self.step)

    def estimate(self, shares: Tensor) -> Estimate:
        """(bins,) that sum to 1 -> median and the interval of nine cases in ten. An interval that begins or ends in an
        outermost bin reaches to the scale's end: what lies beyond is told as the end itself."""
        low, middle, high = (float(self.quantile(shares[None], at)[0]) for at in (0.05, 0.5, 0.95))
        if float(shares[0]) >= 0.05:
            low = self.low
        if float(shares[-1]) >= 0.05:
            high = self.high
        return Estimate(middle, low, high)


def estimated(values: Tensor, weights: Tensor) -> Estimate:
    """The same of K values (K,) with weights (K,) that sum to 1."""
    order = values.argsort()
    summed = weights[order].cumsum(dim=0)
    low, middle, high = (
        float(values[order[int((summed < at).sum().clamp(max=len(values) - 1))]]) for at in (0.05, 0.5, 0.95)
    )
    return Estimate(middle, low, high)
