"""Recipes: everything that decides the samples of a sound, as one flat JSON object.

A recipe is the request of its path plus where the request was made: photograph, weights, place and version. It carries
the fields of its path alone; a recipe of an earlier version, which carried those of every path, is read all the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from synesthesia.core.errors import UserError
from synesthesia.core.requests import (
    AnySound,
    FlowRequest,
    ImpactRequest,
    LanguageRequest,
    Number,
    Seconds,
    Seed,
    request_type,
)

IGNORE_UNKNOWN = ConfigDict(frozen=True, extra="ignore")  # recipes used to hold the settings of every path


class Provenance(BaseModel):
    """Where a request was made.

    x, y: natural pixels; picture_sha256: see `vision.image.picture_key`; weights_sha256: see `checkpoints.fingerprint`.
    """

    preset: str
    picture_sha256: str
    weights_sha256: str
    x: Number
    y: Number
    version: str  # of this package
    seconds: Seconds  # a recipe leaves nothing to a default that may change
    seed: Seed

    def settings(self) -> dict[str, Any]:
        """The request's fields but its path: what `Studio.hear` takes by name."""
        return self.model_dump(exclude={"path", *Provenance.model_fields} - {"seconds", "seed"})


class FlowRecipe(Provenance, FlowRequest):
    """Of the paths "flow" and "mlp"."""

    model_config = IGNORE_UNKNOWN


class LanguageRecipe(Provenance, LanguageRequest):
    """Of the path "language"."""

    model_config = IGNORE_UNKNOWN


class ImpactRecipe(Provenance, ImpactRequest):
    """Of the path "tap"."""

    model_config = IGNORE_UNKNOWN


Recipe = FlowRecipe | LanguageRecipe | ImpactRecipe
RECIPES: dict[type[AnySound], type[Recipe]] = {
    FlowRequest: FlowRecipe, LanguageRequest: LanguageRecipe, ImpactRequest: ImpactRecipe,
}  # fmt: skip

KNOWN = {name for recipe in RECIPES.values() for name in recipe.model_fields}  # recipes once held those of every path


def to_json(recipe: Recipe) -> str:
    return recipe.model_dump_json(indent=2) + "\n"


def from_json(text: str) -> Recipe:
    """From a recipe, or from an object that holds one under "recipe". UserError when it isn't one."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("The recipe is not a JSON file.") from None
    if isinstance(record, dict) and isinstance(record.get("recipe"), dict):
        record = record["recipe"]
    if not isinstance(record, dict):
        raise UserError("The recipe is not a JSON object.")
    if not isinstance(path := record.get("path"), str):
        raise UserError("The recipe's 'path' is missing or has the wrong type.")
    if unknown := sorted(record.keys() - KNOWN):
        raise UserError(f"The recipe holds '{unknown[0]}', which this version doesn't know.")
    try:
        return RECIPES[request_type(path)](**record)
    except ValidationError as error:
        name = error.errors(include_url=False)[0]["loc"][0]
        raise UserError(f"The recipe's '{name}' is missing, out of its bounds or of the wrong type.") from None


def read_recipe(path: Path) -> Recipe:
    """UserError when there is no such file or it holds no recipe."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"The recipe {path} can't be read ({type(error).__name__}).") from None
    return from_json(text)
