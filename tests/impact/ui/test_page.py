"""The tab "Tap" is there when its weights are; its examples are the renders, where there are any."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from synesthesia.core import checkpoints, presets
from synesthesia.core.errors import UserError
from synesthesia.ui.impact.renders import TITLES, tap_examples
from synesthesia.ui.impact.tab import FORCE, SECONDS
from synesthesia.ui.page import build_page, css
from synesthesia.ui.shared.examples import EXAMPLES, open_example, thumbnails
from tests.impact.ui.fake_studio import FakeTapStudio

FOLDER = presets.embedded().impact.weights.folder


def blocks(page: gr.Blocks) -> set[str]:
    return {str(getattr(block, "elem_id", "")) for block in page.blocks.values()}


def tabs(page: gr.Blocks) -> list[str]:
    return [str(block.id) for block in page.blocks.values() if isinstance(block, gr.Tab) and block.id in TABS]


TABS = ("hear", "locate", "tap")


def list_models(folder: Path, *names: str) -> None:
    files = {f"{name}/config.json": {"sha256": "", "bytes": 0} for name in names}
    (folder / checkpoints.MANIFEST).write_text(json.dumps({"files": files}))


def test_with_weights_it_is_the_third_tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    list_models(tmp_path, "localiser", "head", FOLDER)
    page = build_page(FakeTapStudio())
    assert tabs(page) == list(TABS) and "tap-cases" not in blocks(page)
    public = {str(fn.api_name) for fn in page.fns.values() if fn.api_visibility == "public"}
    assert public == {"hear", "locate"}, "its handlers are for the page alone"


def test_without_weights_it_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    list_models(tmp_path, "localiser", "head")
    assert tabs(build_page(FakeTapStudio())) == ["hear", "locate"]


def test_the_case_study_shows_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    list_models(tmp_path, FOLDER)
    (tmp_path / FOLDER).mkdir()
    row = {
        "title": "wooden bottle",
        "right": "wood",
        "named": "glass",
        "state": "wood",
        "lsd_tap_db": 4,
        "lsd_text_db": 9,
    }
    (tmp_path / FOLDER / "case_study.json").write_text(json.dumps({"rows": [row], "n": 1, "note": ""}))
    page = build_page(FakeTapStudio())
    assert "tap-cases" in blocks(page)
    assert any("wooden bottle" in str(getattr(block, "value", "")) for block in page.blocks.values())


def test_every_control_has_a_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    list_models(tmp_path, FOLDER)
    page = build_page(FakeTapStudio())
    controls = [
        block for block in page.blocks.values() if isinstance(block, (gr.Slider, gr.Radio, gr.Number, gr.Dropdown))
    ]
    mine = [block for block in controls if str(block.elem_id).startswith("tap-")]
    assert len(mine) == 8 and all(block.label for block in mine)
    sliders = {
        block.label: (block.minimum, block.maximum, block.value) for block in mine if isinstance(block, gr.Slider)
    }
    assert sliders == {FORCE.label: (0.5, 50, 8), SECONDS.label: (1, 10, 1.5)}


def test_the_page_asks_nobody_for_styles() -> None:
    assert "http" not in css() and ":is(" not in css(), "the page splits selectors at commas"


def test_examples_are_what_lies_in_the_folder(tmp_path: Path) -> None:
    for name in ("3-wooden-bottle.webp", "1-glass_box.jpg", "2-x.webp"):
        Image.new("RGB", (96, 64), "red").save(tmp_path / name)
    (tmp_path / TITLES).write_text(json.dumps({"2-x.webp": "a furry metal ball"}))
    examples = tap_examples(tmp_path)
    assert [each.title for each in examples] == ["coffee", "glass box", "a furry metal ball", "wooden bottle"]
    assert open_example(examples[1]).size == (96, 64)
    assert [title for _, title in thumbnails(examples)] == [each.title for each in examples]
    (tmp_path / "1-glass_box.jpg").write_bytes(b"")
    with pytest.raises(UserError, match="'glass box' can't be read"):
        open_example(examples[1])
    (tmp_path / TITLES).write_text("no json")
    assert tap_examples(tmp_path)[2].title == "x"


def test_without_renders_the_examples_are_photographs(tmp_path: Path) -> None:
    assert tap_examples(tmp_path) == EXAMPLES == tap_examples(tmp_path / "none")
