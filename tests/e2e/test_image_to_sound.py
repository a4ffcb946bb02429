"""The tab "Hear" in a real browser: what a person does, and that they hear what they should."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.e2e.driving import (
    changed_source,
    click_photo,
    hear_at,
    loud,
    open_page,
    player_source,
    samples,
    settled,
    unfold,
    verdict,
)

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def desk(browser: Any) -> Any:
    """One browser profile for the tests of one person: its cache spares loading the page's code each time."""
    context = browser.new_context(viewport=DESK)
    yield context
    context.close()


@pytest.fixture
def page(desk: Any, url: str) -> Any:
    page = open_page(desk, url)
    yield page
    page.close()


def test_upload_click_hear_and_a_second_click_changes_the_sound(page: Any, tmp_path: Path) -> None:
    photo = Image.fromarray(np.asarray(Image.linear_gradient("L").resize((640, 420))), "L").convert("RGB")
    photo.save(tmp_path / "mine.png")
    shown = page.locator("#photo img").get_attribute("src")
    page.locator("#choose input[type=file]").set_input_files(tmp_path / "mine.png")
    page.wait_for_function("src => document.querySelector('#photo img')?.getAttribute('src') !== src", arg=shown)
    first = hear_at(page, 0.3, 0.5)
    sound, rate_hz = samples(page, first)
    assert rate_hz == 16_000 and len(sound) == 4 * rate_hz and loud(sound)
    second = hear_at(page, 0.8, 0.8)
    other, _ = samples(page, second)
    assert loud(other) and not np.array_equal(sound, other)


def test_the_keyboard_alone_reaches_a_sound(page: Any) -> None:
    before = verdict(page)
    page.locator("#row input").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    page.locator("#hear").focus()
    page.keyboard.press("Enter")
    told = settled(page, before)
    if told.startswith("Nothing here"):
        page.locator("#anyway").focus()
        page.keyboard.press("Enter")
    sound, _ = samples(page, changed_source(page, ""))
    assert loud(sound)
    assert "row 7, column 9" in settled(page).lower()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [("broken.png", b"this is no picture", "not a photograph"), ("empty.jpg", b"", "empty")],
)
def test_a_bad_file_gives_one_sentence_and_the_next_click_works(
    page: Any, name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    before, shown = verdict(page), page.locator("#photo img").get_attribute("src")
    page.locator("#choose input[type=file]").set_input_files(tmp_path / name)
    assert sentence in settled(page, before)
    assert page.locator("#photo img").get_attribute("src") == shown, "the old photograph stays"
    sound, _ = samples(page, hear_at(page, 0.5, 0.5))
    assert loud(sound)


def test_a_row_outside_the_grid_is_refused_in_words(page: Any) -> None:
    before = verdict(page)
    page.locator("#row input").fill("900")
    page.locator("#hear").click()
    assert "outside the grid" in settled(page, before)


def test_an_empty_seed_is_one_sentence_and_the_next_click_works(page: Any) -> None:
    before = verdict(page)
    unfold(page, "#settings")
    page.get_by_label("Seed").fill("")
    click_photo(page, 0.5, 0.5)
    assert "seed" in settled(page, before)
    assert page.locator(".toast-body").count() == 0, "said once"
    page.get_by_label("Seed").fill("3")
    sound, _ = samples(page, hear_at(page, 0.5, 0.5))
    assert loud(sound)


def test_takes_leave_the_photograph_where_it_is_and_go_with_the_next_click(page: Any) -> None:
    place = page.locator("#photo").bounding_box()
    page.get_by_test_id("Three-radio-label").click()
    hear_at(page, 0.5, 0.5)
    page.wait_for_selector("#take-2 img")
    assert page.locator("#photo").bounding_box() == place
    assert all(player.bounding_box()["width"] > 300 for player in page.locator(".take audio").all())
    page.get_by_test_id("MLP-radio-label").click()
    page.get_by_test_id("One-radio-label").click()
    click_photo(page, 0.4, 0.4)
    page.wait_for_function("!document.querySelector('.take')")
    settled(page)
    assert page.locator("#take-2").count() == 0


def test_a_phone_shows_everything_without_sideways_scrolling(browser: Any, url: str) -> None:
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
    page = open_page(context, url)
    hear_at(page, 0.5, 0.6)
    page.wait_for_selector("#take-0 img")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    photo, card = page.locator("#photo").bounding_box(), page.locator("#verdict").bounding_box()
    assert card["y"] > photo["y"], "what is heard comes under the photograph"
    assert card["y"] - (photo["y"] + photo["height"]) < 160, "and right under it"
    context.close()


def test_no_request_leaves_the_machine(browser: Any, url: str) -> None:
    context = browser.new_context(viewport=DESK)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = open_page(context, url)
    hear_at(page, 0.5, 0.5)
    page.get_by_test_id("Features-radio-label").click()
    page.wait_for_timeout(1500)
    outside = [each for each in asked if not each.startswith((url, "data:", "blob:"))]
    assert asked and not outside, f"the page asked {outside}"
    context.close()


def test_two_people_at_once_hear_their_own(browser: Any, url: str) -> None:
    contexts = [browser.new_context(viewport=DESK) for _ in range(2)]
    pages = [open_page(context, url) for context in contexts]
    before, shown = verdict(pages[1]), pages[1].locator("#photo img").get_attribute("src")
    pages[1].locator("#examples button").nth(3).click()
    pages[1].wait_for_function("src => document.querySelector('#photo img').getAttribute('src') !== src", arg=shown)
    for page in pages:  # both wait for their sound at the same time
        click_photo(page, 0.5, 0.5)
    for page in pages:
        told = settled(page, before)
        if told.startswith("Nothing here"):
            page.locator("#anyway").click()
    sounds = [samples(page, changed_source(page, ""))[0] for page in pages]
    assert not np.array_equal(*sounds)
    pictures = [page.locator("#photo img").get_attribute("src") for page in pages]
    assert pictures[0] != pictures[1]
    for context in contexts:
        context.close()


def test_stopping_a_sweep_really_stops_it(page: Any) -> None:
    page.locator("#row input").fill("8")
    page.get_by_role("tab", name="Sweep a row").click()
    page.locator("#sweep-start").click()
    page.wait_for_function(
        "() => { const stop = document.querySelector('#sweep-stop');"
        " const due = document.querySelectorAll('#strip .cell').length >= 2; if (due) stop.click(); return due; }"
    )  # pressed in the page itself, so that a slow test machine doesn't miss the running sweep
    page.wait_for_function("document.querySelector('#sweep-progress').innerText.includes('Stopped')")
    page.wait_for_timeout(500)
    count = page.locator("#strip .cell").count()
    page.wait_for_timeout(2500)
    assert page.locator("#strip .cell").count() == count < 20
    assert page.locator("#sweep-start").is_enabled()


def test_stop_silences_a_sweep(page: Any) -> None:
    begin_playing_sweep(page)
    page.evaluate("document.querySelector('#sweep-stop').click()")
    silent = "[...document.querySelectorAll('#strip audio')].every((player) => player.paused)"
    assert page.evaluate(silent)
    page.wait_for_function("document.querySelector('#sweep-progress').innerText.includes('Stopped')")
    page.wait_for_timeout(1500)
    assert page.evaluate(silent), "nor does the next one begin"


def test_a_click_during_a_sweep_ends_it_and_shows_its_own_sound(page: Any) -> None:
    begin_playing_sweep(page)
    assert "Row 8" in verdict(page)
    click_photo(page, 0.3, 0.3)
    page.wait_for_selector("#audio-0 audio", state="visible")
    assert page.get_by_role("tab", name="One patch").get_attribute("aria-selected") == "true"
    assert page.evaluate("[...document.querySelectorAll('#strip audio')].every((player) => player.paused)")
    page.wait_for_function("document.querySelector('#sweep-progress').textContent.includes('Stopped')")
    assert "Row 8" not in verdict(page)


def begin_playing_sweep(page: Any) -> None:
    """Row 8, silent places too, until one of its sounds plays."""
    unfold(page, "#settings")
    page.locator("#settings").get_by_label("Sound anyway").check()
    page.locator("#row input").fill("8")
    page.get_by_role("tab", name="Sweep a row").click()
    page.locator("#sweep-start").click()
    page.wait_for_function("[...document.querySelectorAll('#strip audio')].some((player) => !player.paused)")


def test_the_downloads_are_the_sound_and_a_recipe(page: Any) -> None:
    source = hear_at(page, 0.45, 0.6)
    heard, _ = samples(page, source)
    with page.expect_download() as wav:
        page.get_by_role("button", name="WAV").first.click()
    from soundfile import read

    stored, rate_hz = read(io.BytesIO(Path(wav.value.path()).read_bytes()), dtype="int16")
    assert rate_hz == 16_000 and np.array_equal(stored, heard)
    with page.expect_download() as recipe:
        page.get_by_role("button", name="Recipe").first.click()
    text = Path(recipe.value.path()).read_text()
    assert '"seed": 0' in text and '"picture_sha256"' in text


def test_a_sound_starts_by_itself_only_if_wished(page: Any) -> None:
    hear_at(page, 0.5, 0.5)
    page.wait_for_function("document.querySelector('#audio-0 audio').currentTime > 0")
    before = player_source(page)
    page.get_by_label("Play at once").uncheck()
    page.locator("#hear").click()  # the same place again
    changed_source(page, before)
    page.wait_for_timeout(1000)
    assert page.evaluate("document.querySelector('#audio-0 audio').paused")
    assert page.evaluate("document.querySelector('#audio-0 audio').currentTime") == 0
