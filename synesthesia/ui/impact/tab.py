"""Layout of the tab "Tap": a photograph to strike, how to strike it, what it is taken for, and what if it were another.
What happens is in `tap_events`."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from synesthesia.impact.modal.things import MATERIALS
from synesthesia.ui.impact import words as tap_words
from synesthesia.ui.impact.case_study import CaseStudy, table
from synesthesia.ui.impact.script import PLAYER, STAGE
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.shared import words


@dataclass(frozen=True)
class TapPhoto:
    """The photograph in its layers, and how a place on it is chosen."""

    examples: gr.Gallery
    upload: gr.UploadButton
    base: gr.HTML
    layer: gr.HTML
    outline: gr.HTML
    overlay: gr.Radio
    legend: gr.HTML
    row: gr.Number
    col: gr.Number
    strike: gr.Button


@dataclass(frozen=True)
class BlowControls:
    """How it is struck, in the order of `tap_events.BlowSettings`; whether it plays at once only the browser asks."""

    force: gr.Slider
    mallet: gr.Radio
    seconds: gr.Slider
    autoplay: gr.Checkbox

    def parts(self) -> list[gr.components.Component]:
        return [self.force, self.mallet, self.seconds]


@dataclass(frozen=True)
class StrikeCard:
    """One sound: as seen (A), or what if (B). Without a heading the page doesn't show it: nothing has to be built anew
    when a sound comes."""

    heading: gr.HTML
    audio: gr.HTML
    figure: gr.HTML
    wav: gr.DownloadButton
    recipe: gr.DownloadButton


@dataclass(frozen=True)
class WhatIf:
    """The same blow on something else. The page shows it once something was struck."""

    material: gr.Dropdown
    size: gr.Radio
    again: gr.Button
    compared: gr.HTML
    card: StrikeCard


@dataclass(frozen=True)
class TapTab:
    """Every component of the tab that an event reads or writes."""

    session: gr.State
    photo: TapPhoto
    controls: BlowControls
    verdict: gr.HTML
    anyway: gr.Button
    guide: gr.HTML
    seen: StrikeCard
    state: gr.HTML
    what_if: WhatIf


def tap_tab(cases: CaseStudy | None = None) -> TapTab:
    """Build the tab inside the current gr.Blocks. cases: of the accordion at its end, which needs some."""
    session = gr.State(TapSession())
    with gr.Row(equal_height=False, elem_id="tap-board"):
        with gr.Column(scale=6, min_width=340):
            photo = photo_side()
            controls = control_panel()
        with gr.Column(scale=5, min_width=340):
            verdict = gr.HTML(words.verdict(*tap_words.START), elem_id="tap-verdict")
            anyway = gr.Button(tap_words.ANYWAY, size="sm", elem_id="tap-anyway")
            guide = gr.HTML(tap_words.GUIDE, elem_id="tap-guide")
            seen, state = seen_card()
    what_if = what_if_panel()
    if cases is not None:
        with gr.Accordion(tap_words.CASES, open=False, elem_id="tap-cases"):
            gr.HTML(table(cases), padding=False)
    return TapTab(session, photo, controls, verdict, anyway, guide, seen, state, what_if)


def photo_side() -> TapPhoto:
    with gr.Row(elem_id="tap-choose"):
        upload = gr.UploadButton(words.UPLOAD, size="sm", elem_id="tap-upload", min_width=96)
        examples = gr.Gallery(
            elem_id="tap-examples", show_label=False, container=False, allow_preview=False, columns=6, height="auto",
            object_fit="cover", interactive=False, buttons=[], format="jpeg",
        )  # fmt: skip
    with gr.Column(elem_id="tap-photo"):
        base = gr.HTML(elem_id="tap-base", js_on_load=STAGE)
        layer = gr.HTML(elem_id="tap-layer", js_on_load=None)
        outline = gr.HTML(elem_id="tap-outline", js_on_load=None)
    overlay = gr.Radio(
        list(tap_words.OVERLAYS), value=tap_words.OVERLAYS[0], label=words.OVERLAY, show_label=False, container=False,
        elem_id="tap-overlay", elem_classes="pills",
    )  # fmt: skip
    legend = gr.HTML(elem_id="tap-legend")
    with gr.Row(elem_id="tap-byhand"):
        row = gr.Number(value=0, precision=0, label=words.ROW, min_width=70, elem_id="tap-row")
        col = gr.Number(value=0, precision=0, label=words.COLUMN, min_width=70, elem_id="tap-col")
        strike = gr.Button(tap_words.STRIKE, variant="secondary", min_width=140, elem_id="tap-strike")
    return TapPhoto(examples, upload, base, layer, outline, overlay, legend, row, col, strike)


def control_panel() -> BlowControls:
    with gr.Column(elem_id="tap-blow"):
        with gr.Row():
            force = gr.Slider(
                0.5, 50, value=8, step=0.5, label=tap_words.FORCE, buttons=[], min_width=180, elem_id="tap-force"
            )
            seconds = gr.Slider(
                1, 10, value=1.5, step=0.5, label=tap_words.SECONDS, buttons=[], min_width=180, elem_id="tap-seconds"
            )
        with gr.Row(elem_id="tap-mallet-row"):
            mallet = gr.Radio(
                [(name, key) for key, name in tap_words.MALLETS.items()], value="wood", label=tap_words.MALLET,
                min_width=180, elem_classes="pills", elem_id="tap-mallet",
            )  # fmt: skip
            autoplay = gr.Checkbox(
                value=True, label=tap_words.AUTOPLAY, interactive=True, min_width=100, elem_id="tap-autoplay"
            )
    return BlowControls(force, mallet, seconds, autoplay)


def seen_card() -> tuple[StrikeCard, gr.HTML]:
    """The card as seen has the physics state in it."""
    with gr.Column(elem_classes="take", elem_id="tap-seen"):
        heading = gr.HTML(elem_classes="heading")
        audio = player(tap_words.PLAYER_A, "tap-audio-a")
        state = gr.HTML(elem_id="tap-state")
        card = card_end(heading, audio, "tap-figure-a")
    return card, state


def player(label: str, elem_id: str) -> gr.HTML:
    """The browser's own player, as in `hear_tab`, but its sound comes with the event's answer instead of as a file to
    be fetched after it."""
    audio = f"<audio controls aria-label='{label}'></audio>"
    return gr.HTML("", html_template=audio, js_on_load=PLAYER, elem_id=elem_id, elem_classes="player")


def card_end(heading: gr.HTML, audio: gr.HTML, figure_id: str) -> StrikeCard:
    figure = gr.HTML(elem_id=figure_id, elem_classes="figure")
    with gr.Row(elem_classes="downloads"):
        wav = gr.DownloadButton(words.WAV, size="sm", min_width=60)
        recipe = gr.DownloadButton(words.RECIPE, size="sm", min_width=60)
    return StrikeCard(heading, audio, figure, wav, recipe)


def what_if_panel() -> WhatIf:
    with gr.Row(equal_height=False, elem_id="tap-what-if"):
        with gr.Column(scale=6, min_width=340), gr.Column(elem_classes="sheet"):
            gr.HTML(f"<h3>{tap_words.WHAT_IF}</h3><p class='progress-note'>{tap_words.WHAT_IF_ABOUT}</p>")
            with gr.Row(elem_id="tap-wish"):
                material = gr.Dropdown(
                    [(tap_words.AS_SEEN, ""), *((name, name) for name in MATERIALS)], value="",
                    label=tap_words.AS_MATERIAL, min_width=150, elem_id="tap-material",
                )  # fmt: skip
                size = gr.Radio(
                    [(name, factor) for factor, name in tap_words.SIZES.items()], value=1.0, label=tap_words.SIZE,
                    min_width=230, elem_classes="pills", elem_id="tap-size",
                )  # fmt: skip
            again = gr.Button(tap_words.AGAIN_NOTHING, variant="primary", interactive=False, elem_id="tap-again")
            compared = gr.HTML(elem_id="tap-compared")
        with gr.Column(scale=5, min_width=340), gr.Column(elem_classes="take", elem_id="tap-other"):
            heading = gr.HTML(elem_classes="heading")
            card = card_end(heading, player(tap_words.PLAYER_B, "tap-audio-b"), "tap-figure-b")
    return WhatIf(material, size, again, compared, card)
