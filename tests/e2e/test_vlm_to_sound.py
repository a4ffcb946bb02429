"""The path "language" in a real browser: on a page over stand-in models that write as slowly as real ones, once over
tiny models at random, and over the real ones where they are trained."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from synesthesia.core import checkpoints
from synesthesia.ui.page import build_page, launch
from tests.e2e.driving import (
    DESK,
    PHONE,
    click_photo,
    hear_at,
    loud,
    open_anew,
    open_page,
    samples,
    settled,
    unfold,
    verdict,
)
from tests.ui.fake_studio import FakeStudio

WRITING = "document.querySelector('#verdict .progress')"


@pytest.fixture(scope="module")
def studio() -> FakeStudio:
    """Every place sounds; 4 s take 2 s."""
    studio = FakeStudio()
    studio.services.image_to_sound.threshold, studio.services.vlm_to_sound.delay_s = 0.0, 0.02
    return studio


@pytest.fixture(scope="module")
def fake_url(studio: FakeStudio) -> Iterator[str]:
    page = build_page(studio)
    yield launch(page)
    page.close()


@pytest.fixture(scope="module")
def open_desk(desk: Any, fake_url: str) -> Any:
    return open_page(desk, fake_url)


@pytest.fixture
def page(open_desk: Any) -> Any:
    """One page for all tests: each begins with the first photograph and the generator Flow."""
    open_anew(open_desk)
    choose(open_desk, "Flow")
    return open_desk


def choose(page: Any, voice: str) -> None:
    page.get_by_test_id(f"{voice}-radio-label").click()


def test_a_click_is_written_in_tokens_and_heard_with_two_ears(page: Any) -> None:
    choose(page, "Language")
    before = verdict(page)
    click_photo(page, 0.2, 0.5)
    page.wait_for_function(WRITING)
    assert "Generating tokens, " in verdict(page) and " of 100" in verdict(page)
    assert page.locator("#take-0").count() == 0
    assert "Sounds like" in settled(page, before)
    page.wait_for_selector("#take-0 .tokens img")
    sound, rate_hz = samples(page, str(page.locator("#audio-0 audio").get_attribute("src")))
    assert rate_hz == 16_000 and len(sound) == 2 * 4 * rate_hz
    for picture in (".tokens img", ".attention img"):
        assert page.evaluate("place => document.querySelector(place).naturalWidth", f"#take-0 {picture}") > 300
        assert page.locator(f"#take-0 {picture}").get_attribute("alt")
    evidence = page.locator("#take-0 .attention").inner_text()
    assert "times the average attention" in evidence and "Left ear" in evidence
    with page.expect_download() as wav:
        page.get_by_role("button", name="WAV").first.click()
    assert soundfile.read(io.BytesIO(Path(wav.value.path()).read_bytes()))[0].shape == (64_000, 2)
    with page.expect_download() as recipe:
        page.get_by_role("button", name="Recipe").first.click()
    told = json.loads(Path(recipe.value.path()).read_text())
    assert (told["path"], told["temperature"], told["top_k"]) == ("language", 1.0, 100)


def test_the_tokens_stand_under_the_waveform(page: Any) -> None:
    choose(page, "Language")
    hear_at(page, 0.4, 0.5)
    page.wait_for_selector("#take-0 .figure img")
    page.wait_for_selector("#take-0 .tokens img")
    sound, tokens = (page.locator(f"#take-0 {place} img").bounding_box() for place in (".figure", ".tokens"))
    assert abs(sound["x"] - tokens["x"]) < 1 and abs(sound["width"] - tokens["width"]) < 1, "one time axis"
    assert tokens["y"] >= sound["y"] + sound["height"] - 1


def test_a_click_made_meanwhile_is_heard_after_it(page: Any) -> None:
    choose(page, "Language")
    click_photo(page, 0.1, 0.1)
    page.wait_for_function(WRITING)
    click_photo(page, 0.9, 0.9)
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Row 14, column')")
    page.wait_for_selector("#take-0 .tokens img")
    assert "Right ear" in page.locator("#take-0 .attention").inner_text()


@pytest.mark.parametrize("small", [False, True])
def test_compare_shows_all_three_and_fits(phone: Any, fake_url: str, page: Any, small: bool) -> None:
    seen = open_page(phone, fake_url) if small else page
    choose(seen, "Compare")
    seen.wait_for_selector("[data-testid=Three-radio-label] input:disabled")
    hear_at(seen, 0.7, 0.4)
    seen.wait_for_selector("#take-2 .tokens img")
    heads = seen.locator(".take .plot-head b").all_inner_texts()
    assert heads == ["flow", "mlp", "language"]
    assert seen.evaluate("document.documentElement.scrollWidth") <= (PHONE if small else DESK)["width"]
    assert seen.locator(".take .tokens").count() == 1
    pills = seen.locator("#overlay label").all()
    assert len({round(pill.bounding_box()["y"]) for pill in pills}) == (2 if small else 1), "lines of overlays"
    if small:
        seen.close()


def test_the_photograph_shows_where_it_looked_if_wished(page: Any) -> None:
    shown = "document.querySelector('#photo img').getAttribute('src')"
    choose(page, "Language")
    choose(page, "Attention")
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('with Language here first')")
    before = verdict(page)
    click_photo(page, 0.5, 0.5)
    page.wait_for_function(WRITING)
    outlined = page.evaluate(shown)
    settled(page, before)
    page.wait_for_selector("#take-0 .tokens img")
    page.wait_for_function(f"before => {shown} !== before", arg=outlined)
    heat = page.evaluate(shown)
    choose(page, "Photo")
    page.wait_for_function(f"before => {shown} !== before", arg=heat)


def test_the_settings_say_whom_they_are_for(page: Any) -> None:
    unfold(page, "#settings")
    for name in ("Temperature", "Top-k"):
        page.locator("#settings").get_by_label(f"number input for {name}").wait_for()  # until visible
    assert page.locator("#settings").get_by_text("Language only").count() == 2
    choose(page, "Language")
    page.wait_for_function("document.querySelector('#generator-note').innerText.includes('stereo')")


def test_without_weights_one_sentence_and_the_last_sound_stays(page: Any, studio: FakeStudio) -> None:
    hear_at(page, 0.5, 0.5)
    page.wait_for_selector("#take-0 .figure img")
    choose(page, "Language")
    before = verdict(page)
    studio.services.vlm_to_sound.missing = "The path 'language' has not been trained yet."
    try:
        click_photo(page, 0.3, 0.3)
        assert "has not been trained" in settled(page, before)
        assert page.locator("#take-0").is_visible()
    finally:
        studio.services.vlm_to_sound.missing = ""
    choose(page, "Flow")
    hear_at(page, 0.3, 0.3)


def test_the_endpoint_takes_the_path(fake_url: str, cat: Any, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    cat.save(tmp_path / "cat.png")
    wav, found = Client(fake_url, verbose=False).predict(
        handle_file(str(tmp_path / "cat.png")), 230, 180, "language", 2.0, 3, api_name="/hear"
    )
    assert soundfile.read(wav)[0].shape == (32_000, 2) and len(found["tokens"]["codes"]) == 2


def test_tiny_models_write_a_sound(desk: Any, tiny_url: str) -> None:
    told = evidence_of_a_click(desk, tiny_url)
    assert "2 codebooks" in told[0] and "times the average attention" in told[1]


@pytest.mark.skipif(not checkpoints.is_listed("token_decoder"), reason="no audio head is trained yet")
def test_the_real_models_write_a_sound(desk: Any, url: str) -> None:
    told = evidence_of_a_click(desk, url)
    assert "4 codebooks" in told[0] and "times the average attention" in told[1]


def evidence_of_a_click(desk: Any, url: str) -> tuple[str, str]:
    """(alternative text of the tokens' picture, text about their attention) of a sound of one second."""
    page = open_page(desk, url)
    unfold(page, "#settings")
    page.get_by_label("number input for Length (s)").fill("1")
    choose(page, "Language")
    source = hear_at(page, 0.45, 0.6)
    page.wait_for_selector("#take-0 .tokens img")
    sound, rate_hz = samples(page, source)
    assert len(sound) == 2 * rate_hz and loud(sound)
    told = page.locator("#take-0 .tokens img").get_attribute("alt"), page.locator("#take-0 .attention").inner_text()
    page.close()
    return told
