"""One object of each shape, and their modes in double precision."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from synesthesia.core.vocabulary import MaterialName, ShapeName
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.objects import PhysicalObject
from synesthesia.impact.modal.strike import SHAPE_MODES
from synesthesia.impact.modal.vibration import Body, Vibration

OBJECTS: dict[ShapeName, PhysicalObject] = {
    "solid": PhysicalObject("rubber", "solid", 0.2, 0.8, 0.55, 0.11),
    "hollow": PhysicalObject("cardboard", "hollow", 0.3, 0.8, 0.6, 0.004),
    "plate": PhysicalObject("glass", "plate", 0.3, 0.7, 0.01, 0.003),
    "bar": PhysicalObject("wood", "bar", 0.3, 0.1, 0.05, 0.015),
    "bowl": PhysicalObject("ceramic", "bowl", 0.16, 0.95, 0.45, 0.004),
    "bottle": PhysicalObject("glass", "bottle", 0.3, 0.27, 0.26, 0.003),
    "tube": PhysicalObject("metal", "tube", 0.4, 0.1, 0.1, 0.002),
}
POINT = torch.tensor([[0.31, 0.42]], dtype=torch.float64)


def of_material(item: PhysicalObject, material: MaterialName) -> PhysicalObject:
    return replace(item, material=material)


def scaled(item: PhysicalObject, factor: float) -> PhysicalObject:
    return replace(item, size_m=factor * item.size_m, thickness_m=factor * item.thickness_m)


def modes(item: PhysicalObject, point: Tensor = POINT) -> Vibration:
    """All modes, before they are subsampled."""
    return SHAPE_MODES[item.shape](Body.of([item], torch.float64), Properties.of([item.material], torch.float64), point)


def lowest_hz(item: PhysicalObject, count: int = 8, point: Tensor = POINT) -> Tensor:
    return modes(item, point).frequencies_hz[0].sort().values[:count]


def core_seconds(work: Callable[[], object], times: int = 3) -> float:
    """The least CPU time of several runs on one core, independent of the machine's load."""
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
