"""What the box "Ask about this clip" does: the model's own sentence first, then an answer to every question.

What was asked so far is kept in the person's gr.State together with the clip it is about, so that a question that
waited in the queue is never answered about one clip and written down under another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.core.requests import asked
from synesthesia.ui.audio_qa.panel import exchanges
from synesthesia.ui.image_to_sound.events import guarded
from synesthesia.ui.shared import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synesthesia.core.results import Answered
    from synesthesia.studio import Studio
    from synesthesia.ui.audio_qa.panel import AskPanel
    from synesthesia.ui.image_to_sound.events import Update

SHOWN = 20  # exchanges kept on the page at most, the oldest goes first


@dataclass(frozen=True)
class Talk:
    """path: the located clip's file; answered: what was asked about it so far, newest last."""

    path: str
    answered: tuple[Answered, ...] = ()

    def with_answer(self, answer: Answered) -> Talk:
        return replace(self, answered=(*self.answered, answer)[-SHOWN:])


class AskEvents:
    """Handlers over one studio; they hold no state of their own."""

    def __init__(self, studio: Studio, panel: AskPanel) -> None:
        self.studio = studio
        self.panel = panel

    def opened(self, path: str, kind: str) -> Update:
        """Another clip has been located: nothing of the last one's talk is left. A silent clip isn't talked about."""
        silent = kind == "silent"
        return {
            self.panel.column: gr.Column(visible=not silent),
            self.panel.talk: None if silent else Talk(path),
            self.panel.answers: exchanges((), words.ASK_FIRST),
            self.panel.verdict: "",
            self.panel.box: "",
        }

    def closed(self) -> Update:
        """The clip has gone."""
        return {self.panel.talk: None, self.panel.answers: "", self.panel.verdict: "", self.panel.box: ""}

    def first(self, path: str, waveform: NDArray[np.float32], rate_hz: int) -> Iterator[Update]:
        """The model's own sentence. What goes wrong is said here and takes nothing from the direction above."""
        yield from guarded(
            self.panel, self.answer(Talk(path), lambda: self.studio.ask(waveform, rate_hz, words.ASK_FIRST))
        )

    def ask(self, talk: Talk | None, question: str, *, typed: bool) -> Iterator[Update]:
        """typed: in the box, which is emptied for the next question and gets this one back if it can't be answered."""
        question = asked(question or "")
        if talk is None:
            raise UserError(words.NO_CLIP)
        box: Update = {self.panel.box: ""} if typed else {}
        yield {self.panel.answers: exchanges(talk.answered, question), self.panel.verdict: ""} | box
        try:
            yield from self.answer(talk, lambda: self.studio.ask(*read_audio(talk.path), question))
        except Exception:
            if typed:
                yield {self.panel.box: question}
            raise

    def answer(self, talk: Talk, ask: Callable[[], Answered]) -> Iterator[Update]:
        """Write the answer down; when there is none, what was answered before stays."""
        try:
            talk = talk.with_answer(ask())
        except Exception:
            yield {self.panel.answers: exchanges(talk.answered)}
            raise
        yield {self.panel.talk: talk, self.panel.answers: exchanges(talk.answered)}
