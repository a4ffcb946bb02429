"""State of one person's tab "Tap", kept in that person's gr.State and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from synesthesia.core.errors import UserError
from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.impact.strike_path import Clip
    from synesthesia.vision.grid import PatchGrid


@dataclass
class PhotoAnalysis:
    """The one mutable part of a session, because a strike may come while the photograph is still being analysed.
    code_names: material after which each code of the codebook is named, empty until then."""

    grid: PatchGrid | None = None
    code_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class TapSession:
    """photo: the upright RGB photograph; seed: of the next strike; cell: the patch struck last, at natural pixel
    `point`; clip: its sound, None where there was nothing to strike; other: the same strike on something else."""

    photo: Image.Image | None = None
    analysis: PhotoAnalysis = field(default_factory=PhotoAnalysis, compare=False)
    seed: int = 0
    cell: tuple[int, int] | None = None
    point: tuple[float, float] = (0.0, 0.0)
    clip: Clip | None = field(default=None, compare=False)
    other: Heard | None = field(default=None, compare=False)

    def picture(self) -> Image.Image:
        """UserError when nothing has been chosen yet."""
        if self.photo is None:
            raise UserError(words.NO_PHOTO)
        return self.photo

    def code_name(self, heard: Heard) -> str:
        """The name of a struck place's code; empty while none is known."""
        code = heard.blow.state.code if heard.blow else -1
        return self.analysis.code_names[code] if 0 <= code < len(self.analysis.code_names) else ""

    def at(self, cell: tuple[int, int], point: tuple[float, float], seeds: int) -> TapSession:
        """After a strike there that used `seeds` seeds. `other` stays where the same place is struck again."""
        other = self.other if cell == self.cell else None
        return replace(self, cell=cell, point=point, seed=self.seed + seeds, clip=None, other=other)
