"""Reports of the evaluations: figures as JSON, rows of markdown tables, intervals of means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from synesthesia.evaluation.intervals import ConfidenceInterval, bootstrap


def write_json(file: Path, value: object) -> None:
    """Intervals and other dataclasses become objects; the folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=1, ensure_ascii=False, default=asdict)  # type: ignore[arg-type]
    file.write_text(text + "\n", encoding="utf-8")


def table_row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def table_header(*titles: object) -> str:
    return table_row(*titles) + "\n" + "|---" * len(titles) + "|"


def mean_interval(
    values: Sequence[float] | np.ndarray, rng: np.random.Generator, draws: int = 1000
) -> ConfidenceInterval:
    """The mean with its 95 % bootstrap interval."""
    return bootstrap(np.asarray(values, float), lambda drawn: float(drawn.mean()), rng, draws)
