"""Answer generation by random models: clips of any length, with and without a spatial token, models from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa import generate
from synesthesia.audio_qa.checkpoint import (
    load_language_model,
    load_spatial_token,
    save_language_model,
    save_spatial_token,
)
from synesthesia.audio_qa.generate import MAX_NEW_TOKENS, AnswerGenerator, loudest
from synesthesia.audio_qa.prompt import SPATIAL, SPECIAL
from synesthesia.audio_qa.qwen2_audio import AudioLM
from synesthesia.core import presets
from synesthesia.core.checkpoints import ROOT_VARIABLE
from synesthesia.core.errors import UserError
from synesthesia.core.presets import AudioQAConfig
from synesthesia.nn.lora import LoraSettings, add_lora
from tests.audio_qa.tiny_models import TOWERS, model_inputs, noises, spatial_tokens, tagger, tiny_language_model
from training.common.manifest import write_manifest

QUESTION = "Where is it?"
TOKEN = spatial_tokens(1)[0].numpy()


@pytest.fixture(scope="module", params=TOWERS)
def made(request: pytest.FixtureRequest) -> AnswerGenerator:
    return AnswerGenerator(tiny_language_model(request.param))


@pytest.mark.parametrize("token", [None, TOKEN], ids=["no-direction", "direction"])
@pytest.mark.parametrize("seconds", [0.2, 1.0, 30.0])
def test_a_clip_of_any_length_is_answered(made: AnswerGenerator, seconds: float, token: np.ndarray | None) -> None:
    (clip,) = noises(seconds)
    text = made.answer(clip, token, QUESTION)
    assert isinstance(text, str) and text == text.strip()
    assert not any(name in text for name in SPECIAL) and QUESTION not in text
    assert made.answer(clip, token, QUESTION) == text, "greedy decoding is deterministic"


@pytest.mark.parametrize("spatial", [None, spatial_tokens(1)], ids=["no-direction", "direction"])
def test_the_model_is_given_clip_token_and_question(
    made: AnswerGenerator, spatial: torch.Tensor | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the answer is what it generates after them."""
    inputs: dict[str, Any] = {}

    def generate(**kwargs: Any) -> torch.Tensor:
        inputs.update(kwargs)
        text = made.language_model.tokenizer(" From the left.<|im_end|>", return_tensors="pt")["input_ids"]
        return torch.cat([kwargs["input_ids"], text], dim=1)

    monkeypatch.setattr(made.language_model.model, "generate", generate)
    clips = noises(1.0)
    assert made.answer(clips[0], None if spatial is None else TOKEN, QUESTION) == "From the left."
    _, expected = model_inputs(made.language_model, clips, spatial, (QUESTION,))
    assert all(torch.equal(inputs[name], value) for name, value in expected.items())
    assert spatial is not None or inputs["spatial"] is None


def test_only_the_loudest_stretch_of_a_long_clip_is_used(made: AnswerGenerator) -> None:
    (clip,) = noises(30.0)
    clip[int(16_000 * 20.0) : int(16_000 * 21.0)] *= 8
    part = loudest(clip, int(made.language_model.frontend.max_seconds * 16_000))
    assert len(part) < len(clip) and made.answer(clip, TOKEN, QUESTION) == made.answer(part, TOKEN, QUESTION)


def always_generating(tower: Any, name: str) -> AudioLM:
    """A model whose logits always favour one token."""
    made = tiny_language_model(tower)
    (text,) = made.tokenizer.convert_tokens_to_ids([name])
    norm = made.model.model.language_model.norm
    with torch.no_grad():
        norm.weight.zero_()
        made.model.lm_head.weight.zero_()
        made.model.lm_head.weight[text] = 1.0
    norm.register_forward_hook(lambda module, args, out: torch.ones_like(out))
    return made


@pytest.mark.parametrize("tower", TOWERS)
@pytest.mark.parametrize("token", [None, TOKEN], ids=["no-direction", "direction"])
def test_the_spatial_token_is_never_generated(tower: Any, token: np.ndarray | None) -> None:
    """It has no features there, and decoding could not continue from it."""
    assert isinstance(AnswerGenerator(always_generating(tower, SPATIAL)).answer(noises(0.5)[0], token, QUESTION), str)


def test_an_answer_ends() -> None:
    made = always_generating("tagger", "a")
    assert AnswerGenerator(made).answer(noises(0.5)[0], TOKEN, QUESTION) == "a" * MAX_NEW_TOKENS
    assert AnswerGenerator(always_generating("tagger", "<|im_end|>")).answer(noises(0.5)[0], TOKEN, QUESTION) == ""


@pytest.mark.parametrize("start", [0, 1, 7_000, 20_000])
def test_the_loudest_stretch_is_found(start: int) -> None:
    clip = np.full(30_000, 0.01, dtype=np.float32)
    clip[start : start + 10_000] = np.linspace(0.4, 0.5, 10_000, dtype=np.float32)
    assert np.array_equal(loudest(clip, 10_000), clip[start : start + 10_000])


@pytest.mark.parametrize("samples", [500, 501])
def test_a_short_clip_is_used_whole(samples: int) -> None:
    (clip,) = noises(500 / 16_000)
    assert np.array_equal(loudest(clip, samples), clip)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tagger, language model and spatial token as trainings save them."""
    made, settings = tiny_language_model("tagger"), LoraSettings(rank=2)
    tagger().save(tmp_path / "audio_tower")
    save_language_model(made, tmp_path / "language")
    add_lora(made.model, settings)
    torch.nn.init.normal_(made.model.model.language_model.layers[0].self_attn.q_proj.lora_B["default"].weight)
    save_spatial_token(made.model, settings, tmp_path / "spatial_token")
    write_manifest(tmp_path)
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    return tmp_path


def test_a_generator_is_loaded_from_files(checkpoints: Path) -> None:
    assembled = load_language_model(checkpoints / "language", AudioTagger.load(checkpoints / "audio_tower"))
    load_spatial_token(assembled.model, checkpoints / "spatial_token")
    loaded = AnswerGenerator.load(AudioQAConfig())
    expected, found = assembled.model.state_dict(), loaded.language_model.model.state_dict()
    assert expected.keys() == found.keys() and all(torch.equal(found[name], value) for name, value in expected.items())
    assert not any(module.training for module in loaded.language_model.model.modules())
    (clip,) = noises(0.7)
    text = {one.answer(clip, TOKEN, QUESTION) for one in (loaded, loaded, AnswerGenerator(assembled))}
    assert len(text) == 1, "dropout is off"


def test_without_a_trained_token_the_error_names_the_training(checkpoints: Path) -> None:
    for file in (checkpoints / "spatial_token").iterdir():
        file.unlink()
    write_manifest(checkpoints)
    with pytest.raises(UserError, match=r"training\.audio_qa\.train"):
        AnswerGenerator.load(AudioQAConfig())


@pytest.mark.parametrize("name", ["audio_tower", "language", "spatial_token"])
def test_a_damaged_file_is_detected(name: str, checkpoints: Path) -> None:
    with (checkpoints / name / "model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match="damaged"):
        AnswerGenerator.load(AudioQAConfig())


def test_the_hub_model_is_fetched_at_its_commit(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = presets.hub().audio_qa
    (checkpoints / "spatial_token").rename(checkpoints / config.token_weights.folder)
    write_manifest(checkpoints)
    fetched: list[tuple[str, str]] = []

    def fetch(hub_id: str, revision: str) -> AudioLM:
        fetched.append((hub_id, revision))
        return tiny_language_model("whisper")

    monkeypatch.setattr(generate, "load_hub", fetch)
    made = AnswerGenerator.load(config)
    assert fetched == [(config.weights.hub_id, config.weights.revision)] and len(config.weights.revision) == 40
    assert any(".lora_" in name for name in made.language_model.model.state_dict()), "the token was added to it"
