"""The page: settings from the environment -> Studio -> page -> launch. Also the entry of a Hugging Face Space.

PORT (default: the first free one from 7860), HOST (127.0.0.1; on a Space 0.0.0.0), SYNESTHESIA_PRESET (embedded | hub).
"""

import os
import sys
import threading

from synesthesia import Studio, UserError
from synesthesia.ui.page import build_page, launch


def warm(studio: Studio) -> None:
    """Loads the models while the person still looks at the page; what is wrong with them the first click says too."""
    try:
        studio.warm()
    except UserError as error:
        print(f"synesthesia: {error}", file=sys.stderr, flush=True)


def main() -> None:
    studio = Studio.load(os.environ.get("SYNESTHESIA_PRESET", "embedded"))
    port = os.environ.get("PORT", "")
    if port and not port.isdecimal():
        raise UserError(f"PORT must be a number, not '{port}'.")
    page = build_page(studio)
    threading.Thread(target=warm, args=(studio,), daemon=True).start()
    host = os.environ.get("HOST", "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1")
    try:
        launch(page, host, int(port) if port else None)
    except OSError as error:  # the port is taken, or the host isn't this machine's
        raise UserError(f"The page can't be served at {host}{':' + port if port else ''}: {error}") from error


if __name__ == "__main__":
    try:
        main()
    except UserError as problem:
        sys.exit(f"synesthesia: {problem}")
