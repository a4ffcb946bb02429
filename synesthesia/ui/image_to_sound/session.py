"""What the page remembers for one person: kept in that person's gr.State and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from synesthesia.core.errors import UserError
from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.ui.shared.overlays import Map


@dataclass
class Halt:
    """The one thing of a session that changes in place: a running sweep reads it, Stop and a new photograph set it."""

    asked: bool = False


@dataclass(frozen=True)
class Session:
    """photo: the upright RGB photograph; view: the copy the browser shows, at most 1280 px long;
    cell: the chosen (row, column); overlay: one of `words.OVERLAYS`; looks: (rows, cols), where the tokens of the sound
    of that cell looked, None before there are any."""

    photo: Image.Image | None = None
    view: Image.Image | None = None
    cell: tuple[int, int] | None = None
    overlay: str = words.OVERLAYS[0]
    looks: Map | None = field(default=None, compare=False)

    def pictures(self) -> tuple[Image.Image, Image.Image]:
        """(photo, view). UserError when nothing has been chosen yet."""
        if self.photo is None or self.view is None:
            raise UserError(words.NO_PHOTO)
        return self.photo, self.view

    def natural(self, x_view: float, y_view: float) -> tuple[float, float]:
        """Natural pixel of the photograph under pixel (x_view, y_view) of the view."""
        photo, view = self.pictures()
        return (
            min((x_view + 0.5) * photo.width / view.width, photo.width - 0.5),
            min((y_view + 0.5) * photo.height / view.height, photo.height - 0.5),
        )

    def at(self, cell: tuple[int, int] | None) -> Session:
        """Where the tokens of another place looked is forgotten."""
        return replace(self, cell=cell, looks=self.looks if cell == self.cell else None)

    def having_heard(self, heard: Heard) -> Session:
        looks = heard.tokens.looks if heard.tokens else None
        return self if looks is None else replace(self, cell=(heard.row, heard.col), looks=looks)
