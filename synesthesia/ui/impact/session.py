"""What the tab "Tap" remembers for one person: kept in that person's gr.State and nowhere else."""

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
class Seen:
    """What was seen of a photograph: the one thing of a session that changes in place, because a blow may come while it
    is still being looked at. called: the material after which each code of the codebook is called, empty until then."""

    grid: PatchGrid | None = None
    called: tuple[str, ...] = ()


@dataclass(frozen=True)
class TapSession:
    """photo: the upright RGB photograph; seed: of the next strike; cell: the patch that was struck last, at natural
    pixel `point`; clip: what that sounded like, None where there was nothing to strike; other: the same blow on
    something else."""

    photo: Image.Image | None = None
    seen: Seen = field(default_factory=Seen, compare=False)
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
        """The material after which the code of a struck place is called; empty as long as none is known."""
        code = heard.blow.state.code if heard.blow else -1
        return self.seen.called[code] if 0 <= code < len(self.seen.called) else ""

    def at(self, cell: tuple[int, int], point: tuple[float, float], seeds: int) -> TapSession:
        """After `seeds` seeds have been used up to strike there. What if stays where the same place is struck again."""
        other = self.other if cell == self.cell else None
        return replace(self, cell=cell, point=point, seed=self.seed + seeds, clip=None, other=other)
