"""Binned variables: targets, quantiles and 90 % intervals."""

from __future__ import annotations

import math

import pytest
import torch

from synesthesia.impact.physics_net import ALONG, BY_SHAPE, SIZE, BinnedVariable, weighted_estimate

SCALES = (*BY_SHAPE, ALONG)


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_the_median_of_a_target_is_its_value(scale: BinnedVariable) -> None:
    """To a third of a bin, away from the ends, where the curve is cut off."""
    low, high = scale.bounds
    at = torch.linspace(low + 2 * scale.step, high - 2 * scale.step, 40)
    values = at.exp() if scale.logarithmic else at
    shares = scale.target(values)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(40))
    found = scale.quantile(shares, 0.5)
    back = found.log() if scale.logarithmic else found
    assert float((back - at).abs().max()) < scale.step / 3


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_values_beyond_the_scale_count_as_its_end(scale: BinnedVariable) -> None:
    low, high = scale.quantile(scale.target(torch.tensor([scale.low / 100 - 1, scale.high * 100])), 0.5).tolist()
    first, last = scale.bounds
    assert (math.log(low) if scale.logarithmic else low) < first + scale.step
    assert (math.log(high) if scale.logarithmic else high) > last - scale.step


def test_quantiles_of_known_shares() -> None:
    scale = BinnedVariable(0.0, 4.0, 4, logarithmic=False)
    even, two = torch.full((1, 4), 0.25), torch.tensor([[0.5, 0.0, 0.0, 0.5]])
    assert [float(scale.quantile(even, at)) for at in (0.05, 0.5, 0.95)] == pytest.approx([0.2, 2.0, 3.8])
    assert float(scale.quantile(two, 0.25)) == pytest.approx(0.5) and float(scale.quantile(two, 0.75)) == 3.5
    assert scale.quantile(even.expand(3, -1), torch.tensor([0.05, 0.5, 0.95])).tolist() == pytest.approx([0.2, 2, 3.8])
    assert float(scale.quantile(two, 0.5)) == pytest.approx(1.0)
    estimate = scale.estimate(even[0])
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((0.0, 2.0, 4.0))


def test_an_interval_holds_nine_samples_in_ten() -> None:
    random = torch.Generator().manual_seed(0)
    shares = torch.rand(1, SIZE.bins, generator=random) ** 4
    shares = shares / shares.sum()
    drawn = torch.tensor([float(SIZE.quantile(shares, at)) for at in torch.rand(2000, generator=random).tolist()])
    estimate = SIZE.estimate(shares[0])
    inside = ((drawn >= estimate.low) & (drawn <= estimate.high)).float().mean()
    assert 0.88 < float(inside) < 0.92
    assert SIZE.low <= estimate.low < estimate.value < estimate.high <= SIZE.high


def test_estimates_of_weighted_values() -> None:
    values, weights = torch.tensor([5.0, 1.0, 3.0]), torch.tensor([0.02, 0.38, 0.6])
    found = weighted_estimate(values, weights)
    assert (found.low, found.value, found.high) == (1.0, 3.0, 3.0)
    found = weighted_estimate(values, torch.tensor([0.06, 0.04, 0.9]))
    assert (found.low, found.value, found.high) == (3.0, 3.0, 5.0)
    assert weighted_estimate(torch.tensor([7.0]), torch.tensor([0.999])).high == 7.0


def test_an_interval_that_ends_in_the_last_bin_holds_the_end() -> None:
    scale = BinnedVariable(0.01, 2.0, 20)
    sure = scale.target(torch.tensor([2.0, 0.01, 0.2]))
    top, bottom, middle = (scale.estimate(row) for row in sure)
    assert top.high == 2.0 and top.low > 0.5 and bottom.low == 0.01 and bottom.high < 0.05
    assert 0.01 < middle.low < 0.2 < middle.high < 2.0
