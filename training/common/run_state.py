"""The parts of the training loop: time budget, cosine schedule, JSONL log, exponential moving average, saved state."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

RandomStream: TypeAlias = "np.random.Generator | torch.Generator"


class TimeBudget:
    """Progress 0..1 by minutes or by steps, whichever is further: a shared CPU has no steady speed."""

    def __init__(self, minutes: float, steps: int, spent_s: float = 0.0, step: int = 0) -> None:
        self.minutes, self.steps, self.step = minutes, steps, step
        self.began = time.monotonic() - spent_s

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self.began

    @property
    def progress(self) -> float:
        return min(1.0, max(self.step / self.steps, self.spent_s / (60 * self.minutes)))


def cosine_rate(progress: float, peak: float = 1.0, warm: float = 0.02, last: float = 0.02) -> float:
    """Learning rate: linear warm-up over the first `warm` of the run, then a cosine to `last` of the peak."""
    if progress < warm:
        return peak * max(progress / warm, 0.02)
    return peak * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))))


class JsonlLog:
    """One JSON object a line in `folder/log.jsonl`, and one short line on the screen; None: the screen alone."""

    def __init__(self, folder: Path | None) -> None:
        self.path = folder / "log.jsonl" if folder else None
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    def write(self, **values: float | int | str) -> None:
        shown = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
        print(" ".join(f"{key}={value}" for key, value in shown.items()), flush=True)
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(shown) + "\n")


class Ema:
    """Exponential moving average of a module's state, warmed up so that early steps are forgotten quickly.

    With a decay of 0 there is no average: `values` is empty and `copy_to` does nothing.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay, self.count = decay, 0
        kept = module.state_dict() if decay > 0 else {}
        self.values = {name: value.detach().clone() for name, value in kept.items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        if self.decay == 0:
            return
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value.detach(), 1 - decay)
            else:
                self.values[name].copy_(value)

    def copy_to(self, module: nn.Module) -> None:
        if self.values:
            module.load_state_dict(self.values)


def save_state(
    folder: Path, modules: Mapping[str, nn.Module], optimisers: Mapping[str, torch.optim.Optimizer], ema: Ema,
    clock: TimeBudget, generators: Mapping[str, RandomStream] | None = None,
) -> None:  # fmt: skip
    """Everything needed to continue, as safetensors and JSON: nothing is unpickled."""
    tensors = {f"module.{name}.{key}": value.detach().contiguous().clone()
               for name, module in modules.items() for key, value in module.state_dict().items()}  # fmt: skip
    tensors |= {f"ema.{key}": value.contiguous().clone() for key, value in ema.values.items()}
    for name, optimiser in optimisers.items():
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {
                f"optimiser.{name}.{index}.{key}": torch.as_tensor(value).contiguous().clone()
                for key, value in state.items()
            }
    numbers: dict[str, Any] = {"step": clock.step, "spent_s": clock.spent_s, "ema_count": ema.count, "random": {}}
    tensors["random.torch"] = torch.get_rng_state()
    for name, generator in (generators or {}).items():
        if isinstance(generator, torch.Generator):
            tensors[f"random.generator.{name}"] = generator.get_state()
        else:
            numbers["random"][name] = generator.bit_generator.state
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "state.tmp")
    (folder / "state.tmp").replace(folder / "state.safetensors")
    (folder / "state.json").write_text(json.dumps(numbers), encoding="utf-8")


def load_state(
    folder: Path, modules: Mapping[str, nn.Module], optimisers: Mapping[str, torch.optim.Optimizer], ema: Ema,
    generators: Mapping[str, RandomStream] | None = None,
) -> tuple[int, float]:  # fmt: skip
    """Fill everything from `save_state`; returns (step, seconds spent), zeros if the folder holds no state.

    Random streams, torch's own among them, are restored if `generators` names any.
    """
    if not (folder / "state.json").is_file():
        return 0, 0.0
    numbers = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "state.safetensors")
    for name, module in modules.items():
        module.load_state_dict(_below(tensors, f"module.{name}."))
    ema.count = numbers["ema_count"]
    ema.values = {key: value.to(ema.values[key].device) for key, value in _below(tensors, "ema.").items()}
    for name, optimiser in optimisers.items():
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in _below(tensors, f"optimiser.{name}.").items():
            index, field = key.split(".")
            state.setdefault(int(index), {})[field] = value
        optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    if generators:
        torch.set_rng_state(tensors["random.torch"])
    for name, generator in (generators or {}).items():
        if isinstance(generator, torch.Generator):
            generator.set_state(tensors[f"random.generator.{name}"])
        else:
            generator.bit_generator.state = numbers["random"][name]
    return numbers["step"], numbers["spent_s"]


def _below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
