"""The page put together: tabs, events, the named endpoint, and how it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from synesthesia import weights
from synesthesia.clips import can_answer
from synesthesia.ui import cards, tap_words, words
from synesthesia.ui.hear_api import add_endpoint
from synesthesia.ui.hear_tab import hear_tab
from synesthesia.ui.hear_wiring import connect
from synesthesia.ui.locate_api import add_ask_endpoint, add_locate_endpoint
from synesthesia.ui.locate_tab import locate_tab
from synesthesia.ui.locate_wiring import connect_locate
from synesthesia.ui.script import HEAD
from synesthesia.ui.tap_cases import FILE, read_cases
from synesthesia.ui.tap_script import HEAD as TAP_HEAD
from synesthesia.ui.tap_tab import tap_tab
from synesthesia.ui.tap_theme import TAP_CSS
from synesthesia.ui.tap_wiring import connect_tap
from synesthesia.ui.theme import CSS, SHELL, theme

if TYPE_CHECKING:
    from synesthesia.studio import Studio

UPLOAD_LIMIT = "20mb"
WAITING = 16  # people in the queue before the next is asked to come back
SESSIONS = 24  # photographs kept in memory at most, the longest unused goes first
HOUR_S = 3600


def build_page(studio: Studio) -> gr.Blocks:
    """The whole page over one studio; nothing is computed until somebody opens it."""
    info = studio.info()
    locating = weights.is_listed(studio.preset.spatial.localiser_weights.folder)
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
            if weights.is_listed(tap):
                with gr.Tab(tap_words.TAP, id="tap") as opened:
                    connect_tap(studio, opened, tap_tab(read_cases(weights.root() / tap / FILE)))
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
