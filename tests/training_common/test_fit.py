"""The training loop: it learns, averages, logs, checks, resumes to bit-equal weights, and several processes train as
one."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
from itertools import pairwise
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from training.common.fit import FitResult, Learner, Step, TrainConfig, TrainedParameters, all_parameters, fit, start
from training.common.run_state import TimeBudget, cosine_rate


class Halves(nn.Module):
    """y = a x + b, with a layer that is not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.learning, self.frozen = nn.Linear(3, 1), nn.Linear(3, 3).requires_grad_(False)
        nn.init.orthogonal_(self.frozen.weight)
        self.drop = nn.Dropout(0.02)

    def forward(self, x: Tensor) -> Tensor:
        return self.learning(self.drop(self.frozen(x)))


def train(config: TrainConfig, checks: list[bool] | None = None, part: bool = False) -> tuple[Halves, FitResult]:
    accelerator, rng = start(0)
    model = Halves()
    truth = torch.tensor([[1.0], [-2.0], [0.5]])

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor | float]]:
        x = torch.from_numpy(rng.standard_normal((8, 3)).astype(np.float32))
        loss = (model(x) - x @ truth).square().mean()
        return loss, {"loss": loss, "step_number": step.number}

    def check() -> dict[str, float]:
        assert not torch.is_grad_enabled()
        (checks if checks is not None else []).append(model.training)
        return {"checked": 1.0}

    learner = Learner(model, all_parameters(model, 1e-1), clip_norm=5.0)
    kept = TrainedParameters(model) if part else None
    result = fit(
        config, learner, step_loss, kept=kept, on_check=check, generators={"rng": rng}, accelerator=accelerator
    )
    return model, result


def test_a_run_learns_logs_and_checks(tmp_path: Path) -> None:
    checks: list[bool] = []
    model, result = train(TrainConfig(tmp_path, steps=300, ema=0.9, log_every=100, save_every=100), checks)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < 0.6 * losses[1] and result.values["loss"] == pytest.approx(losses[-1], abs=1e-4)
    assert [line["step"] for line in lines if "checked" in line] == [99, 199, 299]
    assert checks == [False] * 3, "checked in eval mode"
    assert result == FitResult(300, True, True, result.values) and not model.training


@pytest.mark.parametrize("part", [False, True])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path: Path, part: bool) -> None:
    whole, _ = train(TrainConfig(tmp_path / "whole", steps=12, ema=0.9, save_every=4), part=part)
    first = TrainConfig(tmp_path / "parts", steps=12, ema=0.9, save_every=4, stop_at=5)
    stopped, result = train(first, part=part)
    assert not result.done and result.step == 5
    assert not torch.equal(stopped.learning.weight, whole.learning.weight)
    again, result = train(TrainConfig(tmp_path / "parts", steps=12, ema=0.9, save_every=4), part=part)
    assert result.done and result.step == 12
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    done, result = train(TrainConfig(tmp_path / "parts", steps=12, ema=0.9), part=part)
    assert result.values == {} and torch.equal(done.learning.weight, whole.learning.weight), "nothing left to do"


def test_checks_see_the_average_and_leave_the_run_as_it_is(tmp_path: Path) -> None:
    often, _ = train(TrainConfig(tmp_path / "often", steps=9, ema=0.9, save_every=1))
    never, _ = train(TrainConfig(tmp_path / "never", steps=9, ema=0.9, save_every=100))
    plain, _ = train(TrainConfig(steps=9))
    assert torch.equal(often.learning.weight, never.learning.weight)
    assert not torch.equal(plain.learning.weight, never.learning.weight), "without an average: the last weights"


def test_the_rate_rises_and_falls() -> None:
    rates = [cosine_rate(progress, 2.0) for progress in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(2.0, rel=1e-2) and rates[0] == pytest.approx(0.04)
    assert rates[-1] == pytest.approx(0.04) and all(a > b for a, b in pairwise(rates[3:]))


def test_a_budget_ends_by_steps_or_minutes() -> None:
    assert TimeBudget(9.0, 3, step=2).progress == pytest.approx(2 / 3)
    assert TimeBudget(1.0, 100, spent_s=90.0).progress == 1.0
    _, result = train(TrainConfig(steps=10**6, session_minutes=0.0))
    assert not result.done and result.step <= 1


def train_one_of_two(number: int, port: str, results: Queue[tuple[object, ...]]) -> None:
    """One process: gradients of (number + 1), a budget of 3 steps in the first process and 99 in the second."""
    os.environ |= {"WORLD_SIZE": "2", "RANK": str(number), "LOCAL_RANK": str(number), "MASTER_ADDR": "127.0.0.1",
                   "MASTER_PORT": port}  # fmt: skip
    torch.set_num_threads(1)
    AcceleratorState._reset_state(reset_partial_state=True)
    accelerator, rng = start(0)
    layer, steps = nn.Linear(2, 1, bias=False), list[int]()
    layer.weight.data += number

    def step_loss(step: Step) -> tuple[Tensor, dict[str, float]]:
        steps.append(step.number)
        return layer(torch.ones(1, 2)).sum() * (number + 1), {}

    learner = Learner(layer, all_parameters(layer, 1e-2, 0.0), clip_norm=1e9)
    fit(TrainConfig(steps=3 if number == 0 else 99), learner, step_loss, accelerator=accelerator)
    assert layer.weight.grad is not None
    results.put((number, layer.weight.grad.tolist(), steps, layer.weight.tolist(), rng.random()))
    torch.distributed.destroy_process_group()


def test_two_processes_share_gradients_and_the_budget() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    context = multiprocessing.get_context("fork")
    results: Queue[tuple[object, ...]] = context.Queue()
    processes = [context.Process(target=train_one_of_two, args=(number, port, results)) for number in (0, 1)]
    for process in processes:
        process.start()
    first, second = sorted(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert first[1:3] == second[1:3] == ([[1.5, 1.5]], [0, 1, 2])
    assert first[3] == second[3], "one model"
    assert first[4] != second[4], "each draws its own data"
