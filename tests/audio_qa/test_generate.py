"""From a clip and a question to words on random models: any length, with and without a direction, from files."""

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
    said = made.answer(clip, token, QUESTION)
    assert isinstance(said, str) and said == said.strip()
    assert not any(name in said for name in SPECIAL) and QUESTION not in said
    assert made.answer(clip, token, QUESTION) == said, "it is not drawn"


@pytest.mark.parametrize("spatial", [None, spatial_tokens(1)], ids=["no-direction", "direction"])
def test_the_model_gets_clip_token_and_question(
    made: AnswerGenerator, spatial: torch.Tensor | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the answer is what it says after them."""
    given: dict[str, Any] = {}

    def generate(**kwargs: Any) -> torch.Tensor:
        given.update(kwargs)
        said = made.language_model.tokenizer(" From the left.<|im_end|>", return_tensors="pt")["input_ids"]
        return torch.cat([kwargs["input_ids"], said], dim=1)

    monkeypatch.setattr(made.language_model.model, "generate", generate)
    clips = noises(1.0)
    assert made.answer(clips[0], None if spatial is None else TOKEN, QUESTION) == "From the left."
    _, wanted = model_inputs(made.language_model, clips, spatial, (QUESTION,))
    assert all(torch.equal(given[name], value) for name, value in wanted.items())
    assert spatial is not None or given["spatial"] is None


def test_of_a_long_clip_the_loudest_stretch_is_heard(made: AnswerGenerator) -> None:
    (clip,) = noises(30.0)
    clip[int(16_000 * 20.0) : int(16_000 * 21.0)] *= 8
    part = loudest(clip, int(made.language_model.frontend.max_seconds * 16_000))
    assert len(part) < len(clip) and made.answer(clip, TOKEN, QUESTION) == made.answer(part, TOKEN, QUESTION)


def inclined(tower: Any, name: str) -> AudioLM:
    """A model that would always say one token, were it free to."""
    made = tiny_language_model(tower)
    (said,) = made.tokenizer.convert_tokens_to_ids([name])
    norm = made.model.model.language_model.norm
    with torch.no_grad():
        norm.weight.zero_()
        made.model.lm_head.weight.zero_()
        made.model.lm_head.weight[said] = 1.0
    norm.register_forward_hook(lambda module, args, out: torch.ones_like(out))
    return made


@pytest.mark.parametrize("tower", TOWERS)
@pytest.mark.parametrize("token", [None, TOKEN], ids=["no-direction", "direction"])
def test_the_spatial_token_is_never_said(tower: Any, token: np.ndarray | None) -> None:
    """Where it has no features, decoding could not go on from it."""
    assert isinstance(AnswerGenerator(inclined(tower, SPATIAL)).answer(noises(0.5)[0], token, QUESTION), str)


def test_an_answer_ends() -> None:
    made = inclined("tagger", "a")
    assert AnswerGenerator(made).answer(noises(0.5)[0], TOKEN, QUESTION) == "a" * MAX_NEW_TOKENS
    assert AnswerGenerator(inclined("tagger", "<|im_end|>")).answer(noises(0.5)[0], TOKEN, QUESTION) == ""


@pytest.mark.parametrize("start", [0, 1, 7_000, 20_000])
def test_the_loudest_stretch_is_found(start: int) -> None:
    clip = np.full(30_000, 0.01, dtype=np.float32)
    clip[start : start + 10_000] = np.linspace(0.4, 0.5, 10_000, dtype=np.float32)
    assert np.array_equal(loudest(clip, 10_000), clip[start : start + 10_000])


@pytest.mark.parametrize("samples", [500, 501])
def test_a_short_clip_is_heard_whole(samples: int) -> None:
    (clip,) = noises(500 / 16_000)
    assert np.array_equal(loudest(clip, samples), clip)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ear, language model and spatial token as trainings leave them."""
    made, settings = tiny_language_model("tagger"), LoraSettings(rank=2)
    tagger().save(tmp_path / "ear")
    save_language_model(made, tmp_path / "language")
    add_lora(made.model, settings)
    torch.nn.init.normal_(made.model.model.language_model.layers[0].self_attn.q_proj.lora_B["default"].weight)
    save_spatial_token(made.model, settings, tmp_path / "spatial_token")
    write_manifest(tmp_path)
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    return tmp_path


def test_it_is_put_together_from_files(checkpoints: Path) -> None:
    by_hand = load_language_model(checkpoints / "language", AudioTagger.load(checkpoints / "ear"))
    load_spatial_token(by_hand.model, checkpoints / "spatial_token")
    loaded = AnswerGenerator.load(AudioQAConfig())
    there, back = by_hand.model.state_dict(), loaded.language_model.model.state_dict()
    assert there.keys() == back.keys() and all(torch.equal(back[name], value) for name, value in there.items())
    assert not any(module.training for module in loaded.language_model.model.modules())
    (clip,) = noises(0.7)
    said = {one.answer(clip, TOKEN, QUESTION) for one in (loaded, loaded, AnswerGenerator(by_hand))}
    assert len(said) == 1, "dropout is off"


def test_without_a_trained_token_the_training_is_named(checkpoints: Path) -> None:
    for file in (checkpoints / "spatial_token").iterdir():
        file.unlink()
    write_manifest(checkpoints)
    with pytest.raises(UserError, match=r"training\.audio_qa\.train"):
        AnswerGenerator.load(AudioQAConfig())


@pytest.mark.parametrize("name", ["ear", "language", "spatial_token"])
def test_a_damaged_file_is_found_out(name: str, checkpoints: Path) -> None:
    with (checkpoints / name / "model.safetensors").open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match="damaged"):
        AnswerGenerator.load(AudioQAConfig())


def test_the_hubs_model_is_fetched_at_its_commit(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = presets.hub().audio_qa
    (checkpoints / "spatial_token").rename(checkpoints / wanted.token_weights.folder)
    write_manifest(checkpoints)
    fetched: list[tuple[str, str]] = []

    def fetch(hub_id: str, revision: str) -> AudioLM:
        fetched.append((hub_id, revision))
        return tiny_language_model("whisper")

    monkeypatch.setattr(generate, "load_hub", fetch)
    made = AnswerGenerator.load(wanted)
    assert fetched == [(wanted.weights.hub_id, wanted.weights.revision)] and len(wanted.weights.revision) == 40
    assert any(".lora_" in name for name in made.language_model.model.state_dict()), "the token was laid over it"
