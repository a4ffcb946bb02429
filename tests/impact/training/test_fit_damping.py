"""Damping laws fitted to synthetic modes of a known law."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.modal.materials import DAMPING_FILE
from training.impact.fit_damping import (
    MEASURED,
    LinearDamping,
    MeasuredModes,
    fit,
    fitted,
    halfway,
    held_out,
    joined,
    modes_of,
    read,
    resampled,
    slope,
)


def synthetic(
    law: LinearDamping, seed: int, count: int = 60, spread: float = 0.2, fall_db: float = -6.0
) -> dict[str, list[float]]:
    random = np.random.default_rng(seed)
    hz = np.exp(random.uniform(math.log(100), math.log(7000), count))
    decay = law.decays_per_s(hz) * np.exp(spread * random.standard_normal(count))
    onset = -30 + fall_db * np.log2(hz / 100) + 2 * random.standard_normal(count)
    return {"cf": hz.tolist(), "op": onset.tolist(), "rt": (math.log(1000) / decay).tolist()}


def as_modes(made: dict[str, list[float]]) -> MeasuredModes:
    return modes_of(made["cf"], made["op"], made["rt"])


def test_a_known_law_is_inside_its_interval() -> None:
    law = LinearDamping(20.0, 0.004)
    modes = joined([as_modes(synthetic(law, seed)) for seed in range(4)])
    found = fit(modes)
    assert found.base_per_s == pytest.approx(20.0, rel=0.2) and found.loss_factor == pytest.approx(0.004, rel=0.25)
    base, loss = resampled(modes)
    assert base[0] <= found.base_per_s <= base[1] and loss[0] <= found.loss_factor <= loss[1]


def test_the_fit_is_robust_against_a_loud_outlier() -> None:
    law = LinearDamping(20.0, 0.004)
    made = synthetic(law, 0)
    made["cf"].append(120.0), made["op"].append(0.0), made["rt"].append(120.0)
    modes = as_modes(made)
    assert float(modes.weights.max()) == pytest.approx(0.1, abs=0.01) and float(modes.weights.sum()) == pytest.approx(
        1.0
    )
    assert float(modes.decays_per_s.min()) == pytest.approx(math.log(1000))  # clipped to one second
    assert fit(modes).base_per_s == pytest.approx(20.0, rel=0.35)


def test_objects_left_out_prefer_a_slope_to_a_constant() -> None:
    steep = [as_modes(synthetic(LinearDamping(2.0, 0.02), seed)) for seed in range(3)]
    law, constant = held_out(steep) or (1.0, 0.0)
    assert law < 0.35 < constant
    assert held_out(steep[:1]) is None


def test_slopes_of_onset_levels_are_found() -> None:
    found, (low, high) = slope([as_modes(synthetic(LinearDamping(20.0, 0.004), seed)) for seed in range(3)])
    assert found == pytest.approx(-6.0, abs=0.7) and low < -6.0 < high


def test_repeated_sizes_count_once(tmp_path: Path) -> None:
    first, second = synthetic(LinearDamping(20.0, 0.004), 0), synthetic(LinearDamping(20.0, 0.004), 1)
    path = tmp_path / "impact_modes.json"
    path.write_text(json.dumps({"materials": {"a": {"0": first, "1": first, "2": second}, "b": {"0": second}}}))
    assert len(read(path, ("a", "b"))) == 2


def test_halfway_is_the_geometric_mean() -> None:
    between = halfway(LinearDamping(40.0, 0.002), LinearDamping(0.0, 0.001))
    for hz in (250.0, 4000.0):
        here = np.array(hz)
        mean = math.sqrt(
            float(LinearDamping(40.0, 0.002).decays_per_s(here) * LinearDamping(0.0, 0.001).decays_per_s(here))
        )
        assert float(between.decays_per_s(here)) == pytest.approx(mean, rel=1e-6)


def test_every_material_gets_a_law(tmp_path: Path) -> None:
    names = {name for group in MEASURED.values() for name in group}
    made = {
        name: {"0": synthetic(LinearDamping(50.0, 0.003), 7), "1": synthetic(LinearDamping(50.0, 0.003), 8)}
        for name in names
    }
    path = tmp_path / "impact_modes.json"
    path.write_text(json.dumps({"materials": made}))
    laws = fitted(path)
    assert set(laws) == set(MATERIALS)
    assert laws["wood"].law == laws["wood"].measured.law  # type: ignore[union-attr]
    assert laws["metal"].law.loss_factor < laws["wood"].law.loss_factor < laws["rubber"].law.loss_factor
    assert laws["metal"].measured.support_share == pytest.approx(1 - math.pi * 0.5 / 59.4, abs=0.03)  # type: ignore[union-attr]


def test_the_committed_file_states_its_sources() -> None:
    written = json.loads(DAMPING_FILE.read_text(encoding="utf-8"))
    assert "BSD-2-Clause" in written["licence"]
    for name, found in written["materials"].items():
        assert found["source"] and (found["measured"] is None) == (name in ("concrete", "liquid"))
        if found["measured"]:
            low, high = found["measured"]["base_interval"]
            assert low <= found["measured"]["law"]["base_per_s"] <= high and found["measured"]["modes"] > 5
