"""The words in which a struck thing is described: what truth the renders hold, what the adapter predicts, what the
modal bank needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

MaterialName = Literal[
    "wood", "metal", "glass", "ceramic", "stone", "concrete", "plastic", "rubber", "cardboard", "paper", "fabric",
    "leather", "liquid",
]  # fmt: skip
MATERIALS: tuple[MaterialName, ...] = get_args(MaterialName)

ShapeName = Literal["solid", "hollow", "plate", "bar", "bowl", "bottle", "tube"]
SHAPES: tuple[ShapeName, ...] = get_args(ShapeName)

MIN_SIZE_M, MAX_SIZE_M = 0.03, 2.0


WALLED: tuple[ShapeName, ...] = ("hollow", "bowl", "bottle", "tube")


@dataclass(frozen=True)
class PhysicalObject:
    """One object. size_m: its longest extent; middle, least: the other two extents as shares of the longest, in (0, 1],
    least <= middle; thickness_m: of the wall (hollow, bowl, bottle, tube), else the smallest extent itself."""

    material: MaterialName
    shape: ShapeName
    size_m: float
    middle: float
    least: float
    thickness_m: float

    @property
    def hollowness(self) -> float:
        """0 for a full body to 1 for a thin wall: 1 - thickness / (half the smallest extent), of walled shapes."""
        if self.shape not in WALLED:
            return 0.0
        return max(0.0, 1.0 - self.thickness_m / (0.5 * self.least * self.size_m))


@dataclass(frozen=True)
class StrikePoint:
    """Where on a thing: along its longest and its middle axis, each 0 (one end) to 1 (the other), 0.5 the centre; along
    a bowl, bottle or tube that stands 0 is the foot and 1 the rim."""

    along: float = 0.5
    across: float = 0.5
