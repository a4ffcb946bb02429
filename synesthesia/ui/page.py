"""The page put together: tabs, events, the named endpoint, and how it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from synesthesia.audio_qa.pipeline import can_answer
from synesthesia.core import checkpoints
from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.image_to_sound.api import add_endpoint
from synesthesia.ui.image_to_sound.tab import hear_tab
from synesthesia.ui.image_to_sound.wiring import connect
from synesthesia.ui.impact import words as tap_words
from synesthesia.ui.impact.case_study import FILE, read_cases
from synesthesia.ui.impact.script import HEAD as TAP_HEAD
from synesthesia.ui.impact.tab import tap_tab
from synesthesia.ui.impact.theme import TAP_CSS
from synesthesia.ui.impact.wiring import connect_tap
from synesthesia.ui.localization.api import add_ask_endpoint, add_locate_endpoint
from synesthesia.ui.localization.tab import locate_tab
from synesthesia.ui.localization.wiring import connect_locate
from synesthesia.ui.shared import words
from synesthesia.ui.shared.script import HEAD
from synesthesia.ui.shared.theme import CSS, SHELL, theme

if TYPE_CHECKING:
    from synesthesia.studio import Studio

UPLOAD_LIMIT = "20mb"
WAITING = 16  # people in the queue before the next is asked to come back
SESSIONS = 24  # photographs kept in memory at most, the longest unused goes first
HOUR_S = 3600


def build_page(studio: Studio) -> gr.Blocks:
    """The whole page over one studio; nothing is computed until somebody opens it."""
    info = studio.info()
    locating = checkpoints.is_listed(studio.preset.spatial.localiser_weights.folder)
    tap = studio.preset.tap.weights.folder
    with gr.Blocks(title=words.TITLE, analytics_enabled=False, delete_cache=(HOUR_S, HOUR_S)) as page:
        gr.HTML(words.masthead(info.preset, locating=locating), padding=False)
        with gr.Tabs():
            with gr.Tab(words.TAB, id="hear"):
                connect(page, studio, hear_tab())
                add_endpoint(studio)
            if locating:
                asking = can_answer(studio.preset)
                with gr.Tab(words.LOCATE, id="locate"):
                    connect_locate(studio, locate_tab(asking=asking))
                    add_locate_endpoint(studio)
                    if asking:
                        add_ask_endpoint(studio)
            if checkpoints.is_listed(tap):
                with gr.Tab(tap_words.TAP, id="tap") as opened:
                    connect_tap(studio, opened, tap_tab(read_cases(checkpoints.root() / tap / FILE)))
        with gr.Accordion(words.ABOUT, open=False, elem_id="about"):
            gr.HTML(cards.footer(info), padding=False)
    return page.queue(max_size=WAITING, default_concurrency_limit=1)


def launch(page: gr.Blocks, host: str = "127.0.0.1", port: int | None = None) -> str:
    """Serve the page from a thread. Returns its address. port None: the first free one from 7860. Nothing outside this
    machine is asked for anything."""
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        share=False,
        show_error=False,
        quiet=True,
        theme=theme(),
        css=CSS + TAP_CSS,
        head=SHELL + HEAD + TAP_HEAD,
        max_file_size=UPLOAD_LIMIT,
        allowed_paths=[],
        state_session_capacity=SESSIONS,
        footer_links=["api"],
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
    )
    return str(address).rstrip("/")
