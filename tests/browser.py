"""Which Chromium the browser tests can drive: the system's own, or the one that the environment names."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """Path of a Chromium, empty when there is none. The variable CHROMIUM names another."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        return named
    return next((path for path in map(shutil.which, NAMES) if path), "")
