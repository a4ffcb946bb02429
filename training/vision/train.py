"""Train the embedded vision network by feature distillation (Romero et al. 2015) from the image teacher.

Stages (each resumes from --run, each writes a checkpoint that the next one starts from):
  blocks       every unit alone on the teacher's own input and output maps (local regression, all units at once)
  end_to_end   the whole chain on the 7x7x1280 map, its mean, one inner map and the class posterior

    python -m training.vision.train --data DIR --run runs/vision --stage blocks --minutes 30      # two CPU cores
    python -m training.vision.train --data DIR --run runs/vision --stage end_to_end --lr 0.004 --minutes 60
    python -m training.vision.export --run runs/vision --stage end_to_end --out checkpoints/vision
    python -m training.vision.train --data DIR --run runs/smoke --stage blocks --steps 2 --limit 40   # smoke run
    python -m training.vision.train ... --device cuda                                             # one GPU

The learning rate is high (0.05) on purpose: weights before a batch normalisation have no scale, and local regression
from a random start needs to travel far. Measured on unit 8 after 240 steps: error 0.36 at 0.003, 0.13 at 0.05.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from training.common.cli import run
from training.common.run_state import TimeBudget
from training.vision.data import MapBatch, Source, UnitBatch, batches
from training.vision.logit_regression import LogitRegression
from training.vision.units import SHARE, STEP_CROPS, UNITS, WINDOWS, Units, as_input, new_student

HINT_UNIT = 12
MANY_STEPS = 10**9


@dataclass(frozen=True)
class VisionTraining:
    data: Path
    run: Path
    stage: Literal["blocks", "end_to_end"] = "blocks"
    minutes: float = 30.0
    steps: int | None = None  # instead of minutes
    lr: float = 0.05
    warmup: float = 0.02  # share of the stage
    tiny_share: float = 0.15
    seed: int = 0
    limit: int | None = None
    threads: int = 1
    frozen_units: int = 0  # of the chain's beginning, in end_to_end
    device: str = "cpu"


def rate(config: VisionTraining, progress: float) -> float:
    """The learning rate: a short rise, then half a cosine."""
    p = min(1.0, progress)
    return config.lr * min(1.0, (p + 1e-3) / config.warmup) * 0.5 * (1 + float(np.cos(np.pi * p)))


def rescale(net: nn.Module, unit: bool) -> None:
    """Set the size of convolutions (each followed by a normalisation, so of free scale): makes rates comparable.

    Root mean square 1 (unit: the rate is then a relative change, for refining) or 1 / sqrt(fan-in) (for a fresh start).
    """
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d):
                size = 1.0 if unit else module.weight[0].numel() ** -0.5
                module.weight.mul_(size / module.weight.square().mean().sqrt())


def relative_error(predicted: Tensor, target: Tensor, variance: Tensor) -> Tensor:
    """(B, C, H, W) squared error over half the channel's (C,), half the map's variance: quiet channels count too."""
    weight = 1.0 / (0.5 * variance + 0.5 * variance.mean() + 1e-6)
    return ((predicted - target).square().mean((0, 2, 3)) * weight).mean()


def blocks_step(units: Units, optimizers: list[torch.optim.Optimizer], batch: UnitBatch, device: str) -> list[float]:
    """One batch through every unit alone; returns each unit's last relative error."""
    errors = []
    for index in range(UNITS):
        window = WINDOWS[index]
        entering, leaving = (torch.from_numpy(a).to(device) for a in batch.pairs[index])
        variance = leaving.float().var((0, 2, 3))
        for start in range(0, SHARE[index], STEP_CROPS[index]):
            x = entering[start : start + STEP_CROPS[index]].float().to(memory_format=torch.channels_last)
            y = leaving[start : start + STEP_CROPS[index]].float()
            with torch.autocast(device, torch.bfloat16):
                found = units.units[index](x).float()
            if window is not None:
                rim = slice(window.rim, -window.rim)
                found, y = found[:, :, rim, rim], y[:, :, rim, rim]
            loss = relative_error(found, y, variance)
            optimizers[index].zero_grad(set_to_none=True)
            loss.backward()
            optimizers[index].step()
        errors.append(loss.item())
    return errors


class Chain(nn.Module):
    """The student as one network that also returns the map after unit 12; its first `frozen` units are not trained.

    Frozen units run without gradients and by their stored statistics. The first four hold two thirds of a step's time.
    """

    def __init__(self, units: Units, frozen: int = 0) -> None:
        super().__init__()
        self.units, self.frozen = units, frozen
        for unit in units.units[:frozen]:
            unit.eval().requires_grad_(False)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """crops (B, 3, 224, 224) in [-1, 1] -> inner map (B, 96, 14, 14), last map (B, 1280, 7, 7)."""
        x, hint = crops, crops
        for index, unit in enumerate(self.units.units):
            with torch.set_grad_enabled(torch.is_grad_enabled() and index >= self.frozen):
                x = unit(x)
            if index == HINT_UNIT:
                hint = x
        return hint, x


def end_to_end_step(
    chain: Chain, optimizer: torch.optim.Optimizer, batch: MapBatch, classes: tuple[Tensor, Tensor], device: str
) -> list[float]:
    """One batch through the whole chain; classes: weight (1000, 1280) and bias of the teacher's logits.

    Returns map error, inner map error, cosine of the means, divergence of the class posteriors.
    """
    hints, maps = torch.from_numpy(batch.hints).to(device).float(), torch.from_numpy(batch.maps).to(device).float()
    with torch.autocast(device, torch.bfloat16):
        inner, last = chain(as_input(batch.crops, device))
    inner, last = inner.float(), last.float()
    map_error = relative_error(last, maps, maps.var((0, 2, 3)))
    hint_error = relative_error(inner, hints, hints.var((0, 2, 3)))
    mean = last.mean((2, 3))  # (B, 1280)
    cosine = nn.functional.cosine_similarity(mean, maps.mean((2, 3)), dim=1).mean()
    target = torch.from_numpy(batch.logits[:, 1:]).to(device).float().log_softmax(1)  # (B, 1000)
    found = nn.functional.linear(mean, classes[0], classes[1]).log_softmax(1)
    divergence = nn.functional.kl_div(found, target, log_target=True, reduction="batchmean")
    loss = map_error + 0.2 * hint_error + 2.0 * (1 - cosine) + 0.2 * divergence
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(chain.parameters(), 5.0)
    optimizer.step()
    return [map_error.item(), hint_error.item(), cosine.item(), divergence.item()]


def save(config: VisionTraining, net: nn.Module, regression: LogitRegression, clock: TimeBudget) -> None:
    """Weights, regression sums and the loop's state; written aside and moved, so a kill never leaves half a file."""
    config.run.mkdir(parents=True, exist_ok=True)
    tensors = {f"net.{k}": v.contiguous().cpu() for k, v in net.state_dict().items()} | regression.tensors
    path = config.run / f"{config.stage}.safetensors"
    save_file(tensors, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
    state = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(config).items()}
    state |= {"steps_done": clock.step, "elapsed_s": clock.spent_s}
    (config.run / f"{config.stage}.json").write_text(json.dumps(state, indent=1))


def restore(config: VisionTraining, net: nn.Module) -> tuple[LogitRegression, float, int]:
    """Load this stage's state, or the stage's before it; returns (regression, elapsed_s, steps)."""
    own, before = config.run / f"{config.stage}.safetensors", config.run / "blocks.safetensors"
    path = own if own.exists() else before
    if not path.exists():
        if config.stage != "blocks":
            raise SystemExit(f"{before} is missing: run the stage 'blocks' with the same --run first.")
        return LogitRegression(), 0.0, 0
    tensors = load_file(path)
    net.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
    if path != own:
        return LogitRegression(tensors), 0.0, 0
    state = json.loads(own.with_suffix(".json").read_text())
    return LogitRegression(tensors), float(state["elapsed_s"]), int(state["steps_done"])


def main(config: VisionTraining) -> None:
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    net = new_student().to(config.device, memory_format=torch.channels_last)
    units = Units(net)
    regression, elapsed_s, steps = restore(config, net)
    clock = TimeBudget(config.minutes, config.steps or MANY_STEPS, elapsed_s, steps)
    if steps == 0:
        rescale(units, unit=config.stage != "blocks")
    net.train()
    if config.stage == "blocks":
        units.without_sums()
        optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(u.parameters(), lr=config.lr) for u in units.units]
    else:
        chain = Chain(units, config.frozen_units)
        optimizers = [torch.optim.Adam([p for p in units.parameters() if p.requires_grad], lr=config.lr)]
        classes = tuple(t.to(config.device) for t in regression.solve())
    log = config.run / f"{config.stage}.jsonl"
    config.run.mkdir(parents=True, exist_ok=True)
    source = Source(config.data, config.seed + steps, config.tiny_share, config.stage, config.limit)
    averages: np.ndarray | None = None
    for batch in batches(source):
        if clock.progress >= 1.0:
            break
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate(config, clock.progress)
        if isinstance(batch, UnitBatch):
            values = blocks_step(units, optimizers, batch, config.device)
        else:
            values = end_to_end_step(chain, optimizers[0], batch, classes, config.device)
        regression.add(batch.means, batch.logits)
        clock.step += 1
        now = np.asarray(values)
        averages = now if averages is None else 0.95 * averages + 0.05 * now
        if clock.step % 25 == 0:
            line = {"step": clock.step, "progress": round(clock.progress, 4),
                    "lr": round(rate(config, clock.progress), 5), "errors": averages.round(4).tolist()}  # fmt: skip
            print(json.dumps(line), flush=True)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
        if clock.step % 100 == 0:
            save(config, net, regression, clock)
    save(config, net, regression, clock)


if __name__ == "__main__":
    run(main, VisionTraining, __doc__)
