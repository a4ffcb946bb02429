"""A recipe survives the trip through a file, and a bad one is one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from synesthesia import recipe
from synesthesia.errors import UserError
from synesthesia.results import Recipe

GOOD = Recipe("embedded", "a" * 64, "b" * 64, 12.5, 9.0, "flow", 4.0, 7, 12, 3.0, False, "0.1.0")


def test_round_trip() -> None:
    assert recipe.from_json(recipe.to_json(GOOD)) == GOOD
    assert recipe.from_json(json.dumps({"presence": 0.9, "recipe": asdict(GOOD)})) == GOOD  # what --json prints
    assert recipe.from_json(recipe.to_json(replace(GOOD, x=3))) == replace(GOOD, x=3.0)  # 3 is a fine 3.0


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "3", "{}", recipe.to_json(GOOD).replace("7", '"seven"'), recipe.to_json(GOOD)[:-40]]
)
def test_bad_recipes_are_one_sentence(text: str) -> None:
    with pytest.raises(UserError):
        recipe.from_json(text)


def test_missing_and_unreadable_files(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        recipe.read(tmp_path / "none.json")
    with pytest.raises(UserError):
        recipe.read(tmp_path)
    (tmp_path / "binary.json").write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError):
        recipe.read(tmp_path / "binary.json")
