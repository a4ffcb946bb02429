"""Area under the curve, calibration error and the cross-correlation of copies: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.metrics import auroc, calibration_error, max_cross_correlation


def test_area_under_the_curve_and_calibration() -> None:
    truth = np.array([True, True, False, False])
    assert auroc(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 1.0
    assert auroc(np.array([0.5, 0.5, 0.5, 0.5]), truth) == 0.5
    assert calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), truth) == pytest.approx(0.0)
    assert calibration_error(np.array([0.0, 0.0, 1.0, 1.0]), truth) == pytest.approx(1.0)


def test_a_copy_is_found_at_another_level_and_moment() -> None:
    mel = np.random.default_rng(0).normal(size=(300, 64)).astype(np.float32)
    assert max_cross_correlation(mel, mel[40:260] + 2.0) > 0.95
    assert max_cross_correlation(mel, np.random.default_rng(1).normal(size=(300, 64))) < 0.2
