"""The page as a whole: what it offers to programs, and that no text from outside becomes markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from synesthesia.audio_qa.pipeline import can_answer
from synesthesia.core import checkpoints, presets
from synesthesia.core.results import Evidence, LabelScore, Neighbour
from synesthesia.ui.image_to_sound import cards
from synesthesia.ui.page import build_page
from synesthesia.ui.shared import examples as pictures
from synesthesia.ui.shared import words
from synesthesia.ui.shared.theme import CSS, theme
from tests.ui.fake_studio import FakeStudio


def test_endpoints_are_named_and_no_others_public() -> None:
    page = build_page(FakeStudio())
    names = {fn.api_name for fn in page.fns.values() if fn.api_visibility == "public"}
    locate = {"locate", "ask"} if can_answer(presets.embedded()) else {"locate"}
    assert names == ({"hear"} | locate if checkpoints.is_listed("localiser") else {"hear"})
    assert page.analytics_enabled is False


def test_fonts_and_styles_ask_nobody() -> None:
    assert "http" not in CSS and not theme()._stylesheets


def test_examples_come_out_of_the_package() -> None:
    pictured = pictures.thumbnails()
    assert len(pictured) == len(pictures.EXAMPLES) and {image.size for image, _ in pictured} == {(184, 128)}
    assert all(pictures.open_example(example).mode == "RGB" for example in pictures.EXAMPLES)


def test_data_is_escaped(cat: Image.Image) -> None:
    heard = FakeStudio().hear(cat, 10, 10, seconds=1.0, anyway=True)
    evil = "<img src=x onerror=alert(1)>"
    heard = replace(heard, evidence=Evidence((LabelScore(evil, 0.5),), (Neighbour(evil, 0.5, evil, evil, evil),)))
    text = (
        cards.evidence(heard)
        + cards.strip_cell(heard, "gradio_api/file=a.wav", "run", True)
        + words.verdict(*words.heard(heard, 0.1))
    )
    assert "<img" not in text and "&lt;img" in text


@pytest.mark.parametrize("presence", [0.0, 0.123])
def test_silence_is_said_with_its_presence(presence: float) -> None:
    assert words.silent(presence) == f"Nothing here makes a sound (presence {presence:.2f})"
