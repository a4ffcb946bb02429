"""The endpoints `/locate` and `/ask` for programs (gradio_client), and the numbers of a direction as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.core.results import bearings
from synesthesia.ui.shared import words

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from synesthesia.core.results import AttentionMap, Located
    from synesthesia.studio import Studio


def add_locate_endpoint(studio: Studio) -> None:
    """Unseen components inside the current gr.Blocks whose only use is to give the endpoint its types."""

    def locate(clip: str | None) -> dict[str, Any]:
        """Where a binaural clip's sound comes from. clip: sound file, left ear first, 0.2 to 60 s.

        Returns a JSON object: azimuth_deg (0 in front, positive to the right), interval_deg, front_probability,
        second_deg, baseline_deg, distribution, track and more.
        """
        try:
            if not clip:
                raise UserError(words.NO_CLIP)
            return as_json(studio.locate(*read_audio(clip)))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    with gr.Column(visible=False):
        clip, found = gr.File(label="clip", type="filepath"), gr.JSON(label="direction")
        gr.Button().click(locate, [clip], [found], api_name="locate", concurrency_id="locate")


def add_ask_endpoint(studio: Studio) -> None:
    """As `add_locate_endpoint`."""

    def ask(clip: str | None, question: str | None) -> dict[str, Any]:
        """What the small language model answers about a clip. clip: as for /locate; question: 1 to 200 characters.

        Returns a JSON object: question, text (the answer), spatial (false: the clip held no direction to ask with).
        """
        try:
            if not clip:
                raise UserError(words.NO_CLIP)
            return asdict(studio.ask(*read_audio(clip), question or ""))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    with gr.Column(visible=False):
        clip, question = gr.File(label="clip", type="filepath"), gr.Textbox(label="question")
        gr.Button().click(ask, [clip, question], [gr.JSON(label="answer")], api_name="ask", concurrency_id="locate")


def as_json(found: Located) -> dict[str, Any]:
    """Everything of a `Located` but its token and its maps."""
    times_s, azimuth_deg = found.track
    return {
        **bearings(found),
        "distribution": {
            "azimuths_deg": plain(found.azimuths_deg, 2),
            "probabilities": plain(found.distribution, 6),
        },
        "track": {"times_s": plain(times_s, 3), "azimuth_deg": plain(azimuth_deg, 2)},
    }


def as_json_text(found: Located) -> str:
    """The page's download: the same with the maps."""
    maps = {"level": as_map(found.attention.level), "phase": as_map(found.attention.phase)}
    return json.dumps({**as_json(found), "attention": maps}, indent=1) + "\n"


def as_map(shown: AttentionMap) -> dict[str, Any]:
    """weights: one row for each time."""
    return {
        "times_s": plain(shown.times_s, 3),
        "frequencies_hz": plain(shown.frequencies_hz, 1),
        "weights": plain(shown.weights, 7),
    }


def plain(values: ArrayLike, digits: int) -> Any:
    """Lists of Python floats; rounding in float64 keeps the digits short."""
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()
