"""Shape by name -> modes of vibration; a batch may mix shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import torch
from torch import Tensor

from synesthesia.impact.modal.beams import bar
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.modal.plates import hollow, plate
from synesthesia.impact.modal.shells import bottle, bowl, tube
from synesthesia.impact.modal.solids import solid
from synesthesia.impact.modal.things import ShapeName
from synesthesia.impact.modal.vibration import Body, Vibration, subsample_modes

MODES: dict[ShapeName, Callable[[Body, Properties, Tensor], Vibration]] = {
    "solid": solid, "hollow": hollow, "plate": plate, "bar": bar, "bowl": bowl, "bottle": bottle, "tube": tube,
}  # fmt: skip


def vibration(
    shapes: Sequence[ShapeName], body: Body, properties: Properties, place: Tensor, count: int, highest_hz: float
) -> Vibration:
    """(B,) shapes, extents and materials, (B, 2) places along and across (see Place) -> `count` modes of each body
    below highest_hz, by rising frequency; see `thinned` for which ones."""
    groups, order = [], []
    for name in sorted(set(shapes)):
        at = [row for row, shape in enumerate(shapes) if shape == name]
        modes = MODES[name](body.rows(at), properties.rows(at), place[at])
        groups.append(subsample_modes(modes, count, highest_hz))
        order.extend(at)
    back = torch.tensor(order).argsort()
    joined = {
        field.name: torch.cat([getattr(group, field.name) for group in groups])[back] for field in fields(Vibration)
    }
    return Vibration(**joined)
