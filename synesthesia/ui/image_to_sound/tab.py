"""Layout of the tab "Hear": choose a photograph, click a place, listen. What happens on a click is in `hear_events`."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synesthesia.core import presets
from synesthesia.ui.image_to_sound.session import Halt, Session
from synesthesia.ui.shared import words
from synesthesia.ui.vlm_to_sound import words as token_words

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
    """The photograph and how a place on it is chosen."""

    examples: gr.Gallery
    upload: gr.UploadButton
    photo: gr.Image
    overlay: gr.Radio
    row: gr.Number
    col: gr.Number
    hear: gr.Button


@dataclass(frozen=True)
class Controls:
    """How it shall sound, in the order of `hear_events.Settings`."""

    voice: gr.Radio
    note: gr.HTML
    takes: gr.Radio
    autoplay: gr.Checkbox
    seconds: gr.Slider
    seed: gr.Number
    guidance: gr.Slider
    steps: gr.Slider
    temperature: gr.Slider
    top_k: gr.Slider
    anyway: gr.Checkbox

    def parts(self) -> list[gr.components.Component]:
        return [
            self.voice, self.takes, self.autoplay, self.seconds, self.seed, self.guidance, self.steps,
            self.temperature, self.top_k, self.anyway,
        ]  # fmt: skip


@dataclass(frozen=True)
class SweepPanel:
    halt: gr.State
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
    ways: gr.Tabs
    controls: Controls
    takes: tuple[Take, ...]
    sweep: SweepPanel
    scene: ScenePanel


def hear_tab() -> HearTab:
    """Build the tab inside the current gr.Blocks."""
    session = gr.State(Session())
    with gr.Row(equal_height=False, elem_id="board"):
        with gr.Column(scale=6, min_width=340):
            side = photo_side()
            controls = control_panel()
        with gr.Column(scale=5, min_width=340):
            verdict = gr.HTML(words.verdict(*words.START), elem_id="verdict")
            anyway_button = gr.Button(words.ANYWAY_BUTTON, size="sm", visible=False, elem_id="anyway")
            with gr.Tabs(elem_id="ways") as ways:
                with gr.Tab(words.ONE, id="one"):
                    guide = gr.HTML(words.GUIDE, elem_id="guide")
                    with gr.Column(elem_id="takes"):
                        takes = tuple(take(index) for index in range(TAKES))
                with gr.Tab(words.SWEEP, id="sweep"):
                    sweep = sweep_panel()
                with gr.Tab(words.SCENE, id="scene"):
                    scene = scene_panel()
    return HearTab(session, side, verdict, guide, anyway_button, ways, controls, takes, sweep, scene)


def photo_side() -> PhotoSide:
    with gr.Row(elem_id="choose"):
        upload = gr.UploadButton(words.UPLOAD, size="sm", elem_id="upload", min_width=96)
        examples = gr.Gallery(
            elem_id="examples", show_label=False, container=False, allow_preview=False, columns=6, height="auto",
            object_fit="cover", interactive=False, buttons=[], format="jpeg",
        )  # fmt: skip
    photo = gr.Image(
        label=words.PHOTO, show_label=False, interactive=False, format="jpeg", buttons=[], elem_id="photo",
        container=False, alt_text=words.PHOTO,
    )  # fmt: skip
    overlay = gr.Radio(
        list(words.OVERLAYS), value=words.OVERLAYS[0], label=words.OVERLAY, show_label=False, container=False,
        elem_id="overlay", elem_classes="pills",
    )  # fmt: skip
    with gr.Row(elem_id="byhand"):
        row = gr.Number(value=0, precision=0, label=words.ROW, min_width=70, elem_id="row")
        col = gr.Number(value=0, precision=0, label=words.COLUMN, min_width=70, elem_id="col")
        hear = gr.Button(words.HEAR, variant="primary", min_width=140, elem_id="hear")
    return PhotoSide(examples, upload, photo, overlay, row, col, hear)


def take(index: int) -> Take:
    with gr.Column(visible=False, min_width=150, elem_classes="take", elem_id=f"take-{index}") as column:
        heading = gr.HTML()
        audio = player(f"Take {index + 1}", f"audio-{index}")
        figure = gr.Plot(show_label=False, container=False, elem_classes="figure")
        tokens = gr.HTML(visible=False, elem_classes="timeline")
        with gr.Row(elem_classes="downloads"):
            wav = gr.DownloadButton(words.WAV, size="sm", min_width=60)
            recipe = gr.DownloadButton(words.RECIPE, size="sm", min_width=60)
        evidence = gr.HTML()
    return Take(column, heading, audio, figure, tokens, evidence, wav, recipe)


def player(label: str, elem_id: str, **visibility: bool) -> gr.Audio:
    """The browser's own player: keyboard, phone and screen reader know it; the waveform is drawn beneath it."""
    return gr.Audio(
        label=label, show_label=False, container=False, interactive=False, buttons=[], elem_id=elem_id,
        waveform_options=gr.WaveformOptions(show_recording_waveform=False), **visibility,
    )  # fmt: skip


def control_panel() -> Controls:
    with gr.Row(elem_id="how"):
        voice = gr.Radio(
            [(name, key) for key, name in words.VOICES.items()],
            value="flow",
            label=words.VOICE,
            min_width=120,
            elem_classes="pills",
        )
        takes = gr.Radio([("One", 1), ("Three", 3)], value=1, label=words.TAKES, min_width=100, elem_classes="pills")
        autoplay = gr.Checkbox(value=True, label=words.AUTOPLAY, min_width=100, elem_id="autoplay")
    note = gr.HTML(voice_note("flow"), elem_id="voice-note", padding=False)
    with gr.Accordion(words.SETTINGS, open=False, elem_id="settings"):
        with gr.Row():
            seconds = gr.Slider(1, 10, value=4, step=0.5, label=words.SECONDS, min_width=180)
            seed = gr.Number(value=0, precision=0, label=words.SEED, info=words.SEED_INFO, min_width=180)
        with gr.Row():
            guidance = gr.Slider(
                0, presets.MAX_GUIDANCE, value=3, step=0.5, label=words.GUIDANCE, info=words.GUIDANCE_INFO,
                min_width=180,
            )  # fmt: skip
            steps = gr.Slider(
                1, presets.MAX_STEPS, value=12, step=1, label=words.STEPS, info=words.STEPS_INFO, min_width=180
            )
        with gr.Row():
            temperature = gr.Slider(
                0, presets.MAX_TEMPERATURE, value=1, step=0.05, label=token_words.TEMPERATURE,
                info=token_words.TEMPERATURE_INFO, min_width=180,
            )  # fmt: skip
            top_k = gr.Slider(
                1, presets.MAX_TOP_K, value=100, step=1, label=token_words.TOP_K, info=token_words.TOP_K_INFO,
                min_width=180,
            )  # fmt: skip
        anyway = gr.Checkbox(value=False, label=words.ANYWAY, info=words.ANYWAY_INFO)
    return Controls(voice, note, takes, autoplay, seconds, seed, guidance, steps, temperature, top_k, anyway)


def voice_note(voice: str) -> str:
    return f"<p class='progress-note'>{token_words.NOTES[voice]}</p>"


def sweep_panel() -> SweepPanel:
    halt = gr.State(Halt())
    gr.HTML(f"<p class='progress-note'>{words.SWEEP_ABOUT}</p>")
    seconds = gr.Slider(1, 4, value=2, step=0.5, label=words.SWEEP_SECONDS)
    with gr.Row():
        start = gr.Button(words.SWEEP_START, variant="primary", min_width=140, elem_id="sweep-start")
        stop = gr.Button(words.SWEEP_STOP, variant="stop", min_width=80, elem_id="sweep-stop", interactive=False)
    progress = gr.HTML(elem_id="sweep-progress")
    audio = player(words.SWEEP, "sweep-audio", visible=False)
    strip = gr.HTML(elem_id="strip", padding=False)
    return SweepPanel(halt, seconds, start, stop, progress, strip, audio)


def scene_panel() -> ScenePanel:
    gr.HTML(f"<p class='progress-note'>{words.SCENE_ABOUT}</p>")
    start = gr.Button(words.SCENE_START, variant="primary", elem_id="scene-start")
    audio = player(words.SCENE, "scene-audio", visible=False)
    figure = gr.Plot(show_label=False, container=False, visible=False, elem_classes="figure")
    stems = gr.HTML(elem_id="stems", padding=False)
    return ScenePanel(start, audio, figure, stems)
