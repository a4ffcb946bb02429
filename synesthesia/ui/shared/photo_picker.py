"""Choosing a photograph and a patch by hand: the layout that the tabs Hear and Tap share, and its events.

Element ids are the same in both tabs, after the tab's prefix ("" or "tap-").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from synesthesia.ui.shared import words
from synesthesia.ui.shared.examples import Example, open_example
from synesthesia.ui.shared.handlers import Update
from synesthesia.vision.image import read_image


class PhotoPicker:
    def __init__(self, prefix: str = "") -> None:
        with gr.Row(elem_id=f"{prefix}choose"):
            self.upload = gr.UploadButton(words.UPLOAD, size="sm", elem_id=f"{prefix}upload", min_width=96)
            self.examples = gr.Gallery(
                elem_id=f"{prefix}examples", show_label=False, container=False, allow_preview=False, columns=6,
                height="auto", object_fit="cover", interactive=False, buttons=[], format="jpeg",
            )  # fmt: skip


def overlay_picker(overlays: Sequence[str], prefix: str = "") -> tuple[gr.Radio, gr.HTML]:
    """(which map lies over the photograph, its legend)."""
    overlay = gr.Radio(
        list(overlays), value=overlays[0], label=words.OVERLAY, show_label=False, container=False,
        elem_id=f"{prefix}overlay", elem_classes="pills",
    )  # fmt: skip
    return overlay, gr.HTML(elem_id=f"{prefix}legend")


class PatchPicker:
    """A patch by row and column, and the button that uses it."""

    def __init__(self, label: str, button_id: str, variant: Any, prefix: str = "") -> None:
        with gr.Row(elem_id=f"{prefix}byhand"):
            self.row = gr.Number(value=0, precision=0, label=words.ROW, min_width=70, elem_id=f"{prefix}row")
            self.col = gr.Number(value=0, precision=0, label=words.COLUMN, min_width=70, elem_id=f"{prefix}col")
            self.button = gr.Button(label, variant=variant, min_width=140, elem_id=button_id)


def download_buttons() -> tuple[gr.DownloadButton, gr.DownloadButton]:
    """(sound, recipe)."""
    with gr.Row(elem_classes="downloads"):
        wav = gr.DownloadButton(words.WAV, size="sm", min_width=60)
        recipe = gr.DownloadButton(words.RECIPE, size="sm", min_width=60)
    return wav, recipe


def connect_picker(
    picker: PhotoPicker, examples: Sequence[Example],
    open_photo: Callable[..., Iterator[Update]],
    inputs: Sequence[gr.components.Component], outputs: Sequence[gr.blocks.Block], settings: dict[str, Any],
) -> None:  # fmt: skip
    """A chosen example and an uploaded file are opened alike. open_photo: takes what reads the picture (it raises
    UserError for what is none) and then the values of `inputs`. settings: of the events."""

    def example(event: gr.SelectData, *values: Any) -> Iterator[Update]:
        chosen = examples[int(event.index)]
        yield from open_photo(lambda: open_example(chosen), *values)

    def upload(path: str, *values: Any) -> Iterator[Update]:
        yield from open_photo(lambda: read_image(path), *values)

    picker.examples.select(example, list(inputs), list(outputs), **settings)
    picker.upload.upload(upload, [picker.upload, *inputs], list(outputs), **settings)
