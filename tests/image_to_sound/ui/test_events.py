"""Handlers without a browser: what each hands back, and that errors leave the rest alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.ui.image_to_sound.events import HearEvents, Settings, guarded
from synesthesia.ui.image_to_sound.session import Halt, Session
from synesthesia.ui.image_to_sound.sweep_events import ManyEvents, in_order
from synesthesia.ui.image_to_sound.tab import HearTab, hear_tab
from synesthesia.ui.shared import words
from tests.ui.fake_studio import FakeStudio

ONE = Settings(
    voice="flow", takes=1, autoplay=True, seconds=1.0, seed=5, guidance=3.0, steps=4, temperature=1.0, top_k=100,
    anyway=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def tab() -> HearTab:
    with gr.Blocks():
        return hear_tab()


@pytest.fixture
def one(tab: HearTab) -> HearEvents:
    return HearEvents(FakeStudio(), tab)


@pytest.fixture
def session(one: HearEvents, tab: HearTab, cat: Image.Image) -> Session:
    (update,) = one.open_photo(lambda: cat, Halt())
    found: Session = update[tab.session]
    return found


def test_plans() -> None:
    assert ONE.plan() == [("flow", 5)]
    assert replace(ONE, voice="mlp", takes=3).plan() == [("mlp", 5), ("mlp", 6), ("mlp", 7)]
    three = [("flow", 5), ("mlp", 5), ("language", 5)]
    assert replace(ONE, voice="all", takes=3).plan() == three, "side by side on one seed"


def test_a_click_on_the_view_is_a_natural_pixel(session: Session, cat: Image.Image) -> None:
    assert session.natural(0, 0) == pytest.approx((0.5 * cat.width / 1280, 0.5 * cat.height / 851), rel=0.01)
    x, y = session.natural(1279, 850)
    assert cat.width - 1 < x < cat.width and cat.height - 1 < y < cat.height


def test_a_click_outlines_first_and_sounds_then(one: HearEvents, tab: HearTab, session: Session) -> None:
    first, sound, picture = one.click(session, 640.0, 400.0, ONE)
    assert first[tab.session].cell == (7, 12) and "busy" in first[tab.verdict]
    assert sound[tab.takes[0].audio].endswith(".wav") and "Sounds like" in sound[tab.verdict]
    assert picture[tab.takes[0].figure].axes


def test_a_click_puts_away_the_last_sounds_and_shows_where_the_next_one_comes(
    one: HearEvents, tab: HearTab, session: Session
) -> None:
    first, *_ = one.click(session, 640.0, 400.0, ONE)
    assert all(first[take.column].visible is False and first[take.figure] is None for take in tab.takes)
    assert all(first[take.tokens].visible is False for take in tab.takes)
    assert first[tab.ways].selected == "one"


@pytest.mark.parametrize("field", ["seed", "seconds"])
def test_an_empty_field_is_one_sentence_and_loses_nothing(
    one: HearEvents, tab: HearTab, session: Session, field: str
) -> None:
    empty = replace(ONE, **{field: None})
    many = ManyEvents(one.studio, tab, one)
    for updates in (
        one.click(session, 640.0, 400.0, empty), many.sweep(session, Halt(), 6, 1.0, empty), many.scene(session, empty)
    ):  # fmt: skip
        (update,) = guarded(tab, updates)
        assert list(update) == [tab.verdict] and words.EMPTY[field] in update[tab.verdict]


def test_likeness_is_claimed_only_where_the_classifier_hears_it(one: HearEvents, cat: Image.Image) -> None:
    heard = one.studio.hear(cat, 10, 10, seconds=1.0, anyway=True)
    best, *others = heard.evidence.labels
    assert words.heard(heard, 0.1)[0] == f"Sounds like {best.label.replace('_', ' ')}"
    other = replace(heard, evidence=replace(heard.evidence, labels=(*others, best)))
    assert words.heard(other, 0.1)[0] == f"Taken for {best.label.replace('_', ' ')}", "it comes last of five"


def test_takes_differ_and_are_as_many_as_asked(one: HearEvents, tab: HearTab, session: Session) -> None:
    updates = list(one.click(session, 640.0, 400.0, replace(ONE, takes=3)))
    files = [update[take.wav] for update in updates for take in tab.takes if take.wav in update]
    sounds = [open(file, "rb").read() for file in files]  # noqa: SIM115
    assert len(set(files)) == len(set(sounds)) == 3


def test_abstention_is_said_and_hides_the_last_sound(one: HearEvents, tab: HearTab, session: Session) -> None:
    black = Image.new("RGB", (320, 240))
    (update,) = one.open_photo(lambda: black, Halt())
    *_, last = one.click(update[tab.session], 640.0, 400.0, replace(ONE, anyway=False))
    assert "Nothing here makes a sound (presence 0.00)" in last[tab.verdict]
    assert last[tab.anyway_button].visible is True


def test_an_error_touches_nothing_but_the_verdict(one: HearEvents, tab: HearTab) -> None:
    (update,) = guarded(tab, one.click(Session(), 1.0, 1.0, ONE))
    assert list(update) == [tab.verdict] and words.NO_PHOTO in update[tab.verdict]

    def bug() -> Any:
        raise RuntimeError("secret path /root")
        yield

    (update,) = guarded(tab, bug())
    assert "secret" not in update[tab.verdict] and words.UNEXPECTED in update[tab.verdict]


def test_an_unreadable_photograph_keeps_the_old_one(one: HearEvents) -> None:
    def unreadable() -> Image.Image:
        raise UserError("no")

    halt = Halt()
    with pytest.raises(UserError):
        list(one.open_photo(unreadable, halt))
    assert not halt.asked, "and its sweep goes on"


def test_a_silent_row_gives_no_player(one: HearEvents, tab: HearTab, session: Session) -> None:
    (update,) = one.open_photo(lambda: Image.new("RGB", (320, 240)), Halt())
    quiet = replace(ONE, anyway=False)
    *_, last = ManyEvents(one.studio, tab, one).sweep(update[tab.session], Halt(), 6, 1.0, quiet)
    assert last[tab.sweep.audio].visible is False and "0 of" in last[tab.sweep.progress]


@pytest.mark.parametrize("overlay", words.OVERLAYS)
def test_every_overlay_draws(one: HearEvents, tab: HearTab, session: Session, overlay: str) -> None:
    update, *_ = one.change_overlay(session.at((3, 4)), overlay)
    assert update[tab.side.photo].size == (1280, 851)


def test_a_stopped_sweep_makes_no_more_sounds(
    one: HearEvents, tab: HearTab, session: Session, monkeypatch: Any
) -> None:
    made: list[int] = []
    halt = Halt()
    ears = one.studio._ears()
    real = type(ears).hear

    def noted(self: Any, grid: Any, row: int, col: int, **how: Any) -> Any:
        made.append(col)
        return real(self, grid, row, col, **how)

    monkeypatch.setattr(type(ears), "hear", noted)
    updates = ManyEvents(one.studio, tab, one).sweep(session, halt, 6, 1.0, ONE)
    for _ in range(4):  # the empty strip, then three sounds
        next(updates)
    halt.asked = True  # what the Stop button does
    *_, last = updates
    assert made == [0, 1, 2] and "Stopped after 3 of" in last[tab.sweep.progress]


def test_what_comes_after_stop_does_not_play(one: HearEvents, tab: HearTab, session: Session, monkeypatch: Any) -> None:
    halt = Halt()
    updates = ManyEvents(one.studio, tab, one).sweep(session, halt, 6, 1.0, ONE)
    next(updates), next(updates)
    real = type(one.studio._ears()).hear

    def stopped_meanwhile(self: Any, *where: Any, **how: Any) -> Any:
        halt.asked = True
        return real(self, *where, **how)

    monkeypatch.setattr(type(one.studio._ears()), "hear", stopped_meanwhile)
    late, last = updates
    assert late[tab.sweep.strip].count("<audio") == 2 and late[tab.sweep.strip].count("data-auto") == 1
    assert last[tab.sweep.stop].interactive is False


def test_a_whole_sweep_ends_in_one_sound(one: HearEvents, tab: HearTab, session: Session) -> None:
    first, *_, last = ManyEvents(one.studio, tab, one).sweep(session, Halt(), 6, 1.0, ONE)
    assert "Row 6" in first[tab.verdict], "and no longer the place that was clicked before"
    assert last[tab.sweep.audio].value and "patches sound" in last[tab.sweep.progress]
    assert last[tab.sweep.stop].interactive is True, "its sounds may still be playing"


def test_the_sounds_of_a_row_follow_each_other(one: HearEvents, cat: Image.Image) -> None:
    sounds = list(one.studio.sweep(cat, 6, seconds=1.0, anyway=True))[:2]
    whole, rate_hz = in_order(sounds)
    assert whole.shape == (1, round(2 * 1.1 * rate_hz)) and whole.dtype == np.float32


def test_the_scene_lists_its_stems(one: HearEvents, tab: HearTab, session: Session) -> None:
    *_, last = ManyEvents(one.studio, tab, one).scene(session, ONE)
    assert last[tab.scene.stems].count("<audio") >= 1
