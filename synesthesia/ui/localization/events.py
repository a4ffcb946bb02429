"""Handlers of the tab "Locate": read or render a clip, ask the studio where it comes from, show the answer.

No state is kept. The direction comes before the language model's sentence and the slower maps. For a clip that can't be
located one sentence is shown, and the last answer disappears because it belongs to another clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.ui.audio_qa.events import AskEvents
from synesthesia.ui.localization import cards, words
from synesthesia.ui.localization.api import as_json_text
from synesthesia.ui.localization.figures import dial_figure, maps_figure
from synesthesia.ui.shared.cards import verdict
from synesthesia.ui.shared.files import served, served_wav
from synesthesia.ui.shared.handlers import Update
from synesthesia.ui.shared.sound_figure import as_picture
from synesthesia.ui.shared.words import NO_CLIP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synesthesia.studio import Studio
    from synesthesia.ui.localization.tab import LocateTab


class LocateEvents:
    def __init__(self, studio: Studio, tab: LocateTab) -> None:
        self.studio = studio
        self.tab = tab
        self.asking = AskEvents(studio, tab.answer.ask) if tab.answer.ask else None

    def clip(self, path: str | None) -> Iterator[Update]:
        """A clip that a person uploaded or recorded."""
        try:
            if not path:
                raise UserError(NO_CLIP)
            yield {self.tab.verdict: verdict(words.LOCATING, kind="busy")}
            waveform, rate_hz = read_audio(path)
            yield from self.answer(path, waveform, rate_hz, truth_deg=None)
        except Exception:
            yield {self.tab.clip: None} | self.no_answer()  # ready for the next one
            raise

    def render(self, settings: dict[str, Any]) -> Iterator[Update]:
        """A clip whose direction is known: it replaces the last one and is located at once."""
        yield {self.tab.verdict: verdict(words.RENDERING, kind="busy")}
        waveform, rate_hz = self.studio.binaural(**settings)
        azimuth_deg = settings["azimuth_deg"]
        name = f"synesthesia-{settings['sound']}-{round(azimuth_deg)}deg-{settings['room']}-seed{settings['seed']}"
        path = served_wav(waveform, rate_hz, name)
        yield {self.tab.clip: path}
        yield from self.answer(path, waveform, rate_hz, truth_deg=azimuth_deg)

    def answer(
        self, path: str, waveform: NDArray[np.float32], rate_hz: int, truth_deg: float | None
    ) -> Iterator[Update]:
        """The direction first, then the model's own sentence, then the maps; for a silent clip only that it is silent.
        path: the clip's file, which is also the download."""
        found, panel = self.studio.locate(waveform, rate_hz), self.tab.answer
        sounds = found.kind != "silent"
        yield {
            self.tab.verdict: verdict(*words.located(found, truth_deg)),
            self.tab.guide: gr.HTML(visible=False),
            panel.column: gr.Column(visible=True),
            panel.row: gr.Row(visible=sounds),
            panel.reasons: gr.Column(visible=sounds),
            panel.dial: as_picture(dial_figure(found, truth_deg), found.sentence) if sounds else "",
            panel.numbers: cards.numbers(found, truth_deg) if sounds else "",
            panel.clip_file: path,
            panel.numbers_file: served(as_json_text(found).encode(), "synesthesia-direction.json"),
        } | (self.asking.opened(path, found.kind) if self.asking else {})
        if not sounds:
            return
        if self.asking:
            yield from self.asking.first(path, waveform, rate_hz)
        yield {panel.maps: as_picture(maps_figure(found, waveform, rate_hz), words.MAPS_ABOUT)}

    def cleared(self) -> Update:
        """The clip was removed: the page as at the start."""
        return {
            self.tab.verdict: verdict(*words.START),
            self.tab.guide: gr.HTML(visible=True),
        } | self.no_answer()

    def no_answer(self) -> Update:
        """What belonged to a clip that has gone."""
        closed = self.asking.closed() if self.asking else {}
        return {self.tab.answer.column: gr.Column(visible=False)} | closed
