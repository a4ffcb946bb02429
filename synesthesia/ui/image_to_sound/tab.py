"""Layout of the tab "Hear": choose a photograph, click a place, listen. The handlers are in `events`."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synesthesia.ui.image_to_sound import words
from synesthesia.ui.image_to_sound.controls import HearControls, control_panel
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.photo_picker import (
    PatchPicker,
    PhotoPicker,
    download_buttons,
    overlay_picker,
    patch_picker,
    photo_picker,
)

TAKES = 3  # at most this many sounds side by side


@dataclass(frozen=True)
class Take:
    """One sound: its player, picture, evidence and downloads."""

    column: gr.Column
    heading: gr.HTML
    audio: gr.Audio
    figure: gr.Plot
    tokens: gr.HTML
    evidence: gr.HTML
    wav: gr.DownloadButton
    recipe: gr.DownloadButton

    def parts(self) -> list[gr.blocks.Block]:
        return [self.column, self.heading, self.audio, self.figure, self.tokens, self.evidence, self.wav, self.recipe]


@dataclass(frozen=True)
class PhotoSide:
    """The photograph and how a patch of it is chosen."""

    picker: PhotoPicker
    photo: gr.Image
    overlay: gr.Radio
    legend: gr.HTML
    patch: PatchPicker


@dataclass(frozen=True)
class SweepPanel:
    stop_flag: gr.State
    seconds: gr.Slider
    start: gr.Button
    stop: gr.Button
    progress: gr.HTML
    strip: gr.HTML
    audio: gr.Audio


@dataclass(frozen=True)
class ScenePanel:
    start: gr.Button
    audio: gr.Audio
    figure: gr.Plot
    stems: gr.HTML


@dataclass(frozen=True)
class HearTab:
    """Every component of the tab that an event reads or writes."""

    session: gr.State
    side: PhotoSide
    verdict: gr.HTML
    guide: gr.HTML
    anyway_button: gr.Button
    modes: gr.Tabs
    controls: HearControls
    takes: tuple[Take, ...]
    sweep: SweepPanel
    scene: ScenePanel


def hear_tab() -> HearTab:
    """Build the tab inside the current gr.Blocks."""
    session = gr.State(HearSession())
    with gr.Row(equal_height=False, elem_id="board"):
        with gr.Column(scale=6, min_width=340):
            side = photo_side()
            controls = control_panel()
        with gr.Column(scale=5, min_width=340):
            card = gr.HTML(verdict(*words.START), elem_id="verdict")
            anyway_button = gr.Button(words.ANYWAY, size="sm", visible=False, elem_id="anyway")
            with gr.Tabs(elem_id="modes") as modes:
                with gr.Tab(words.ONE, id="one"):
                    guide = gr.HTML(words.GUIDE, elem_id="guide")
                    with gr.Column(elem_id="takes"):
                        takes = tuple(take(index) for index in range(TAKES))
                with gr.Tab(words.SWEEP, id="sweep"):
                    sweep = sweep_panel()
                with gr.Tab(words.SCENE, id="scene"):
                    scene = scene_panel()
    return HearTab(session, side, card, guide, anyway_button, modes, controls, takes, sweep, scene)


def photo_side() -> PhotoSide:
    picker = photo_picker()
    photo = gr.Image(
        label=words.PHOTO, show_label=False, interactive=False, format="jpeg", buttons=[], elem_id="photo",
        container=False, alt_text=words.PHOTO,
    )  # fmt: skip
    overlay, legend = overlay_picker(words.OVERLAYS)
    return PhotoSide(picker, photo, overlay, legend, patch_picker(words.HEAR, "hear", "primary"))


def take(index: int) -> Take:
    with gr.Column(visible=False, min_width=150, elem_classes="take", elem_id=f"take-{index}") as column:
        heading = gr.HTML()
        audio = player(f"Take {index + 1}", f"audio-{index}")
        figure = gr.Plot(show_label=False, container=False, elem_classes="figure")
        tokens = gr.HTML(visible=False, elem_classes="timeline")
        wav, recipe = download_buttons()
        evidence = gr.HTML()
    return Take(column, heading, audio, figure, tokens, evidence, wav, recipe)


def player(label: str, elem_id: str, *, visible: bool = True) -> gr.Audio:
    """The browser's own player, known to keyboard, phone and screen reader; the waveform is drawn below it."""
    return gr.Audio(
        label=label, show_label=False, container=False, interactive=False, buttons=[], elem_id=elem_id,
        waveform_options=gr.WaveformOptions(show_recording_waveform=False), visible=visible,
    )  # fmt: skip


def sweep_panel() -> SweepPanel:
    stop_flag = gr.State(StopFlag())
    gr.HTML(note(words.SWEEP_ABOUT))
    seconds = gr.Slider(1, 4, value=2, step=0.5, label=words.SWEEP_SECONDS)
    with gr.Row():
        start = gr.Button(words.SWEEP_START, variant="primary", min_width=140, elem_id="sweep-start")
        stop = gr.Button(words.SWEEP_STOP, variant="stop", min_width=80, elem_id="sweep-stop", interactive=False)
    progress = gr.HTML(elem_id="sweep-progress")
    audio = player(words.SWEEP, "sweep-audio", visible=False)
    strip = gr.HTML(elem_id="strip", padding=False)
    return SweepPanel(stop_flag, seconds, start, stop, progress, strip, audio)


def scene_panel() -> ScenePanel:
    gr.HTML(note(words.SCENE_ABOUT))
    start = gr.Button(words.SCENE_START, variant="primary", elem_id="scene-start")
    audio = player(words.SCENE, "scene-audio", visible=False)
    figure = gr.Plot(show_label=False, container=False, visible=False, elem_classes="figure")
    stems = gr.HTML(elem_id="stems", padding=False)
    return ScenePanel(start, audio, figure, stems)
