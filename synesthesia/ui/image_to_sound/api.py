"""The endpoint `/hear` for programs (gradio_client): one sound as a WAV file and its evidence as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from synesthesia.core.errors import UserError
from synesthesia.core.recipe import to_json
from synesthesia.core.requests import FlowRequest, ImpactRequest, request_type, settings_of
from synesthesia.ui.shared import words
from synesthesia.ui.shared.files import file_name, served_wav
from synesthesia.vision.image import read_image

if TYPE_CHECKING:
    from synesthesia.core.results import Heard, Impact, Tokens
    from synesthesia.studio import Studio

SEED = settings_of(FlowRequest)["seed"].default
FORCE, MALLET, MATERIAL, SIZE_FACTOR = (
    settings_of(ImpactRequest)[name].default for name in ("force", "mallet", "material", "size_factor")
)


def add_hear_endpoint(studio: Studio) -> None:
    """Invisible components inside the current gr.Blocks that give the endpoint its types."""

    def hear(
        image: str | None, x: float, y: float, path: str = "direct", seconds: float | None = None, seed: int = SEED,
        force: float = FORCE, mallet: str = MALLET, material: str = MATERIAL, size_factor: float = SIZE_FACTOR,
    ) -> tuple[str, dict[str, Any]]:  # fmt: skip
        """The sound of one place of a photograph.

        image: picture file; x, y: natural pixels; path: "direct", "flow", "mlp", "language" (stereo) or "tap" (the
        object there is struck); seconds: 1 to 10, by default 4, or 1.5 for tap; seed: integer. For tap: force: 0.5 to
        50 newtons; mallet: "finger", "wood" or "metal"; material: strike as if it were made of this, empty for the
        predicted material; size_factor: strike as if it were this many times as large, 0.25 to 4. Returns the WAV file
        and a JSON object: presence, silent, labels, nearest training sounds, recipe (text), tokens (path "language":
        codes of both ears and their attention; else null), blow (path "tap": the struck object; else null).
        """
        try:
            if not image:
                raise UserError(words.NO_PHOTO)
            heard = studio.hear(
                read_image(image), x, y, path=path,
                seconds=settings_of(request_type(path))["seconds"].default if seconds is None else seconds,
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
            gr.Number(SEED, label="seed"),
            gr.Number(FORCE, label="force"),
            gr.Textbox(MALLET, label="mallet"),
            gr.Textbox(MATERIAL, label="material"),
            gr.Number(SIZE_FACTOR, label="size_factor"),
        ]
        outputs = [gr.Audio(label="sound"), gr.JSON(label="evidence")]
        gr.Button().click(hear, inputs, outputs, api_name="hear", concurrency_id="hear")


def as_json(heard: Heard) -> dict[str, Any]:
    """Everything of a `Heard` but its samples.

    The recipe is text, as in the page's download: gradio's client takes any object with a key "path" for a file.
    """
    plain = ("sample_rate", "seconds", "presence", "silent", "row", "col")
    return {name: getattr(heard, name) for name in plain} | {
        "box_px": list(heard.box_px),
        "evidence": asdict(heard.evidence),
        "tokens": tokens_as_json(heard.tokens) if heard.tokens else None,
        "blow": heard.blow.to_dict() | envelopes(heard.blow) if heard.blow else None,
        "recipe_json": to_json(heard.recipe),
    }


def envelopes(blow: Impact) -> dict[str, list[float]]:
    names = ("envelope", "envelope_low", "envelope_high")
    return {name: np.round(getattr(blow, name).astype(float), 6).tolist() for name in names}


def tokens_as_json(tokens: Tokens) -> dict[str, Any]:
    return {
        "codes": tokens.codes.tolist(),
        "per_second": tokens.per_second,
        "sizes": tokens.sizes,
        "looks": np.round(tokens.cross_attention.astype(float), 6).tolist(),
        "lead_s": tokens.itd_s,
        "takes": tokens.takes,
        "take": tokens.take,
    }
