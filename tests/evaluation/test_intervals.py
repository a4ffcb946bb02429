"""Confidence intervals: published values of Wilson's interval, and the bootstrap of a mean."""

from __future__ import annotations

import numpy as np
import pytest

from synesthesia.evaluation.intervals import bootstrap, wilson


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
