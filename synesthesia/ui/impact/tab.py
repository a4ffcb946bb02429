"""Layout of the tab "Tap": a photograph to strike, how to strike it, the predicted state, and "what if"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from synesthesia.core.requests import ImpactRequest
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.ui.impact import words
from synesthesia.ui.impact.case_study import CaseStudy, table
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.assets import asset
from synesthesia.ui.shared.cards import note, verdict
from synesthesia.ui.shared.photo_picker import (
    PatchPicker,
    PhotoPicker,
    download_buttons,
    overlay_picker,
    patch_picker,
    photo_picker,
)
from synesthesia.ui.shared.setting_control import SettingControl

FORCE = SettingControl(ImpactRequest, "force", "Force (N)", step=0.5, elem_id="tap-force")
SECONDS = SettingControl(ImpactRequest, "seconds", shared_words.SECONDS, step=0.5, elem_id="tap-seconds")
MALLET = SettingControl(
    ImpactRequest, "mallet", "Mallet", choices={"finger": "Finger", "wood": "Wood", "metal": "Metal"},
    elem_id="tap-mallet",
)  # fmt: skip
SETTINGS = (FORCE, SECONDS, MALLET)


@dataclass(frozen=True)
class TapPhoto:
    """The photograph in its layers, and how a place on it is chosen."""

    picker: PhotoPicker
    base: gr.HTML
    layer: gr.HTML
    outline: gr.HTML
    overlay: gr.Radio
    legend: gr.HTML
    patch: PatchPicker


@dataclass(frozen=True)
class StrikeCard:
    """One sound: as seen (A), or what if (B). Hidden without a heading: nothing is rebuilt when a sound arrives."""

    heading: gr.HTML
    audio: gr.HTML
    figure: gr.HTML
    wav: gr.DownloadButton
    recipe: gr.DownloadButton


@dataclass(frozen=True)
class WhatIf:
    """The same strike on something else. Shown once something was struck."""

    material: gr.Dropdown
    size: gr.Radio
    again: gr.Button
    compared: gr.HTML
    card: StrikeCard


@dataclass(frozen=True)
class TapTab:
    """Every component of the tab that an event reads or writes. controls: in the order of SETTINGS; whether a sound
    plays automatically is read by the browser alone."""

    session: gr.State
    photo: TapPhoto
    controls: tuple[gr.components.FormComponent, ...]
    verdict: gr.HTML
    anyway: gr.Button
    as_seen: StrikeCard
    state: gr.HTML
    what_if: WhatIf


def settings_from(values: tuple[Any, ...]) -> dict[str, Any]:
    """Values of the controls by name, as `Studio.hear` takes them."""
    return dict(zip((control.name for control in SETTINGS), values, strict=True))


def tap_tab(cases: CaseStudy | None = None) -> TapTab:
    """Build the tab inside the current gr.Blocks. cases: of the accordion at its end, if there are any."""
    session = gr.State(TapSession())
    with gr.Row(equal_height=False, elem_id="tap-board"):
        with gr.Column(scale=6, min_width=340):
            photo = photo_side()
            controls = control_panel()
        with gr.Column(scale=5, min_width=340):
            card = gr.HTML(verdict(*words.START), elem_id="tap-verdict")
            anyway = gr.Button(words.ANYWAY, size="sm", elem_id="tap-anyway")
            gr.HTML(words.GUIDE, elem_id="tap-guide")
            as_seen, state = as_seen_card()
    what_if = what_if_panel()
    if cases is not None:
        with gr.Accordion(words.CASES, open=False, elem_id="tap-cases"):
            gr.HTML(table(cases), padding=False)
    return TapTab(session, photo, controls, card, anyway, as_seen, state, what_if)


def photo_side() -> TapPhoto:
    picker = photo_picker("tap-")
    with gr.Column(elem_id="tap-photo"):
        base = gr.HTML(elem_id="tap-base", js_on_load=asset("impact/strike.js"))
        layer = gr.HTML(elem_id="tap-layer", js_on_load=None)
        outline = gr.HTML(elem_id="tap-outline", js_on_load=None)
    overlay, legend = overlay_picker(words.OVERLAYS, "tap-")
    patch = patch_picker(words.STRIKE, "tap-strike", "secondary", "tap-")
    return TapPhoto(picker, base, layer, outline, overlay, legend, patch)


def control_panel() -> tuple[gr.components.FormComponent, ...]:
    with gr.Column(elem_id="tap-blow"):
        with gr.Row():
            force, seconds = FORCE.build(), SECONDS.build()
        with gr.Row(elem_id="tap-mallet-row"):
            mallet = MALLET.build()
            gr.Checkbox(
                value=True, label=shared_words.AUTOPLAY, interactive=True, min_width=100, elem_id="tap-autoplay"
            )
    return force, seconds, mallet


def as_seen_card() -> tuple[StrikeCard, gr.HTML]:
    """The card A, with the physics state in it."""
    with gr.Column(elem_classes="take", elem_id="tap-seen"):
        heading = gr.HTML(elem_classes="heading")
        audio = player(words.PLAYER_A, "tap-audio-a")
        state = gr.HTML(elem_id="tap-state")
        card = card_end(heading, audio, "tap-figure-a")
    return card, state


def player(label: str, elem_id: str) -> gr.HTML:
    """The browser's own player; its sound comes with the event's answer instead of as a file to fetch afterwards."""
    audio = f"<audio controls aria-label='{label}'></audio>"
    return gr.HTML(
        "", html_template=audio, js_on_load=asset("impact/player.js"), elem_id=elem_id, elem_classes="player"
    )


def card_end(heading: gr.HTML, audio: gr.HTML, figure_id: str) -> StrikeCard:
    figure = gr.HTML(elem_id=figure_id, elem_classes="figure")
    return StrikeCard(heading, audio, figure, *download_buttons())


def what_if_panel() -> WhatIf:
    with gr.Row(equal_height=False, elem_id="tap-what-if"):
        with gr.Column(scale=6, min_width=340), gr.Column(elem_classes="sheet"):
            gr.HTML(f"<h3>{words.WHAT_IF}</h3>{note(words.WHAT_IF_ABOUT)}")
            with gr.Row(elem_id="tap-variation"):
                material = gr.Dropdown(
                    [(words.AS_SEEN, ""), *((name, name) for name in MATERIALS)], value="",
                    label=words.MATERIAL, min_width=150, elem_id="tap-material",
                )  # fmt: skip
                size = gr.Radio(
                    [(name, factor) for factor, name in words.SIZES.items()], value=1.0, label=words.SIZE,
                    min_width=230, elem_classes="pills", elem_id="tap-size",
                )  # fmt: skip
            again = gr.Button(words.NO_VARIATION, variant="primary", interactive=False, elem_id="tap-again")
            compared = gr.HTML(elem_id="tap-compared")
        with gr.Column(scale=5, min_width=340), gr.Column(elem_classes="take", elem_id="tap-other"):
            heading = gr.HTML(elem_classes="heading")
            card = card_end(heading, player(words.PLAYER_B, "tap-audio-b"), "tap-figure-b")
    return WhatIf(material, size, again, compared, card)
