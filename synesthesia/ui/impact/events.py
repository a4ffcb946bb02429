"""What the tab "Tap" does: each handler checks its input, asks the studio, and hands back sounds, numbers and files.

As in `hear_events` nothing is kept outside the person's own gr.State, and a `UserError` becomes one sentence while all
else stands. A sound goes out before its figure, which is drawn by an event of its own (`drawn`), so that the next blow
needn't wait for it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

import gradio as gr

from synesthesia.audio.files import wav_bytes
from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.ui.impact import cards as tap_cards
from synesthesia.ui.impact import figures as tap_figures
from synesthesia.ui.impact import material_map as tap_map
from synesthesia.ui.impact import stage as tap_stage
from synesthesia.ui.impact import strike_path as tap_path
from synesthesia.ui.impact import words as tap_words
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.impact.strike_path import Clip, Strike, Touch
from synesthesia.ui.shared import words
from synesthesia.ui.shared.files import file_name, served

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.core.results import Heard
    from synesthesia.studio import Studio
    from synesthesia.ui.image_to_sound.events import Update
    from synesthesia.ui.impact.tab import StrikeCard, TapTab
    from synesthesia.vision.grid import PatchGrid


@dataclass(frozen=True)
class BlowSettings:
    """The controls, in the order of `tap_tab.BlowControls`; anyway: also where there seems to be nothing to strike."""

    force: float
    mallet: str
    seconds: float
    anyway: bool = False

    def check(self) -> None:
        """UserError where a field was left empty; ranges are the studio's to check."""
        for name, sentence in tap_words.EMPTY.items():
            if getattr(self, name) is None:
                raise UserError(sentence)


class TapEvents:
    """Handlers over one studio; they hold no state of their own."""

    def __init__(self, studio: Studio, tab: TapTab) -> None:
        self.studio = studio
        self.tab = tab

    # ---- the photograph -------------------------------------------------------------------------------------------
    def open_photo(self, read: Callable[[], Image.Image]) -> Iterator[Update]:
        """A new photograph in place of the old one, which stays if the new one can't be read. It shows at once and is
        then looked at, so that the first blow finds all of it ready."""
        photo = read()
        tab, side, session = self.tab, self.tab.photo, TapSession(photo)
        yield {
            tab.session: session,
            side.base: tap_stage.photograph(photo, side.base),
            side.layer: "",
            side.outline: "",
            side.overlay: tap_words.OVERLAYS[0],
            side.legend: "",
            tab.verdict: words.verdict(*tap_words.LOOKING, kind="busy"),
        } | self.no_sound()
        self.grid(session)
        found = self.studio.materials(photo)
        session.seen.called = tuple(found.names[at] for at in found.named)
        yield {tab.verdict: words.verdict(*tap_words.START)}

    def grid(self, session: TapSession) -> PatchGrid:
        """Looked up once for each photograph: to know a large one again takes longer than to strike it."""
        if session.seen.grid is None:
            session.seen.grid = self.studio.look(session.picture())
        return session.seen.grid

    def change_overlay(self, session: TapSession, overlay: str) -> Iterator[Update]:
        photo, kind = session.picture(), tap_words.OVERLAYS.index(overlay)
        found = self.studio.materials(photo)
        yield {
            self.tab.photo.layer: tap_stage.over(photo, tap_map.layer(found, kind)),
            self.tab.photo.legend: tap_map.legend(found, kind),
        }

    # ---- blows ----------------------------------------------------------------------------------------------------
    def touched(self, session: TapSession, path: object, how: BlowSettings) -> Iterator[Update]:
        """A click or a drag. path: [(x, y, milliseconds), ...] in natural pixels, of a click one point."""
        how.check()
        grid = self.grid(session)
        places = tap_path.touches(tap_path.points(path), grid)
        if len(places) == 1:
            yield self.strike(session, grid, places[0], how)
        else:
            yield from self.drag(session, grid, places, how)

    def by_hand(self, session: TapSession, row: int | None, col: int | None, how: BlowSettings) -> Iterator[Update]:
        """The middle of a patch; of the one struck last the very same place again."""
        how.check()
        if row is None or col is None:
            raise UserError(words.NO_CELL)
        grid = self.grid(session)
        cell = int(row), int(col)
        x, y = session.point if cell == session.cell else grid.centre(*cell)
        yield self.strike(session, grid, Touch(*cell, x, y, 0.0), how)

    def strike(self, session: TapSession, grid: PatchGrid, place: Touch, how: BlowSettings) -> Update:
        began = perf_counter()
        heard = self.hear(session, place, how, session.seed, how.seconds)
        struck = session.at((place.row, place.col), (place.x, place.y), seeds=1)
        if heard.silent:
            return self.nothing(struck, grid, heard)
        clip = tap_path.one_clip([Strike(0.0, heard)])
        update = self.sounded(replace(struck, clip=clip), grid, clip)
        told = tap_words.struck(heard, session.code_name(heard), perf_counter() - began)
        return update | {self.tab.verdict: words.verdict(*told)}

    def drag(self, session: TapSession, grid: PatchGrid, places: list[Touch], how: BlowSettings) -> Iterator[Update]:
        """Every patch on the way as one sound, in the time that the finger took; silent ones are passed over."""
        yield {self.tab.verdict: words.verdict(tap_words.STRIKING, kind="busy")}
        began = perf_counter()
        strikes, last = [], None
        for index, place in enumerate(places):
            seconds = tap_path.ring_s(places, index, how.seconds, presets.MIN_SECONDS)
            last = self.hear(session, place, how, session.seed + index, seconds)
            if not last.silent:
                strikes.append((place, Strike(place.at_s, last)))
        end = strikes[-1][0] if strikes else places[-1]
        struck = session.at((end.row, end.col), (end.x, end.y), seeds=len(places))
        if not strikes:
            assert last is not None, "a drag passes at least two patches"
            yield self.nothing(struck, grid, last)
            return
        clip = tap_path.one_clip([strike for _, strike in strikes])
        told = tap_words.dragged(clip, len(places), perf_counter() - began)
        yield self.sounded(replace(struck, clip=clip), grid, clip) | {self.tab.verdict: words.verdict(*told)}

    def hear(self, session: TapSession, place: Touch, how: BlowSettings, seed: int, seconds: float) -> Heard:
        return self.studio.hear(
            session.picture(), place.x, place.y, path="tap", force=how.force, mallet=how.mallet, seconds=seconds,
            seed=seed, anyway=how.anyway,
        )  # fmt: skip

    def sounded(self, session: TapSession, grid: PatchGrid, clip: Clip) -> Update:
        """All of a sound but its figure. What if stays where the same place was struck again."""
        tab, side, last = self.tab, self.tab.photo, clip.last
        name = file_name(last) + ("-drag" if clip.dragged else "")
        cells = [(strike.heard.row, strike.heard.col) for strike in clip.strikes]
        update = self.card(tab.seen, clip, name, tap_cards.seen(clip)) | {
            tab.session: session,
            side.outline: tap_stage.outline(session.picture(), grid.rows, grid.cols, cells),
            side.row: last.row,
            side.col: last.col,
            tab.state: tap_cards.state(last, session.code_name(last)),
        }
        return update if session.other else update | self.no_other()

    def nothing(self, session: TapSession, grid: PatchGrid, heard: Heard) -> Update:
        """Said clearly, with a way past it."""
        tab, side = self.tab, self.tab.photo
        assert session.cell is not None, "it was struck somewhere"
        return self.no_sound() | {
            tab.session: replace(session, other=None),
            side.outline: tap_stage.outline(session.picture(), grid.rows, grid.cols, [session.cell]),
            side.row: session.cell[0],
            side.col: session.cell[1],
            tab.verdict: words.verdict(tap_words.nothing(heard.presence), tap_words.NOTHING_SMALL, kind="quiet"),
        }

    # ---- what if --------------------------------------------------------------------------------------------------
    def what_if(self, session: TapSession, material: str, size_factor: float) -> Iterator[Update]:
        """The last blow again, on the same thing of another material or size."""
        if session.clip is None:
            raise UserError(tap_words.NOT_STRUCK)
        first, began, tab = session.clip.last, perf_counter(), self.tab
        same = first.recipe
        heard = self.studio.hear(
            session.picture(), same.x, same.y, path="tap", force=same.force, mallet=same.mallet, seconds=same.seconds,
            seed=same.seed, anyway=True, material=material, size_factor=size_factor,
        )  # fmt: skip
        assert first.blow is not None and heard.blow is not None, "both were struck"
        wish = tap_words.wish(material, size_factor)
        name = f"{file_name(heard)}-{wish.replace(', ', '-').replace('×', 'x')}"
        head = tap_cards.heading("B", tap_words.thing(heard.blow), f"{wish} · seed {same.seed}")
        yield self.card(tab.what_if.card, tap_path.one_clip([Strike(0.0, heard)]), name, head) | {
            tab.session: replace(session, other=heard),
            tab.what_if.compared: tap_cards.compared(first.blow, heard.blow, wish),
            tab.verdict: words.verdict(*tap_words.what_if(heard, perf_counter() - began)),
        }

    def wished(self, material: str, size_factor: float) -> gr.Button:
        """The button says what it will do."""
        return gr.Button(
            tap_words.again(material, size_factor), interactive=bool(tap_words.wish(material, size_factor))
        )

    # ---- cards ----------------------------------------------------------------------------------------------------
    def card(self, card: StrikeCard, clip: Clip, name: str, heading: str) -> Update:
        sound = wav_bytes(clip.waveform, clip.sample_rate)
        recipes = served(tap_path.recipes_json(clip).encode(), f"{name}.json")
        return {
            card.heading: heading,
            card.audio: f"{uuid4().hex[:8]} data:audio/wav;base64,{base64.b64encode(sound).decode()}",
            card.wav: served(sound, f"{name}.wav"),
            card.recipe: gr.DownloadButton(tap_words.RECIPES if clip.dragged else words.RECIPE, value=recipes),
        }

    def drawn(self, session: TapSession) -> str:
        """The figure as seen; empty where there was nothing to strike."""
        if session.clip is None:
            return ""
        blow = session.clip.last.blow
        return tap_figures.as_html(session.clip, tap_words.thing(blow) if blow else "")

    def other_drawn(self, session: TapSession) -> str:
        """The figure of what if."""
        if session.other is None or session.other.blow is None:
            return ""
        clip = tap_path.one_clip([Strike(0.0, session.other)])
        return tap_figures.as_html(clip, tap_words.thing(session.other.blow))

    def no_sound(self) -> Update:
        """No card of an earlier place."""
        return {self.tab.seen.heading: "", self.tab.seen.audio: ""} | self.no_other()

    def no_other(self) -> Update:
        card = self.tab.what_if.card
        return {card.heading: "", card.audio: "", self.tab.what_if.compared: ""}
