"""Handlers without a browser: what each hands back, and that errors leave the rest alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.core.requests import settings_of
from synesthesia.core.results import Sound
from synesthesia.ui.image_to_sound import words
from synesthesia.ui.image_to_sound.controls import SETTINGS, ControlValues
from synesthesia.ui.image_to_sound.events import HearEvents
from synesthesia.ui.image_to_sound.multi_patch_events import MultiPatchEvents, concatenated
from synesthesia.ui.image_to_sound.session import HearSession, StopFlag
from synesthesia.ui.image_to_sound.tab import HearTab
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.handlers import guarded
from tests.ui.fake_studio import FakeImageToSound, FakeStudio

ONE = ControlValues(
    generator="flow", takes=1, autoplay=True,
    settings={
        "seconds": 1.0, "seed": 5, "guidance": 3.0, "steps": 4, "temperature": 1.0, "top_k": 100, "anyway": True
    },
)  # fmt: skip


def changed(values: ControlValues, **settings: Any) -> ControlValues:
    return replace(values, settings={**values.settings, **settings})


@pytest.fixture(scope="module")
def tab() -> HearTab:
    with gr.Blocks():
        return HearTab()


@pytest.fixture
def one(tab: HearTab) -> HearEvents:
    return HearEvents(FakeStudio(), tab)


@pytest.fixture
def session(one: HearEvents, tab: HearTab, cat: Image.Image) -> HearSession:
    (update,) = one.open_photo(lambda: cat, StopFlag())
    found: HearSession = update[tab.session]
    return found


def test_plans() -> None:
    assert ONE.plan() == [{"path": "flow", **ONE.settings}]
    three = replace(ONE, generator="mlp", takes=3).plan()
    assert [(each["path"], each["seed"]) for each in three] == [("mlp", 5), ("mlp", 6), ("mlp", 7)]
    three = replace(ONE, generator="all", takes=3).plan()
    paths = [("flow", 5), ("mlp", 5), ("language", 5)]
    assert [(each["path"], each["seed"]) for each in three] == paths, "side by side on one seed"


def test_every_control_has_the_bounds_and_the_default_of_its_request(tab: HearTab) -> None:
    for control, component in zip(SETTINGS, tab.controls.settings, strict=True):
        setting = settings_of(control.request)[control.name]
        assert component.value == setting.default and component.label == control.label
        if isinstance(component, gr.Slider):
            assert (component.minimum, component.maximum) == (setting.low, setting.high)
    assert ControlValues.of("flow", 1, True, *(each.value for each in tab.controls.settings)).settings["steps"] == 12


def test_a_click_on_the_view_is_a_natural_pixel(session: HearSession, cat: Image.Image) -> None:
    assert session.natural(0, 0) == pytest.approx((0.5 * cat.width / 1280, 0.5 * cat.height / 851), rel=0.01)
    x, y = session.natural(1279, 850)
    assert cat.width - 1 < x < cat.width and cat.height - 1 < y < cat.height


def test_a_click_outlines_first_and_sounds_then(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    first, sound, picture = one.click(session, 640.0, 400.0, ONE)
    assert first[tab.session].cell == (7, 12) and "busy" in first[tab.verdict]
    assert sound[tab.takes[0].audio].endswith(".wav") and "Sounds like" in sound[tab.verdict]
    assert picture[tab.takes[0].figure].axes


def test_a_click_puts_away_the_last_sounds_and_shows_where_the_next_one_comes(
    one: HearEvents, tab: HearTab, session: HearSession
) -> None:
    first, *_ = one.click(session, 640.0, 400.0, ONE)
    assert all(first[take.column].visible is False and first[take.figure] is None for take in tab.takes)
    assert all(first[take.tokens].visible is False for take in tab.takes)
    assert first[tab.modes].selected == "one"


@pytest.mark.parametrize("field", ["seed", "seconds"])
def test_an_empty_field_is_one_sentence_and_loses_nothing(
    one: HearEvents, tab: HearTab, session: HearSession, field: str
) -> None:
    empty = changed(ONE, **{field: None})
    many = MultiPatchEvents(one)
    for updates in (
        one.click(session, 640.0, 400.0, empty),
        many.sweep(session, StopFlag(), 6, 1.0, empty),
        many.scene(session, empty),
    ):
        (update,) = guarded(tab, updates)
        assert list(update) == [tab.verdict] and " is empty: enter a number from " in update[tab.verdict]


def test_likeness_is_claimed_only_where_the_classifier_hears_it(one: HearEvents, cat: Image.Image) -> None:
    heard = one.studio.hear(cat, 10, 10, seconds=1.0, anyway=True)
    best, *others = heard.evidence.labels
    assert words.heard(heard, 0.1)[0] == f"Sounds like {best.label.replace('_', ' ')}"
    other = replace(heard, evidence=replace(heard.evidence, labels=(*others, best)))
    assert words.heard(other, 0.1)[0] == (
        f"Recognised as {best.label.replace('_', ' ')}, but the result sounds more like "
        f"{others[0].label.replace('_', ' ')}"
    ), "it comes last of five"


def test_takes_differ_and_are_as_many_as_asked(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    updates = list(one.click(session, 640.0, 400.0, replace(ONE, takes=3)))
    files = [update[take.wav] for update in updates for take in tab.takes if take.wav in update]
    sounds = [open(file, "rb").read() for file in files]  # noqa: SIM115
    assert len(set(files)) == len(set(sounds)) == 3


def test_abstention_is_said_and_hides_the_last_sound(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    black = Image.new("RGB", (320, 240))
    (update,) = one.open_photo(lambda: black, StopFlag())
    *_, last = one.click(update[tab.session], 640.0, 400.0, changed(ONE, anyway=False))
    assert "No likely sound here" in last[tab.verdict] and "presence 0.00" in last[tab.verdict]
    assert last[tab.anyway_button].visible is True


def test_an_error_touches_nothing_but_the_verdict(one: HearEvents, tab: HearTab) -> None:
    (update,) = guarded(tab, one.click(HearSession(), 1.0, 1.0, ONE))
    assert list(update) == [tab.verdict] and shared_words.NO_PHOTO in update[tab.verdict]

    def bug() -> Any:
        raise RuntimeError("secret path /root")
        yield

    (update,) = guarded(tab, bug())
    assert "secret" not in update[tab.verdict] and shared_words.UNEXPECTED in update[tab.verdict]


def test_an_unreadable_photograph_keeps_the_old_one(one: HearEvents) -> None:
    def unreadable() -> Image.Image:
        raise UserError("no")

    stop_flag = StopFlag()
    with pytest.raises(UserError):
        list(one.open_photo(unreadable, stop_flag))
    assert not stop_flag.requested, "and its sweep goes on"


def test_a_silent_row_gives_no_player(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    (update,) = one.open_photo(lambda: Image.new("RGB", (320, 240)), StopFlag())
    quiet = changed(ONE, anyway=False)
    *_, last = MultiPatchEvents(one).sweep(update[tab.session], StopFlag(), 6, 1.0, quiet)
    assert last[tab.sweep.audio].visible is False and "0 of" in last[tab.sweep.progress]


@pytest.mark.parametrize("overlay", words.OVERLAYS)
def test_every_overlay_draws(one: HearEvents, tab: HearTab, session: HearSession, overlay: str) -> None:
    update, *_ = one.change_overlay(session.at((3, 4)), overlay)
    assert update[tab.side.photo].size == (1280, 851)


def test_a_stopped_sweep_makes_no_more_sounds(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    stop_flag, made = StopFlag(), one.studio.services.image_to_sound.made
    updates = MultiPatchEvents(one).sweep(session, stop_flag, 6, 1.0, ONE)
    for _ in range(4):  # the empty strip, then three sounds
        next(updates)
    stop_flag.requested = True  # what the Stop button does
    *_, last = updates
    assert made == [(6, 0), (6, 1), (6, 2)] and "Stopped after 3 of" in last[tab.sweep.progress]


def test_what_comes_after_stop_does_not_play(tab: HearTab, cat: Image.Image) -> None:
    stop_flag, studio = StopFlag(), FakeStudio()

    class StoppedMeanwhile(FakeImageToSound):
        """Stop is pressed while the second sound is made."""

        def generate(self, *where: Any) -> Iterator[Sound]:
            stop_flag.requested = len(self.made) == 1
            return super().generate(*where)

    studio.services.image_to_sound = StoppedMeanwhile()
    one = HearEvents(studio, tab)
    (opened,) = one.open_photo(lambda: cat, StopFlag())
    updates = MultiPatchEvents(one).sweep(opened[tab.session], stop_flag, 6, 1.0, ONE)
    next(updates), next(updates)
    late, last = updates
    assert late[tab.sweep.strip].count("<audio") == 2 and late[tab.sweep.strip].count("data-auto") == 1
    assert last[tab.sweep.stop].interactive is False


def test_a_whole_sweep_ends_in_one_sound(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    first, *_, last = MultiPatchEvents(one).sweep(session, StopFlag(), 6, 1.0, ONE)
    assert "Row 6" in first[tab.verdict], "and no longer the place that was clicked before"
    assert last[tab.sweep.audio].value and "patches make a sound" in last[tab.sweep.progress]
    assert last[tab.sweep.stop].interactive is True, "its sounds may still be playing"


def test_the_sounds_of_a_row_follow_each_other(one: HearEvents, cat: Image.Image) -> None:
    sounds = list(one.studio.sweep(cat, 6, seconds=1.0, anyway=True))[:2]
    whole, rate_hz = concatenated(sounds)
    assert whole.shape == (1, round(2 * 1.1 * rate_hz)) and whole.dtype == np.float32


def test_the_scene_lists_its_stems(one: HearEvents, tab: HearTab, session: HearSession) -> None:
    *_, last = MultiPatchEvents(one).scene(session, ONE)
    assert last[tab.scene.stems].count("<audio") >= 1
