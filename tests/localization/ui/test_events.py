"""Handlers of the tab "Locate" without a browser: what each hands back, and what is said of bad clips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile

from synesthesia.ui.localization import words
from synesthesia.ui.localization.events import LocateEvents
from synesthesia.ui.localization.tab import LocateTab
from synesthesia.ui.shared.handlers import guarded
from tests.ui.fake_studio import FakeStudio

RIGHT = {"sound": "noise", "azimuth_deg": 60.0, "elevation_deg": 0.0, "room": "none", "snr_db": 40.0, "seed": 0}


@pytest.fixture(scope="module")
def tab() -> LocateTab:
    with gr.Blocks():
        return LocateTab()


@pytest.fixture
def events(tab: LocateTab) -> LocateEvents:
    return LocateEvents(FakeStudio(), tab)


@pytest.fixture
def clip(events: LocateEvents, tmp_path: Path) -> str:
    waveform, rate_hz = events.studio.binaural("noise", -40.0)
    soundfile.write(tmp_path / "clip.wav", waveform.T, rate_hz)
    return str(tmp_path / "clip.wav")


def test_the_direction_comes_first_and_the_maps_then(events: LocateEvents, tab: LocateTab, clip: str) -> None:
    busy, answer, maps = events.clip(clip)
    assert "busy" in busy[tab.verdict]
    assert "Front left, 39°" in answer[tab.verdict] and "True direction" not in answer[tab.verdict]
    assert answer[tab.answer.column].visible is True and "<img" in answer[tab.answer.dial]
    assert answer[tab.answer.clip_file] == clip, "the download is the very file"
    assert maps[tab.answer.maps].startswith("<img alt=")


def test_a_placed_sound_is_located_at_once_beside_its_truth(events: LocateEvents, tab: LocateTab) -> None:
    _, made, answer, _ = events.render(RIGHT)
    assert made[tab.clip].endswith(".wav") and answer[tab.answer.clip_file] == made[tab.clip]
    assert "True direction: 60° right, off by" in answer[tab.verdict]
    assert words.TRUTH in answer[tab.answer.numbers]


def test_two_people_never_share_a_file(events: LocateEvents, tab: LocateTab) -> None:
    paths = [update[part] for _ in range(2) for update in events.render(RIGHT)
             for part in (tab.clip, tab.answer.numbers_file) if part in update]  # fmt: skip
    assert len(set(paths)) == 4


def test_the_numbers_are_json_with_units_in_their_names(events: LocateEvents, tab: LocateTab, clip: str) -> None:
    _, answer, _ = events.clip(clip)
    told = json.loads(Path(answer[tab.answer.numbers_file]).read_text())
    assert -50 < told["azimuth_deg"] < -30 and len(told["interval_deg"]) == 2
    assert sum(told["distribution"]["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert len(told["track"]["times_s"]) == len(told["track"]["azimuth_deg"]) > 1
    level = told["attention"]["level"]
    assert len(level["weights"]) == len(level["times_s"]) and len(level["weights"][0]) == len(level["frequencies_hz"])


@pytest.mark.parametrize(("kind", "sentence"), [("mono", "not a binaural"), ("panned", "panned")])
def test_a_clip_without_direction_claims_none(
    events: LocateEvents, tab: LocateTab, tmp_path: Path, kind: str, sentence: str
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    both = np.stack([noise, noise * {"mono": 1.0, "panned": 0.5}[kind]])
    soundfile.write(tmp_path / "clip.wav", both.T, 16_000, subtype="FLOAT")
    _, answer, maps = events.clip(str(tmp_path / "clip.wav"))
    assert sentence in answer[tab.verdict] and "quiet" in answer[tab.verdict]
    assert words.MODEL not in answer[tab.answer.numbers] and "<img" in maps[tab.answer.maps]
    assert answer[tab.answer.row].visible is True and answer[tab.answer.reasons].visible is True


def test_of_a_silent_clip_only_that_is_said(events: LocateEvents, tab: LocateTab, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", np.zeros((16_000, 2)), 16_000)
    _, answer = events.clip(str(tmp_path / "clip.wav"))
    assert "silent" in answer[tab.verdict] and "quiet" in answer[tab.verdict]
    assert answer[tab.answer.row].visible is False and answer[tab.answer.reasons].visible is False
    assert answer[tab.answer.dial] == answer[tab.answer.numbers] == "" and tab.answer.maps not in answer
    assert json.loads(Path(answer[tab.answer.numbers_file]).read_text())["kind"] == "silent"


@pytest.mark.parametrize("bad", ["text", "long", "eight", "missing", "none"])
def test_a_bad_clip_is_one_sentence_and_the_old_answer_goes(
    events: LocateEvents, tab: LocateTab, tmp_path: Path, clip: str, bad: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr(gr, "Warning", lambda text: None)
    path = tmp_path / "bad.wav"
    if bad == "text":
        path.write_text("no sound")
    elif bad == "long":
        soundfile.write(path, np.zeros((8_000 * 61, 2)), 8_000)
    elif bad == "eight":
        soundfile.write(path, np.zeros((16_000, 8)), 16_000)
    *_, gone, said = guarded(tab, events.clip(None if bad == "none" else str(path)))
    assert gone[tab.answer.column].visible is False and gone[tab.clip] is None
    assert list(said) == [tab.verdict] and "wrong" in said[tab.verdict] and str(tmp_path) not in said[tab.verdict]
    *_, maps = guarded(tab, events.clip(clip))
    assert tab.answer.maps in maps, "and the next clip works"


def test_a_cleared_clip_brings_the_beginning_back(events: LocateEvents, tab: LocateTab) -> None:
    update = events.cleared()
    assert update[tab.answer.column].visible is False and words.START[0] in update[tab.verdict]
