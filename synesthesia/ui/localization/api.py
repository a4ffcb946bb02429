"""The endpoint `/locate` for programs (gradio_client), and a direction's numbers as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from synesthesia.audio.files import read_audio
from synesthesia.core.errors import UserError
from synesthesia.ui.shared.words import NO_CLIP

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from synesthesia.core.results import AttentionMap, Located
    from synesthesia.studio import Studio


def add_locate_endpoint(studio: Studio) -> None:
    """Invisible components inside the current gr.Blocks that give the endpoint its types."""

    def locate(clip: str | None) -> dict[str, Any]:
        """Where a binaural clip's sound comes from. clip: sound file, left ear first, 0.2 to 60 s.

        Returns a JSON object: azimuth_deg (0 in front, positive to the right), interval_deg, front_probability,
        second_deg, baseline_deg, distribution, track and more.
        """
        try:
            if not clip:
                raise UserError(NO_CLIP)
            return as_json(studio.locate(*read_audio(clip)))
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    with gr.Column(visible=False):
        clip, found = gr.File(label="clip", type="filepath"), gr.JSON(label="direction")
        gr.Button().click(locate, [clip], [found], api_name="locate", concurrency_id="locate")


def as_json(found: Located) -> dict[str, Any]:
    """Everything of a `Located` but its spatial token and its maps."""
    times_s, azimuth_deg = found.track
    return {
        **found.to_dict(),
        "distribution": {
            "azimuths_deg": rounded(found.azimuths_deg, 2),
            "probabilities": rounded(found.distribution, 6),
        },
        "track": {"times_s": rounded(times_s, 3), "azimuth_deg": rounded(azimuth_deg, 2)},
    }


def as_json_text(found: Located) -> str:
    """The page's download: the same with the maps."""
    maps = {"level": as_map(found.attention.level), "phase": as_map(found.attention.phase)}
    return json.dumps({**as_json(found), "attention": maps}, indent=1) + "\n"


def as_map(shown: AttentionMap) -> dict[str, Any]:
    """weights: one row per time."""
    return {
        "times_s": rounded(shown.times_s, 3),
        "frequencies_hz": rounded(shown.frequencies_hz, 1),
        "weights": rounded(shown.weights, 7),
    }


def rounded(values: ArrayLike, digits: int) -> Any:
    """Lists of Python floats; rounded in float64 so that the digits stay short."""
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()
