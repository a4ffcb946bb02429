"""The tab "Tap" in a real browser, over made-up blows: clicks, drags, keys, and that one sound follows the other."""

from __future__ import annotations

import base64
import io
import json
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synesthesia.core import checkpoints, presets, recipe
from synesthesia.ui.impact.renders import tap_examples
from synesthesia.ui.page import build_page, launch
from synesthesia.ui.shared.examples import open_example
from tests.e2e.driving import PHONE, WAIT_MS, without_complaints
from tests.impact.ui.fake_studio import FakeTapStudio

PLAYING = "[...document.querySelectorAll('audio')].filter((player) => !player.paused).length"
ROW = {"title": "wooden bottle", "right": "wood", "named": "glass", "state": "wood", "lsd_tap_db": 4, "lsd_text_db": 9}


@pytest.fixture(scope="module")
def studio() -> FakeTapStudio:
    return FakeTapStudio(delay_s=0.03)


@pytest.fixture(scope="module")
def tap_url(studio: FakeTapStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root, tap = tmp_path_factory.mktemp("checkpoints"), presets.embedded().impact.weights.folder
    files = {f"{name}/config.json": {"sha256": "", "bytes": 0} for name in ("localiser", "head", tap)}
    (root / checkpoints.MANIFEST).write_text(json.dumps({"files": files}))
    (root / tap).mkdir()
    (root / tap / "case_study.json").write_text(json.dumps({"rows": [ROW], "n": 1, "note": ""}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.ROOT_VARIABLE, str(root))
        page = build_page(studio)
        yield launch(page)
        page.close()


@pytest.fixture(scope="module")
def open_desk(desk: Any, tap_url: str) -> Any:
    return open_tab(desk, tap_url)


@pytest.fixture
def page(open_desk: Any) -> Iterator[Any]:
    """One page for all tests: each begins with the first photograph, as if the tab had just been opened."""
    with without_complaints(open_desk):
        yield open_desk
    begin_anew(open_desk)


def begin_anew(page: Any) -> None:
    """The first example once more: a new session on the server, no sounds on the page, seeds from 0."""
    before = page.locator("#tap-base img").get_attribute("src")
    page.locator("#tap-examples button").first.click()
    page.wait_for_function("src => document.querySelector('#tap-base img')?.getAttribute('src') !== src", arg=before)
    page.wait_for_function("document.querySelector('#tap-verdict').innerText.includes('Click an object')")


def open_tab(context: Any, url: str) -> Any:
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    page.get_by_role("tab", name="Tap").click()
    page.wait_for_function("document.querySelector('#tap-base img')?.naturalWidth > 0")
    page.wait_for_function("document.querySelector('#tap-verdict').innerText.includes('Click an object')")
    return page


def spot(page: Any, x: float, y: float) -> tuple[float, float]:
    """Pixels of the screen; x, y: 0..1 of the photograph."""
    stage = page.locator("#tap-base .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def strike(page: Any, x: float, y: float) -> str:
    before = told(page)
    page.mouse.click(*spot(page, x, y))
    return answered(page, before)


def told(page: Any) -> str:
    return str(page.locator("#tap-verdict .verdict").inner_text())


def answered(page: Any, before: str) -> str:
    page.wait_for_function(
        "before => { const card = document.querySelector('#tap-verdict .verdict');"
        " return card && !card.classList.contains('busy') && card.innerText !== before; }",
        arg=before,
    )
    return told(page)


def sound(page: Any, letter: str = "a") -> np.ndarray:
    """int16 samples behind the player."""
    head, data = page.locator(f"#tap-audio-{letter} audio").get_attribute("src").split(",")
    assert head == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(data))) as file:
        assert (file.getsampwidth(), file.getnchannels(), file.getframerate()) == (2, 1, 16_000)
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


def drag(page: Any, *way: tuple[float, float], pause_ms: int = 120) -> str:
    before = told(page)
    page.mouse.move(*spot(page, *way[0]))
    page.mouse.down()
    for place in way[1:]:
        page.wait_for_timeout(pause_ms)
        page.mouse.move(*spot(page, *place), steps=6)
    page.mouse.up()
    return answered(page, before)


def test_a_click_is_heard_and_explained(page: Any, tmp_path: Path) -> None:
    assert page.locator("#tap-guide").is_visible() and not page.locator("#tap-seen").is_visible()
    said = strike(page, 0.5, 0.4)
    assert "Struck with 8 N (wood)" in said and "row 6, column 12" in said and "seed 0" in said
    assert len(sound(page)) == 24_000 and np.abs(sound(page).astype(int)).max() > 300
    page.wait_for_function("document.querySelector('#tap-audio-a audio').currentTime > 0")
    state = page.locator("#tap-state").inner_text()
    assert all(word in state for word in ("code", "purity 0.93", "Size", "cm", "Density", "kg/m³", "not measured"))
    assert page.locator("#tap-state .quantity .scale").count() == 7
    page.wait_for_function("document.querySelector('#tap-figure-a img')?.naturalWidth > 300")
    frame = page.locator("#tap-outline .cell").bounding_box()
    x, y = spot(page, 0.5, 0.4)
    assert frame["x"] <= x <= frame["x"] + frame["width"] and frame["y"] <= y <= frame["y"] + frame["height"]
    assert not page.locator("#tap-guide").is_visible() and not page.locator("#tap-anyway").is_visible()
    with page.expect_download() as wav:
        page.locator("#tap-seen").get_by_role("button", name="WAV").click()
    with wave.open(str(wav.value.path())) as file:
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), np.int16), sound(page))
    with page.expect_download() as written:
        page.locator("#tap-seen").get_by_role("button", name="Recipe").click()
    found = recipe.from_json(Path(written.value.path()).read_text())
    assert (found.path, found.seed, found.force, found.mallet) == ("tap", 0, 8.0, "wood")


def test_the_controls_count(page: Any, studio: FakeTapStudio) -> None:
    page.locator("#tap-force input[type=number]").fill("20")
    page.get_by_test_id("Metal-radio-label").click()
    page.locator("#tap-seconds input[type=number]").fill("3")
    assert "Struck with 20 N (metal)" in strike(page, 0.5, 0.4) and len(sound(page)) == 48_000
    *_, settings = studio.services.impact.struck[-1]
    assert (settings.force, settings.mallet, settings.seconds) == (20.0, "metal", 3.0)
    page.locator("#tap-force input[type=number]").fill("8")
    page.get_by_test_id("Wood-radio-label").click()
    page.locator("#tap-seconds input[type=number]").fill("1.5")


def test_twenty_quick_clicks_end_in_the_last_ones_sound(page: Any, studio: FakeTapStudio) -> None:
    page.evaluate(f"() => {{ window.most = 0; setInterval(() => {{ most = Math.max(most, {PLAYING}); }}, 4); }}")
    before = len(studio.services.impact.struck)
    for place in [spot(page, 0.1 + 0.04 * count, 0.2 + 0.03 * count) for count in range(20)]:
        page.mouse.click(*place)
        page.wait_for_timeout(40)
    page.wait_for_function("document.querySelector('#tap-verdict').innerText.includes('row 12, column 20')")
    page.wait_for_timeout(600)  # nothing of an earlier one comes after it
    assert "row 12, column 20" in told(page) and "wrong" not in page.locator("#tap-verdict .verdict").get_attribute(
        "class"
    )
    made = studio.services.impact.struck[before:]
    seeds = [settings.seed for *_, settings in made]
    assert seeds == list(range(len(made))) and 2 <= len(made) <= 20
    assert page.evaluate("most") == 1 and page.locator("audio").count() >= 2
    assert page.locator("#tap-outline .cell").count() == 1
    last = studio.hear(
        photograph(), *photo_spot(0.1 + 0.04 * 19, 0.2 + 0.03 * 19), path="tap", seconds=1.5, seed=seeds[-1]
    )
    assert np.abs(sound(page) - last.waveform[0] * 32767).max() <= 1.0
    page.wait_for_function("document.querySelector('#tap-figure-a img')?.naturalWidth > 300")


def photograph() -> Image.Image:
    return open_example(tap_examples()[0])


def photo_spot(x: float, y: float) -> tuple[float, float]:
    photo = photograph()
    return x * photo.width, y * photo.height


def test_keys_strike_again_with_the_next_seed(page: Any) -> None:
    before = told(page)
    page.locator("#tap-row input").fill("7")
    page.locator("#tap-col input").fill("9")
    page.locator("#tap-strike").focus()
    sounds = []
    for seed, key in enumerate(("Enter", "Space", "Enter")):
        page.keyboard.press(key)
        before = answered(page, before)
        assert "row 7, column 9 · " in before and f"seed {seed} " in before
        sounds.append(sound(page).tobytes())
    assert len(set(sounds)) == 3, "each blow is a little different"
    assert page.evaluate("document.activeElement.id") == "tap-strike"


def test_a_drag_is_one_sound_and_no_click(page: Any, studio: FakeTapStudio) -> None:
    before = len(studio.services.impact.struck)
    said = drag(page, (0.2, 0.5), (0.4, 0.5), (0.6, 0.5))
    page.wait_for_timeout(400)
    made = studio.services.impact.struck[before:]
    assert 3 <= len(made) <= 12 and f"{len(made)} places struck" in said and told(page) == said
    cols = [col for _, col, _ in made]
    assert cols == sorted(cols) and cols[0] == 4 and cols[-1] == 14
    assert page.locator("#tap-outline .cell").count() == len(made)
    assert 1.5 * 16_000 < len(sound(page)) < 5.5 * 16_000
    page.wait_for_function("document.querySelectorAll('.stage .trail').length === 0")
    assert page.locator("#tap-seen").get_by_role("button", name="Download recipes").is_visible()
    assert "as seen · seed" not in page.locator("#tap-seen .plot-head").inner_text()


def test_a_drag_can_leave_the_photograph(page: Any) -> None:
    x, y = spot(page, 0.9, 0.5)
    before = told(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 400, y, steps=8)
    page.mouse.up()
    assert "Struck" in answered(page, before)


def test_what_if_stands_beside_it_and_one_sound_plays(page: Any, studio: FakeTapStudio) -> None:
    assert not page.locator("#tap-what-if").is_visible()
    strike(page, 0.5, 0.4)
    first = sound(page)
    assert page.locator("#tap-again").is_disabled() and not page.locator("#tap-other").is_visible()
    page.locator("#tap-material input").click()
    page.get_by_role("option", name="glass").click()
    page.get_by_test_id("×0.5-radio-label").click()
    page.get_by_role("button", name="Strike it again as glass, half as large").click()
    page.wait_for_function("document.querySelector('#tap-verdict').innerText.includes('If it were glass')")
    page.wait_for_function("document.querySelector('#tap-figure-b img')?.naturalWidth > 300")
    *_, settings = studio.services.impact.struck[-1]
    assert (settings.material, settings.size_factor, settings.seed) == ("glass", 0.5, 0)
    assert np.array_equal(sound(page), first) and not np.array_equal(sound(page, "b"), first)
    assert "glass" in page.locator("#tap-other .plot-head").inner_text()
    table = page.locator("#tap-compared").inner_text()
    assert "Strongest mode" in table and "glass" in table
    for letter in ("A", "B"):
        page.get_by_role("button", name=f"Play {letter}, ").click()
        alone = f"!document.querySelector('#tap-audio-{letter.lower()} audio').paused && {PLAYING} === 1"
        page.wait_for_function(alone)  # the other one is told to pause by an event, a moment later
    page.wait_for_function("document.querySelector('#tap-audio-b audio').ended")
    page.locator("#tap-again").click()  # the very same once more
    page.wait_for_function("!document.querySelector('#tap-audio-b audio').paused")
    strike(page, 0.1, 0.9)  # another place: what if belongs to the last one
    assert not page.locator("#tap-other").is_visible() and page.locator("#tap-seen").is_visible()


def test_the_map_lies_over_the_photograph_and_a_strike_leaves_both(page: Any, studio: FakeTapStudio) -> None:
    page.evaluate("document.querySelector('#tap-base img').mine = true")
    page.get_by_test_id("Materials-radio-label").click()
    page.wait_for_function("document.querySelector('#tap-layer img')?.naturalWidth > 0")
    page.evaluate("document.querySelector('#tap-layer img').mine = true")
    base, layer = (page.locator(f"#tap-{part} .stage").bounding_box() for part in ("base", "layer"))
    assert all(abs(base[side] - layer[side]) < 1 for side in base)
    assert "%" in page.locator("#tap-legend").inner_text()
    mapped = studio.services.impact.mapped
    strike(page, 0.5, 0.4)
    assert page.evaluate(
        "document.querySelector('#tap-base img').mine && document.querySelector('#tap-layer img').mine"
    )
    assert studio.services.impact.mapped == mapped
    page.get_by_test_id("Certainty-radio-label").click()
    page.wait_for_function("document.querySelector('#tap-legend').innerText.includes('uncertain')")
    page.locator("#tap-overlay").get_by_test_id("Photo-radio-label").click()
    page.wait_for_function("!document.querySelector('#tap-layer img')")
    assert page.locator("#tap-outline .cell").count() == 1


def test_where_nothing_can_be_struck_it_says_so_and_can_be_told_to(page: Any, tmp_path: Path) -> None:
    Image.new("RGB", (320, 240)).save(tmp_path / "night.png")
    before = page.locator("#tap-base img").get_attribute("src")
    page.locator("#tap-choose input[type=file]").set_input_files(tmp_path / "night.png")
    page.wait_for_function("src => document.querySelector('#tap-base img')?.getAttribute('src') !== src", arg=before)
    page.wait_for_function("document.querySelector('#tap-verdict').innerText.includes('Click an object')")
    said = strike(page, 0.3, 0.3)
    assert "Nothing to strike here" in said and "presence 0.00" in said
    assert not page.locator("#tap-seen").is_visible()
    page.get_by_role("button", name="Strike anyway").click()
    assert "Struck with 8 N" in answered(page, said)
    page.wait_for_selector("#tap-seen")
    assert not page.locator("#tap-anyway").is_visible()


def test_errors_are_one_sentence_and_nothing_is_lost(page: Any, studio: FakeTapStudio, tmp_path: Path) -> None:
    strike(page, 0.5, 0.4)
    first, shown = sound(page), page.locator("#tap-base img").get_attribute("src")
    (tmp_path / "broken.png").write_bytes(b"this is no picture")
    said = told(page)
    page.locator("#tap-choose input[type=file]").set_input_files(tmp_path / "broken.png")
    said = answered(page, said)
    assert "not a photograph" in said
    page.locator("#tap-row input").fill("900")
    page.locator("#tap-strike").click()
    said = answered(page, said)
    assert "outside the grid" in said
    studio.services.impact.missing = "The path 'tap' has not been trained yet."
    try:
        assert "has not been trained" in strike(page, 0.2, 0.2)
    finally:
        studio.services.impact.missing = ""
    assert page.locator("#tap-base img").get_attribute("src") == shown and np.array_equal(sound(page), first)
    assert page.locator("#tap-seen").is_visible() and page.locator(".toast-body").count() == 0
    assert "Struck with" in strike(page, 0.2, 0.2)


def test_it_plays_by_itself_only_if_wished(page: Any) -> None:
    page.locator("#tap-autoplay input").uncheck()
    strike(page, 0.5, 0.4)
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('#tap-audio-a audio').paused") and len(sound(page)) == 24_000
    page.locator("#tap-autoplay input").check()


def test_a_dropped_photograph_comes_to_the_tab_that_is_open(page: Any) -> None:
    before = page.locator("#tap-base img").get_attribute("src")
    page.evaluate(
        """async () => {
          const canvas = Object.assign(document.createElement('canvas'), {width: 300, height: 200});
          const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg'));
          const box = new DataTransfer();
          box.items.add(new File([blob], 'mine.jpg', {type: 'image/jpeg'}));
          const kind = {bubbles: true, cancelable: true, dataTransfer: box};
          document.querySelector('#tap-photo').dispatchEvent(new DragEvent('drop', kind));
        }"""
    )
    page.wait_for_function("src => document.querySelector('#tap-base img')?.getAttribute('src') !== src", arg=before)
    page.wait_for_function("document.querySelector('#tap-base .stage').dataset.width === '300'")


def test_the_case_study_opens(page: Any) -> None:
    page.get_by_role("button", name="Objects without a name").click()
    page.wait_for_selector("#tap-cases table")
    assert "wooden bottle" in page.locator("#tap-cases").inner_text()


def test_nothing_leaves_the_machine(page: Any, tap_url: str, requested: list[str]) -> None:
    strike(page, 0.5, 0.4)
    page.wait_for_selector("#tap-figure-a img")
    assert requested and not [each for each in requested if not each.startswith((tap_url, "data:", "blob:"))]


def test_a_finger_taps_drags_and_still_scrolls_the_page(phone: Any, tap_url: str) -> None:
    page = open_tab(phone, tap_url)
    page.locator("#tap-base .stage").scroll_into_view_if_needed()
    before = told(page)
    page.touchscreen.tap(*spot(page, 0.5, 0.4))
    said = answered(page, before)
    assert "row 6, column 12" in said
    at = page.evaluate("scrollY")
    finger(page, spot(page, 0.3, 0.2), spot(page, 0.3, 0.8))
    said = answered(page, said)
    assert "places struck" in said and "8 N" in said and page.evaluate("scrollY") == at, (
        "the page stays where it is meanwhile"
    )
    x, y = spot(page, 0.5, 1.0)
    finger(page, (x, y + 130), (x, y - 300))
    page.wait_for_function("at => scrollY > at + 100", arg=at)
    assert told(page) == said
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    photo, card = page.locator("#tap-photo").bounding_box(), page.locator("#tap-verdict").bounding_box()
    assert 0 < card["y"] - (photo["y"] + photo["height"]) < 160, "what was struck comes right under the photograph"
    page.close()


def finger(page: Any, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
    """A touch that moves from one pixel of the screen to another in a third of a second."""
    cdp = page.context.new_cdp_session(page)

    def touch(kind: str, at: float) -> None:
        x, y = (a + (b - a) * at for a, b in zip(start, end, strict=True))
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [] if at > 1 else [{"x": x, "y": y}]})

    touch("touchStart", 0.0)
    for step in range(1, steps + 1):
        time.sleep(0.03)
        touch("touchMove", step / steps)
    touch("touchEnd", 2.0)
