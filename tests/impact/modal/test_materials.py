"""Material properties: their ranges, blends, and decay times relative to each other."""

from __future__ import annotations

import importlib
import math
import sys
from dataclasses import fields

import pytest
import torch

from synesthesia import impact
from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal import materials
from synesthesia.impact.modal.materials import LITERATURE, Properties, damping_models


def t60_s(hz: float) -> dict[str, float]:
    decays = Properties.of(MATERIALS, torch.float64).decays_per_s(torch.full((len(MATERIALS), 1), hz).double())[:, 0]
    return {name: math.log(1000) / float(decay) for name, decay in zip(MATERIALS, decays, strict=True)}


def test_every_material_has_properties() -> None:
    assert set(LITERATURE) == set(damping_models()) == set(MATERIALS)
    properties = Properties.of(MATERIALS, torch.float64)
    for field in fields(properties):
        assert torch.isfinite(getattr(properties, field.name)).all()
    assert (properties.density > 100).all() and (properties.density < 9000).all()
    assert ((properties.poisson > 0) & (properties.poisson < 0.5)).all()
    assert (properties.slope_db_per_octave < 0).all()


@pytest.mark.parametrize("hz", [300.0, 1000.0, 4000.0])
def test_metal_rings_longest_and_soft_things_shortest(hz: float) -> None:
    seconds = t60_s(hz)
    assert seconds["metal"] > seconds["glass"] > seconds["stone"] > seconds["wood"] > seconds["plastic"]
    assert seconds["glass"] > seconds["ceramic"] > seconds["wood"]
    assert max(seconds["rubber"], seconds["fabric"], seconds["paper"]) < 1.6 * seconds["plastic"] < seconds["glass"]
    assert seconds["rubber"] < 0.2 * seconds["glass"]


def test_decay_times_at_one_kilohertz() -> None:
    seconds = t60_s(1000.0)
    assert 0.5 < seconds["metal"] < 2.0
    assert 0.05 < seconds["wood"] < 0.2
    assert seconds["rubber"] < 0.06
    assert t60_s(200.0)["metal"] > 1.5  # a pan's hum


def test_a_blend_of_one_is_the_material() -> None:
    whole = Properties.blend(torch.eye(len(MATERIALS), dtype=torch.float64))
    for field in fields(whole):
        torch.testing.assert_close(
            getattr(whole, field.name),
            getattr(Properties.of(MATERIALS, torch.float64), field.name),
            rtol=1e-9,
            atol=1e-9,
        )


def test_a_blend_lies_between_in_decades_and_has_a_gradient() -> None:
    weights = torch.zeros(1, len(MATERIALS), dtype=torch.float64)
    weights[0, MATERIALS.index("rubber")] = weights[0, MATERIALS.index("metal")] = 0.5
    weights.requires_grad_()
    mixed = Properties.blend(weights)
    assert float(mixed.youngs_modulus_pa.detach()) == pytest.approx(math.sqrt(10e6 * 200e9), rel=1e-9)
    mixed.youngs_modulus_pa.log().sum().backward()
    assert weights.grad is not None
    assert float(weights.grad[0, MATERIALS.index("glass")]) == pytest.approx(math.log(70e9), rel=1e-9)


def test_the_damping_file_is_read_at_its_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules that are imported anew have not read it."""
    for name in [name for name in sys.modules if name.startswith("synesthesia.impact.modal")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(impact, "modal", impact.modal)
    importlib.import_module("synesthesia.impact.modal.strike")
    fresh = sys.modules["synesthesia.impact.modal.materials"]
    assert fresh is not materials and fresh.damping_models.cache_info().currsize == 0
