"""Handlers of the box "Ask about this clip": the model's first sentence, then an answer to every question.

The conversation is kept in the person's gr.State together with its clip, so that a question that waited in the queue
is never answered about one clip and listed under another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.core.requests import QuestionRequest, checked
from synesthesia.ui.audio_qa import words
from synesthesia.ui.audio_qa.panel import exchanges
from synesthesia.ui.shared.handlers import Update, guarded
from synesthesia.ui.shared.words import NO_CLIP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synesthesia.core.results import Answered
    from synesthesia.studio import Studio
    from synesthesia.ui.audio_qa.panel import AskPanel

MAX_EXCHANGES = 20  # kept on the page; the oldest go first


@dataclass(frozen=True)
class Conversation:
    """path: the located clip's file; answered: newest last."""

    path: str
    answered: tuple[Answered, ...] = ()


class AskEvents:
    def __init__(self, studio: Studio, panel: AskPanel) -> None:
        self.studio = studio
        self.panel = panel

    def opened(self, path: str, kind: str) -> Update:
        """Another clip has been located: the last conversation ends. There is none about a silent clip."""
        silent = kind == "silent"
        return {
            self.panel.column: gr.Column(visible=not silent),
            self.panel.conversation: None if silent else Conversation(path),
            self.panel.answers: exchanges((), words.ASK_FIRST),
            self.panel.verdict: "",
            self.panel.box: "",
        }

    def closed(self) -> Update:
        """The clip has gone."""
        panel = self.panel
        return {panel.conversation: None, panel.answers: "", panel.verdict: "", panel.box: ""}

    def first(self, path: str, waveform: NDArray[np.float32], rate_hz: int) -> Iterator[Update]:
        """The model's own sentence. An error appears here and leaves the direction above as it is."""
        yield from guarded(
            self.panel, self.answer(Conversation(path), lambda: self.studio.ask(waveform, rate_hz, words.ASK_FIRST))
        )

    def ask(self, conversation: Conversation | None, question: str, *, typed: bool) -> Iterator[Update]:
        """typed: in the box, which is emptied for the next question and gets this one back if it can't be answered."""
        question = checked(QuestionRequest, {"question": question or ""}).question
        if conversation is None:
            raise UserError(NO_CLIP)
        box: Update = {self.panel.box: ""} if typed else {}
        yield {self.panel.answers: exchanges(conversation.answered, question), self.panel.verdict: ""} | box
        try:
            yield from self.answer(conversation, lambda: self.studio.ask(*read_audio(conversation.path), question))
        except Exception:
            if typed:
                yield {self.panel.box: question}
            raise

    def answer(self, conversation: Conversation, ask: Callable[[], Answered]) -> Iterator[Update]:
        """List the answer; when there is none, the earlier ones stay."""
        try:
            answered = (*conversation.answered, ask())[-MAX_EXCHANGES:]
        except Exception:
            yield {self.panel.answers: exchanges(conversation.answered)}
            raise
        yield {
            self.panel.conversation: replace(conversation, answered=answered),
            self.panel.answers: exchanges(answered),
        }
