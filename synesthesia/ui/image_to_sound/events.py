"""Handlers of the tab "Hear": check the input, ask the studio, return figures and files.

Handlers are generators where something should appear at once (the outline before the sound).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.core.errors import UserError
from synesthesia.core.recipe import to_json
from synesthesia.core.results import Heard, Progress
from synesthesia.ui.image_to_sound import cards, words
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.shared import overlays
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.cards import verdict
from synesthesia.ui.shared.files import file_name, served, served_wav
from synesthesia.ui.shared.handlers import Update
from synesthesia.ui.shared.sound_figure import sound_figure
from synesthesia.ui.vlm_to_sound import attention_overlay
from synesthesia.ui.vlm_to_sound import cards as token_cards

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.controls import ControlValues
    from synesthesia.ui.image_to_sound.tab import HearTab, Take

ATTENTION = 5  # index into `words.OVERLAYS`
PROGRESS_S = 0.3  # between two progress messages


class HearEvents:
    def __init__(self, studio: Studio, tab: HearTab) -> None:
        self.studio = studio
        self.tab = tab

    # ---- the photograph -------------------------------------------------------------------------------------------
    def open_photo(self, read: Callable[[], Image.Image], stop_flag: StopFlag) -> Iterator[Update]:
        """A new photograph replaces the old one, which stays if the new one cannot be read. Stops a sweep."""
        photo = read()  # raises before anything of the old photograph is gone
        stop_flag.requested = True
        session = HearSession(photo=photo, view=overlays.display_copy(photo), overlay=words.OVERLAYS[0])
        yield {
            self.tab.session: session,
            self.tab.side.photo: session.view,
            self.tab.side.overlay: session.overlay,
            self.tab.side.legend: "",
            self.tab.verdict: verdict(*words.START),
            self.tab.anyway_button: gr.Button(visible=False),
        } | self.hide_takes()
        self.studio.look(photo)  # so that the patches are ready at the first click; the photograph is shown already

    def draw(self, session: HearSession) -> Image.Image:
        """The view with the chosen overlay and the chosen patch."""
        photo, view = session.pictures()
        kind = words.OVERLAYS.index(session.overlay)
        if kind == 0 and session.cell is None:
            return view
        grid = self.studio.look(photo)
        picture = view
        if kind == 1:
            picture = overlays.with_grid(view, grid.rows, grid.cols)
        elif kind == 2:
            picture = overlays.with_heat(view, self.studio.presence(photo))
        elif kind == 3 and session.cell is not None:
            similarity = self.studio.similarity(photo, *grid.centre(*session.cell))
            picture = overlays.with_heat(view, overlays.min_max_scaled(similarity))
        elif kind == 4:
            picture = overlays.with_colours(view, self.studio.pca(photo))
        elif kind == ATTENTION and session.cell is not None and session.attention is not None:
            return attention_overlay.draw(view, session.attention, session.cell)
        cells = [session.cell] if session.cell is not None else []
        return overlays.with_outline(picture, grid.rows, grid.cols, cells)

    def change_overlay(self, session: HearSession, overlay: str) -> Iterator[Update]:
        session, kind = replace(session, overlay=overlay), words.OVERLAYS.index(overlay)
        yield {
            self.tab.session: session,
            self.tab.side.photo: self.draw(session),
            self.tab.side.legend: overlays.heat_legend(words.LEGENDS[kind]),
        }
        note = words.OVERLAY_NOTES[kind]
        needed = session.attention if kind == ATTENTION else session.cell
        if note and needed is None:
            yield {self.tab.verdict: verdict(*note)}

    # ---- one patch ------------------------------------------------------------------------------------------------
    def click(self, session: HearSession, x_view: float, y_view: float, values: ControlValues) -> Iterator[Update]:
        x, y = session.natural(x_view, y_view)
        row, col = self.studio.look(session.pictures()[0]).cell(x, y)
        yield from self.hear(session.at((row, col)), x, y, values)

    def by_hand(
        self, session: HearSession, row: int | None, col: int | None, values: ControlValues
    ) -> Iterator[Update]:  # fmt: skip
        if row is None or col is None:
            raise UserError(shared_words.NO_CELL)
        x, y = self.studio.look(session.pictures()[0]).centre(int(row), int(col))
        yield from self.hear(session.at((int(row), int(col))), x, y, values)

    def hear(self, session: HearSession, x: float, y: float, values: ControlValues) -> Iterator[Update]:
        """Outline first, with the last place's sounds hidden, then each sound as it is ready."""
        photo, view = session.pictures()
        row, col = session.cell or (0, 0)
        tab, plan = self.tab, values.plan()
        steps = self.studio.hear_steps(photo, x, y, **plan[0])  # raises before anything is hidden
        card = (shared_words.GENERATING, shared_words.place(row, col), "busy")
        yield {
            tab.session: session,
            tab.side.photo: self.draw(session),
            tab.side.patch.row: row,
            tab.side.patch.col: col,
            tab.verdict: verdict(*card),
            tab.anyway_button: gr.Button(visible=False),
            tab.modes: gr.Tabs(selected="one"),  # where the sound will be shown
        } | self.hide_takes()
        began, several = perf_counter(), len(plan) > 1
        for index, how in enumerate(plan):
            steps = steps if index == 0 else self.studio.hear_steps(photo, x, y, **how)
            heard = yield from self.with_progress(steps, card, index, len(plan))
            if heard.silent:
                abstained = verdict(*words.silent(heard), kind="quiet")
                yield {tab.verdict: abstained, tab.anyway_button: gr.Button(visible=True)}
                return
            session = session.with_sound(heard)
            update = self.show(tab.takes[index], heard, view, several=several)
            if index == 0:
                update[tab.guide] = gr.HTML(visible=False)
                card = (*words.heard(heard, perf_counter() - began), "")
            if index == 0 or heard.tokens:  # replaces the progress message
                update |= {tab.session: session, tab.verdict: verdict(*card)}
            yield update  # the sound starts here; its pictures follow
            yield self.pictures(tab.takes[index], heard, session, several=several)

    def with_progress(
        self, steps: Iterator[Progress | Heard], card: tuple[str, str, str], index: int, count: int
    ) -> Generator[Update, None, Heard]:
        """The sound; until then the card shows the progress every PROGRESS_S. card: its texts above the progress."""
        last = perf_counter()
        for step in steps:
            if isinstance(step, Heard):
                return step
            if perf_counter() - last >= PROGRESS_S:
                yield {self.tab.verdict: verdict(*card, token_cards.progress(step, index, count))}
                last = perf_counter()
        raise AssertionError("the studio gave no sound")

    def hide_takes(self) -> Update:
        """No card of an earlier sound, and no figure that would stand beside the next one."""
        hidden: Update = {take.column: gr.Column(visible=False) for take in self.tab.takes}
        for take in self.tab.takes:
            hidden |= {take.figure: None, take.tokens: gr.HTML("", visible=False)}
        return hidden

    def pictures(self, take: Take, heard: Heard, session: HearSession, *, several: bool) -> Update:
        """What takes a moment to draw."""
        update: Update = {take.figure: sound_figure(heard.waveform, heard.sample_rate, narrow=several)}
        if heard.tokens:
            update[take.tokens] = gr.HTML(token_cards.timeline(heard, narrow=several), visible=True)
            if session.overlay == words.OVERLAYS[ATTENTION]:
                update[self.tab.side.photo] = self.draw(session)
        return update

    def show(self, take: Take, heard: Heard, view: Image.Image, *, several: bool) -> Update:
        name = file_name(heard)
        wav = served_wav(heard.waveform, heard.sample_rate, name)
        return {
            take.column: gr.Column(visible=True),
            take.heading: cards.heading(heard, several=several),
            take.audio: wav,
            take.evidence: cards.evidence(heard, token_cards.evidence(heard, view)),
            take.wav: wav,
            take.recipe: served(to_json(heard.recipe).encode(), f"{name}.json"),
        }
