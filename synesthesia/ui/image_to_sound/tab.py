"""Layout of the tab "Hear": choose a photograph, click a place, listen. The handlers are in `events`."""

from __future__ import annotations

import gradio as gr

from synesthesia.ui.image_to_sound import words
from synesthesia.ui.image_to_sound.controls import HearControls
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.photo_picker import PatchPicker, PhotoPicker, download_buttons, overlay_picker

TAKES = 3  # at most this many sounds side by side


class HearTab:
    """Built inside the current gr.Blocks; every component that an event reads or writes."""

    def __init__(self) -> None:
        self.session = gr.State(HearSession())
        with gr.Row(equal_height=False, elem_id="board"):
            with gr.Column(scale=6, min_width=340):
                self.side = PhotoSide()
                self.controls = HearControls()
            with gr.Column(scale=5, min_width=340):
                self.verdict = gr.HTML(verdict(*words.START), elem_id="verdict")
                self.anyway_button = gr.Button(words.ANYWAY, size="sm", visible=False, elem_id="anyway")
                with gr.Tabs(elem_id="modes") as self.modes:
                    with gr.Tab(words.ONE, id="one"):
                        self.guide = gr.HTML(words.GUIDE, elem_id="guide")
                        with gr.Column(elem_id="takes"):
                            self.takes = tuple(Take(index) for index in range(TAKES))
                    with gr.Tab(words.SWEEP, id="sweep"):
                        self.sweep = SweepPanel()
                    with gr.Tab(words.SCENE, id="scene"):
                        self.scene = ScenePanel()


class PhotoSide:
    """The photograph and how a patch of it is chosen."""

    def __init__(self) -> None:
        self.picker = PhotoPicker()
        self.photo = gr.Image(
            label=words.PHOTO, show_label=False, interactive=False, format="jpeg", buttons=[], elem_id="photo",
            container=False, alt_text=words.PHOTO,
        )  # fmt: skip
        self.overlay, self.legend = overlay_picker(words.OVERLAYS)
        self.patch = PatchPicker(words.HEAR, "hear", "primary")


class Take:
    """One sound: its player, picture, evidence and downloads."""

    def __init__(self, index: int) -> None:
        with gr.Column(visible=False, min_width=150, elem_classes="take", elem_id=f"take-{index}") as self.column:
            self.heading = gr.HTML()
            self.audio = player(f"Take {index + 1}", f"audio-{index}")
            self.figure = gr.Plot(show_label=False, container=False, elem_classes="figure")
            self.tokens = gr.HTML(visible=False, elem_classes="timeline")
            self.wav, self.recipe = download_buttons()
            self.evidence = gr.HTML()

    def parts(self) -> list[gr.blocks.Block]:
        return list(vars(self).values())


class SweepPanel:
    def __init__(self) -> None:
        self.stop_flag = gr.State(StopFlag())
        gr.HTML(note(words.SWEEP_ABOUT))
        self.seconds = gr.Slider(1, 4, value=2, step=0.5, label=words.SWEEP_SECONDS)
        with gr.Row():
            self.start = gr.Button(words.SWEEP_START, variant="primary", min_width=140, elem_id="sweep-start")
            self.stop = gr.Button(
                words.SWEEP_STOP, variant="stop", min_width=80, elem_id="sweep-stop", interactive=False
            )
        self.progress = gr.HTML(elem_id="sweep-progress")
        self.audio = player(words.SWEEP, "sweep-audio", visible=False)
        self.strip = gr.HTML(elem_id="strip", padding=False)


class ScenePanel:
    def __init__(self) -> None:
        gr.HTML(note(words.SCENE_ABOUT))
        self.start = gr.Button(words.SCENE_START, variant="primary", elem_id="scene-start")
        self.audio = player(words.SCENE, "scene-audio", visible=False)
        self.figure = gr.Plot(show_label=False, container=False, visible=False, elem_classes="figure")
        self.stems = gr.HTML(elem_id="stems", padding=False)


def player(label: str, elem_id: str, *, visible: bool = True) -> gr.Audio:
    """The browser's own player, known to keyboard, phone and screen reader; the waveform is drawn below it."""
    return gr.Audio(
        label=label, show_label=False, container=False, interactive=False, buttons=[], elem_id=elem_id,
        waveform_options=gr.WaveformOptions(show_recording_waveform=False), visible=visible,
    )  # fmt: skip
