"""What the tab "Hear" does: each handler checks its input, asks the studio, and hands back figures and files.

Handlers are generators where a person should see something at once (the outline before the sound). Nothing is kept
outside the person's own gr.State. A `UserError` becomes one sentence on the page and leaves everything else standing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.core.errors import UserError
from synesthesia.core.results import Heard, Writing
from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.image_to_sound.session import Halt, Session
from synesthesia.ui.shared import overlays, words
from synesthesia.ui.shared import sound_figure as figures
from synesthesia.ui.shared.files import file_name, served_recipe, served_wav
from synesthesia.ui.vlm_to_sound import attention_overlay as looking
from synesthesia.ui.vlm_to_sound import cards as token_cards

if TYPE_CHECKING:
    from PIL import Image

    from synesthesia.studio import Studio
    from synesthesia.ui.audio_qa.panel import AskPanel
    from synesthesia.ui.image_to_sound.tab import HearTab, Take
    from synesthesia.ui.impact.tab import TapTab
    from synesthesia.ui.localization.tab import LocateTab

LOOKED = 5  # of `words.OVERLAYS`: where the tokens looked
TOLD_S = 0.3  # between two words about how far a sound has come
Update = dict[Any, Any]  # component -> its new value, as gradio takes it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """The controls under the sound, in the order of `hear_tab.Controls`."""

    voice: str
    takes: int
    autoplay: bool
    seconds: float
    seed: int
    guidance: float
    steps: int
    temperature: float
    top_k: int
    anyway: bool

    def plan(self) -> list[tuple[str, int]]:
        """(path, seed) of each sound to make, side by side. UserError where a field was left empty."""
        for name, sentence in words.EMPTY.items():
            if getattr(self, name) is None:
                raise UserError(sentence)
        if self.voice == "all":
            return [(path, self.seed) for path in words.VOICES if path != "all"]
        return [(self.voice, self.seed + index) for index in range(self.takes)]


def guarded(tab: HearTab | LocateTab | TapTab | AskPanel, updates: Iterator[Update]) -> Iterator[Update]:
    """Pass updates on; an error becomes a sentence in the verdict card."""
    try:
        yield from updates
    except UserError as error:
        yield {tab.verdict: words.verdict(str(error), kind="wrong")}
    except Exception:
        log.exception("a handler of the page failed")
        yield {tab.verdict: words.verdict(words.UNEXPECTED, kind="wrong")}


class HearEvents:
    """Handlers over one studio; they hold no state of their own."""

    def __init__(self, studio: Studio, tab: HearTab) -> None:
        self.studio = studio
        self.tab = tab

    # ---- the photograph -------------------------------------------------------------------------------------------
    def open_photo(self, read: Callable[[], Image.Image], halt: Halt) -> Iterator[Update]:
        """A new photograph in place of the old one, which stays if the new one cannot be read. Ends a sweep."""
        photo = read()  # refuses what cannot be heard before anything of the old photograph is gone
        halt.asked = True
        session = Session(photo=photo, view=overlays.shown(photo), overlay=words.OVERLAYS[0])
        yield {
            self.tab.session: session,
            self.tab.side.photo: session.view,
            self.tab.side.overlay: session.overlay,
            self.tab.verdict: words.verdict(*words.START),
            self.tab.anyway_button: gr.Button(visible=False),
        } | self.no_takes()
        self.studio.look(photo)  # so that the first click finds the patches ready; the photograph shows already

    def draw(self, session: Session) -> Image.Image:
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
            alike = self.studio.similarity(photo, *grid.centre(*session.cell))
            picture = overlays.with_heat(view, overlays.unit(alike))
        elif kind == 4:
            picture = overlays.with_colours(view, self.studio.pca(photo))
        elif kind == LOOKED and session.cell is not None and session.looks is not None:
            return looking.drawn(view, session.looks, session.cell)
        cells = [session.cell] if session.cell is not None else []
        return overlays.with_outline(picture, grid.rows, grid.cols, cells)

    def change_overlay(self, session: Session, overlay: str) -> Iterator[Update]:
        session = replace(session, overlay=overlay)
        yield {self.tab.session: session, self.tab.side.photo: self.draw(session)}
        note = words.OVERLAY_NOTES[words.OVERLAYS.index(overlay)]
        lacking = session.looks if words.OVERLAYS.index(overlay) == LOOKED else session.cell
        if note and lacking is None:
            yield {self.tab.verdict: words.verdict(*note)}

    # ---- one patch ------------------------------------------------------------------------------------------------
    def click(self, session: Session, x_view: float, y_view: float, settings: Settings) -> Iterator[Update]:
        x, y = session.natural(x_view, y_view)
        row, col = self.studio.look(session.pictures()[0]).cell(x, y)
        yield from self.listen(session.at((row, col)), x, y, settings)

    def by_hand(self, session: Session, row: int | None, col: int | None, settings: Settings) -> Iterator[Update]:
        if row is None or col is None:
            raise UserError(words.NO_CELL)
        x, y = self.studio.look(session.pictures()[0]).centre(int(row), int(col))
        yield from self.listen(session.at((int(row), int(col))), x, y, settings)

    def listen(self, session: Session, x: float, y: float, settings: Settings) -> Iterator[Update]:
        """Outline first, with the last place's sounds gone, then each sound as it is ready."""
        photo, view = session.pictures()
        row, col = session.cell or (0, 0)
        tab, plan = self.tab, settings.plan()
        steps = self.steps(photo, x, y, plan[0], settings)  # refuses what can't be heard before anything is gone
        yield {
            tab.session: session,
            tab.side.photo: self.draw(session),
            tab.side.row: row,
            tab.side.col: col,
            tab.verdict: words.verdict(words.LISTENING, words.place(row, col), kind="busy"),
            tab.anyway_button: gr.Button(visible=False),
            tab.ways: gr.Tabs(selected="one"),  # where the sound is going to show
        } | self.no_takes()
        started, told, several = perf_counter(), (words.LISTENING, words.place(row, col), "busy"), len(plan) > 1
        for index, each in enumerate(plan):
            steps = steps if index == 0 else self.steps(photo, x, y, each, settings)
            heard = yield from self.waited(steps, told, index, len(plan))
            if heard.silent:
                yield self.nothing(heard)
                return
            session = session.having_heard(heard)
            update = self.show(tab.takes[index], heard, view, several=several)
            if index == 0:
                update[tab.guide] = gr.HTML(visible=False)
                told = (*words.heard(heard, perf_counter() - started), "")
            if index == 0 or heard.tokens:  # in place of what was said meanwhile
                update |= {tab.session: session, tab.verdict: words.verdict(*told)}
            yield update  # the sound starts here; its picture follows
            yield self.pictures(tab.takes[index], heard, session, several=several)

    def steps(
        self, photo: Image.Image, x: float, y: float, each: tuple[str, int], settings: Settings
    ) -> Iterator[Writing | Heard]:
        path, seed = each
        return self.studio.hear_steps(
            photo, x, y, path=path, seconds=settings.seconds, seed=seed, steps=settings.steps,
            guidance=settings.guidance, temperature=settings.temperature, top_k=settings.top_k, anyway=settings.anyway,
        )  # fmt: skip

    def waited(
        self, steps: Iterator[Writing | Heard], told: tuple[str, str, str], index: int, count: int
    ) -> Generator[Update, None, Heard]:
        """The sound; meanwhile the card says how far it has come, TOLD_S apart. told: what the card says above that."""
        last = perf_counter()
        for step in steps:
            if isinstance(step, Heard):
                return step
            if perf_counter() - last >= TOLD_S:
                yield {self.tab.verdict: words.verdict(*told, token_cards.writing(step, index, count))}
                last = perf_counter()
        raise AssertionError("the studio gave no sound")

    def nothing(self, heard: Heard) -> Update:
        """The abstention, said clearly, with a way past it."""
        return {
            self.tab.verdict: words.verdict(words.silent(heard.presence), words.SILENT_SMALL, kind="quiet"),
            self.tab.anyway_button: gr.Button(visible=True),
        }

    def no_takes(self) -> Update:
        """No card of an earlier sound, and no figure that would stand beside the next one."""
        gone: Update = {take.column: gr.Column(visible=False) for take in self.tab.takes}
        for take in self.tab.takes:
            gone |= {take.figure: None, take.tokens: gr.HTML("", visible=False)}
        return gone

    def pictures(self, take: Take, heard: Heard, session: Session, *, several: bool) -> Update:
        """What takes a moment to draw."""
        update: Update = {take.figure: figures.sound_figure(heard.waveform, heard.sample_rate, narrow=several)}
        if heard.tokens:
            update[take.tokens] = gr.HTML(token_cards.timeline(heard, narrow=several), visible=True)
            if session.overlay == words.OVERLAYS[LOOKED]:
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
            take.recipe: served_recipe(heard, name),
        }
