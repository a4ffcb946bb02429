"""Object descriptions for modal synthesis: material, shape, extents, strike point.

Free of torch, because the Blender renderer imports it.
"""

from __future__ import annotations

from dataclasses import dataclass

from synesthesia.core.vocabulary import MaterialName, ShapeName

MIN_SIZE_M, MAX_SIZE_M = 0.03, 2.0
THIN_WALLED: tuple[ShapeName, ...] = ("hollow", "bowl", "bottle", "tube")


@dataclass(frozen=True)
class PhysicalObject:
    """One object. size_m: its longest extent; middle, least: the other two extents as shares of the longest, in (0, 1],
    least <= middle; thickness_m: of the wall of a thin-walled shape, else the smallest extent itself."""

    material: MaterialName
    shape: ShapeName
    size_m: float
    middle: float
    least: float
    thickness_m: float

    @property
    def hollowness(self) -> float:
        """0 solid to 1 a thin wall: 1 - thickness / (half the smallest extent); 0 for other than thin-walled shapes."""
        if self.shape not in THIN_WALLED:
            return 0.0
        return max(0.0, 1.0 - self.thickness_m / (0.5 * self.least * self.size_m))


@dataclass(frozen=True)
class StrikePoint:
    """Where an object is struck: along its longest and its middle axis, each 0 (one end) to 1 (the other), 0.5 the
    centre. Along a standing bowl, bottle or tube 0 is the foot and 1 the rim."""

    along: float = 0.5
    across: float = 0.5
