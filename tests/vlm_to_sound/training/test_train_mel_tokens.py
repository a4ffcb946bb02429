"""Fitting the codebooks on made-up sounds: what is saved, and the log."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from training.vlm_to_sound.train_mel_tokens import MelTokensTraining, main


def test_codebooks_are_fitted_saved_and_logged(folder: Path, tmp_path: Path) -> None:
    config = MelTokensTraining(
        data=folder, out=tmp_path / "out", runs=tmp_path / "runs", cache=folder / "cache", cells=400, rounds=2,
        model=MelTokenConfig(codebooks=2, codes=8),
    )  # fmt: skip
    tokens, again = main(config), MelTokens.load(config.out)
    assert tokens.config == config.model and torch.equal(tokens.books, again.books) and tokens.books.any()
    log = [json.loads(line) for line in (config.runs / "log.jsonl").read_text().splitlines()]
    assert [line["codebooks"] for line in log] == [1, 2]
    assert log[1]["error"] < log[0]["error"] and log[1]["held_out"] < log[0]["held_out"]
