"""The page: settings from the environment -> Studio -> page -> launch. Also the entry of a Hugging Face Space.

PORT (default: the first free one from 7860), HOST (127.0.0.1; on a Space 0.0.0.0), SYNESTHESIA_PRESET (embedded | hub).
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from synesthesia import Studio, UserError

if TYPE_CHECKING:
    import gradio as gr

BAD_INPUT = 2
VARIABLES = """environment:
  PORT                the page's port (default: the first free one from 7860)
  HOST                the address it listens at (default: 127.0.0.1; on a Hugging Face Space 0.0.0.0)
  SYNESTHESIA_PRESET  embedded (default) or hub
"""


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line on stderr (its usage text would be several)."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"synesthesia: {message[:1].upper()}{message[1:]} (see `python app.py --help`).\n")


def parser() -> argparse.ArgumentParser:
    return _Parser(
        prog="python app.py", description="Serves the page and prints its address.", epilog=VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def warm(studio: Studio) -> None:
    """Loads the models in the background; an error is shown again by the first click."""
    try:
        studio.warm()
    except UserError as error:
        print(f"synesthesia: {error}", file=sys.stderr, flush=True)


def main() -> gr.Blocks:
    """Serves the page, prints where it is, and hands it back."""
    from synesthesia.ui.page import build_page, launch  # gradio takes seconds to import, so not for --help

    studio = Studio.load(os.environ.get("SYNESTHESIA_PRESET", "embedded"))
    port = os.environ.get("PORT", "")
    if port and not port.isdecimal():
        raise UserError(f"PORT must be a number, not '{port}'.")
    page = build_page(studio)
    threading.Thread(target=warm, args=(studio,), daemon=True).start()
    host = os.environ.get("HOST", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1")
    try:
        address = launch(page, host, int(port) if port else None)
    except OSError as error:  # the port is taken, or the host isn't this machine's
        raise UserError(f"The page can't be served at {host}{':' + port if port else ''}: {error}") from error
    print(f"The page is at {address}", flush=True)
    return page


if __name__ == "__main__":
    parser().parse_args()
    try:
        served = main()
    except UserError as problem:
        sys.exit(f"synesthesia: {problem}")
    served.block_thread()
