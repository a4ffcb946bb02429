"""The path "language" behind the page: how far it is, what is shown of it, and what happens where it can't be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile
from PIL import Image, ImageChops

from synesthesia.core.results import Heard, Progress
from synesthesia.ui.image_to_sound import events as hear_events
from synesthesia.ui.image_to_sound.api import add_hear_endpoint
from synesthesia.ui.image_to_sound.events import ATTENTION, HearEvents
from synesthesia.ui.image_to_sound.multi_patch_events import MultiPatchEvents
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.image_to_sound.tab import HearTab
from synesthesia.ui.image_to_sound.words import OVERLAYS
from synesthesia.ui.shared.handlers import guarded
from synesthesia.ui.vlm_to_sound import words
from tests.image_to_sound.ui.test_events import ONE, changed
from tests.ui.fake_studio import FakeStudio

LANGUAGE = changed(replace(ONE, generator="language"), temperature=0.7, top_k=12)
WHERE = OVERLAYS[ATTENTION]


@pytest.fixture(scope="module")
def tab() -> HearTab:
    with gr.Blocks():
        return HearTab()


@pytest.fixture
def studio() -> FakeStudio:
    return FakeStudio()


@pytest.fixture
def one(studio: FakeStudio, tab: HearTab) -> HearEvents:
    return HearEvents(studio, tab)


@pytest.fixture
def session(one: HearEvents, tab: HearTab, cat: Image.Image) -> HearSession:
    (update,) = one.open_photo(lambda: cat, StopFlag())
    found: HearSession = update[tab.session]
    return found


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every look at the clock comes 0.1 s after the last one."""
    now = [0.0]

    def tick() -> float:
        now[0] += 0.1
        return now[0]

    monkeypatch.setattr(hear_events, "perf_counter", tick)
    return now


def test_the_card_says_how_far_the_tokens_are_a_few_times_a_second(
    one: HearEvents, tab: HearTab, session: HearSession
) -> None:
    first, *told, sound, pictures = one.click(session, 640.0, 400.0, LANGUAGE)
    assert "busy" in first[tab.verdict] and all(list(each) == [tab.verdict] for each in told)
    cards = [each[tab.verdict] for each in told]
    assert 5 <= len(cards) <= 9, "of 25 frames, 0.1 s each"
    assert all("busy" in card and "role='status'" not in card for card in cards), "no screen reader reads them all"
    done = [int(card.split("aria-valuenow='")[1].split("'")[0]) for card in cards]
    assert done == sorted(set(done)) and all(
        f"Generating tokens, {n} of 25" in c for n, c in zip(done, cards, strict=True)
    )
    assert "busy" not in sound[tab.verdict] and "progress" not in sound[tab.verdict]
    assert sound[tab.takes[0].audio].endswith(".wav") and pictures[tab.takes[0].tokens].visible is True


def test_a_sound_of_two_ears_with_its_tokens_and_where_they_looked(
    one: HearEvents, tab: HearTab, session: HearSession, studio: FakeStudio
) -> None:
    *_, sound, pictures = one.click(session, 200.0, 400.0, LANGUAGE)
    take = tab.takes[0]
    waveform, _ = soundfile.read(sound[take.wav])
    assert waveform.shape == (16_000, 2)
    assert "<img alt=" in pictures[take.tokens].value and "40 ms" in pictures[take.tokens].value
    evidence = sound[take.evidence]
    assert words.ATTENTION in evidence and "times the average attention" in evidence
    assert "Left ear" in evidence and "level and time match" in evidence
    recipe = Path(sound[take.recipe]).read_text()
    assert '"path": "language"' in recipe and '"temperature": 0.7' in recipe and '"top_k": 12' in recipe
    attention = sound[tab.session].attention
    assert (
        attention.shape == (16, 24) and np.unravel_index(attention.argmax(), attention.shape) == sound[tab.session].cell
    )


def test_other_paths_show_no_tokens(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    _, sound, pictures = one.click(session, 200.0, 400.0, ONE)
    assert tab.takes[0].tokens not in pictures and words.ATTENTION not in sound[tab.takes[0].evidence]
    assert sound[tab.session].attention is None


def test_compare_makes_one_of_each(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    _, *updates = one.click(session, 640.0, 400.0, replace(LANGUAGE, generator="all"))
    headings = [update[take.heading] for update in updates for take in tab.takes if take.heading in update]
    assert [path in heading for path, heading in zip(("flow", "mlp", "language"), headings, strict=True)] == [True] * 3
    verdicts = [update[tab.verdict] for update in updates if tab.verdict in update]
    assert "Take 3 of 3: generating tokens" in verdicts[1] and "busy" not in verdicts[1], "the first sound is there"
    assert verdicts[-1] == verdicts[0], "what was said of the first stands again"


def test_the_map_is_of_the_chosen_place_alone(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    picture, note = one.change_overlay(session.at((7, 12)), WHERE)
    assert words.ATTENTION_FIRST[0] in note[tab.verdict]
    session = picture[tab.session]
    first, *_, sound, pictures = one.click(session, 640.0, 400.0, LANGUAGE)
    heat = pictures[tab.side.photo]
    assert difference(first[tab.side.photo], heat) > 20
    (again,) = one.change_overlay(sound[tab.session], WHERE)
    assert difference(again[tab.side.photo], heat) == 0
    elsewhere, *_ = one.click(sound[tab.session], 100.0, 100.0, ONE)
    assert elsewhere[tab.session].attention is None and difference(elsewhere[tab.side.photo], session.view) < 5


def test_another_overlay_stays_as_it_was_chosen(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    updates = list(one.click(session, 640.0, 400.0, LANGUAGE))
    assert [tab.side.photo in update for update in updates].count(True) == 1, "the outline of the click alone"


def difference(one: Image.Image, other: Image.Image | None) -> float:
    assert other
    return float(np.asarray(ImageChops.difference(one, other)).mean())


def test_a_path_that_nobody_trained_is_one_sentence_and_loses_nothing(
    one: HearEvents, tab: HearTab, session: HearSession, studio: FakeStudio
) -> None:
    studio.services.vlm_to_sound.missing = "The path 'language' has not been trained yet."
    many = MultiPatchEvents(one)
    (update,) = guarded(tab, one.click(session, 640.0, 400.0, LANGUAGE))
    assert list(update) == [tab.verdict] and "has not been trained" in update[tab.verdict]
    for updates in (many.sweep(session, StopFlag(), 6, 1.0, LANGUAGE), many.scene(session, LANGUAGE)):
        *_, last = guarded(tab, updates)
        assert list(last) == [tab.verdict] and "has not been trained" in last[tab.verdict]


def test_compare_without_language_keeps_the_two_others(
    one: HearEvents, tab: HearTab, session: HearSession, studio: FakeStudio
) -> None:
    studio.services.vlm_to_sound.missing = "The path 'language' has not been trained yet."
    updates = list(guarded(tab, one.click(session, 640.0, 400.0, replace(LANGUAGE, generator="all"))))
    assert [take.wav in update for update in updates for take in tab.takes].count(True) == 2
    assert "has not been trained" in updates[-1][tab.verdict]


def test_a_silent_place_stays_silent(one: HearEvents, tab: HearTab) -> None:
    (update,) = one.open_photo(lambda: Image.new("RGB", (320, 240)), StopFlag())
    *_, last = one.click(update[tab.session], 640.0, 400.0, changed(LANGUAGE, anyway=False))
    assert "No likely sound here" in last[tab.verdict] and last[tab.anyway_button].visible is True


def test_a_row_and_a_scene_in_stereo(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    many = MultiPatchEvents(one)
    *sounds, last = many.sweep(replace(session, overlay=WHERE), StopFlag(), 6, 1.0, LANGUAGE)
    whole, _ = soundfile.read(last[tab.sweep.audio].value["path"])
    assert whole.shape[1] == 2
    photos = [update[tab.side.photo] for update in sounds if tab.side.photo in update]
    assert len(photos) == 24 and difference(photos[3], session.view) > 20, "each with its own map"
    *_, mixed = many.scene(session, LANGUAGE)
    both, _ = soundfile.read(mixed[tab.scene.audio].value["path"])
    assert both.shape == (16_000, 2)
    assert mixed[tab.scene.figure].visible is True


def test_the_sampling_reaches_the_studio(
    one: HearEvents, tab: HearTab, session: HearSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def steps(*_: Any, **how: Any) -> Iterator[Progress | Heard]:
        asked.append(how)
        return iter([])

    monkeypatch.setattr(one.studio, "hear_steps", steps)
    with pytest.raises(AssertionError):
        list(one.click(session, 640.0, 400.0, LANGUAGE))
    (how,) = asked
    assert (how["path"], how["temperature"], how["top_k"], how["guidance"]) == ("language", 0.7, 12, 3.0)


def test_the_endpoint_tells_the_tokens(cat: Image.Image, tmp_path: Path) -> None:
    cat.save(tmp_path / "cat.png")
    with gr.Blocks() as page:
        add_hear_endpoint(FakeStudio())
    (hear,) = [fn.fn for fn in page.fns.values() if fn.api_name == "hear"]
    assert hear
    wav, found = hear(str(tmp_path / "cat.png"), 300, 100, "language", 2.0, 3)
    assert soundfile.read(wav)[0].shape == (32_000, 2) and found["silent"] is False
    tokens = found["tokens"]
    assert np.shape(tokens["codes"]) == (2, 4, 50) and np.sum(tokens["looks"]) == pytest.approx(1.0, abs=1e-3)
    assert tokens["lead_s"] > 0 and (tokens["takes"], tokens["take"]) == (4, 3)
    assert hear(str(tmp_path / "cat.png"), 300, 100, "flow", 2.0, 3)[1]["tokens"] is None
