"""The tab "Hear" in a real browser: what a person does, and that they hear what they should."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.e2e.driving import (
    PHONE,
    changed_source,
    click_photo,
    hear_at,
    loud,
    open_anew,
    open_page,
    player_source,
    samples,
    settled,
    unfold,
    verdict,
)


@pytest.fixture
def page(desk: Any, url: str) -> Iterator[Any]:
    """For tests that change controls."""
    page = open_page(desk, url)
    yield page
    page.close()


@pytest.fixture(scope="module")
def open_desk(desk: Any, url: str) -> Any:
    return open_page(desk, url)


@pytest.fixture
def shared(open_desk: Any) -> Any:
    """One page for the tests that leave every control as it is."""
    open_anew(open_desk)
    return open_desk


def test_upload_click_hear_and_a_second_click_changes_the_sound(shared: Any, tmp_path: Path) -> None:
    photo = Image.fromarray(np.asarray(Image.linear_gradient("L").resize((640, 420))), "L").convert("RGB")
    photo.save(tmp_path / "mine.png")
    shown = shared.locator("#photo img").get_attribute("src")
    shared.locator("#choose input[type=file]").set_input_files(tmp_path / "mine.png")
    shared.wait_for_function("src => document.querySelector('#photo img')?.getAttribute('src') !== src", arg=shown)
    first = hear_at(shared, 0.3, 0.5)
    sound, rate_hz = samples(shared, first)
    assert rate_hz == 16_000 and len(sound) == 4 * rate_hz and loud(sound)
    second = hear_at(shared, 0.8, 0.8)
    other, _ = samples(shared, second)
    assert loud(other) and not np.array_equal(sound, other)


def test_the_keyboard_alone_reaches_a_sound(shared: Any) -> None:
    before = verdict(shared)
    shared.locator("#row input").focus()
    shared.keyboard.press("Control+A")
    shared.keyboard.type("7")
    shared.keyboard.press("Tab")
    shared.keyboard.press("Control+A")
    shared.keyboard.type("9")
    shared.locator("#hear").focus()
    shared.keyboard.press("Enter")
    told = settled(shared, before)
    if told.startswith("No likely sound"):
        shared.locator("#anyway").focus()
        shared.keyboard.press("Enter")
    sound, _ = samples(shared, changed_source(shared, ""))
    assert loud(sound)
    assert "row 7, column 9" in settled(shared).lower()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [("broken.png", b"this is no picture", "not a photograph"), ("empty.jpg", b"", "empty")],
)
def test_a_bad_file_gives_one_sentence_and_the_next_click_works(
    shared: Any, name: str, content: bytes, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    before, shown = verdict(shared), shared.locator("#photo img").get_attribute("src")
    shared.locator("#choose input[type=file]").set_input_files(tmp_path / name)
    assert sentence in settled(shared, before)
    assert shared.locator("#photo img").get_attribute("src") == shown, "the old photograph stays"
    sound, _ = samples(shared, hear_at(shared, 0.5, 0.5))
    assert loud(sound)


def test_a_row_outside_the_grid_is_refused_in_words(shared: Any) -> None:
    before = verdict(shared)
    shared.locator("#row input").fill("900")
    shared.locator("#hear").click()
    assert "outside the grid" in settled(shared, before)


def test_an_empty_seed_is_one_sentence_and_the_next_click_works(page: Any) -> None:
    before = verdict(page)
    unfold(page, "#settings")
    page.get_by_label("Seed").fill("")
    click_photo(page, 0.5, 0.5)
    assert "Seed is empty" in settled(page, before)
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


def test_a_phone_shows_everything_without_sideways_scrolling(phone: Any, url: str) -> None:
    page = open_page(phone, url)
    hear_at(page, 0.5, 0.6)
    page.wait_for_selector("#take-0 img")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    photo, card = page.locator("#photo").bounding_box(), page.locator("#verdict").bounding_box()
    assert card["y"] > photo["y"], "what is heard comes under the photograph"
    assert card["y"] - (photo["y"] + photo["height"]) < 160, "and right under it"
    page.close()


def test_no_request_leaves_the_machine(shared: Any, url: str, requested: list[str]) -> None:
    hear_at(shared, 0.5, 0.5)
    shared.get_by_test_id("Features-radio-label").click()
    shared.wait_for_timeout(1500)
    outside = [each for each in requested if not each.startswith((url, "data:", "blob:"))]
    assert requested and not outside, f"the page asked {outside}"


def test_two_people_at_once_hear_their_own(desk: Any, phone: Any, url: str) -> None:
    pages = [open_page(context, url) for context in (phone, desk)]
    before, shown = verdict(pages[1]), pages[1].locator("#photo img").get_attribute("src")
    pages[1].locator("#examples button").nth(3).click()
    pages[1].wait_for_function("src => document.querySelector('#photo img').getAttribute('src') !== src", arg=shown)
    for page in pages:  # both wait for their sound at the same time
        click_photo(page, 0.5, 0.5)
    for page in pages:
        told = settled(page, before)
        if told.startswith("No likely sound"):
            page.locator("#anyway").click()
    sounds = [samples(page, changed_source(page, ""))[0] for page in pages]
    assert not np.array_equal(*sounds)
    pictures = [page.locator("#photo img").get_attribute("src") for page in pages]
    assert pictures[0] != pictures[1]
    for page in pages:
        page.close()


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
    page.locator("#settings").get_by_label("Generate anyway").check()
    page.locator("#row input").fill("8")
    page.get_by_role("tab", name="Sweep a row").click()
    page.locator("#sweep-start").click()
    page.wait_for_function("[...document.querySelectorAll('#strip audio')].some((player) => !player.paused)")


def test_the_downloads_are_the_sound_and_a_recipe(shared: Any) -> None:
    source = hear_at(shared, 0.45, 0.6)
    heard, _ = samples(shared, source)
    with shared.expect_download() as wav:
        shared.get_by_role("button", name="WAV").first.click()
    from soundfile import read

    stored, rate_hz = read(io.BytesIO(Path(wav.value.path()).read_bytes()), dtype="int16")
    assert rate_hz == 16_000 and np.array_equal(stored, heard)
    with shared.expect_download() as recipe:
        shared.get_by_role("button", name="Recipe").first.click()
    text = Path(recipe.value.path()).read_text()
    assert '"seed": 0' in text and '"picture_sha256"' in text


def test_a_sound_starts_by_itself_only_if_wished(page: Any) -> None:
    hear_at(page, 0.5, 0.5)
    page.wait_for_function("document.querySelector('#audio-0 audio').currentTime > 0")
    before = player_source(page)
    page.get_by_label("Play automatically").uncheck()
    page.locator("#hear").click()  # the same place again
    changed_source(page, before)
    page.wait_for_timeout(1000)
    assert page.evaluate("document.querySelector('#audio-0 audio').paused")
    assert page.evaluate("document.querySelector('#audio-0 audio').currentTime") == 0
