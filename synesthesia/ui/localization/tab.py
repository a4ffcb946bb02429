"""Layout of the tab "Locate": a clip, uploaded or rendered at a known direction, then the dial and its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from synesthesia.core.requests import DemoClipRequest
from synesthesia.ui.audio_qa.panel import AskPanel, ask_panel
from synesthesia.ui.localization import words
from synesthesia.ui.localization.cards import drag_dial
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.setting_control import SettingControl

START_DEG = 60  # direction of the first test clip
SOUND = SettingControl(
    DemoClipRequest, "sound", "Sound", choices=words.SOUNDS, value="dog", min_width=160, elem_id="place-sound"
)
AZIMUTH = SettingControl(
    DemoClipRequest, "azimuth_deg", "Azimuth (°)", step=1, value=START_DEG, min_width=160, elem_id="place-azimuth"
)
ROOM = SettingControl(
    DemoClipRequest, "room", "Room", choices=words.ROOMS, min_width=160, elem_id="place-room"
)  # fmt: skip
ELEVATION = SettingControl(DemoClipRequest, "elevation_deg", "Elevation (°)", step=5, reset_button=True)
SNR = SettingControl(
    DemoClipRequest, "snr_db", "Signal-to-noise ratio (dB)", step=1, low=0, high=40, reset_button=True
)  # fmt: skip
SEED = SettingControl(DemoClipRequest, "seed", shared_words.SEED, shared_words.SEED_INFO)
SETTINGS = (SOUND, AZIMUTH, ROOM, ELEVATION, SNR, SEED)


@dataclass(frozen=True)
class DemoClipPanel:
    """controls: in the order of SETTINGS."""

    controls: tuple[gr.components.FormComponent, ...]
    render: gr.Button


@dataclass(frozen=True)
class AnswerPanel:
    """row: dial and numbers; reasons: the maps."""

    column: gr.Column
    row: gr.Row
    dial: gr.HTML
    numbers: gr.HTML
    reasons: gr.Column
    maps: gr.HTML
    clip_file: gr.DownloadButton
    numbers_file: gr.DownloadButton
    ask: AskPanel | None  # None without a language model

    def parts(self) -> list[gr.blocks.Block]:
        own = [
            self.column, self.row, self.dial, self.numbers, self.reasons, self.maps, self.clip_file, self.numbers_file
        ]  # fmt: skip
        return own + (self.ask.parts() if self.ask else [])


@dataclass(frozen=True)
class LocateTab:
    """Every component of the tab that an event reads or writes."""

    clip: gr.Audio
    demo_clip: DemoClipPanel
    verdict: gr.HTML
    guide: gr.HTML
    answer: AnswerPanel


def settings_from(values: tuple[Any, ...]) -> dict[str, Any]:
    """Values of the controls by name, as `Studio.binaural` takes them."""
    return dict(zip((control.name for control in SETTINGS), values, strict=True))


def locate_tab(*, asking: bool = False) -> LocateTab:
    """Build the tab inside the current gr.Blocks. asking: with the box for questions about the clip."""
    with gr.Row(equal_height=False, elem_id="bench"):
        with gr.Column(scale=5, min_width=320):
            clip = gr.Audio(
                label=words.CLIP, sources=["upload", "microphone"], type="filepath", editable=False, buttons=[],
                elem_id="clip", waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            )  # fmt: skip
            gr.HTML(f"<p class='hint'>{HEADPHONES_ICON}{words.HEADPHONES}</p>", padding=False)
            demo_clip = demo_clip_panel()
        with gr.Column(scale=6, min_width=320):
            card = gr.HTML(verdict(*words.START), elem_id="bearing")
            guide = gr.HTML(words.GUIDE, elem_id="locate-guide")
            answer = answer_panel(asking)
    return LocateTab(clip, demo_clip, card, guide, answer)


def demo_clip_panel() -> DemoClipPanel:
    with gr.Column(elem_id="place", elem_classes="sheet"):
        gr.HTML(f"<h3>{words.TEST_CLIP}</h3>", padding=False)
        sound = SOUND.build()
        with gr.Row(elem_id="place-where"):
            gr.HTML(drag_dial(START_DEG), padding=False, elem_id="place-compass")
            with gr.Column(min_width=150, elem_id="place-how"):
                azimuth, room = AZIMUTH.build(), ROOM.build()
        with gr.Accordion(words.MORE, open=False, elem_id="place-more"):
            elevation, snr, seed = ELEVATION.build(), SNR.build(), SEED.build()
        render = gr.Button(words.RENDER, variant="primary", elem_id="place-make")
    return DemoClipPanel((sound, azimuth, room, elevation, snr, seed), render)


def answer_panel(asking: bool) -> AnswerPanel:
    with gr.Column(visible=False, elem_id="answer", elem_classes="sheet") as column:
        with gr.Row(elem_id="dial-row") as row:
            dial = gr.HTML(padding=False, elem_id="dial", min_width=240)
            numbers = gr.HTML(padding=False, elem_id="bearings", min_width=200)
        ask = ask_panel() if asking else None
        with gr.Row(elem_classes="downloads"):
            clip_file = gr.DownloadButton(words.CLIP_FILE, size="sm", min_width=60)
            numbers_file = gr.DownloadButton(words.NUMBERS_FILE, size="sm", min_width=60)
        with gr.Column(elem_id="reasons") as reasons:
            gr.HTML(note(words.MAPS_ABOUT), padding=False)
            maps = gr.HTML(padding=False, elem_id="maps")
    return AnswerPanel(column, row, dial, numbers, reasons, maps, clip_file, numbers_file, ask)


HEADPHONES_ICON = (
    "<svg viewBox='0 0 24 24' aria-hidden='true'><path d='M4 15v-3a8 8 0 0 1 16 0v3' fill='none' "
    "stroke='currentColor' stroke-width='2'/><rect x='2.5' y='14' width='5' height='7' rx='2'/>"
    "<rect x='16.5' y='14' width='5' height='7' rx='2'/></svg>"
)
