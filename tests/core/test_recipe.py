"""A recipe survives the trip through a file, and a bad one is one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from synesthesia.core import recipe
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset, Weights, embedded, hub
from synesthesia.core.results import Recipe

GOOD = Recipe("embedded", "a" * 64, "b" * 64, 12.5, 9.0, "flow", 4.0, 7, 12, 3.0, False, "0.1.0")


def test_round_trip() -> None:
    assert recipe.from_json(recipe.to_json(GOOD)) == GOOD
    assert recipe.from_json(json.dumps({"presence": 0.9, "recipe": asdict(GOOD)})) == GOOD  # what --json prints
    assert recipe.from_json(recipe.to_json(replace(GOOD, x=3))) == replace(GOOD, x=3.0)  # 3 is a fine 3.0


def test_recipes_from_before_the_language_path_are_still_read() -> None:
    older = asdict(GOOD)
    del older["temperature"], older["top_k"]
    assert recipe.from_json(json.dumps(older)) == GOOD
    assert (GOOD.temperature, GOOD.top_k) == (1.0, 100)
    told = replace(GOOD, path="language", temperature=0.5, top_k=7)
    assert recipe.from_json(recipe.to_json(told)) == told
    for wrong in ({"top_k": "many"}, {"top_k": 1.5}, {"temperature": None}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            recipe.from_json(json.dumps(asdict(GOOD) | wrong))


def test_recipes_from_before_the_path_tap_are_still_read() -> None:
    older = asdict(GOOD)
    for name in ("force", "mallet", "material", "size_factor"):
        del older[name]
    assert recipe.from_json(json.dumps(older)) == GOOD
    assert (GOOD.force, GOOD.mallet, GOOD.material, GOOD.size_factor) == (8.0, "wood", "", 1.0)
    told = replace(GOOD, path="tap", force=0.5, mallet="metal", material="paper", size_factor=2.0)
    assert recipe.from_json(recipe.to_json(told)) == told
    for wrong in ({"force": "hard"}, {"mallet": 3}, {"material": None}, {"size_factor": True}):
        with pytest.raises(UserError, match=next(iter(wrong))):
            recipe.from_json(json.dumps(asdict(GOOD) | wrong))


@pytest.mark.parametrize("preset", [embedded(), hub()], ids=["embedded", "hub"])
def test_what_decides_the_samples_is_in_the_fingerprint(preset: Preset) -> None:
    """Of the older paths the same weights in the same order as ever, so that older recipes hold."""
    mapper = "mapper" if preset.name == "embedded" else "mapper_hub"
    codec, thinking = preset.codec, preset.thinking
    for path in ("flow", "mlp"):
        assert preset.used_by(path) == (
            preset.vision.weights, codec.vae_weights, codec.vocoder_weights, Weights("ear", licence=licence(preset, 3)),
            Weights(mapper, licence=licence(preset, 4)),
        )  # fmt: skip
    assert preset.used_by("tap") == (preset.vision.weights, preset.tap.weights)
    language = preset.used_by("language")
    assert codec.vae_weights not in language and len(language) == 7
    assert {preset.vision.weights, codec.vocoder_weights, preset.hearing.ear_weights, preset.hearing.mapper_weights,
            thinking.thinker_weights, thinking.decoder_weights, thinking.tokens_weights} == set(language)  # fmt: skip


def licence(preset: Preset, place: int) -> str:
    return preset.used_by("flow")[place].licence


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
