"""Two processes train as one: the mean of their gradients, and one clock."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

from training.common import distributed
from training.common.run_state import TimeBudget

ROOT = Path(__file__).resolve().parents[2]

TWO = """
import torch
from torch import nn
from training import together
from training.common.run_state import Clock
number = together.rank()
layer = nn.Linear(2, 1, bias=False)
layer.weight.grad = torch.full((1, 2), float(number + 1))
together.average_gradients(layer)
taken = [step for step, _ in together.steps(Clock(9.0, 3 if number == 0 else 99))]
print("rank", number, layer.weight.grad.tolist(), taken, flush=True)
"""


def test_alone_nothing_changes() -> None:
    layer = nn.Linear(2, 1)
    layer.weight.grad = torch.ones(1, 2)
    distributed.average_gradients(layer)
    assert distributed.rank() == 0 and torch.equal(layer.weight.grad, torch.ones(1, 2))
    assert [step for step, _ in distributed.steps(TimeBudget(9.0, 3))] == [0, 1, 2]


def test_two_processes_share_gradients_and_the_clock() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", TWO], stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env=os.environ | {"WORLD_SIZE": "2", "RANK": str(number), "MASTER_ADDR": "127.0.0.1",
                              "MASTER_PORT": port, "OMP_NUM_THREADS": "1"},
        )
        for number in (0, 1)
    ]  # fmt: skip
    said = "".join(process.communicate(timeout=120)[0] for process in started)
    for number in (0, 1):
        assert f"rank {number} [[1.5, 1.5]] [0, 1, 2]" in said, said
