"""Things to strike, one of each shape, and their tensors in double precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.shapes import MODES
from synesthesia.impact.modal.things import MaterialName, PhysicalObject, ShapeName
from synesthesia.impact.modal.vibration import Body, Vibration

THINGS: dict[ShapeName, PhysicalObject] = {
    "solid": PhysicalObject("rubber", "solid", 0.2, 0.8, 0.55, 0.11),
    "hollow": PhysicalObject("cardboard", "hollow", 0.3, 0.8, 0.6, 0.004),
    "plate": PhysicalObject("glass", "plate", 0.3, 0.7, 0.01, 0.003),
    "bar": PhysicalObject("wood", "bar", 0.3, 0.1, 0.05, 0.015),
    "bowl": PhysicalObject("ceramic", "bowl", 0.16, 0.95, 0.45, 0.004),
    "bottle": PhysicalObject("glass", "bottle", 0.3, 0.27, 0.26, 0.003),
    "tube": PhysicalObject("metal", "tube", 0.4, 0.1, 0.1, 0.002),
}
PLACE = torch.tensor([[0.31, 0.42]], dtype=torch.float64)


def of_material(thing: PhysicalObject, material: MaterialName) -> PhysicalObject:
    return replace(thing, material=material)


def scaled(thing: PhysicalObject, factor: float) -> PhysicalObject:
    return replace(thing, size_m=factor * thing.size_m, thickness_m=factor * thing.thickness_m)


def modes(thing: PhysicalObject, place: Tensor = PLACE) -> Vibration:
    """All candidates, before any are chosen."""
    return MODES[thing.shape](Body.of([thing], torch.float64), Properties.of([thing.material], torch.float64), place)


def lowest_hz(thing: PhysicalObject, count: int = 8, place: Tensor = PLACE) -> Tensor:
    return modes(thing, place).frequencies_hz[0].sort().values[:count]


def core_seconds(work: Callable[[], object], times: int = 3) -> float:
    """The least time that one core needs for it, whatever else the machine is doing."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        spent = []
        for _ in range(times):
            began = time.process_time()
            work()
            spent.append(time.process_time() - began)
        return min(spent)
    finally:
        torch.set_num_threads(threads)
