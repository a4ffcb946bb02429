"""Texts that several tabs use."""

from __future__ import annotations

UPLOAD = "Upload a photograph"
OVERLAY = "Show on the photograph"
ROW, COLUMN = "Row", "Column"
SECONDS = "Length (s)"
SEED = "Seed"
SEED_INFO = "The same seed gives the same samples."
AUTOPLAY = "Play automatically"
WAV, RECIPE = "Download WAV", "Download recipe"

GENERATING = "Generating …"
NO_PHOTO = "Choose or upload a photograph first."
NO_CELL = "Enter a row and a column first."
NO_CLIP = "Upload or record a clip first."
UNEXPECTED = "Something went wrong on our side. Nothing is lost; please try again."


def place(row: int, col: int) -> str:
    return f"row {row}, column {col}"


def detail(*parts: str) -> str:
    """The line under a headline; empty parts are left out."""
    return " · ".join(filter(None, parts))
