"""The box "Ask about this clip" without a browser: what each handler hands back, and that mistakes lose nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile

from synesthesia.core.errors import UserError
from synesthesia.core.results import Answered
from synesthesia.ui.audio_qa import words
from synesthesia.ui.audio_qa.events import MAX_EXCHANGES, AskEvents, Conversation
from synesthesia.ui.audio_qa.panel import AskPanel, exchanges
from synesthesia.ui.localization.events import LocateEvents
from synesthesia.ui.localization.tab import LocateTab
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.handlers import guarded
from tests.ui.fake_studio import FakeStudio

RIGHT = {"sound": "noise", "azimuth_deg": 60.0, "elevation_deg": 0.0, "room": "none", "snr_db": 40.0, "seed": 0}


@pytest.fixture(scope="module")
def tab() -> LocateTab:
    with gr.Blocks():
        return LocateTab(asking=True)


@pytest.fixture
def events(tab: LocateTab) -> LocateEvents:
    return LocateEvents(FakeStudio(), tab)


@pytest.fixture
def asking(events: LocateEvents) -> AskEvents:
    assert events.asking
    return events.asking


@pytest.fixture
def panel(asking: AskEvents) -> AskPanel:
    return asking.panel


@pytest.fixture
def clip(events: LocateEvents, tmp_path: Path) -> str:
    waveform, rate_hz = events.studio.binaural("noise", -40.0)
    soundfile.write(tmp_path / "clip.wav", waveform.T, rate_hz)
    return str(tmp_path / "clip.wav")


def last(updates: Iterator[Any], part: Any) -> Any:
    """What `part` holds after all of them."""
    (*_, value) = [update[part] for update in updates if part in update]
    return value


def test_the_models_own_sentence_comes_between_the_dial_and_the_maps(
    events: LocateEvents, tab: LocateTab, panel: AskPanel, clip: str
) -> None:
    _, dial, sentence, maps = events.clip(clip)
    assert "<img" in dial[tab.answer.dial] and dial[panel.column].visible is True
    assert words.ASK_FIRST in dial[panel.answers] and "busy" in dial[panel.answers]
    assert "on the left (answer 1)" in sentence[panel.answers] and "busy" not in sentence[panel.answers]
    assert sentence[panel.conversation].path == clip and len(sentence[panel.conversation].answered) == 1
    assert tab.answer.maps in maps


def test_questions_are_listed_newest_last(events: LocateEvents, asking: AskEvents, panel: AskPanel, clip: str) -> None:
    talk = last(events.clip(clip), panel.conversation)
    busy, done = asking.ask(talk, " Which side? ", typed=True)
    assert busy[panel.box] == "" and "busy" in busy[panel.answers] and panel.conversation not in busy
    text = done[panel.answers]
    places = [text.index(part) for part in (words.ASK_FIRST, "(answer 1)", "<dt>Which side?</dt>", "(answer 2)")]
    assert places == sorted(places) and panel.box not in done, "what is typed meanwhile stays"
    busy, done = asking.ask(done[panel.conversation], words.ASK_CHIPS[-1], typed=False)
    assert panel.box not in busy | done, "a chip leaves what is in the box"
    assert [one.question for one in done[panel.conversation].answered][1:] == ["Which side?", words.ASK_CHIPS[-1]]


def test_another_clip_begins_another_talk(events: LocateEvents, asking: AskEvents, panel: AskPanel, clip: str) -> None:
    talk = last(asking.ask(last(events.clip(clip), panel.conversation), "Which side?", typed=True), panel.conversation)
    updates = list(events.render(RIGHT))
    shown = [update[panel.answers] for update in updates if panel.answers in update]
    assert not any("Which side?" in text for text in shown)
    assert last(iter(updates), panel.box) == "", "a refused question goes with its clip"
    other = last(iter(updates), panel.conversation)
    assert other.path != clip and len(other.answered) == 1
    assert "on the left" in last(asking.ask(talk, "Which side?", typed=True), panel.answers), "each about its own clip"
    assert "on the right" in last(asking.ask(other, "Which side?", typed=True), panel.answers)


def test_a_cleared_or_a_bad_clip_ends_the_talk(events: LocateEvents, panel: AskPanel) -> None:
    assert (
        events.cleared()[panel.conversation] is None
        and events.cleared()[panel.answers] == events.cleared()[panel.box] == ""
    )
    assert last(guarded(events.tab, events.clip("nowhere.wav")), panel.conversation) is None


@pytest.mark.parametrize("question", ["", " \n", "a" * 201, None])
def test_a_bad_question_is_one_sentence_and_loses_nothing(
    asking: AskEvents, panel: AskPanel, clip: str, question: Any
) -> None:
    (said,) = guarded(panel, asking.ask(Conversation(clip), question, typed=True))
    assert list(said) == [panel.verdict] and "wrong" in said[panel.verdict] and "question" in said[panel.verdict]


def test_without_a_clip_one_sentence_says_so(asking: AskEvents, panel: AskPanel) -> None:
    (said,) = guarded(panel, asking.ask(None, "Where is it?", typed=True))
    assert list(said) == [panel.verdict] and shared_words.NO_CLIP in said[panel.verdict]


def broken(problem: Exception) -> Any:
    """A `Studio.ask` that fails."""

    def ask(*_: Any) -> Answered:
        raise problem

    return ask


@pytest.mark.parametrize("problem", [UserError("The weights are gone."), RuntimeError("secret")])
def test_a_failed_answer_gives_the_question_back_and_keeps_the_others(
    asking: AskEvents, panel: AskPanel, clip: str, problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Conversation(clip, (Answered("What is it?", "A bell.", True),))
    monkeypatch.setattr(asking.studio, "ask", broken(problem))
    updates = list(guarded(panel, asking.ask(talk, "Which side?", typed=True)))
    assert last(iter(updates), panel.box) == "Which side?" and not any(
        panel.conversation in update for update in updates
    )
    answers, said = last(iter(updates), panel.answers), updates[-1][panel.verdict]
    assert "A bell." in answers and "busy" not in answers and "Which side?" not in answers
    assert ("gone" in said or shared_words.UNEXPECTED in said) and "secret" not in said


def test_a_failed_first_sentence_takes_nothing_from_the_direction(
    events: LocateEvents, tab: LocateTab, panel: AskPanel, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events.studio, "ask", broken(UserError("The weights are gone.")))
    updates = list(guarded(tab, events.clip(clip)))
    assert "Front left" in last(iter(updates), tab.verdict) and last(iter(updates), tab.answer.column).visible is True
    assert tab.answer.maps in updates[-1] and "gone" in last(iter(updates), panel.verdict)
    assert "busy" not in last(iter(updates), panel.answers)


def test_a_silent_clip_has_no_box_and_a_mono_one_says_what_is_missing(
    events: LocateEvents, tab: LocateTab, panel: AskPanel, tmp_path: Path
) -> None:
    path = str(tmp_path / "clip.wav")
    soundfile.write(path, np.zeros((16_000, 2)), 16_000)
    silent = list(events.clip(path))
    assert last(iter(silent), panel.column).visible is False and last(iter(silent), panel.conversation) is None
    assert not any(tab.answer.maps in update for update in silent)
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(16_000), 16_000)
    mono = list(events.clip(path))
    assert last(iter(mono), panel.column).visible is True
    answers = last(iter(mono), panel.answers)
    assert words.ASK_NO_DIRECTION in answers and words.ASK_OWN not in answers


def test_a_long_talk_stays_short_on_the_page(asking: AskEvents, panel: AskPanel, clip: str) -> None:
    talk = Conversation(clip)
    for number in range(MAX_EXCHANGES + 2):
        talk = last(asking.ask(talk, f"Question {number}?", typed=False), panel.conversation)
    assert len(talk.answered) == MAX_EXCHANGES and talk.answered[-1].question == f"Question {MAX_EXCHANGES + 1}?"


def test_an_answer_is_called_the_models_own_reading() -> None:
    assert words.ASK_OWN in exchanges((Answered("What is it?", "A bell.", True),))
    assert words.ASK_OWN not in exchanges((), "What is it?"), "only below an answer"
    without = exchanges((Answered("What is it?", "A bell.", False),))
    assert words.ASK_NO_DIRECTION in without and "token" not in without and words.ASK_OWN not in without


def test_questions_and_answers_never_become_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    assert "<img" not in exchanges((Answered(evil, evil, True),), evil)
