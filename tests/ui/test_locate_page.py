"""The tab "Locate" is there when its weights are, and the endpoint with it; without them the page is as before."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from synesthesia import weights
from synesthesia.ui.page import build_page
from tests.tiny import write_checkpoints
from tests.ui.fake_studio import FakeStudio


def offered(page: gr.Blocks) -> set[str]:
    return {str(fn.api_name) for fn in page.fns.values() if fn.api_visibility == "public"}


def tabs(page: gr.Blocks) -> set[str]:
    return {str(block.id) for block in page.blocks.values() if isinstance(block, gr.Tab)}


def test_with_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoints(tmp_path / "checkpoints")
    monkeypatch.setenv(weights.ROOT_VARIABLE, str(tmp_path / "checkpoints"))
    page = build_page(FakeStudio())
    assert offered(page) == {"hear", "locate"} and "locate" in tabs(page)


def test_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.ROOT_VARIABLE, str(tmp_path))
    page = build_page(FakeStudio())
    assert offered(page) == {"hear"} and "locate" not in tabs(page)
