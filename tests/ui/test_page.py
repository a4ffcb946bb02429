"""The page as a whole: what it offers to programs, and that no text from outside becomes markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from synesthesia.audio_qa.pipeline import can_answer
from synesthesia.core import checkpoints, presets
from synesthesia.core.results import Evidence, LabelScore, Neighbour
from synesthesia.ui.image_to_sound import cards, words
from synesthesia.ui.page import build_page, css
from synesthesia.ui.shared import examples
from synesthesia.ui.shared.cards import verdict
from synesthesia.ui.shared.theme import theme
from tests.ui.fake_studio import FakeStudio


def test_endpoints_are_named_and_no_others_public() -> None:
    page = build_page(FakeStudio())
    names = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    locate = {"locate", "ask"} if can_answer(presets.embedded()) else {"locate"}
    assert names == ({"hear"} | locate if checkpoints.is_listed("localiser") else {"hear"})
    assert page.analytics_enabled is False


def test_fonts_and_styles_ask_nobody() -> None:
    assert "http" not in css() and not theme()._stylesheets


def test_examples_come_out_of_the_package() -> None:
    pictured = examples.thumbnails()
    assert len(pictured) == len(examples.EXAMPLES) and {image.size for image, _ in pictured} == {(184, 128)}
    assert all(examples.open_example(example).mode == "RGB" for example in examples.EXAMPLES)


def test_data_is_escaped(cat: Image.Image) -> None:
    heard = FakeStudio().hear(cat, 10, 10, seconds=1.0, anyway=True)
    evil = "<img src=x onerror=alert(1)>"
    heard = replace(heard, evidence=Evidence((LabelScore(evil, 0.5),), (Neighbour(evil, 0.5, evil, evil, evil),)))
    text = (
        cards.evidence(heard)
        + cards.strip_cell(heard, "gradio_api/file=a.wav", "run", True)
        + verdict(*words.heard(heard, 0.1))
    )
    assert "<img" not in text and "&lt;img" in text


@pytest.mark.parametrize("presence", [0.0, 0.123])
def test_silence_is_reported_with_its_presence(presence: float, cat: Image.Image) -> None:
    heard = replace(FakeStudio().hear(cat, 10, 10, seconds=1.0, anyway=True), presence=presence)
    headline, detail = words.silent(heard)
    assert headline == "No likely sound here" and f"presence {presence:.2f}" in detail


@pytest.mark.parametrize(("label", "name"), [("clock_tick", "clock tick"), ("impact_ceramic", "ceramic being struck")])
def test_labels_are_named_in_words(label: str, name: str) -> None:
    assert words.sound_name(label) == name
