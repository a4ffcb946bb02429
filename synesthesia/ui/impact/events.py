"""Handlers of the tab "Tap": check the input, ask the studio, return sounds, numbers and files.

A sound is sent before its figure, which an event of its own draws (`figure_as_seen`), so that the next strike need not
wait for it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import gradio as gr

from synesthesia.audio.files import wav_bytes
from synesthesia.core.errors import UserError
from synesthesia.core.recipe import ImpactRecipe
from synesthesia.ui.impact import cards, figures, material_map, stage, strike_path, words
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.impact.strike_path import Clip, Strike, Touch, struck_object
from synesthesia.ui.impact.tab import SECONDS, SETTINGS
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.cards import verdict
from synesthesia.ui.shared.files import file_name, served
from synesthesia.ui.shared.handlers import Update
from synesthesia.ui.shared.setting_control import require_values

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.studio import Studio
    from synesthesia.ui.impact.tab import StrikeCard, TapTab
    from synesthesia.vision.grid import PatchGrid

Settings = dict[str, Any]  # of a strike by name, as `Studio.hear` takes them


class TapEvents:
    def __init__(self, studio: Studio, tab: TapTab) -> None:
        self.studio = studio
        self.tab = tab

    # ---- the photograph -------------------------------------------------------------------------------------------
    def open_photo(self, read: Callable[[], Image.Image]) -> Iterator[Update]:
        """A new photograph replaces the old one, which stays if the new one can't be read. It is shown at once and then
        analysed, so that everything is ready at the first strike."""
        photo = read()
        tab, side, session = self.tab, self.tab.photo, TapSession(photo)
        yield {
            tab.session: session,
            side.base: stage.photograph(photo, side.base),
            side.layer: "",
            side.outline: "",
            side.overlay: words.OVERLAYS[0],
            side.legend: "",
            tab.verdict: verdict(*words.ANALYSING, kind="busy"),
        } | self.no_sound()
        self.grid(session)
        found = self.studio.materials(photo)
        session.analysis.code_names = tuple(found.names[at] for at in found.named)
        yield {tab.verdict: verdict(*words.START)}

    def grid(self, session: TapSession) -> PatchGrid:
        """Kept for each photograph: recognising a large one again takes longer than striking it."""
        if session.analysis.grid is None:
            session.analysis.grid = self.studio.look(session.picture())
        return session.analysis.grid

    def change_overlay(self, session: TapSession, overlay: str) -> Iterator[Update]:
        photo, kind = session.picture(), words.OVERLAYS.index(overlay)
        found = self.studio.materials(photo)
        yield {
            self.tab.photo.layer: stage.over(photo, material_map.layer(found, kind)),
            self.tab.photo.legend: material_map.legend(found, kind),
        }

    # ---- strikes --------------------------------------------------------------------------------------------------
    def touched(self, session: TapSession, path: object, settings: Settings) -> Iterator[Update]:
        """A click or a drag. path: [(x, y, milliseconds), ...] in natural pixels, one point for a click."""
        require_values(SETTINGS, settings)
        grid = self.grid(session)
        places = strike_path.touches(strike_path.points(path), grid)
        if len(places) > 1:
            yield {self.tab.verdict: verdict(shared_words.GENERATING, kind="busy")}
        yield self.strike(session, grid, places, settings)

    def by_hand(self, session: TapSession, row: int | None, col: int | None, settings: Settings) -> Iterator[Update]:
        """The centre of a patch; of the one struck last the same point again."""
        require_values(SETTINGS, settings)
        if row is None or col is None:
            raise UserError(shared_words.NO_CELL)
        grid = self.grid(session)
        cell = int(row), int(col)
        x, y = session.point if cell == session.cell else grid.centre(*cell)
        yield self.strike(session, grid, [Touch(*cell, x, y, 0.0)], settings)

    def strike(self, session: TapSession, grid: PatchGrid, places: list[Touch], settings: Settings) -> Update:
        """Every place as one sound, in the time of the drag; silent ones are skipped."""
        began, photo, strikes = perf_counter(), session.picture(), []
        for index, touch in enumerate(places):
            seconds = strike_path.strike_seconds(places, index, settings["seconds"], SECONDS.bounds[0])
            how = settings | {"seed": session.seed + index, "seconds": seconds}
            heard = self.studio.hear(photo, touch.x, touch.y, path="tap", **how)
            if not heard.silent:
                strikes.append((touch, Strike(touch.at_s, heard)))
        end = strikes[-1][0] if strikes else places[-1]
        session = session.at((end.row, end.col), (end.x, end.y), seeds=len(places))
        if not strikes:
            return self.nothing(session, grid, heard)
        clip, took_s = strike_path.one_clip([strike for _, strike in strikes]), perf_counter() - began
        if len(places) > 1:
            card = words.dragged(clip, len(places), took_s)
        else:
            card = words.struck(clip.last, session.code_name(clip.last), took_s)
        return self.sounded(replace(session, clip=clip), grid, clip) | {self.tab.verdict: verdict(*card)}

    def sounded(self, session: TapSession, grid: PatchGrid, clip: Clip) -> Update:
        """Everything about a sound but its figure. What if stays where the same place was struck again."""
        tab, side, last = self.tab, self.tab.photo, clip.last
        name = file_name(last) + ("-drag" if clip.dragged else "")
        cells = [(strike.heard.row, strike.heard.col) for strike in clip.strikes]
        update = self.card(tab.as_seen, clip, name, cards.as_seen(clip)) | {
            tab.session: session,
            side.outline: stage.outline(session.picture(), grid.rows, grid.cols, cells),
            side.patch.row: last.row,
            side.patch.col: last.col,
            tab.state: cards.state(last, session.code_name(last)),
        }
        return update if session.other else update | self.no_other()

    def nothing(self, session: TapSession, grid: PatchGrid, heard: Heard) -> Update:
        """Says so and offers to strike anyway."""
        tab, side = self.tab, self.tab.photo
        assert session.cell is not None, "it was struck somewhere"
        return self.no_sound() | {
            tab.session: replace(session, other=None),
            side.outline: stage.outline(session.picture(), grid.rows, grid.cols, [session.cell]),
            side.patch.row: session.cell[0],
            side.patch.col: session.cell[1],
            tab.verdict: verdict(*words.nothing(heard), kind="quiet"),
        }

    # ---- what if --------------------------------------------------------------------------------------------------
    def what_if(self, session: TapSession, material: str, size_factor: float) -> Iterator[Update]:
        """The last strike again, on the same object of another material or size."""
        if session.clip is None:
            raise UserError(words.NOT_STRUCK)
        first, began, tab = session.clip.last, perf_counter(), self.tab
        recipe = first.recipe
        assert isinstance(recipe, ImpactRecipe), "it was struck"
        changed: Settings = {"anyway": True, "material": material, "size_factor": size_factor}
        heard = self.studio.hear(session.picture(), recipe.x, recipe.y, path="tap", **recipe.settings() | changed)
        blow = struck_object(heard)
        variation = words.variation(material, size_factor)
        name = f"{file_name(heard)}-{variation.replace(', ', '-').replace('×', 'x')}"
        head = cards.heading("B", words.thing(blow), f"{variation} · seed {recipe.seed}")
        yield self.card(tab.what_if.card, strike_path.one_clip([Strike(0.0, heard)]), name, head) | {
            tab.session: replace(session, other=heard),
            tab.what_if.compared: cards.compared(session.clip.blow, blow, variation),
            tab.verdict: verdict(*words.what_if(heard, perf_counter() - began)),
        }

    def name_button(self, material: str, size_factor: float) -> gr.Button:
        """The button describes what it will do."""
        described = bool(words.variation(material, size_factor))
        return gr.Button(words.strike_again(material, size_factor), interactive=described)

    # ---- cards ----------------------------------------------------------------------------------------------------
    def card(self, card: StrikeCard, clip: Clip, name: str, heading: str) -> Update:
        sound = wav_bytes(clip.waveform, clip.sample_rate)
        recipes = served(strike_path.recipes_json(clip).encode(), f"{name}.json")
        return {
            card.heading: heading,
            card.audio: f"{uuid4().hex[:8]} data:audio/wav;base64,{base64.b64encode(sound).decode()}",
            card.wav: served(sound, f"{name}.wav"),
            card.recipe: gr.DownloadButton(words.RECIPES if clip.dragged else shared_words.RECIPE, value=recipes),
        }

    def figure_as_seen(self, session: TapSession) -> str:
        """Figure A; empty where there was nothing to strike."""
        return figure(session.clip) if session.clip else ""

    def figure_what_if(self, session: TapSession) -> str:
        """Figure B."""
        return figure(strike_path.one_clip([Strike(0.0, session.other)])) if session.other else ""

    def no_sound(self) -> Update:
        """No card of an earlier place."""
        return {self.tab.as_seen.heading: "", self.tab.as_seen.audio: ""} | self.no_other()

    def no_other(self) -> Update:
        card = self.tab.what_if.card
        return {card.heading: "", card.audio: "", self.tab.what_if.compared: ""}


def figure(clip: Clip) -> str:
    return figures.as_html(clip, words.thing(clip.blow))
