"""Layout of the tab "Locate": a clip, uploaded or rendered at a known direction, then the dial and its reasons."""

from __future__ import annotations

import gradio as gr

from synesthesia.core.requests import DemoClipRequest
from synesthesia.ui.audio_qa.panel import AskPanel
from synesthesia.ui.localization import words
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.assets import asset
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.setting_control import SettingControl

START_DEG = 60  # direction of the first test clip
SOUND = SettingControl(
    DemoClipRequest, "sound", "Sound", choices=words.SOUNDS, value="dog", min_width=160, elem_id="place-sound"
)
AZIMUTH = SettingControl(
    DemoClipRequest, "azimuth_deg", "Azimuth (°)", step=1, value=START_DEG, min_width=160, elem_id="place-azimuth"
)
ROOM = SettingControl(DemoClipRequest, "room", "Room", choices=words.ROOMS, min_width=160, elem_id="place-room")
ELEVATION = SettingControl(DemoClipRequest, "elevation_deg", "Elevation (°)", step=5, reset_button=True)
SNR = SettingControl(DemoClipRequest, "snr_db", "Signal-to-noise ratio (dB)", step=1, low=0, high=40, reset_button=True)
SEED = SettingControl(DemoClipRequest, "seed", shared_words.SEED, shared_words.SEED_INFO)
SETTINGS = (SOUND, AZIMUTH, ROOM, ELEVATION, SNR, SEED)


class LocateTab:
    """Built inside the current gr.Blocks; every component that an event reads or writes. asking: with the box for
    questions about the clip."""

    def __init__(self, *, asking: bool = False) -> None:
        with gr.Row(equal_height=False, elem_id="bench"):
            with gr.Column(scale=5, min_width=320):
                self.clip = gr.Audio(
                    label=words.CLIP, sources=["upload", "microphone"], type="filepath", editable=False, buttons=[],
                    elem_id="clip", waveform_options=gr.WaveformOptions(show_recording_waveform=False),
                )  # fmt: skip
                gr.HTML(f"<p class='hint'>{asset('localization/headphones.html')}{words.HEADPHONES}</p>", padding=False)
                self.demo_clip = DemoClipPanel()
            with gr.Column(scale=6, min_width=320):
                self.verdict = gr.HTML(verdict(*words.START), elem_id="bearing")
                self.guide = gr.HTML(words.GUIDE, elem_id="locate-guide")
                self.answer = AnswerPanel(asking)


class DemoClipPanel:
    """controls: in the order of SETTINGS."""

    def __init__(self) -> None:
        with gr.Column(elem_id="place", elem_classes="sheet"):
            gr.HTML(f"<h3>{words.TEST_CLIP}</h3>", padding=False)
            sound = SOUND.build()
            with gr.Row(elem_id="place-where"):
                gr.HTML(asset("localization/dial.html") % START_DEG, padding=False, elem_id="place-compass")
                with gr.Column(min_width=150, elem_id="place-how"):
                    azimuth, room = AZIMUTH.build(), ROOM.build()
            with gr.Accordion(words.MORE, open=False, elem_id="place-more"):
                self.controls = [sound, azimuth, room, ELEVATION.build(), SNR.build(), SEED.build()]
            self.render = gr.Button(words.RENDER, variant="primary", elem_id="place-make")


class AnswerPanel:
    """row: dial and numbers; reasons: the maps; ask: None without a language model."""

    def __init__(self, asking: bool) -> None:
        with gr.Column(visible=False, elem_id="answer", elem_classes="sheet") as self.column:
            with gr.Row(elem_id="dial-row") as self.row:
                self.dial = gr.HTML(padding=False, elem_id="dial", min_width=240)
                self.numbers = gr.HTML(padding=False, elem_id="bearings", min_width=200)
            self.ask = AskPanel() if asking else None
            with gr.Row(elem_classes="downloads"):
                self.clip_file = gr.DownloadButton(words.CLIP_FILE, size="sm", min_width=60)
                self.numbers_file = gr.DownloadButton(words.NUMBERS_FILE, size="sm", min_width=60)
            with gr.Column(elem_id="reasons") as self.reasons:
                gr.HTML(note(words.MAPS_ABOUT), padding=False)
                self.maps = gr.HTML(padding=False, elem_id="maps")

    def parts(self) -> list[gr.blocks.Block]:
        own = [part for part in vars(self).values() if isinstance(part, gr.blocks.Block)]
        return own + (self.ask.parts() if self.ask else [])
