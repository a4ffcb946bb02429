"""The evaluation classifier on a tiny random configuration: level, silence, save and load."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.evaluation.eval_tagger import EvalTagger, EvalTaggerConfig


def tiny_tagger() -> EvalTagger:
    torch.manual_seed(0)
    return EvalTagger(EvalTaggerConfig(labels=("bell", "dog", "rain"), widths=(8, 8, 16, 16), embedding=12)).eval()


def test_the_level_does_not_matter_and_it_loads_back(tmp_path: Path) -> None:
    tagger = tiny_tagger()
    wave = torch.randn(2, 24_000, generator=torch.Generator().manual_seed(1)) * 0.1
    scores, embedding = tagger.predict(wave)
    assert scores.shape == (2, 3) and embedding.shape == (2, 12)
    assert torch.allclose(scores.sum(dim=1), torch.ones(2), atol=1e-5)
    assert torch.allclose(tagger.predict(wave * 0.2)[0], scores, atol=1e-3)
    tagger.save(tmp_path)
    assert torch.allclose(EvalTagger.load(tmp_path).predict(wave)[0], scores, atol=5e-3)


def test_silence_is_finite_and_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert torch.isfinite(tiny_tagger().predict(torch.zeros(1, 16_000))[0]).all()
    with pytest.raises(UserError, match="train_eval_tagger"):
        EvalTagger.load(tmp_path / "nothing")
