"""The tab "Locate" is there when its weights are, and the endpoint with it; without them the page is as before. So
are the box for questions and its endpoint when there is a language model."""

from __future__ import annotations

import json
from pathlib import Path

import gradio as gr
import pytest
import soundfile

from synesthesia.core import checkpoints
from synesthesia.ui.audio_qa.api import add_ask_endpoint
from synesthesia.ui.page import build_page
from synesthesia.ui.shared import about
from synesthesia.ui.shared.words import NO_CLIP
from tests.ui.fake_studio import FakeStudio


def offered(page: gr.Blocks) -> set[str]:
    return {str(fn.api_name) for fn in page.fns.values() if fn.api_visibility == "public"}


def tabs(page: gr.Blocks) -> set[str]:
    return {str(block.id) for block in page.blocks.values() if isinstance(block, gr.Tab)}


def head(page: gr.Blocks) -> str:
    """The page's own headline."""
    (text,) = [str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML)
               and "id='masthead'" in str(block.value)]  # fmt: skip
    return text


def boxes(page: gr.Blocks) -> set[str]:
    return {str(block.elem_id) for block in page.blocks.values() if isinstance(block, gr.Textbox)}


def list_models(folder: Path, *names: str) -> None:
    files = {f"{name}/config.json": {"sha256": "", "bytes": 0} for name in names}
    (folder / checkpoints.MANIFEST).write_text(json.dumps({"files": files}))


def test_with_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_models(tmp_path, "localiser", "head")
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    page = build_page(FakeStudio())
    assert offered(page) == {"hear", "locate"} and "locate" in tabs(page) and "ask-box" not in boxes(page)
    assert about.SENTENCE_BOTH in head(page)


def test_with_a_language_model_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    list_models(tmp_path, "localiser", "head", "language")
    assert offered(build_page(FakeStudio())) == {"hear", "locate"}, "it doesn't know directions yet"
    list_models(tmp_path, "localiser", "head", "language", "spatial_token")
    page = build_page(FakeStudio())
    assert offered(page) == {"hear", "locate", "ask"} and "ask-box" in boxes(page)


def test_the_endpoint_answers_or_says_why_not(tmp_path: Path) -> None:
    with gr.Blocks() as page:
        add_ask_endpoint(FakeStudio())
    (ask,) = [fn.fn for fn in page.fns.values() if fn.api_name == "ask"]
    assert ask
    path = str(tmp_path / "clip.wav")
    waveform, rate_hz = FakeStudio().binaural("noise", 60.0)
    soundfile.write(path, waveform.T, rate_hz)
    answer = {"question": "Which side?", "text": "A sound on the right (answer 1).", "spatial": True}
    assert ask(path, " Which side? ") == answer
    for arguments, sentence in (((None, "Which side?"), NO_CLIP), ((path, None), "Type a question")):
        with pytest.raises(gr.Error, match=sentence):
            ask(*arguments)


def test_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    page = build_page(FakeStudio())
    assert offered(page) == {"hear"} and "locate" not in tabs(page)
    assert about.SENTENCE in head(page)
