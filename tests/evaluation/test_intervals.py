"""Known answers of the figures: intervals, Frechet distance, areas under curves, and a judge that loads back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.evaluation.eval_tagger import EvalTagger, EvalTaggerConfig
from synesthesia.evaluation.frechet import frechet_distance
from synesthesia.evaluation.intervals import bootstrap, wilson
from training.common.hear_cases import auroc, calibration_error, likeness


def test_wilson_gives_the_published_values() -> None:
    half = wilson(5, 10)
    assert half.value == 0.5
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    none = wilson(0, 10)
    assert none.low == 0.0 and none.high == pytest.approx(0.2775, abs=1e-4)
    assert wilson(0, 0).n == 0


def test_bootstrap_interval_holds_the_mean_of_many_cases() -> None:
    cases = np.random.default_rng(0).normal(3.0, 1.0, 400)
    estimate = bootstrap(cases, lambda x: float(x.mean()), np.random.default_rng(1), draws=200)
    assert estimate.low < 3.0 < estimate.high and estimate.high - estimate.low == pytest.approx(0.196, abs=0.05)


def test_frechet_distance_of_a_cloud_to_itself_is_zero_and_to_a_shifted_one_the_squared_shift() -> None:
    cloud = np.random.default_rng(0).normal(size=(500, 6))
    assert frechet_distance(cloud, cloud) == pytest.approx(0.0, abs=1e-8)
    assert frechet_distance(cloud, cloud + np.array([3.0, 0, 0, 0, 0, 4.0])) == pytest.approx(25.0, rel=1e-6)


def test_frechet_distance_of_a_widened_cloud() -> None:
    cloud = np.random.default_rng(0).normal(size=(4000, 2))
    cloud -= cloud.mean(axis=0)
    # C2 = 4 C1, so the distance is tr(C1) (1 + 4 - 2 * 2)
    assert frechet_distance(cloud, 2 * cloud) == pytest.approx(float(np.trace(np.cov(cloud.T))), rel=1e-6)


def test_area_under_the_curve_and_calibration() -> None:
    truth = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 1.0
    assert auroc(np.array([0.5, 0.5, 0.5, 0.5]), truth) == 0.5
    assert calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), truth) == pytest.approx(0.0)
    assert calibration_error(np.array([0.0, 0.0, 1.0, 1.0]), truth) == pytest.approx(1.0)


def test_a_copy_is_found_at_another_level_and_moment() -> None:
    mel = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    assert likeness(mel, mel[40:260] + 2.0) > 0.95
    assert likeness(mel, np.random.default_rng(1).normal(size=(300, 64))) < 0.2


def small_judge() -> EvalTagger:
    torch.manual_seed(0)
    return EvalTagger(EvalTaggerConfig(labels=("bell", "dog", "rain"), widths=(8, 8, 16, 16), embedding=12)).eval()


def test_judge_ignores_level_and_loads_back(tmp_path: Path) -> None:
    judge = small_judge()
    wave = torch.randn(2, 24_000, generator=torch.Generator().manual_seed(1)) * 0.1
    scores, embedding = judge.predict(wave)
    assert scores.shape == (2, 3) and embedding.shape == (2, 12)
    assert torch.allclose(scores.sum(dim=1), torch.ones(2), atol=1e-5)
    assert torch.allclose(judge.predict(wave * 0.2)[0], scores, atol=1e-3)
    judge.save(tmp_path)
    assert torch.allclose(EvalTagger.load(tmp_path).predict(wave)[0], scores, atol=5e-3)


def test_judge_bears_silence_and_names_a_missing_folder(tmp_path: Path) -> None:
    assert torch.isfinite(small_judge().predict(torch.zeros(1, 16_000))[0]).all()
    with pytest.raises(UserError, match="train_judge"):
        EvalTagger.load(tmp_path / "nothing")
