"""The endpoint `/ask` for programs (gradio_client): a question about a binaural clip."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gradio as gr

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.ui.shared.words import NO_CLIP

if TYPE_CHECKING:
    from synesthesia.studio import Studio


def add_ask_endpoint(studio: Studio) -> None:
    """Invisible components inside the current gr.Blocks that give the endpoint its types."""

    def ask(clip: str | None, question: str | None) -> dict[str, Any]:
        """The small language model's answer to a question about a clip. clip: as for /locate; question: 1 to 200
        characters.

        Returns a JSON object: question, text (the answer), spatial (false: the clip holds no direction).
        """
        try:
            if not clip:
                raise UserError(NO_CLIP)
            return asdict(studio.ask(*read_audio(clip), question or ""))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    with gr.Column(visible=False):
        clip, question = gr.File(label="clip", type="filepath"), gr.Textbox(label="question")
        gr.Button().click(ask, [clip, question], [gr.JSON(label="answer")], api_name="ask", concurrency_id="locate")
