"""The page: tabs, events, endpoints, styles and scripts, and how it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.audio_qa.pipeline import can_answer
from synesthesia.core import checkpoints
from synesthesia.ui.audio_qa.api import add_ask_endpoint
from synesthesia.ui.image_to_sound import words as hear_words
from synesthesia.ui.image_to_sound.api import add_hear_endpoint
from synesthesia.ui.image_to_sound.tab import HearTab
from synesthesia.ui.image_to_sound.wiring import connect_hear
from synesthesia.ui.impact import words as tap_words
from synesthesia.ui.impact.case_study import FILE, read_cases
from synesthesia.ui.impact.tab import TapTab
from synesthesia.ui.impact.wiring import connect_tap
from synesthesia.ui.localization import words as locate_words
from synesthesia.ui.localization.api import add_locate_endpoint
from synesthesia.ui.localization.tab import LocateTab
from synesthesia.ui.localization.wiring import connect_locate
from synesthesia.ui.shared import about
from synesthesia.ui.shared.assets import asset
from synesthesia.ui.shared.theme import theme

if TYPE_CHECKING:
    from synesthesia.studio import Studio

UPLOAD_LIMIT = "20mb"
MAX_QUEUE = 16  # waiting people, before the next is asked to come back
MAX_SESSIONS = 24  # photographs kept in memory; the longest unused goes first
HOUR_S = 3600
ROOMS = ("image_to_sound", "vlm_to_sound", "impact", "localization", "audio_qa")
SCRIPTS = ("shared/page.js", "image_to_sound/playback.js", "localization/dial.js", "impact/play_buttons.js")


def build_page(studio: Studio) -> gr.Blocks:
    """The whole page over one studio; nothing is computed until somebody opens it."""
    info = studio.info()
    locating = checkpoints.is_listed(studio.preset.localization.localizer_weights.folder)
    tap = studio.preset.impact.weights.folder
    with gr.Blocks(title=about.TITLE, analytics_enabled=False, delete_cache=(HOUR_S, HOUR_S)) as page:
        gr.HTML(about.masthead(info.preset, locating=locating), padding=False)
        with gr.Tabs():
            with gr.Tab(hear_words.TAB, id="hear"):
                connect_hear(page, studio, HearTab())
                add_hear_endpoint(studio)
            if locating:
                asking = can_answer(studio.preset)
                with gr.Tab(locate_words.LOCATE, id="locate"):
                    connect_locate(studio, LocateTab(asking=asking))
                    add_locate_endpoint(studio)
                    if asking:
                        add_ask_endpoint(studio)
            if checkpoints.is_listed(tap):
                with gr.Tab(tap_words.TAP, id="tap") as opened:
                    connect_tap(studio, opened, TapTab(read_cases(checkpoints.root() / tap / FILE)))
        with gr.Accordion(about.ABOUT, open=False, elem_id="about"):
            gr.HTML(about.footer(info), padding=False)
    return page.queue(max_size=MAX_QUEUE, default_concurrency_limit=1)


def css() -> str:
    """All style sheets. Every "#" of choosing.css is an element's id: the tab Tap has the same ids after "tap-"."""
    choosing = asset("shared/choosing.css")
    rooms = (asset(f"{room}/theme.css") for room in ROOMS)
    return "\n".join((choosing, choosing.replace("#", "#tap-"), asset("shared/theme.css"), *rooms))


def head() -> str:
    """Scripts, and the styles that gradio must not prefix with its own container, as it does with `css`."""
    return f"<style>\n{asset('shared/page.css')}</style>" + "".join(
        f"<script>\n{asset(name)}</script>" for name in SCRIPTS
    )


def launch(page: gr.Blocks, host: str = "127.0.0.1", port: int | None = None) -> str:
    """Serve the page from a thread; returns its address. port None: the first free one from 7860. The page requests
    nothing from outside this machine."""
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        share=False,
        show_error=False,
        quiet=True,
        theme=theme(),
        css=css(),
        head=head(),
        max_file_size=UPLOAD_LIMIT,
        allowed_paths=[],
        state_session_capacity=MAX_SESSIONS,
        footer_links=["api"],
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return str(address).rstrip("/")
