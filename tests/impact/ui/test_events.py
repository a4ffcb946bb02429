"""Handlers of the tab "Tap" without a browser: what each asks the studio for, hands back, and leaves alone."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile
from PIL import Image

from synesthesia.core import recipe
from synesthesia.core.errors import UserError
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.ui.impact import words
from synesthesia.ui.impact.events import TapEvents
from synesthesia.ui.impact.session import TapSession
from synesthesia.ui.impact.strike_path import NO_PATH
from synesthesia.ui.impact.tab import TapTab
from synesthesia.ui.shared import words as shared_words
from synesthesia.ui.shared.handlers import guarded
from tests.impact.ui.fake_studio import FakeTapStudio

HOW = {"force": 12.0, "mallet": "metal", "seconds": 2.0}
CLICK = [[200.0, 100.0, 0]]  # natural pixels of the cat
DRAG = [[100.0, 100.0, 0], [180.0, 100.0, 600]]


@pytest.fixture(scope="module")
def tab() -> TapTab:
    with gr.Blocks():
        return TapTab()


@pytest.fixture
def studio() -> FakeTapStudio:
    return FakeTapStudio()


@pytest.fixture
def events(studio: FakeTapStudio, tab: TapTab) -> TapEvents:
    return TapEvents(studio, tab)


@pytest.fixture
def session(events: TapEvents, tab: TapTab, cat: Image.Image) -> TapSession:
    first, _ = events.open_photo(lambda: cat)
    found: TapSession = first[tab.session]
    return found


def test_a_photograph_shows_before_it_is_looked_at(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, cat: Image.Image
) -> None:
    updates = events.open_photo(lambda: cat)
    first = next(updates)
    assert "<img" in first[tab.photo.base] and f"data-width='{cat.width}'" in first[tab.photo.base]
    assert "busy" in first[tab.verdict] and studio.services.impact.mapped == 0
    gone = (
        tab.as_seen.heading,
        tab.as_seen.audio,
        tab.what_if.card.heading,
        tab.what_if.card.audio,
        tab.what_if.compared,
    )
    assert all(first[part] == "" for part in gone), "no sound of another photograph"
    (last,) = updates
    assert studio.services.impact.mapped == 1 and "busy" not in last[tab.verdict]
    analysis = first[tab.session].analysis
    assert analysis.grid is not None and analysis.code_names[5] == MATERIALS[1], (
        "three codes each in the made-up codebook"
    )


def test_a_blow_made_while_the_photograph_is_looked_at_is_not_lost(
    events: TapEvents, tab: TapTab, cat: Image.Image
) -> None:
    updates = events.open_photo(lambda: cat)
    first = next(updates)
    (struck,) = events.touched(first[tab.session], CLICK, HOW)
    (last,) = updates
    assert tab.session not in last and not set(last) & set(struck) - {tab.verdict}
    assert struck[tab.session].analysis.code_names, "what was seen meanwhile is known to it"


def test_an_unreadable_photograph_keeps_the_old_one(events: TapEvents, tab: TapTab) -> None:
    def unreadable() -> Image.Image:
        raise UserError("no photograph")

    (update,) = guarded(tab, events.open_photo(unreadable))
    assert list(update) == [tab.verdict]


def test_a_click_strikes_there_with_the_controls(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    (update,) = events.touched(session, CLICK, HOW)
    ((row, col, made),) = studio.services.impact.struck
    assert (row, col, made.path, made.force, made.mallet, made.seconds) == (5, 10, "tap", 12.0, "metal", 2.0)
    assert (made.seed, made.anyway, made.material, made.size_factor) == (0, False, "", 1.0)
    head, encoded = update[tab.as_seen.audio].split(" ")[1].split(",")
    data = base64.b64decode(encoded)
    assert head == "data:audio/wav;base64"
    sound, rate_hz = soundfile.read(io.BytesIO(data))
    assert rate_hz == 16_000 and sound.shape == (32_000,) and np.abs(sound).max() > 0.01
    assert Path(update[tab.as_seen.wav]).read_bytes() == data
    blow = update[tab.session].clip.last.blow
    assert f"<div class='big'>{blow.material.capitalize()}, {blow.shape}" in update[tab.verdict]
    assert "Struck with 12 N (metal)" in update[tab.verdict]
    called = session.analysis.code_names[blow.state.code]
    assert f"code {blow.state.code} ({called}), purity 0.93" in update[tab.verdict]
    assert called and f"({called})" in update[tab.state]
    assert (update[tab.photo.patch.row], update[tab.photo.patch.col]) == (5, 10)
    assert update[tab.photo.outline].count("class='cell'") == 1
    told = recipe.from_json(Path(update[tab.as_seen.recipe].value["path"]).read_text())
    assert (told.seed, told.force, told.mallet, told.seconds) == (0, 12.0, "metal", 2.0)


def test_a_blow_that_may_be_missed_is_told_to_be_quiet(events: TapEvents, tab: TapTab, session: TapSession) -> None:
    (loud,) = events.touched(session, CLICK, HOW)
    (soft,) = events.touched(session, CLICK, HOW | {"force": 0.5})
    assert "very quiet" not in loud[tab.verdict]
    assert "very quiet (peak -" in soft[tab.verdict]


def test_a_strike_sends_neither_photograph_nor_map_nor_figure(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    (update,) = events.touched(session, CLICK, HOW)
    assert not {tab.photo.base, tab.photo.layer, tab.photo.legend, tab.as_seen.figure} & set(update)
    assert studio.services.impact.mapped == 1, "no more than when the photograph was opened"
    assert "<img" in events.figure_as_seen(update[tab.session])


def test_each_strike_has_a_seed_of_its_own(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    sounds = []
    for path in (CLICK, CLICK, DRAG, CLICK):
        *_, update = events.touched(session, path, HOW)
        session = update[tab.session]
        sounds.append(update[tab.as_seen.audio].split(" ")[1])
    seeds = [made.seed for *_, made in studio.services.impact.struck]
    assert seeds == list(range(len(seeds))) and len(set(sounds)) == 4
    assert f"seed {seeds[-1]}" in update[tab.as_seen.heading] and f"seed {seeds[-1]}" in update[tab.verdict]


def test_the_same_patch_by_hand_is_the_same_place_and_another_its_middle(
    events: TapEvents, tab: TapTab, session: TapSession
) -> None:
    (update,) = events.touched(session, CLICK, HOW)
    session = update[tab.session]
    (again,) = events.by_hand(session, 5, 10, HOW)
    assert (again[tab.session].clip.last.recipe.x, again[tab.session].clip.last.recipe.y) == (200.0, 100.0)
    (other,) = events.by_hand(session, 3, 4, HOW)
    x, y = events.studio.look(session.picture()).centre(3, 4)
    assert (other[tab.session].clip.last.recipe.x, other[tab.session].clip.last.recipe.y) == (x, y)


def test_a_drag_is_one_sound_of_every_patch_on_its_way(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    busy, update = events.touched(session, DRAG, HOW)
    assert "busy" in busy[tab.verdict]
    cells = [(row, col) for row, col, _ in studio.services.impact.struck]
    assert [col for _, col in cells] == [5, 6, 7, 8, 9] and {row for row, _ in cells} == {5}
    assert f"{len(cells)} places struck" in update[tab.verdict]
    assert update[tab.photo.outline].count("class='cell'") == len(cells)
    clip = update[tab.session].clip
    assert clip.strikes[-1].at_s == pytest.approx(0.52, abs=0.05), "in the drag's own time"
    assert clip.seconds == pytest.approx(clip.strikes[-1].at_s + 2.0, abs=1e-3)
    told = json.loads(Path(update[tab.as_seen.recipe].value["path"]).read_text())
    assert [each["recipe"]["seed"] for each in told["strikes"]] == list(range(len(cells)))
    assert "<img" in events.figure_as_seen(update[tab.session])


def test_a_drag_passes_over_what_cannot_be_struck(events: TapEvents, tab: TapTab) -> None:
    photo = Image.new("RGB", (480, 320), "white")
    photo.paste("black", (100, 0, 300, 320))
    opened, _ = events.open_photo(lambda: photo)
    *_, update = events.touched(opened[tab.session], [[50, 50, 0], [350, 50, 1000]], HOW)
    cols = [strike.heard.col for strike in update[tab.session].clip.strikes]
    assert cols and not set(cols) & set(range(5, 15)) and "with nothing to strike" in update[tab.verdict]
    *_, nothing = events.touched(opened[tab.session], [[150, 50, 0], [250, 50, 1000]], HOW)
    assert "Nothing to strike here" in nothing[tab.verdict] and nothing[tab.session].clip is None


def test_nothing_to_strike_is_said_with_a_way_past_it(events: TapEvents, studio: FakeTapStudio, tab: TapTab) -> None:
    opened, _ = events.open_photo(lambda: Image.new("RGB", (320, 240)))
    (update,) = events.touched(opened[tab.session], [[100.0, 100.0, 0]], HOW)
    assert "Nothing to strike here" in update[tab.verdict] and "presence 0.00" in update[tab.verdict]
    assert "quiet" in update[tab.verdict], "the sign by which the page shows the way past it"
    assert update[tab.as_seen.heading] == update[tab.as_seen.audio] == ""
    assert events.figure_as_seen(update[tab.session]) == ""
    row, col = update[tab.photo.patch.row], update[tab.photo.patch.col]
    (struck,) = events.by_hand(update[tab.session], row, col, HOW | {"anyway": True})
    assert studio.services.impact.struck[-1][2].anyway and "quiet" not in struck[tab.verdict]
    assert struck[tab.as_seen.heading] and struck[tab.as_seen.audio]
    assert struck[tab.session].clip.last.recipe.x == 100.0


def test_what_if_is_the_very_same_blow_on_something_else(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    (update,) = events.touched(session, CLICK, HOW)
    (other,) = events.what_if(update[tab.session], "glass", 2)
    first, second = studio.services.impact.struck
    assert second == (*first[:2], first[2].model_copy(update={"material": "glass", "size_factor": 2.0, "anyway": True}))
    assert "If it were glass and twice as large: glass" in other[tab.verdict]
    assert {"tap-audio-a", "tap-audio-b"} <= set(other[tab.what_if.compared].split("'"))
    assert not {tab.as_seen.audio, tab.as_seen.heading, tab.state} & set(other), "A stays as it is"
    assert "<img" in events.figure_what_if(other[tab.session])
    (again,) = events.what_if(other[tab.session], "glass", 2)
    first_name, first_sound = other[tab.what_if.card.audio].split(" ")
    second_name, second_sound = again[tab.what_if.card.audio].split(" ")
    assert first_sound == second_sound and first_name != second_name, "so that the page plays it again"
    told = recipe.from_json(Path(other[tab.what_if.card.recipe].value["path"]).read_text())
    assert (told.material, told.size_factor, told.seed) == ("glass", 2.0, 0)


def test_what_if_goes_with_its_place(events: TapEvents, tab: TapTab, session: TapSession) -> None:
    (update,) = events.touched(session, CLICK, HOW)
    (other,) = events.what_if(update[tab.session], "glass", 1.0)
    (again,) = events.touched(other[tab.session], CLICK, HOW)
    assert again[tab.session].other is not None and tab.what_if.card.heading not in again
    (elsewhere,) = events.touched(again[tab.session], [[30.0, 200.0, 0]], HOW)
    assert elsewhere[tab.session].other is None and elsewhere[tab.what_if.card.heading] == ""


def test_what_if_needs_a_strike_and_a_wish(events: TapEvents, tab: TapTab, session: TapSession) -> None:
    (update,) = guarded(tab, events.what_if(session, "glass", 1.0))
    assert list(update) == [tab.verdict] and words.NOT_STRUCK in update[tab.verdict]
    assert events.name_button("", 1.0).interactive is False
    button = events.name_button("glass", 0.25)
    assert button.interactive is True and button.value == "Strike it again as glass, a quarter as large"
    assert events.name_button("", 4.0).value == "Strike it again, four times as large"


@pytest.mark.parametrize("overlay", words.OVERLAYS)
def test_every_overlay_draws_its_layer(events: TapEvents, tab: TapTab, session: TapSession, overlay: str) -> None:
    (update,) = events.change_overlay(session, overlay)
    shown = overlay != "Photo"
    assert ("<img" in update[tab.photo.layer]) is shown and ("legend" in update[tab.photo.legend]) is shown


@pytest.mark.parametrize("field", ["force", "seconds"])
def test_an_empty_field_is_one_sentence_and_loses_nothing(
    events: TapEvents, tab: TapTab, session: TapSession, field: str
) -> None:
    (update,) = guarded(tab, events.touched(session, CLICK, HOW | {field: None}))
    assert list(update) == [tab.verdict] and " is empty: enter a number from " in update[tab.verdict]


def test_errors_touch_nothing_but_the_verdict(
    events: TapEvents, studio: FakeTapStudio, tab: TapTab, session: TapSession
) -> None:
    studio.services.impact.missing = "The path 'tap' has not been trained yet."
    tries: list[Any] = [
        (events.touched(TapSession(), CLICK, HOW), shared_words.NO_PHOTO),
        (events.touched(session, [[9999.0, 1.0, 0]], HOW), NO_PATH),
        (events.touched(session, None, HOW), NO_PATH),
        (events.by_hand(session, None, 3, HOW), shared_words.NO_CELL),
        (events.by_hand(session, 900, 3, HOW), "outside the grid"),
        (events.touched(session, CLICK, HOW), "has not been trained"),
        (events.change_overlay(TapSession(), "Materials"), shared_words.NO_PHOTO),
    ]
    for updates, sentence in tries:
        (update,) = guarded(tab, updates)
        assert list(update) == [tab.verdict] and sentence in update[tab.verdict].replace("&#x27;", "'")
