"""Layout of the tab "Locate": a clip in, or made by placing a sound; the dial and its reasons out."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synesthesia.ui.audio_qa.panel import AskPanel, ask_panel
from synesthesia.ui.localization import cards as locate_cards
from synesthesia.ui.shared import words

START_DEG = 60  # where the sound of the first test clip is put


@dataclass(frozen=True)
class PlacePanel:
    """A test clip, in the order of `locate_events.Wish`."""

    sound: gr.Radio
    azimuth: gr.Slider
    elevation: gr.Slider
    room: gr.Radio
    snr: gr.Slider
    seed: gr.Number
    make: gr.Button

    def parts(self) -> list[gr.components.Component]:
        return [self.sound, self.azimuth, self.elevation, self.room, self.snr, self.seed]


@dataclass(frozen=True)
class AnswerPanel:
    """look: dial and numbers; reasons: the maps."""

    column: gr.Column
    look: gr.Row
    dial: gr.HTML
    bearings: gr.HTML
    reasons: gr.Column
    maps: gr.HTML
    clip: gr.DownloadButton
    numbers: gr.DownloadButton
    ask: AskPanel | None  # None without a language model

    def parts(self) -> list[gr.blocks.Block]:
        own = [self.column, self.look, self.dial, self.bearings, self.reasons, self.maps, self.clip, self.numbers]
        return own + (self.ask.parts() if self.ask else [])


@dataclass(frozen=True)
class LocateTab:
    """Every component of the tab that an event reads or writes."""

    clip: gr.Audio
    place: PlacePanel
    verdict: gr.HTML
    guide: gr.HTML
    answer: AnswerPanel


def locate_tab(*, asking: bool = False) -> LocateTab:
    """Build the tab inside the current gr.Blocks. asking: with the box for questions about the clip."""
    with gr.Row(equal_height=False, elem_id="bench"):
        with gr.Column(scale=5, min_width=320):
            clip = gr.Audio(
                label=words.CLIP, sources=["upload", "microphone"], type="filepath", editable=False, buttons=[],
                elem_id="clip", waveform_options=gr.WaveformOptions(show_recording_waveform=False),
            )  # fmt: skip
            gr.HTML(f"<p class='hint'>{HEADPHONES_SIGN}{words.HEADPHONES}</p>", padding=False)
            place = place_panel()
        with gr.Column(scale=6, min_width=320):
            verdict = gr.HTML(words.verdict(*words.LOCATE_START), elem_id="bearing")
            guide = gr.HTML(words.LOCATE_GUIDE, elem_id="locate-guide")
            answer = answer_panel(asking)
    return LocateTab(clip, place, verdict, guide, answer)


def place_panel() -> PlacePanel:
    with gr.Column(elem_id="place", elem_classes="sheet"):
        gr.HTML(f"<h3>{words.PLACE}</h3>", padding=False)
        sound = gr.Radio(
            [(name, key) for key, name in words.PLACE_SOUNDS.items()], value="dog", label=words.PLACE_SOUND,
            elem_classes="pills", elem_id="place-sound",
        )  # fmt: skip
        with gr.Row(elem_id="place-where"):
            gr.HTML(locate_cards.place_dial(START_DEG), padding=False, elem_id="place-compass")
            with gr.Column(min_width=150, elem_id="place-how"):
                azimuth = gr.Slider(
                    -180, 180, value=START_DEG, step=1, label=words.PLACE_AZIMUTH, buttons=[], elem_id="place-azimuth"
                )
                room = gr.Radio(
                    [(name, key) for key, name in words.PLACE_ROOMS.items()], value="none", label=words.PLACE_ROOM,
                    elem_classes="pills", elem_id="place-room",
                )  # fmt: skip
        with gr.Accordion(words.PLACE_MORE, open=False, elem_id="place-more"):
            elevation = gr.Slider(-40, 60, value=0, step=5, label=words.PLACE_ELEVATION)
            snr = gr.Slider(0, 40, value=40, step=1, label=words.PLACE_SNR)
            seed = gr.Number(value=0, precision=0, label=words.PLACE_SEED, info=words.SEED_INFO)
        make = gr.Button(words.PLACE_MAKE, variant="primary", elem_id="place-make")
    return PlacePanel(sound, azimuth, elevation, room, snr, seed, make)


def answer_panel(asking: bool) -> AnswerPanel:
    with gr.Column(visible=False, elem_id="answer", elem_classes="sheet") as column:
        with gr.Row(elem_id="dial-row") as look:
            dial = gr.HTML(padding=False, elem_id="dial", min_width=240)
            bearings = gr.HTML(padding=False, elem_id="bearings", min_width=200)
        ask = ask_panel() if asking else None
        with gr.Row(elem_classes="downloads"):
            clip = gr.DownloadButton(words.CLIP_FILE, size="sm", min_width=60)
            numbers = gr.DownloadButton(words.BEARINGS_FILE, size="sm", min_width=60)
        with gr.Column(elem_id="reasons") as reasons:
            gr.HTML(f"<p class='progress-note'>{words.MAPS_ABOUT}</p>", padding=False)
            maps = gr.HTML(padding=False, elem_id="maps")
    return AnswerPanel(column, look, dial, bearings, reasons, maps, clip, numbers, ask)


HEADPHONES_SIGN = (
    "<svg viewBox='0 0 24 24' aria-hidden='true'><path d='M4 15v-3a8 8 0 0 1 16 0v3' fill='none' "
    "stroke='currentColor' stroke-width='2'/><rect x='2.5' y='14' width='5' height='7' rx='2'/>"
    "<rect x='16.5' y='14' width='5' height='7' rx='2'/></svg>"
)
