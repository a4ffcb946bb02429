"""Several processes that train one model: gradients are averaged, and all keep the first one's time.

`torchrun --nproc-per-node 2 -m training.SCRIPT ...` starts them, one a core or GPU; started plainly, a script is alone
and nothing here costs anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from torch import distributed, nn

from training.common.run_state import TimeBudget


def rank() -> int:
    """0 for the first process, which logs and saves. Joins the others when there are any."""
    if "WORLD_SIZE" not in os.environ:
        return 0
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return distributed.get_rank()


def wait() -> None:
    """Until every process has come this far."""
    if distributed.is_initialized():
        distributed.barrier()


def average_gradients(module: nn.Module) -> None:
    """Every process goes on with the mean of all gradients."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def steps(clock: TimeBudget) -> Iterator[tuple[int, float]]:
    """(step, progress) of the first process's clock: all stop after the same step."""
    while True:
        progress = torch.tensor([clock.progress], dtype=torch.float64)
        if distributed.is_initialized():
            distributed.broadcast(progress, 0)
        if float(progress) >= 1.0:
            return
        yield clock.step, float(progress)
        clock.step += 1
