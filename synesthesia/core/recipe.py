"""A recipe as a file: written beside a sound, read back so that the command line makes the very same samples."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path

from synesthesia.core.errors import UserError
from synesthesia.core.results import Recipe

_TYPES: dict[str, type | tuple[type, ...]] = {"str": str, "float": (int, float), "int": int, "bool": bool}


def to_json(recipe: Recipe) -> str:
    return json.dumps(asdict(recipe), indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """From a recipe, or from an object that holds one under "recipe". A setting that older recipes lack has its
    default. UserError when it isn't one."""
    try:
        record = json.loads(text)
    except ValueError:
        raise UserError("The recipe is not a JSON file.") from None
    if isinstance(record, dict) and isinstance(record.get("recipe"), dict):
        record = record["recipe"]
    if not isinstance(record, dict):
        raise UserError("The recipe is not a JSON object.")
    values: dict[str, object] = {}
    for field in fields(Recipe):
        value = record.get(field.name, None if field.default is MISSING else field.default)
        expected = _TYPES[str(field.type)]
        if not isinstance(value, expected) or (isinstance(value, bool) and field.type != "bool"):
            raise UserError(f"The recipe's '{field.name}' is missing or has the wrong type.")
        values[field.name] = value
    return Recipe(**values)  # type: ignore[arg-type]  # each value's type was just checked


def read(path: Path) -> Recipe:
    """UserError when there is no such file or it holds no recipe."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"The recipe {path} can't be read ({type(error).__name__}).") from None
    return from_json(text)
