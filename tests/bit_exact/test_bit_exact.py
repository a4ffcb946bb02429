"""Bit-exact regression test of the embedded preset against `record.json`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synesthesia import Studio
from tests.bit_exact import record

KEPT: dict[str, Any] = json.loads(record.RECORD.read_text(encoding="utf-8"))
pytestmark = pytest.mark.skipif(
    record.environment() != KEPT["environment"],
    reason=f"recorded on {KEPT['environment']}, this is {record.environment()}: the last bits may differ",
)


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio.load("embedded")


def test_sounds_are_bit_exact(studio: Studio) -> None:
    assert record.sounds(studio) == KEPT["sounds"]


def test_directions_are_bit_exact(studio: Studio) -> None:
    assert record.directions(studio) == KEPT["directions"]


def test_answers_are_the_same(studio: Studio) -> None:
    assert record.answers(studio) == KEPT["answers"]


def test_recipes_of_earlier_versions_replay() -> None:
    assert record.replayed() == KEPT["recipes"]
