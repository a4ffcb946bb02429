"""Memory stays flat over hundreds of clicks on many photographs (`pytest -m slow`)."""

from __future__ import annotations

import pytest


@pytest.mark.slow
def test_memory_after_300_clicks_is_that_after_30() -> None:
    from training.evaluation.benchmark import clicks

    rows = {row.name: row for row in clicks(rounds=1, count=300)}
    flat = rows["memory after 300 clicks / after 30"]
    assert flat.held, f"{flat.spread}: {flat.value:.3f}"
    assert rows["peak memory"].held, rows["peak memory"]
