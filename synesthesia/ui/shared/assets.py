"""Style sheets, scripts and drawings of the page, read from the files that lie beside the Python modules."""

from __future__ import annotations

from pathlib import Path

UI = Path(__file__).resolve().parent.parent


def asset(name: str) -> str:
    """name: relative to `synesthesia/ui`, such as "impact/strike.js"."""
    return (UI / name).read_text(encoding="utf-8")
