"""Checkpoints of the spatial token and of the tiny language model: which tensors they hold, and round trips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from synesthesia.audio_qa.checkpoint import (
    load_language_model,
    load_spatial_token,
    save_language_model,
    save_spatial_token,
    spatial_token_state,
)
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.audio_qa.spatial_qwen2_audio import SpatialQwen2Audio
from synesthesia.core.errors import UserError
from synesthesia.nn.lora import LoraSettings, add_lora
from synesthesia.nn.quantised import SCALE
from tests.audio_qa.tiny_models import TOWERS, model_inputs, noises, spatial_tokens, tagger, tiny_language_model

RANK_4 = LoraSettings(rank=4, alpha=8)
NO_LORA = LoraSettings(rank=0)


def randomised(made: AudioLM, settings: LoraSettings) -> AudioLM:
    """With random changes to projector and LoRA."""
    torch.manual_seed(1)
    if settings.rank:
        add_lora(made.model, settings)
    with torch.no_grad():
        for value in spatial_token_state(made.model).values():
            value += 0.2 * torch.randn_like(value)
    return made


def logits(made: AudioLM, spatial: Tensor | None) -> Tensor:
    _, inputs = model_inputs(made, noises(0.5, 1.0), spatial)
    with torch.no_grad():
        out: Tensor = made.model(**inputs).logits
    return out


def names_in(file: Path) -> set[str]:
    return {name.removesuffix(SCALE) for name in load_file(file)}


def with_lora(model: SpatialQwen2Audio) -> dict[str, nn.Module]:
    return {name: module for name, module in model.named_modules() if hasattr(module, "lora_A")}


@pytest.mark.parametrize("tower", TOWERS)
def test_lora_sits_on_queries_and_values_of_the_language_model(tower: Any) -> None:
    made = tiny_language_model(tower)
    before = logits(made, spatial_tokens(2))
    add_lora(made.model, RANK_4)
    assert not any(module.training for module in made.model.modules()), "its dropout is off where the model's is"
    found = with_lora(made.model)
    attention = "model.language_model.layers.{}.self_attn.{}_proj"
    assert set(found) == {attention.format(layer, part) for layer in range(2) for part in "qv"}
    assert all(module.lora_A["default"].weight.shape == (4, 32) for module in found.values())
    assert all(module.scaling["default"] == 2.0 for module in found.values())
    assert torch.equal(logits(made, spatial_tokens(2)), before), "it starts as a no-op"


def test_whispers_tower_has_projections_of_the_same_names() -> None:
    """Otherwise the test above would prove nothing."""
    names = [name for name, _ in tiny_language_model("whisper").model.named_modules()]
    assert "model.audio_tower.layers.0.self_attn.q_proj" in names


@pytest.mark.parametrize("settings", [RANK_4, NO_LORA], ids=["lora", "no-lora"])
@pytest.mark.parametrize("tower", TOWERS)
def test_a_trained_token_survives_saving_and_loading(tower: Any, settings: LoraSettings, tmp_path: Path) -> None:
    made = randomised(tiny_language_model(tower), settings)
    save_spatial_token(made.model, settings, tmp_path)
    again = tiny_language_model(tower)
    untrained = logits(again, spatial_tokens(2))
    assert load_spatial_token(again.model, tmp_path) == settings
    expected, found = spatial_token_state(made.model), spatial_token_state(again.model)
    for name, value in expected.items():
        scale = value.abs().amax(dim=-1, keepdim=True)
        assert ((found[name] - value).abs() <= scale / 127).all(), name
    first, last = logits(made, spatial_tokens(2)), logits(again, spatial_tokens(2))
    assert (first - untrained).abs().max() > 0.5
    assert torch.allclose(first, last, atol=0.3)


def test_two_loaded_models_give_the_same_logits(tmp_path: Path) -> None:
    save_spatial_token(randomised(tiny_language_model("tagger"), RANK_4).model, RANK_4, tmp_path)
    once, twice = tiny_language_model("tagger"), tiny_language_model("tagger")
    for made in (once, twice):
        load_spatial_token(made.model, tmp_path)
    assert torch.equal(logits(once, spatial_tokens(2)), logits(twice, spatial_tokens(2)))


def test_the_file_holds_projector_and_lora_alone(tmp_path: Path) -> None:
    model = randomised(tiny_language_model("whisper"), RANK_4).model
    save_spatial_token(model, RANK_4, tmp_path)
    lora = {f"{name}.lora_{side}.default.weight" for name in with_lora(model) for side in "AB"}
    projector = {f"spatial_projector.{name}" for name in model.spatial_projector.state_dict()}
    assert len(lora) == 8 and names_in(tmp_path / "model.safetensors") == lora | projector
    assert json.loads((tmp_path / "config.json").read_text()) == {"lora": {"rank": 4, "alpha": 8, "dropout": 0.05}}


@pytest.mark.parametrize("settings", [RANK_4, NO_LORA], ids=["lora", "no-lora"])
def test_another_language_models_token_is_refused(settings: LoraSettings, tmp_path: Path) -> None:
    save_spatial_token(randomised(tiny_language_model("tagger", width=48), settings).model, settings, tmp_path)
    with pytest.raises(UserError, match="another language model"):
        load_spatial_token(tiny_language_model("tagger", width=32).model, tmp_path)


def test_lora_of_a_deeper_model_is_refused(tmp_path: Path) -> None:
    save_spatial_token(randomised(tiny_language_model("tagger", layers=3), RANK_4).model, RANK_4, tmp_path)
    with pytest.raises(UserError, match="another language model"):
        load_spatial_token(tiny_language_model("tagger", layers=2).model, tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_of_the_token_is_one_sentence(name: str, tmp_path: Path) -> None:
    save_spatial_token(tiny_language_model("tagger").model, NO_LORA, tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=r"incomplete.*training\.audio_qa\.train\."):
        load_spatial_token(tiny_language_model("tagger").model, tmp_path)


def test_the_tiny_model_survives_saving_and_loading(tmp_path: Path) -> None:
    made = tiny_language_model("tagger")
    save_language_model(made, tmp_path)
    again = load_language_model(tmp_path, tagger())
    assert not any(parameter.requires_grad for parameter in again.model.parameters()) and not again.model.training
    assert again.model.config.spatial_token_id == made.model.config.spatial_token_id
    expected, found = made.model.state_dict(), again.model.state_dict()
    for name, value in expected.items():
        if name.startswith("model.audio_tower."):
            assert torch.equal(found[name], value), name
        elif not name.startswith("spatial_projector."):
            assert (found[name] - value).abs().max() <= value.abs().max() / 127, name
    assert torch.allclose(logits(made, None), logits(again, None), atol=0.15)
    text = "它在哪里？ Where is it?<|im_end|>"
    assert again.tokenizer(text)["input_ids"] == made.tokenizer(text)["input_ids"]


def test_its_file_holds_neither_the_tower_nor_the_token(tmp_path: Path) -> None:
    made = tiny_language_model("tagger")
    save_language_model(made, tmp_path)
    excluded = ("model.audio_tower.", "spatial_projector.")
    own = {name for name in made.model.state_dict() if not name.startswith(excluded)}
    assert names_in(tmp_path / "model.safetensors") == own
    assert {"lm_head.weight", "model.multi_modal_projector.linear.weight"} <= own


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_of_the_tiny_model_is_one_sentence(name: str, tmp_path: Path) -> None:
    save_language_model(tiny_language_model("tagger"), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match=r"incomplete.*train_language_model"):
        load_language_model(tmp_path, tagger())


@pytest.mark.parametrize(
    "field, value",
    [("num_hidden_layers", 1), ("num_hidden_layers", 3), ("intermediate_size", 64)],
)
def test_a_config_of_another_shape_is_refused(field: str, value: int, tmp_path: Path) -> None:
    save_language_model(tiny_language_model("tagger"), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["text_config"] |= {field: value, "layer_types": None}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="another shape"):
        load_language_model(tmp_path, tagger())
