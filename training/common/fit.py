"""The loop that both trainings of the language path share: AdamW until the time is over, on one device or on many, an
average of the weights, and a state to go on from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator, InitProcessGroupKwargs
from torch import Tensor, nn

from training.common.distributed import steps
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state


@dataclass(frozen=True)
class TrainConfig:
    """name: of the module in the state; logged: what the logged loss is called; runs: where state and log are kept."""

    name: str
    logged: str
    runs: Path
    minutes: float
    steps: int
    ema: float


class Trained(nn.Module):
    """Of another module the parameters that training changes, for a state and an average without the frozen rest."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self._whole = (whole,)  # in a tuple: no part of this one

    def state_dict(self) -> dict[str, Tensor]:  # type: ignore[override]
        return {name: p.detach() for name, p in self._whole[0].named_parameters() if p.requires_grad}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Tensor]) -> None:  # type: ignore[override]
        mine = self.state_dict()
        assert mine.keys() == state.keys(), "a state of another training"
        for name, value in mine.items():
            value.copy_(state[name])


def processes(bf16: bool) -> Accelerator:
    """One or many, on GPUs where there are any, which average gradients over nccl: that can't send what lies in main
    memory, the clock, so gloo stands beside it."""
    gpu = torch.cuda.is_available()
    both = [InitProcessGroupKwargs(backend="cuda:nccl,cpu:gloo")] if gpu else None
    return Accelerator(cpu=not gpu, mixed_precision="bf16" if bf16 else "no", kwargs_handlers=both)


def started(runs: Path, seed: int, bf16: bool) -> tuple[Accelerator, np.random.Generator]:
    """The processes of a stage, and this one's own random numbers."""
    accelerator = processes(bf16)
    return accelerator, random_stream(runs, seed + 7919 * accelerator.process_index)


def fit(
    course: TrainConfig, module: nn.Module, groups: list[dict[str, Any]],
    losses: Callable[[nn.Module], tuple[Tensor, Tensor]], accelerator: Accelerator, kept: nn.Module | None = None,
) -> bool:  # fmt: skip
    """Steps until the time is over, taken up where they stopped. losses: of the prepared module -> (what is descended,
    what is logged); kept: what state and average hold, the whole module if None. True in the process that saves: its
    module then holds the running average."""
    runs, first, kept = course.runs, accelerator.is_main_process, kept or module
    module.to(accelerator.device)
    optimiser = torch.optim.AdamW(
        [group | {"lr": group["peak"]} for group in groups], betas=(0.9, 0.98), weight_decay=0.05, fused=True
    )
    ema = Ema(kept, course.ema)
    step, spent_s = load_state(runs, {course.name: kept}, {course.name: optimiser}, ema)
    ema.values = {name: value.to(accelerator.device) for name, value in ema.values.items()}
    wrapped, prepared = accelerator.prepare(module, optimiser)
    clock, log = TimeBudget(course.minutes, course.steps, spent_s, step), JsonlLog(runs if first else None)
    seen: list[float] = []
    for step, progress in steps(clock):
        for group in prepared.param_groups:
            group["lr"] = cosine_rate(progress, group["peak"])
        loss, value = losses(wrapped)
        prepared.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_([p for p in module.parameters() if p.requires_grad], 1.0)
        prepared.step()
        ema.update(kept)
        seen.append(float(value))
        if first and step % 50 == 0:
            log.write(**{"step": step, "progress": progress, course.logged: float(np.mean(seen))})
            seen = []
        if first and step % 250 == 249:
            save_state(runs, {course.name: kept}, {course.name: prepared.optimizer}, ema, clock)
    if first:
        save_state(runs, {course.name: kept}, {course.name: prepared.optimizer}, ema, clock)
        kept.load_state_dict(ema.values)
    return bool(first)
