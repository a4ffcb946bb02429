"""What the tab "Locate" does: read the clip, or make one, ask the studio where it comes from, show the answer.

As in `hear_events`: nothing is kept, the direction comes before the language model's sentence and the slower maps, and
a clip that can't be located becomes one sentence while the last answer, which belongs to another clip, goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.ui.audio_qa.events import AskEvents
from synesthesia.ui.localization import cards as locate_cards
from synesthesia.ui.localization import figures as locate_figures
from synesthesia.ui.localization.api import as_json_text
from synesthesia.ui.shared import words
from synesthesia.ui.shared.files import served, served_wav
from synesthesia.ui.shared.sound_figure import as_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.events import Update
    from synesthesia.ui.localization.tab import LocateTab


@dataclass(frozen=True)
class Wish:
    """A test clip as the panel asks for it, in the order of `locate_tab.PlacePanel`."""

    sound: str
    azimuth_deg: float
    elevation_deg: float
    room: str
    snr_db: float
    seed: int


class LocateEvents:
    """Handlers over one studio; they hold no state of their own."""

    def __init__(self, studio: Studio, tab: LocateTab) -> None:
        self.studio = studio
        self.tab = tab
        self.asking = AskEvents(studio, tab.answer.ask) if tab.answer.ask else None

    def clip(self, path: str | None) -> Iterator[Update]:
        """A clip that a person uploaded or recorded."""
        try:
            if not path:
                raise UserError(words.NO_CLIP)
            yield {self.tab.verdict: words.verdict(words.LOCATING, kind="busy")}
            waveform, rate_hz = read_audio(path)
            yield from self.answer(path, waveform, rate_hz, truth_deg=None)
        except Exception:
            yield {self.tab.clip: None} | self.no_answer()  # ready for the next one
            raise

    def make(self, wish: Wish) -> Iterator[Update]:
        """A clip whose direction is known: it takes the place of the last one and is located at once."""
        yield {self.tab.verdict: words.verdict(words.PLACING, kind="busy")}
        waveform, rate_hz = self.studio.binaural(
            wish.sound, wish.azimuth_deg, elevation_deg=wish.elevation_deg, room=wish.room, snr_db=wish.snr_db,
            seed=wish.seed,
        )  # fmt: skip
        name = f"synesthesia-{wish.sound}-{round(wish.azimuth_deg)}deg-{wish.room}-seed{wish.seed}"
        path = served_wav(waveform, rate_hz, name)
        yield {self.tab.clip: path}
        yield from self.answer(path, waveform, rate_hz, truth_deg=wish.azimuth_deg)

    def answer(
        self, path: str, waveform: NDArray[np.float32], rate_hz: int, truth_deg: float | None
    ) -> Iterator[Update]:
        """The direction first, then the model's own sentence, then the maps; of a silent clip only that it is silent.
        path: the clip's file, which the download hands back as it is."""
        found, shown = self.studio.locate(waveform, rate_hz), self.tab.answer
        sounds = found.kind != "silent"
        yield {
            self.tab.verdict: words.verdict(*words.located(found, truth_deg)),
            self.tab.guide: gr.HTML(visible=False),
            shown.column: gr.Column(visible=True),
            shown.look: gr.Row(visible=sounds),
            shown.reasons: gr.Column(visible=sounds),
            shown.dial: as_picture(locate_figures.dial_figure(found, truth_deg), found.sentence) if sounds else "",
            shown.bearings: locate_cards.bearings(found, truth_deg) if sounds else "",
            shown.clip: path,
            shown.numbers: served(as_json_text(found).encode(), "synesthesia-direction.json"),
        } | (self.asking.opened(path, found.kind) if self.asking else {})
        if not sounds:
            return
        if self.asking:
            yield from self.asking.first(path, waveform, rate_hz)
        yield {shown.maps: as_picture(locate_figures.maps_figure(found, waveform, rate_hz), words.MAPS_ABOUT)}

    def forget(self) -> Update:
        """The clip was taken away: the page as at the start."""
        return {
            self.tab.verdict: words.verdict(*words.LOCATE_START),
            self.tab.guide: gr.HTML(visible=True),
        } | self.no_answer()

    def no_answer(self) -> Update:
        """What belonged to a clip that has gone."""
        closed = self.asking.closed() if self.asking else {}
        return {self.tab.answer.column: gr.Column(visible=False)} | closed
