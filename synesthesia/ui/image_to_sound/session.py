"""State of one person's tab "Hear", kept in that person's gr.State and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from synesthesia.core.errors import UserError
from synesthesia.ui.image_to_sound.words import OVERLAYS
from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.shared.overlays import Map


@dataclass
class StopFlag:
    """The one mutable part of a session: a running sweep reads it; Stop, a click and a new photograph set it."""

    requested: bool = False


@dataclass(frozen=True)
class HearSession:
    """photo: the upright RGB photograph; view: the copy the browser shows; cell: the chosen (row, column); overlay: one
    of `words.OVERLAYS`; attention: (rows, cols) of the tokens of that cell's sound, None before there are any."""

    photo: Image.Image | None = None
    view: Image.Image | None = None
    cell: tuple[int, int] | None = None
    overlay: str = OVERLAYS[0]
    attention: Map | None = field(default=None, compare=False)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """(photo, view). UserError when nothing has been chosen yet."""
        if self.photo is None or self.view is None:
            raise UserError(words.NO_PHOTO)
        return self.photo, self.view

    def natural(self, x_view: float, y_view: float) -> tuple[float, float]:
        """Natural pixel of the photograph at pixel (x_view, y_view) of the view."""
        photo, view = self.pictures()
        return (
            min((x_view + 0.5) * photo.width / view.width, photo.width - 0.5),
            min((y_view + 0.5) * photo.height / view.height, photo.height - 0.5),
        )

    def at(self, cell: tuple[int, int] | None) -> HearSession:
        """With this cell chosen; the attention of another cell's sound is dropped."""
        return replace(self, cell=cell, attention=self.attention if cell == self.cell else None)

    def with_sound(self, heard: Heard) -> HearSession:
        attention = heard.tokens.cross_attention if heard.tokens else None
        return self if attention is None else replace(self, cell=(heard.row, heard.col), attention=attention)
