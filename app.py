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
    page = build_page(studio)
    threading.Thread(target=warm, args=(studio,), daemon=True).start()
    on_space = "SPACE_ID" in os.environ
    port = os.environ.get("PORT")
    launch(page, os.environ.get("HOST", "0.0.0.0" if on_space else "127.0.0.1"), int(port) if port else None)


if __name__ == "__main__":
    main()
