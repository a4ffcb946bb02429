"""Moves of a person on the page, and a look at what they hear: the samples behind the audio element."""

from __future__ import annotations

import base64
import io
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 60_000
FETCH = """async (src) => {
  const bytes = new Uint8Array(await (await fetch(src)).arrayBuffer());
  let text = ''; for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}"""


def open_page(context: Any, url: str) -> Any:
    """A page with its first photograph in place."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(url)
    page.wait_for_selector("#photo img")
    page.wait_for_function("document.querySelector('#photo img').naturalWidth > 0")
    return page


@contextmanager
def without_complaints(page: Any) -> Iterator[None]:
    """Fails when the browser has reported an error meanwhile."""
    complaints: list[str] = []

    def console(message: Any) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def failed(error: Any) -> None:
        complaints.append(str(error))

    page.on("console", console)
    page.on("pageerror", failed)
    yield
    page.remove_listener("console", console)
    page.remove_listener("pageerror", failed)
    assert not complaints


def open_anew(page: Any) -> None:
    """The first example once more: a new session on the server, no sounds on the page."""
    page.locator("#examples button").first.click()
    page.wait_for_function("document.querySelector('#verdict').innerText.includes('Click anywhere')")
    page.wait_for_function("!document.querySelector('.take')")
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth > 0")


def click_photo(page: Any, x: float, y: float) -> None:
    """x, y: 0..1 of the photograph."""
    image = page.locator("#photo img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    image.click(position={"x": x * box["width"], "y": y * box["height"]})


def unfold(page: Any, fold: str) -> None:
    """Open a fold, and leave what it holds the time to settle, in the page's own clock.

    For about 25 ms after Gradio first draws a field it puts the field's first value in it, over what was typed.
    """
    page.locator(f"{fold} button").first.click()
    page.locator(f"{fold} input").first.wait_for()
    page.evaluate("() => new Promise(done => setTimeout(done, 500))")


def settled(page: Any, before: str = "") -> str:
    """Text of the verdict once it is no longer busy and differs from `before`."""
    page.wait_for_function(
        "before => { const card = document.querySelector('#verdict .verdict');"
        " return card && !card.classList.contains('busy') && card.innerText !== before; }",
        arg=before,
    )
    return str(verdict(page))


def verdict(page: Any) -> str:
    return str(page.locator("#verdict .verdict").inner_text())


def hear_at(page: Any, x: float, y: float) -> str:
    """Click, and insist where the model would stay silent. Returns the address of the sound."""
    before = player_source(page)
    told = verdict(page)
    click_photo(page, x, y)
    told = settled(page, told)
    if told.startswith("No likely sound"):
        page.locator("#anyway").click()
    return changed_source(page, before)


def player_source(page: Any, player: str = "#audio-0 audio") -> str:
    found = page.locator(player)
    return str(found.get_attribute("src") or "") if found.count() else ""


def changed_source(page: Any, before: str, player: str = "#audio-0 audio") -> str:
    end = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < end:
        source = player_source(page, player)
        if source and source != before:
            return source
        page.wait_for_timeout(100)
    raise AssertionError(f"no new sound came; the page says: {verdict(page)}")


def samples(page: Any, source: str) -> tuple[np.ndarray, int]:
    """(int16 samples, rate in Hz) of the WAV file behind an audio element."""
    data = base64.b64decode(page.evaluate(FETCH, source))
    with wave.open(io.BytesIO(data)) as file:
        assert file.getsampwidth() == 2, "the page hands out 16-bit WAV"
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16), file.getframerate()


def loud(sound: np.ndarray) -> bool:
    return float(np.abs(sound.astype(np.float64)).max()) > 300.0  # about -40 dB of full scale
