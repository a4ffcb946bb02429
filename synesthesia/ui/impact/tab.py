"""Layout of the tab "Tap": a photograph to strike, how to strike it, the predicted state, and "what if"."""

from __future__ import annotations

import gradio as gr

from synesthesia.core.requests import ImpactRequest
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.ui.impact import words
from synesthesia.ui.impact.case_study import CaseStudy, table
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.assets import asset
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.photo_picker import PatchPicker, PhotoPicker, download_buttons, overlay_picker
from synesthesia.ui.shared.setting_control import SettingControl

FORCE = SettingControl(ImpactRequest, "force", "Force (N)", step=0.5, elem_id="tap-force")
SECONDS = SettingControl(ImpactRequest, "seconds", shared_words.SECONDS, step=0.5, elem_id="tap-seconds")
MALLET = SettingControl(
    ImpactRequest, "mallet", "Mallet", choices={"finger": "Finger", "wood": "Wood", "metal": "Metal"},
    elem_id="tap-mallet",
)  # fmt: skip
SETTINGS = (FORCE, SECONDS, MALLET)


class TapTab:
    """Built inside the current gr.Blocks; every component that an event reads or writes. cases: of the accordion at its
    end, if there are any. controls: in the order of SETTINGS; whether a sound plays automatically is read by the
    browser alone."""

    def __init__(self, cases: CaseStudy | None = None) -> None:
        self.session = gr.State(TapSession())
        with gr.Row(equal_height=False, elem_id="tap-board"):
            with gr.Column(scale=6, min_width=340):
                self.photo = TapPhoto()
                self.controls = control_panel()
            with gr.Column(scale=5, min_width=340):
                self.verdict = gr.HTML(verdict(*words.START), elem_id="tap-verdict")
                self.anyway = gr.Button(words.ANYWAY, size="sm", elem_id="tap-anyway")
                gr.HTML(words.GUIDE, elem_id="tap-guide")
                with gr.Column(elem_classes="take", elem_id="tap-seen"):
                    self.state = gr.HTML(elem_id="tap-state", render=False)
                    self.as_seen = StrikeCard(words.PLAYER_A, "a", self.state)
        self.what_if = WhatIf()
        if cases is not None:
            with gr.Accordion(words.CASES, open=False, elem_id="tap-cases"):
                gr.HTML(table(cases), padding=False)


class TapPhoto:
    """The photograph in its layers, and how a place on it is chosen."""

    def __init__(self) -> None:
        self.picker = PhotoPicker("tap-")
        with gr.Column(elem_id="tap-photo"):
            self.base = gr.HTML(elem_id="tap-base", js_on_load=asset("impact/strike.js"))
            self.layer = gr.HTML(elem_id="tap-layer", js_on_load=None)
            self.outline = gr.HTML(elem_id="tap-outline", js_on_load=None)
        self.overlay, self.legend = overlay_picker(words.OVERLAYS, "tap-")
        self.patch = PatchPicker(words.STRIKE, "tap-strike", "secondary", "tap-")


def control_panel() -> list[gr.components.FormComponent]:
    with gr.Column(elem_id="tap-blow"):
        with gr.Row():
            force, seconds = FORCE.build(), SECONDS.build()
        with gr.Row(elem_id="tap-mallet-row"):
            mallet = MALLET.build()
            gr.Checkbox(
                value=True, label=shared_words.AUTOPLAY, interactive=True, min_width=100, elem_id="tap-autoplay"
            )
    return [force, seconds, mallet]


class StrikeCard:
    """One sound: as seen (A), or what if (B). Hidden without a heading: nothing is rebuilt when a sound arrives. Its
    player is the browser's own; the sound comes with the event's answer instead of as a file to fetch afterwards.
    state: shown below the player."""

    def __init__(self, label: str, letter: str, state: gr.HTML | None = None) -> None:
        self.heading = gr.HTML(elem_classes="heading")
        self.audio = gr.HTML(
            "", html_template=f"<audio controls aria-label='{label}'></audio>", js_on_load=asset("impact/player.js"),
            elem_id=f"tap-audio-{letter}", elem_classes="player",
        )  # fmt: skip
        if state:
            state.render()
        self.figure = gr.HTML(elem_id=f"tap-figure-{letter}", elem_classes="figure")
        self.wav, self.recipe = download_buttons()


class WhatIf:
    """The same strike on something else. Shown once something was struck."""

    def __init__(self) -> None:
        with gr.Row(equal_height=False, elem_id="tap-what-if"):
            with gr.Column(scale=6, min_width=340), gr.Column(elem_classes="sheet"):
                gr.HTML(f"<h3>{words.WHAT_IF}</h3>{note(words.WHAT_IF_ABOUT)}")
                with gr.Row(elem_id="tap-variation"):
                    self.material = gr.Dropdown(
                        [(words.AS_SEEN, ""), *((name, name) for name in MATERIALS)], value="",
                        label=words.MATERIAL, min_width=150, elem_id="tap-material",
                    )  # fmt: skip
                    self.size = gr.Radio(
                        [(name, factor) for factor, name in words.SIZES.items()], value=1.0, label=words.SIZE,
                        min_width=230, elem_classes="pills", elem_id="tap-size",
                    )  # fmt: skip
                self.again = gr.Button(words.NO_VARIATION, variant="primary", interactive=False, elem_id="tap-again")
                self.compared = gr.HTML(elem_id="tap-compared")
            with gr.Column(scale=5, min_width=340), gr.Column(elem_classes="take", elem_id="tap-other"):
                self.card = StrikeCard(words.PLAYER_B, "b")
