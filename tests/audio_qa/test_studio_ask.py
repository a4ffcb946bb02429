"""`Studio.ask` and `--ask` with a tiny random localizer and a stand-in for the language model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synesthesia import Studio, UserError, cli
from synesthesia.audio_qa.generate import AnswerGenerator
from synesthesia.core import checkpoints as store
from synesthesia.localization import pipeline
from synesthesia.localization.pipeline import LocalizationPipeline
from tests.localization.test_studio_locate import clip
from tests.tiny import write_checkpoints
from tests.ui.fake_studio import FakeAnswerer


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "checkpoints"
    write_checkpoints(folder)
    return folder


@pytest.fixture
def answerer(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAnswerer:
    """Stands in for every studio's language model."""
    monkeypatch.setenv(store.ROOT_VARIABLE, str(checkpoints))
    fake = FakeAnswerer()
    monkeypatch.setattr(AnswerGenerator, "load", lambda config: fake)
    return fake


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each run of the localizer."""
    kinds: list[str] = []
    locate = LocalizationPipeline.locate

    def counted(self: LocalizationPipeline, clip: Any) -> Any:
        kinds.append(clip.kind)
        return locate(self, clip)

    monkeypatch.setattr(LocalizationPipeline, "locate", counted)
    return kinds


def test_the_model_gets_the_mono_mix_the_token_and_the_question(answerer: FakeAnswerer) -> None:
    studio, waveform = Studio.load("embedded"), clip(1.0, 44_100)
    answered = studio.ask(waveform, 44_100, "  它在哪里？ ")
    ((mono, token, question),) = answerer.asked
    assert mono.shape == (16_000,) and mono.dtype == np.float32
    assert token is not None and np.array_equal(token, studio.locate(waveform, 44_100).token) and token.any()
    assert question == answered.question == "它在哪里？" and answered.spatial and "answer 1" in answered.text


def test_many_questions_locate_a_clip_once(answerer: FakeAnswerer, runs: list[str]) -> None:
    studio = Studio.load("embedded")
    found = studio.locate(clip(), 16_000)
    token = found.token.copy()
    found.token[:] = 0  # whoever was given it may do with it what they like
    for question in ("What is it?", "Where is it?"):
        studio.ask(clip(), 16_000, question)
    assert runs == ["stereo"] and all(np.array_equal(given, token) for _, given, _ in answerer.asked)
    studio.ask(clip(seed=1), 16_000, "What is it?")
    assert runs == ["stereo"] * 2, "another clip is located anew"


def test_the_number_of_kept_tokens_is_bounded(answerer: FakeAnswerer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "KEPT_TOKENS", 3)
    studio = Studio.load("embedded")
    for seed in range(5):
        studio.ask(clip(0.2, seed=seed), 16_000, "What is it?")
    assert len(studio.services.localization._tokens) == 3


@pytest.mark.parametrize("second", [1.0, 0.5], ids=["mono", "panned"])
def test_a_clip_without_direction_is_marked_and_still_has_a_token(
    answerer: FakeAnswerer, runs: list[str], second: float
) -> None:
    one = clip()[:1]
    answered = Studio.load("embedded").ask(np.concatenate([one, second * one]), 16_000, "Where is it?")
    assert not answered.spatial and answerer.asked[0][1] is not None and len(runs) == 1


def test_a_silent_clip_is_refused(answerer: FakeAnswerer) -> None:
    with pytest.raises(UserError, match="silent"):
        Studio.load("embedded").ask(np.zeros((2, 16_000)), 16_000, "What is it?")
    assert not answerer.asked


@pytest.mark.parametrize("length", [0, 201])
def test_an_empty_and_a_long_question_are_refused(answerer: FakeAnswerer, length: int) -> None:
    studio = Studio.load("embedded")
    with pytest.raises(UserError, match="question"):
        studio.ask(clip(), 16_000, "  " + "a" * length + "\n")
    studio.ask(clip(), 16_000, "  " + "a" * 200 + "\n")
    assert len(answerer.asked) == 1


def test_missing_weights_are_one_sentence(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.ROOT_VARIABLE, str(checkpoints))
    monkeypatch.setattr(store, "_listed", without_language(store._listed))
    with pytest.raises(UserError, match=r"checkpoint.*language"):
        Studio.load("embedded").ask(clip(), 16_000, "What is it?")


def without_language(listed: Any) -> Any:
    return lambda name: {} if name in ("language", "spatial_token") else listed(name)


def test_the_command_line_prints_the_answer(
    answerer: FakeAnswerer, runs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "clip.wav")
    soundfile.write(path, clip(1.0, 44_100).T, 44_100)
    assert cli.main(["locate", path, "--ask", "Where is it?"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("(answer 1).\n") and said.count("\n") == 1
    runs.clear()
    assert cli.main(["locate", path, "--ask", " Where is it? ", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["question"] == "Where is it?" and "answer 2" in told["answer"] and "azimuth_deg" in told
    assert len(runs) == 1, "located once for both"
    assert cli.main(["locate", path, "--json"]) == 0
    assert "question" not in json.loads(capsys.readouterr().out)


def test_a_bad_question_is_one_line_and_exit_code_2(
    answerer: FakeAnswerer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "clip.wav")
    soundfile.write(path, clip().T, 16_000)
    for arguments in (["--ask", " "], ["--ask", "a" * 201, "--json"]):
        assert cli.main(["locate", path, *arguments]) == 2
        said = capsys.readouterr()
        assert said.out == "" and said.err.count("\n") == 1 and "question" in said.err
