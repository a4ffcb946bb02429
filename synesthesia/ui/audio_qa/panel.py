"""Layout of the box in which a person asks about the located clip, and how the answers are written down."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from synesthesia.core.results import Answered


@dataclass(frozen=True)
class AskPanel:
    """talk: `ask_events.Talk`, or None while there is nothing to ask about; verdict: only for what went wrong."""

    column: gr.Column
    talk: gr.State
    answers: gr.HTML
    box: gr.Textbox
    chips: tuple[gr.Button, ...]
    verdict: gr.HTML

    def parts(self) -> list[gr.blocks.Block]:
        return [self.column, self.talk, self.answers, self.verdict, self.box]


def ask_panel() -> AskPanel:
    """Answers above, newest last, so that it stands beside the box."""
    talk = gr.State(None)
    with gr.Column(elem_id="ask") as column:
        gr.HTML(f"<h3>{words.ASK}</h3>", padding=False)
        answers = gr.HTML(padding=False, elem_id="ask-answers")
        verdict = gr.HTML(padding=False, elem_id="ask-verdict")
        box = gr.Textbox(
            label=words.ASK_LABEL, show_label=False, container=False, placeholder=words.ASK_HOLDER, lines=1,
            max_lines=1, submit_btn=words.ASK_SEND, elem_id="ask-box",
        )  # fmt: skip
        with gr.Row(elem_id="ask-chips"):
            chips = tuple(gr.Button(question, size="sm", min_width=0) for question in words.ASK_CHIPS)
        gr.HTML(f"<p class='progress-note'>{words.ASK_NOTE}</p>", padding=False)
    return AskPanel(column, talk, answers, box, chips, verdict)


def exchanges(answered: tuple[Answered, ...], pending: str = "") -> str:
    """Question and answer in pairs; pending: a question whose answer is still to come."""
    pairs = "".join(f"<dt>{escape(one.question)}</dt><dd>{escape(one.text)}</dd>" for one in answered)
    if pending:
        pairs += f"<dt>{escape(pending)}</dt><dd class='busy'>{words.ANSWERING}</dd>"
    without = answered and not answered[0].spatial
    note = f"<p class='progress-note'>{words.ASK_NO_DIRECTION}</p>" if without else ""
    own = f"<p class='own'>{words.ASK_OWN}</p>" if answered and not without else ""
    return f"<div role='log' aria-live='polite'>{note}<dl class='talk'>{pairs}</dl>{own}</div>"
