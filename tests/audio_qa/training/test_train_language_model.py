"""Pre-training of the tiny language model: a short run, resumed, gives a checkpoint that loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio_qa.checkpoint import TOKENIZER, load_language_model
from tests.audio_qa.tiny_models import tokenizer
from training.audio_qa.train_language_model import LanguageModelTraining, main
from training.binaural.response_bank import GROUP, ResponseBank


def test_a_resumed_run_saves_its_weights(folder: Path, responses: ResponseBank, tmp_path: Path) -> None:
    config = LanguageModelTraining(
        data=folder, out=tmp_path / "out", runs=tmp_path / "runs", tagger=folder / "ear", cache=folder / "cache",
        steps=1, bank=GROUP, clips=2, questions=2, clip_seconds=(0.4, 0.4, 0.4), bf16=False,
    )  # fmt: skip
    config.runs.mkdir()
    tokenizer().backend_tokenizer.save(str(config.runs / TOKENIZER))
    first = main(config, responses)
    made = main(replace(config, steps=2), responses)
    assert json.loads((config.runs / "state.json").read_text())["step"] == 2
    loaded = load_language_model(config.out, AudioTagger.load(config.tagger))
    assert not made.model.training
    for name in ("lm_head.weight", "model.multi_modal_projector.linear.weight"):
        before, after, found = (one.model.state_dict()[name] for one in (first, made, loaded))
        assert (after - before).abs().max() > 0, name
        assert (found - after).abs().max() <= after.abs().max() / 127, name
