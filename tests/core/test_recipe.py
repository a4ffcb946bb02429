"""A recipe survives the trip through a file, and a bad one is one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synesthesia.core import recipe
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset, Weights, embedded, hub
from synesthesia.core.recipe import FlowRecipe, ImpactRecipe, LanguageRecipe, Recipe

GOOD = FlowRecipe(
    preset="embedded", picture_sha256="a" * 64, weights_sha256="b" * 64, x=12.5, y=9.0, version="0.1.0", path="flow",
    seconds=4.0, seed=7, steps=12, guidance=3.0, anyway=False,
)  # fmt: skip
PLACE = GOOD.model_dump(exclude={"path", "steps", "guidance"})
EARLIER = Path(__file__).resolve().parents[1] / "bit_exact" / "recipes"  # each with the fields of every path


def changed(good: Recipe, values: dict[str, object]) -> str:
    return json.dumps(good.model_dump() | values)


def test_round_trip() -> None:
    assert recipe.from_json(recipe.to_json(GOOD)) == GOOD
    assert recipe.from_json(json.dumps({"presence": 0.9, "recipe": GOOD.model_dump()})) == GOOD  # what --json prints
    assert recipe.from_json(changed(GOOD, {"x": 3})) == GOOD.model_copy(update={"x": 3.0})  # 3 is a fine 3.0


def test_it_carries_the_fields_of_its_path_alone() -> None:
    common = {"preset", "picture_sha256", "weights_sha256", "x", "y", "version", "path", "seconds", "seed", "anyway"}
    assert set(json.loads(recipe.to_json(GOOD))) == common | {"steps", "guidance"}
    language, tap = LanguageRecipe(**PLACE), ImpactRecipe(**PLACE)
    assert set(language.model_dump()) == common | {"guidance", "temperature", "top_k"}
    assert set(tap.model_dump()) == common | {"force", "mallet", "material", "size_factor"}
    assert tap.settings() == {
        "seconds": 4.0, "seed": 7, "anyway": False, "force": 8.0, "mallet": "wood", "material": "", "size_factor": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(EARLIER.glob("*.json")), ids=lambda path: path.stem)
def test_recipes_of_earlier_versions_are_still_read(path: Path) -> None:
    """They held the settings of every path."""
    record = json.loads(path.read_text(encoding="utf-8"))
    read = recipe.read_recipe(path)
    assert {"temperature", "force", "steps"} <= record.keys()
    assert read.model_dump().items() <= record.items()


def test_recipes_from_before_a_setting_have_its_default() -> None:
    older = LanguageRecipe(**PLACE, temperature=0.5, top_k=7)
    assert recipe.from_json(recipe.to_json(older)) == older
    record = older.model_dump()
    del record["temperature"], record["top_k"]
    read = recipe.from_json(json.dumps(record))
    assert isinstance(read, LanguageRecipe) and (read.temperature, read.top_k) == (1.0, 100)
    struck = ImpactRecipe(**PLACE, force=0.5, mallet="metal", material="paper", size_factor=2.0)
    assert recipe.from_json(recipe.to_json(struck)) == struck


@pytest.mark.parametrize("wrong", [{"top_k": "many"}, {"top_k": 1.5}, {"temperature": None}])
def test_a_wrong_type_of_the_language_path_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        recipe.from_json(changed(LanguageRecipe(**PLACE), wrong))


@pytest.mark.parametrize("wrong", [{"force": "hard"}, {"mallet": 3}, {"material": None}, {"size_factor": True}])
def test_a_wrong_type_of_the_path_tap_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(wrong))):
        recipe.from_json(changed(ImpactRecipe(**PLACE), wrong))


@pytest.mark.parametrize("preset", [embedded(), hub()], ids=["embedded", "hub"])
def test_what_decides_the_samples_is_in_the_fingerprint(preset: Preset) -> None:
    """Of the older paths the same weights in the same order as ever, so that older recipes hold."""
    mapper = "mapper" if preset.name == "embedded" else "mapper_hub"
    codec, language_config = preset.codec, preset.vlm_to_sound
    for path in ("flow", "mlp"):
        assert preset.used_by(path) == (
            preset.vision.weights, codec.vae_weights, codec.vocoder_weights, Weights("ear", licence=licence(preset, 3)),
            Weights(mapper, licence=licence(preset, 4)),
        )  # fmt: skip
    earlier = preset.earlier_vision or preset.vision
    assert preset.used_by("tap") == (earlier.weights, preset.impact.weights)
    language = preset.used_by("language")
    assert codec.vae_weights not in language and len(set(language)) == len(language)
    assert set(language) == {
        preset.vision.weights, earlier.weights, codec.vocoder_weights, preset.image_to_sound.tagger_weights,
        preset.image_to_sound.mapper_weights, language_config.thinker_weights, language_config.decoder_weights,
        language_config.tokens_weights,
    }  # fmt: skip


def licence(preset: Preset, place: int) -> str:
    return preset.used_by("flow")[place].licence


@pytest.mark.parametrize(
    "text", ["", "no json", "[]", "3", "{}", recipe.to_json(GOOD).replace("7", '"seven"'), recipe.to_json(GOOD)[:-40]]
)
def test_bad_recipes_are_one_sentence(text: str) -> None:
    with pytest.raises(UserError):
        recipe.from_json(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed(GOOD, {"guidanec": 9}), "guidanec"),  # a setting of a later version would be another sound
        (changed(GOOD, {"path": None}), "'path' is missing"),
        (changed(GOOD, {"steps": 99}), "'steps' is missing, out of its bounds"),
        (changed(GOOD, {}).replace("12.5", "1" + "0" * 400), "'x' is missing"),
        ("[" * 100_000, "not a JSON file"),
    ],
    ids=["unknown", "no path", "out of bounds", "too large", "too deep"],
)
def test_bad_recipes_name_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        recipe.from_json(text)


def test_missing_and_unreadable_files(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        recipe.read_recipe(tmp_path / "none.json")
    with pytest.raises(UserError):
        recipe.read_recipe(tmp_path)
    (tmp_path / "binary.json").write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError):
        recipe.read_recipe(tmp_path / "binary.json")
