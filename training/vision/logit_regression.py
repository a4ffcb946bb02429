"""Ridge regression of the teacher's logits on the student's coordinates: the classifier comes from one linear solve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


class LogitRegression:
    """Running sums of the normal equations, kept beside the weights."""

    def __init__(self, tensors: Mapping[str, Tensor] | None = None) -> None:
        """tensors: a state with the entries of `tensors`, or nothing to begin with."""
        self.xx, self.xy, self.count = torch.zeros(1281, 1281), torch.zeros(1281, 1000), torch.zeros(1)
        if tensors is not None:
            self.xx, self.xy, self.count = tensors["ridge.xx"], tensors["ridge.xy"], tensors["ridge.count"]

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {"ridge.xx": self.xx, "ridge.xy": self.xy, "ridge.count": self.count}

    def add(self, means: np.ndarray, logits: np.ndarray) -> None:
        """means: (B, 1280); logits: (B, 1001)."""
        x = torch.cat([torch.from_numpy(means.astype(np.float32)), torch.ones(len(means), 1)], dim=1)  # (B, 1281)
        self.xx += x.T @ x
        self.xy += x.T @ torch.from_numpy(logits[:, 1:].astype(np.float32))  # without the background class
        self.count += len(means)

    def solve(self) -> tuple[Tensor, Tensor]:
        """weight (1000, 1280), bias (1000,)."""
        n = float(self.count)
        solution = torch.linalg.solve((self.xx / n + 1e-4 * torch.eye(1281)).double(), (self.xy / n).double()).float()
        return solution[:1280].T.contiguous(), solution[1280].contiguous()
