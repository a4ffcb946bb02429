"""Layout of the box with questions about the located clip, and the list of answers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.ui.audio_qa import words
from synesthesia.ui.shared.cards import note

if TYPE_CHECKING:
    from synesthesia.core.results import Answered


class AskPanel:
    """Answers above the box, newest last. conversation: `events.Conversation`, or None while there is nothing to ask
    about; verdict: errors alone."""

    def __init__(self) -> None:
        self.conversation = gr.State(None)
        with gr.Column(elem_id="ask") as self.column:
            gr.HTML(f"<h3>{words.ASK}</h3>", padding=False)
            self.answers = gr.HTML(padding=False, elem_id="ask-answers")
            self.verdict = gr.HTML(padding=False, elem_id="ask-verdict")
            self.box = gr.Textbox(
                label=words.ASK_LABEL, show_label=False, container=False, placeholder=words.ASK_HOLDER, lines=1,
                max_lines=1, submit_btn=words.ASK_SEND, elem_id="ask-box",
            )  # fmt: skip
            with gr.Row(elem_id="ask-chips"):
                self.chips = [gr.Button(question, size="sm", min_width=0) for question in words.ASK_CHIPS]
            gr.HTML(note(words.ASK_NOTE), padding=False)

    def parts(self) -> list[gr.blocks.Block]:
        return [self.column, self.conversation, self.answers, self.verdict, self.box]


def exchanges(answered: tuple[Answered, ...], pending: str = "") -> str:
    """Questions and answers in pairs; pending: a question without an answer yet."""
    pairs = "".join(f"<dt>{escape(one.question)}</dt><dd>{escape(one.text)}</dd>" for one in answered)
    if pending:
        pairs += f"<dt>{escape(pending)}</dt><dd class='busy'>{words.ANSWERING}</dd>"
    no_direction = answered and not answered[0].spatial
    above = note(words.ASK_NO_DIRECTION) if no_direction else ""
    own = f"<p class='own'>{words.ASK_OWN}</p>" if answered and not no_direction else ""
    return f"<div role='log' aria-live='polite'>{above}<dl class='talk'>{pairs}</dl>{own}</div>"
