"""Questions that somebody wrote one by one, kept as data in `training/audio_qa/questions_data`.

free.json: for training; held_out.json: for validation alone, by somebody who had seen none of the training questions;
around.json: what people put before and after a question. By language, then kind.
"""

from __future__ import annotations

import json
from pathlib import Path

from training.audio_qa.phrases import Kind, Language

FOLDER = Path(__file__).with_name("questions_data")


def _read(name: str) -> dict[Language, dict[str, tuple[str, ...]]]:
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {language: {key: tuple(rows) for key, rows in kinds.items()} for language, kinds in stored.items()}


MORE: dict[Language, dict[Kind, tuple[str, ...]]] = _read("free")  # type: ignore[assignment]
HELD_OUT: dict[Language, dict[Kind, tuple[str, ...]]] = _read("held_out")  # type: ignore[assignment]
OPENERS = {language: around["openers"] for language, around in _read("around").items()}
CLOSERS = {language: around["closers"] for language, around in _read("around").items()}
