"""A few steps of the evaluation classifier's training on made-up sounds: it saves, resumes and loads back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from synesthesia.evaluation.eval_tagger import EvalTagger
from tests.training_common.tiny_sounds import tiny_sounds
from training.evaluation.train_eval_tagger import EvalTaggerTraining, main


def test_a_run_saves_resumes_and_loads_back(tmp_path: Path) -> None:
    data, out, runs = tiny_sounds(tmp_path / "data"), tmp_path / "judge", tmp_path / "runs"
    config = EvalTaggerTraining(data, out, runs, tmp_path / "cache", steps=1, batch=2, crop_seconds=0.5)
    main(config)
    figures = main(replace(config, steps=2))
    assert json.loads((runs / "state.json").read_text())["step"] == 2
    assert json.loads((out / "figures.json").read_text())["top1"]["n"] == figures["top1"].n > 0
    assert EvalTagger.load(out).config.labels == ("hiss", "tone")
