"""The endpoint `/hear` for programs (gradio_client): the same studio call as a click, with its evidence as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.core.recipe import to_json
from synesthesia.impact.pipeline import to_dict as told_blow
from synesthesia.ui.shared import words
from synesthesia.ui.shared.files import file_name, served_wav
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.core.results import Heard, Impact, Tokens
    from synesthesia.studio import Studio


def add_endpoint(studio: Studio) -> None:
    """Unseen components inside the current gr.Blocks whose only use is to give the endpoint its types."""

    def hear(
        image: str | None, x: float, y: float, path: str = "direct", seconds: float | None = None, seed: int = 0,
        force: float = 8.0, mallet: str = "wood", material: str = "", size_factor: float = 1.0,
    ) -> tuple[str, dict[str, Any]]:  # fmt: skip
        """The sound of one place of a photograph.

        image: picture file; x, y: natural pixels; path: "direct", "flow", "mlp", "language" (stereo) or "tap" (what is
        there is struck); seconds: 1 to 10, where left out 4, of tap 1.5; seed: integer. Of tap: force: 0.5 to 50
        newtons; mallet: "finger", "wood" or "metal"; material: what if it were of this one, empty for what is seen;
        size_factor: what if it were so many times as large, 0.25 to 4. Returns the WAV file and a JSON object:
        presence, silent, labels, nearest training sounds, recipe (text), tokens (of the path "language": codes of both
        ears, where it looked; null for others), blow (of the path "tap": what was struck; null for others).
        """
        try:
            if not image:
                raise UserError(words.NO_PHOTO)
            heard = studio.hear(
                read_image(image), x, y, path=path, seconds=presets.usual_seconds(path) if seconds is None else seconds,
                seed=seed, force=force, mallet=mallet, material=material, size_factor=size_factor,
            )  # fmt: skip
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None
        return served_wav(heard.waveform, heard.sample_rate, file_name(heard)), as_json(heard)

    with gr.Column(visible=False):
        inputs = [
            gr.File(label="image", type="filepath"),
            gr.Number(label="x"),
            gr.Number(label="y"),
            gr.Textbox("direct", label="path"),
            gr.Number(label="seconds"),
            gr.Number(0, label="seed"),
            gr.Number(8.0, label="force"),
            gr.Textbox("wood", label="mallet"),
            gr.Textbox("", label="material"),
            gr.Number(1.0, label="size_factor"),
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
        "blow": told_blow(heard.blow) | envelopes(heard.blow) if heard.blow else None,
        "recipe_json": to_json(heard.recipe),
    }


def envelopes(blow: Impact) -> dict[str, list[float]]:
    names = ("envelope", "envelope_low", "envelope_high")
    return {name: np.round(getattr(blow, name).astype(float), 6).tolist() for name in names}


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
