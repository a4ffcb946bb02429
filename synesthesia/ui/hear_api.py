"""The endpoint `/hear` for programs (gradio_client): the same studio call as a click, with its evidence as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from synesthesia.errors import UserError
from synesthesia.recipe import to_json
from synesthesia.ui import words
from synesthesia.ui.files import file_name, served_wav
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.results import Heard, Tokens
    from synesthesia.studio import Studio


def add_endpoint(studio: Studio) -> None:
    """Unseen components inside the current gr.Blocks whose only use is to give the endpoint its types."""

    def hear(image: str | None, x: float, y: float, path: str, seconds: float, seed: int) -> tuple[str, dict[str, Any]]:
        """The sound of one place of a photograph.

        image: picture file; x, y: natural pixels; path: "direct", "flow", "mlp" or "language" (stereo); seconds:
        1 to 10; seed: integer. Returns the WAV file and a JSON object: presence, silent, labels, nearest training
        sounds, recipe (text), tokens (of the path "language": codes of both ears, where it looked; null for others).
        """
        try:
            if not image:
                raise UserError(words.NO_PHOTO)
            heard = studio.hear(read_image(image), x, y, path=path, seconds=seconds, seed=seed)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None
        return served_wav(heard.waveform, heard.sample_rate, file_name(heard)), as_json(heard)

    with gr.Column(visible=False):
        inputs = [
            gr.File(label="image", type="filepath"),
            gr.Number(label="x"),
            gr.Number(label="y"),
            gr.Textbox("direct", label="path"),
            gr.Number(4.0, label="seconds"),
            gr.Number(0, label="seed"),
        ]
        outputs = [gr.Audio(label="sound"), gr.JSON(label="evidence")]
        gr.Button().click(hear, inputs, outputs, api_name="hear", concurrency_id="hear")


def as_json(heard: Heard) -> dict[str, Any]:
    """Everything of a `Heard` but its samples.

    The recipe is text, as the page's download holds it: gradio's client takes any object with a key "path" for a file.
    """
    return {
        "sample_rate": heard.sample_rate,
        "seconds": heard.seconds,
        "presence": heard.presence,
        "silent": heard.silent,
        "row": heard.row,
        "col": heard.col,
        "box_px": list(heard.box_px),
        "evidence": asdict(heard.evidence),
        "tokens": told(heard.tokens) if heard.tokens else None,
        "recipe_json": to_json(heard.recipe),
    }


def told(tokens: Tokens) -> dict[str, Any]:
    return {
        "codes": tokens.codes.tolist(),
        "per_second": tokens.per_second,
        "sizes": tokens.sizes,
        "looks": np.round(tokens.looks.astype(float), 6).tolist(),
        "lead_s": tokens.lead_s,
        "takes": tokens.takes,
        "take": tokens.take,
    }
