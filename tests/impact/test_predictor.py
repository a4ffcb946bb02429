"""Impact predictor: physics states of a photograph's patches with their intervals, and its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.core.results import Estimate, PhysicsState
from synesthesia.core.vocabulary import MATERIALS, SHAPES
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.objects import THIN_WALLED, StrikePoint
from synesthesia.impact.physics_net import PhysicsNetConfig, PhysicsPosterior, grid_positions
from synesthesia.impact.predictor import Hypothesis, ImpactPredictor, hollowness, hollowness_estimate, save_net
from tests.impact.modal.bodies import OBJECTS, of_material
from tests.impact.tiny import posterior_for, random_grid, tiny_physics_net

CUP = OBJECTS["bowl"]
States = list[tuple[Hypothesis, PhysicsState]]


def state_of(predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int = 0) -> PhysicsState:
    return predictor.physics_state(posterior, patch, select(predictor, posterior, patch))


@pytest.fixture(scope="module")
def posterior(predictor: ImpactPredictor) -> PhysicsPosterior:
    """Of `random_grid()`."""
    return predictor.predict(random_grid())


@pytest.fixture(scope="module")
def states(predictor: ImpactPredictor, posterior: PhysicsPosterior) -> States:
    """Of all 48 patches of `random_grid()`: the selected hypothesis and the state."""
    selected = [select(predictor, posterior, patch) for patch in range(48)]
    return [(one, predictor.physics_state(posterior, patch, one)) for patch, one in enumerate(selected)]


def estimates(state: PhysicsState) -> dict[str, Estimate]:
    return {name: value for name, value in vars(state).items() if isinstance(value, Estimate)}


def test_every_patch_of_a_photograph_has_a_state(posterior: PhysicsPosterior, states: States) -> None:
    assert posterior.codes.shape == (48, 26) and posterior.solid.shape == (48, 2)
    for patch, (_, state) in enumerate(states):
        assert sum(one.score for one in state.materials) == pytest.approx(1.0, abs=1e-5)
        assert sum(one.score for one in state.shapes) == pytest.approx(1.0, abs=1e-5)
        assert {one.label for one in state.materials} == set(MATERIALS)
        assert [one.score for one in state.shapes] == sorted((one.score for one in state.shapes), reverse=True)
        assert len(estimates(state)) == 9
        for name, found in estimates(state).items():
            assert found.low <= found.value <= found.high, (patch, name, found)
        assert state.hollowness.low >= 0 and state.hollowness.high <= 1
        assert 0 < state.purity <= 1 and 0 <= state.code < 26


def test_the_state_reports_the_selected_hypothesis(predictor: ImpactPredictor, states: States) -> None:
    for hypothesis, state in states:
        item = hypothesis.item
        assert state.code == hypothesis.code
        assert MATERIALS[int(predictor.net.codebook.majority_material()[0][state.code])] == item.material
        assert state.size_m.value == pytest.approx(item.size_m)
        assert state.thickness_m.value == pytest.approx(item.thickness_m)
        assert state.hollowness.value == pytest.approx(item.hollowness, abs=1e-6)
        assert state.density.value == pytest.approx(float(hypothesis.properties.density))
        assert (state.along.value, state.across.value) == pytest.approx(
            (hypothesis.point.along, hypothesis.point.across)
        )


def test_patches_differ_and_attend_to_one_another(
    predictor: ImpactPredictor, posterior: PhysicsPosterior, states: States
) -> None:
    grid = random_grid()
    assert len({state.size_m.value for _, state in states}) > 20
    changed = replace(grid, features=grid.features.clone())
    changed.features[0, 0] += 3.0
    assert not torch.allclose(predictor.predict(changed).by_shape[0][-1], posterior.by_shape[0][-1], atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_narrow_posterior_gives_the_object_back(predictor: ImpactPredictor, shape: str) -> None:
    item = OBJECTS[shape]  # type: ignore[index]
    state = state_of(predictor, posterior_for(predictor, item, StrikePoint(0.7, 0.3), spread=0.3))
    assert (state.materials[0].label, state.shapes[0].label) == (item.material, shape)
    assert state.materials[0].score > 0.7
    assert state.size_m.value == pytest.approx(item.size_m, rel=0.1)
    assert state.size_m.low < item.size_m < state.size_m.high
    walled = shape in THIN_WALLED
    wanted = item.thickness_m if walled else item.least * item.size_m
    assert state.thickness_m.value == pytest.approx(wanted, rel=0.25)
    assert state.hollowness.value == pytest.approx(item.hollowness, abs=0.1)
    assert walled or (state.hollowness.low, state.hollowness.high) == (0.0, 0.0)
    assert state.along.value == pytest.approx(0.7, abs=0.05) and state.across.value == pytest.approx(0.3, abs=0.05)


def test_t60_and_hardness_are_those_of_the_material(predictor: ImpactPredictor) -> None:
    steel, rubber = (
        state_of(predictor, posterior_for(predictor, of_material(CUP, name))) for name in ("metal", "rubber")
    )
    assert steel.t60_s.value > 10 * rubber.t60_s.value > 0.01
    assert steel.hardness_pa.value == pytest.approx(200e9, rel=0.02)
    assert rubber.density.value == pytest.approx(1150, rel=0.02)
    assert steel.purity == pytest.approx(1.0 / 1.12, rel=1e-3)


def test_a_wider_posterior_gives_a_wider_interval(predictor: ImpactPredictor) -> None:
    narrow, wide = (state_of(predictor, posterior_for(predictor, CUP, spread=spread)).size_m for spread in (0.4, 3.0))
    assert wide.high / wide.low > 2 * narrow.high / narrow.low


def test_no_wall_is_thicker_than_half_the_object(predictor: ImpactPredictor) -> None:
    thick = replace(CUP, size_m=0.1, least=0.2, thickness_m=0.5)
    state = state_of(predictor, posterior_for(predictor, thick))
    assert state.thickness_m.value == pytest.approx(0.5 * 0.1 * 0.2, rel=0.15)
    assert state.hollowness.value == 0.0
    assert hollowness(0.001, 0.1) == pytest.approx(0.98) and hollowness(1.0, 0.1) == 0.0


def test_the_material_map(predictor: ImpactPredictor, posterior: PhysicsPosterior, states: States) -> None:
    found = predictor.material_map(posterior, 6, 8)
    assert found.shares.shape == (6, 8, 13) and found.codes.shape == found.solid.shape == (6, 8)
    assert found.shares.sum(axis=2) == pytest.approx(1.0, abs=1e-5) and found.names == MATERIALS
    assert found.solid.min() >= 0 and found.solid.max() <= 1 and found.solid.std() > 0.05
    assert found.purities.shape == found.named.shape == (26,)
    for patch in (0, 17, 47):
        row, col = divmod(patch, 8)
        best = found.names[int(found.shares[row, col].argmax())]
        assert best == states[patch][1].materials[0].label
        assert found.solid[row, col] == pytest.approx(float(predictor.solid_probability(posterior)[patch]))


def test_a_saved_predictor_loads(predictor: ImpactPredictor, tmp_path: Path) -> None:
    """In eight bits: nearly the same posterior, the same config, probabilities that still sum to 1."""
    save_net(tiny_physics_net(), tmp_path / "tap")
    assert {path.name for path in (tmp_path / "tap").iterdir()} == {"config.json", "model.safetensors"}
    again, grid = ImpactPredictor.load(tmp_path / "tap"), random_grid()
    assert again.net.config == predictor.net.config and again.threshold == PhysicsNetConfig().threshold
    ours, theirs = predictor.predict(grid), again.predict(grid)
    torch.testing.assert_close(theirs.solid.exp(), ours.solid.exp(), rtol=0.0, atol=0.1)
    agree = (ours.codes.argmax(dim=1) == theirs.codes.argmax(dim=1)).float().mean()
    assert float(agree) > 0.8
    assert again.material_probabilities(theirs).sum(dim=1) == pytest.approx(1.0, abs=1e-5)
    assert not any(parameter.requires_grad for parameter in again.net.parameters())


def test_an_incomplete_folder_and_other_features_are_one_sentence(predictor: ImpactPredictor, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="incomplete"):
        ImpactPredictor.load(tmp_path)
    grid = random_grid()
    for other in (replace(grid, stage_maps=()), replace(grid, features=grid.features[..., :5])):
        with pytest.raises(UserError, match="another vision network"):
            predictor.predict(other)


def test_positions_are_in_short_sides_from_the_middle() -> None:
    found = grid_positions(4, 8).view(4, 8, 2)
    assert found[0, 0].tolist() == [-0.875, -0.375] and found[3, 7].tolist() == [0.875, 0.375]


def test_hollowness_covers_all_possible_shapes(predictor: ImpactPredictor) -> None:
    posterior = posterior_for(predictor, CUP, spread=0.3)
    narrow = hollowness_estimate(posterior)
    assert narrow.value == pytest.approx(CUP.hollowness, abs=0.1) and narrow.low > 0.3
    shape = torch.full((1, len(SHAPES)), 1e-9)
    shape[0, SHAPES.index("bowl")], shape[0, SHAPES.index("solid")] = 0.6, 0.4
    wide = hollowness_estimate(replace(posterior, shape=shape.log()))
    assert wide.low == 0.0 and wide.high > 0.5, "it may be solid as well"
