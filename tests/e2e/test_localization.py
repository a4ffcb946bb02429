"""The tab "Locate" in a real browser, with tiny random weights: what it answers means nothing, that it does counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from synesthesia import Studio
from synesthesia.audio_qa.pipeline import can_answer
from synesthesia.core import checkpoints, presets
from tests.e2e.driving import PHONE, WAIT_MS, loud, samples, unfold, without_complaints


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    waveform, rate_hz = Studio.load("embedded").binaural("ball", -70.0)
    path = tmp_path_factory.mktemp("clips") / "ball.wav"
    soundfile.write(path, waveform.T, rate_hz)
    return path


@pytest.fixture(scope="module")
def open_desk(desk: Any, tiny_url: str) -> Any:
    return open_tab(desk, tiny_url)


@pytest.fixture
def page(open_desk: Any) -> Iterator[Any]:
    """One page for all tests: each begins without a clip and with the first azimuth."""
    with without_complaints(open_desk):
        yield open_desk
    if open_desk.locator("#clip button[aria-label='Clear']").is_visible():
        clear(open_desk)
    open_desk.locator("#place-azimuth input[type=number]").fill("60")


def open_tab(context: Any, url: str) -> Any:
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    page.get_by_role("tab", name="Locate").click()
    page.wait_for_selector("#place-dial")
    return page


def upload(page: Any, path: Path) -> str:
    before = told(page)
    page.locator("#clip input[type=file]").set_input_files(path)
    return answered(page, before)


def clear(page: Any) -> None:
    before = told(page)
    page.locator("#clip button[aria-label='Clear']").click()
    answered(page, before)
    page.wait_for_selector("#clip input[type=file]", state="attached")


def told(page: Any) -> str:
    return str(page.locator("#bearing .verdict").inner_text())


def answered(page: Any, before: str) -> str:
    page.wait_for_function(
        "before => { const card = document.querySelector('#bearing .verdict');"
        " return card && !card.classList.contains('busy') && card.innerText !== before; }",
        arg=before,
    )
    return told(page)


def test_an_uploaded_clip_gets_a_dial_maps_and_numbers(page: Any, clip: Path) -> None:
    assert "°" in upload(page, clip)
    for picture in ("#dial img", "#maps img"):
        page.wait_for_selector(picture)
        assert page.evaluate("place => document.querySelector(place).naturalWidth", picture) > 400
    assert "GCC-PHAT" in page.locator("#bearings").inner_text()
    with page.expect_download() as numbers:
        page.get_by_role("button", name="Download numbers").click()
    assert "azimuth_deg" in json.loads(Path(numbers.value.path()).read_text())
    with page.expect_download() as same:
        page.get_by_role("button", name="Download clip", exact=True).click()
    assert Path(same.value.path()).read_bytes() == clip.read_bytes()
    clear(page)
    assert not page.locator("#answer").is_visible()


def test_the_dot_is_dragged_and_the_sound_lands_there(page: Any) -> None:
    box = page.locator("#place-dial").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y - 50)
    page.mouse.down()
    page.mouse.move(x - 50, y, steps=4)
    page.mouse.up()
    assert page.locator("#place-azimuth input[type=number]").input_value() == "-90"
    before = told(page)
    page.locator("#place-make").click()
    assert "True direction: 90° left" in answered(page, before)
    page.wait_for_selector("#maps img")
    sound, rate_hz = samples(page, page.locator("#clip audio").get_attribute("src"))
    ears = sound.reshape(-1, 2).astype(np.float64)
    assert rate_hz == 16_000 and loud(sound) and np.square(ears[:, 0]).sum() > np.square(ears[:, 1]).sum()


def test_the_keyboard_alone_places_a_sound(page: Any) -> None:
    page.locator("#place-azimuth input[type=range]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator("#place-dial .source").get_attribute("transform") == "rotate(65)"
    before = told(page)
    page.locator("#place-make").focus()
    page.keyboard.press("Enter")
    assert "True direction: 65° right" in answered(page, before)


def test_a_cleared_box_keeps_its_last_number(page: Any) -> None:
    """And the browser complains of nothing, see `page`."""
    box = page.locator("#place-azimuth input[type=number]")
    box.fill("35")
    box.press("Control+A")
    box.press("Backspace")
    assert box.input_value() == "" and page.locator("#place-azimuth input[type=range]").input_value() == "35"
    box.press("-")  # no number yet
    assert page.locator("#place-dial .source").get_attribute("transform") == "rotate(35)"
    box.fill("")
    before = told(page)
    page.locator("#place-make").click()
    assert box.input_value() == "35"
    assert "True direction: 35° right" in answered(page, before)
    box.fill("")
    box.press_sequentially("-120")
    box.blur()
    assert page.locator("#place-dial .source").get_attribute("transform") == "rotate(-120)"
    assert page.locator("#place-azimuth input[type=range]").input_value() == "-120"


def test_the_dot_touches_no_word_and_no_thumb_is_cut_off(phone: Any, tiny_url: str) -> None:
    page = open_tab(phone, tiny_url)
    unfold(page, "#place-more")
    page.locator("#place-azimuth input[type=number]").fill("0")
    word, dot = (page.locator(f"#place-dial {part}").first.bounding_box() for part in ("text", ".source circle"))
    assert word["y"] + word["height"] <= dot["y"] + 1
    for slider in page.locator("#place input[type=range]").all():
        inner, block = slider.bounding_box(), slider.locator("xpath=ancestor::div[contains(@class, 'block')][1]")
        outer = block.bounding_box()
        assert outer["y"] + outer["height"] - (inner["y"] + inner["height"] / 2) >= 8, "half of a thumb"
        assert inner["x"] >= outer["x"] + 1 and inner["x"] + inner["width"] <= outer["x"] + outer["width"] - 1
    labels = page.locator("#place .head label").all()
    assert len(labels) == 3 and all(label.bounding_box()["height"] < 32 for label in labels), "each on one line"
    page.close()


def test_of_a_silent_clip_only_that_is_said(page: Any, clip: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros((16_000, 2)), 16_000)
    assert "silent" in upload(page, tmp_path / "silent.wav")
    page.wait_for_selector("#answer")
    assert not any(page.locator(part).is_visible() for part in ("#dial", "#bearings", "#reasons", "#maps", "#ask"))
    with page.expect_download() as numbers:
        page.get_by_role("button", name="Download numbers").click()
    assert json.loads(Path(numbers.value.path()).read_text())["kind"] == "silent"
    clear(page)
    assert "°" in upload(page, clip)
    page.wait_for_selector("#maps img")
    assert page.locator("#dial img").is_visible() and "GCC-PHAT" in page.locator("#bearings").inner_text()


def test_a_bad_file_gives_one_sentence_and_the_next_clip_works(page: Any, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"this is no sound")
    assert "can't be read as sound" in upload(page, tmp_path / "broken.wav")
    assert not page.locator("#answer").is_visible()
    soundfile.write(tmp_path / "one.wav", np.random.default_rng(0).normal(0, 0.1, 8_000), 16_000)
    page.wait_for_selector("#clip input[type=file]", state="attached")
    assert "not a binaural recording" in upload(page, tmp_path / "one.wav")
    clear(page)
    assert "°" in upload(page, clip)


@pytest.mark.skipif(
    not (checkpoints.is_listed("localiser") and can_answer(presets.embedded())),
    reason="no language model is trained yet",
)
def test_questions_about_the_clip_are_answered(phone: Any, url: str, clip: Path) -> None:
    page = open_tab(phone, url)
    upload(page, clip)
    assert words_of(page, answers=1)[0]
    page.get_by_role("button", name="它在哪里？").click()
    assert words_of(page, answers=2)[1]
    page.locator("#ask-box").get_by_role("textbox").fill("Which side?")
    page.keyboard.press("Enter")
    assert words_of(page, answers=3)[2]
    assert page.locator("#ask-answers dt").all_inner_texts()[1:] == ["它在哪里？", "Which side?"]
    page.get_by_role("button", name="Ask", exact=True).click()
    assert "Type a question" in page.locator("#ask-verdict .verdict").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#ask-box").get_by_role("textbox").fill("a" * 201)
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#ask-verdict').innerText.includes('201')")
    clear(page)
    assert not page.locator("#ask").is_visible()
    upload(page, clip)
    assert words_of(page, answers=1)[0]
    assert page.locator("#ask-box").get_by_role("textbox").input_value() == "", "a refused question has gone too"
    page.close()


def words_of(page: Any, *, answers: int) -> list[str]:
    """The answers, once there are so many."""
    page.wait_for_function(
        "count => document.querySelectorAll('#ask-answers dd:not(.busy)').length === count", arg=answers
    )
    return [str(text).strip() for text in page.locator("#ask-answers dd").all_inner_texts()]


def test_a_phone_shows_everything_without_sideways_scrolling(phone: Any, tiny_url: str) -> None:
    page = open_tab(phone, tiny_url)
    before = told(page)
    page.locator("#place-make").tap()
    answered(page, before)
    page.wait_for_selector("#maps img")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.wait_for_function("document.querySelector('#bearing').getBoundingClientRect().y < innerHeight / 2")
    dial = page.locator("#dial img").bounding_box()
    assert dial["width"] > 280 and dial["x"] >= 0
    page.close()


def test_the_endpoint_answers_programs(tiny_url: str, clip: Path, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    client = Client(tiny_url, verbose=False)
    found = client.predict(handle_file(str(clip)), api_name="/locate")
    assert -180 < found["azimuth_deg"] <= 180 and len(found["interval_deg"]) == 2 and found["baseline_deg"] < -40
    assert sum(found["distribution"]["probabilities"]) == pytest.approx(1, abs=1e-3)
    (tmp_path / "broken.wav").write_bytes(b"this is no sound")
    with pytest.raises(Exception, match="can't be read as sound"):
        client.predict(handle_file(str(tmp_path / "broken.wav")), api_name="/locate")
