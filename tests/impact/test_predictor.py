"""The physics adapter: what a photograph's places are taken for, with doubts, from the net and from its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synesthesia.core.errors import UserError
from synesthesia.core.results import Estimate, PhysicsState
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.things import MATERIALS, SHAPES, WALLED, StrikePoint
from synesthesia.impact.physics_net import PhysicsNetConfig, PhysicsPosterior, grid_positions
from synesthesia.impact.predictor import ImpactPredictor, hollowness, hollowness_of, save_net
from tests.impact.modal.bodies import THINGS, of_material
from tests.impact.tiny import a_grid, a_net, a_reading, an_adapter

CUP = THINGS["bowl"]


@pytest.fixture(scope="module")
def adapter() -> ImpactPredictor:
    return an_adapter()


def state_of(adapter: ImpactPredictor, read: PhysicsPosterior, patch: int = 0) -> PhysicsState:
    return adapter.state(read, patch, select(adapter, read, patch))


def estimates(state: PhysicsState) -> dict[str, Estimate]:
    return {name: value for name, value in vars(state).items() if isinstance(value, Estimate)}


def test_every_place_of_a_photograph_has_a_state(adapter: ImpactPredictor) -> None:
    grid = a_grid()
    read = adapter.read(grid)
    assert read.codes.shape == (48, 26) and read.solid.shape == (48, 2)
    for patch in range(48):
        state = state_of(adapter, read, patch)
        assert sum(one.score for one in state.materials) == pytest.approx(1.0, abs=1e-5)
        assert sum(one.score for one in state.shapes) == pytest.approx(1.0, abs=1e-5)
        assert {one.label for one in state.materials} == set(MATERIALS)
        assert [one.score for one in state.shapes] == sorted((one.score for one in state.shapes), reverse=True)
        assert len(estimates(state)) == 9
        for name, found in estimates(state).items():
            assert found.low <= found.value <= found.high, (patch, name, found)
        assert state.hollowness.low >= 0 and state.hollowness.high <= 1
        assert 0 < state.purity <= 1 and 0 <= state.code < 26


def test_the_state_is_what_is_struck(adapter: ImpactPredictor) -> None:
    read = adapter.read(a_grid(seed=2))
    for patch in range(48):
        guess = select(adapter, read, patch)
        state, thing = adapter.state(read, patch, guess), guess.thing
        assert state.code == guess.code
        assert MATERIALS[int(adapter.net.codebook.called()[0][state.code])] == thing.material
        assert state.size_m.value == pytest.approx(thing.size_m)
        assert state.thickness_m.value == pytest.approx(thing.thickness_m)
        assert state.hollowness.value == pytest.approx(thing.hollowness, abs=1e-6)
        assert state.density.value == pytest.approx(float(guess.properties.density))
        assert (state.along.value, state.across.value) == pytest.approx((guess.place.along, guess.place.across))


def test_places_of_one_photograph_differ_and_speak_to_one_another(adapter: ImpactPredictor) -> None:
    grid = a_grid()
    read = adapter.read(grid)
    assert len({state_of(adapter, read, patch).size_m.value for patch in range(48)}) > 20
    changed = replace(grid, features=grid.features.clone())
    changed.features[0, 0] += 3.0
    assert not torch.allclose(adapter.read(changed).by_shape[0][-1], read.by_shape[0][-1], atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sure_reading_gives_the_thing_back(adapter: ImpactPredictor, shape: str) -> None:
    thing = THINGS[shape]  # type: ignore[index]
    state = state_of(adapter, a_reading(adapter, thing, StrikePoint(0.7, 0.3), spread=0.3))
    assert (state.materials[0].label, state.shapes[0].label) == (thing.material, shape)
    assert state.materials[0].score > 0.7
    assert state.size_m.value == pytest.approx(thing.size_m, rel=0.1)
    assert state.size_m.low < thing.size_m < state.size_m.high
    walled = shape in WALLED
    wanted = thing.thickness_m if walled else thing.least * thing.size_m
    assert state.thickness_m.value == pytest.approx(wanted, rel=0.25)
    assert state.hollowness.value == pytest.approx(thing.hollowness, abs=0.1)
    assert walled or (state.hollowness.low, state.hollowness.high) == (0.0, 0.0)
    assert state.along.value == pytest.approx(0.7, abs=0.05) and state.across.value == pytest.approx(0.3, abs=0.05)


def test_ring_times_and_hardness_are_the_materials(adapter: ImpactPredictor) -> None:
    steel, rubber = (state_of(adapter, a_reading(adapter, of_material(CUP, name))) for name in ("metal", "rubber"))
    assert steel.t60_s.value > 10 * rubber.t60_s.value > 0.01
    assert steel.hardness_pa.value == pytest.approx(200e9, rel=0.02)
    assert rubber.density.value == pytest.approx(1150, rel=0.02)
    assert steel.purity == pytest.approx(1.0 / 1.12, rel=1e-3)


def test_less_sure_means_wider(adapter: ImpactPredictor) -> None:
    sure, unsure = (state_of(adapter, a_reading(adapter, CUP, spread=spread)).size_m for spread in (0.4, 3.0))
    assert unsure.high / unsure.low > 2 * sure.high / sure.low


def test_no_wall_is_thicker_than_half_the_thing(adapter: ImpactPredictor) -> None:
    thick = replace(CUP, size_m=0.1, least=0.2, thickness_m=0.5)
    state = state_of(adapter, a_reading(adapter, thick))
    assert state.thickness_m.value == pytest.approx(0.5 * 0.1 * 0.2, rel=0.15)
    assert state.hollowness.value == 0.0
    assert hollowness(0.001, 0.1) == pytest.approx(0.98) and hollowness(1.0, 0.1) == 0.0


def test_the_material_map(adapter: ImpactPredictor) -> None:
    grid = a_grid()
    read = adapter.read(grid)
    found = adapter.materials(read, grid.rows, grid.cols)
    assert found.shares.shape == (6, 8, 13) and found.codes.shape == found.solid.shape == (6, 8)
    assert found.shares.sum(axis=2) == pytest.approx(1.0, abs=1e-5) and found.names == MATERIALS
    assert found.solid.min() >= 0 and found.solid.max() <= 1 and found.solid.std() > 0.05
    assert found.purities.shape == found.named.shape == (26,)
    for patch in (0, 17, 47):
        row, col = divmod(patch, 8)
        best = found.names[int(found.shares[row, col].argmax())]
        assert best == state_of(adapter, read, patch).materials[0].label
        assert found.solid[row, col] == pytest.approx(float(adapter.solid(read)[patch]))


def test_what_is_saved_is_read_again(adapter: ImpactPredictor, tmp_path: Path) -> None:
    """In eight bits: nearly the same reading, exactly the same config, shares that still sum to 1."""
    save_net(a_net(), tmp_path / "tap")
    assert {path.name for path in (tmp_path / "tap").iterdir()} == {"config.json", "model.safetensors"}
    again, grid = ImpactPredictor.load(tmp_path / "tap"), a_grid()
    assert again.net.config == adapter.net.config and again.threshold == PhysicsNetConfig().threshold
    ours, theirs = adapter.read(grid), again.read(grid)
    torch.testing.assert_close(theirs.solid.exp(), ours.solid.exp(), rtol=0.0, atol=0.1)
    agree = (ours.codes.argmax(dim=1) == theirs.codes.argmax(dim=1)).float().mean()
    assert float(agree) > 0.8
    assert again.shares(theirs).sum(dim=1) == pytest.approx(1.0, abs=1e-5)
    assert not any(parameter.requires_grad for parameter in again.net.parameters())


def test_an_incomplete_folder_and_other_features_are_one_sentence(adapter: ImpactPredictor, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="incomplete"):
        ImpactPredictor.load(tmp_path)
    grid = a_grid()
    for other in (replace(grid, early=()), replace(grid, features=grid.features[..., :5])):
        with pytest.raises(UserError, match="another vision network"):
            adapter.read(other)


def test_places_are_told_from_the_middle_in_short_sides() -> None:
    found = grid_positions(4, 8).view(4, 8, 2)
    assert found[0, 0].tolist() == [-0.875, -0.375] and found[3, 7].tolist() == [0.875, 0.375]


def test_hollowness_is_of_all_shapes_that_a_place_may_have(adapter: ImpactPredictor) -> None:
    read = a_reading(adapter, CUP, spread=0.3)
    sure = hollowness_of(read)
    assert sure.value == pytest.approx(CUP.hollowness, abs=0.1) and sure.low > 0.3
    shape = torch.full((1, len(SHAPES)), 1e-9)
    shape[0, SHAPES.index("bowl")], shape[0, SHAPES.index("solid")] = 0.6, 0.4
    unsure = hollowness_of(replace(read, shape=shape.log()))
    assert unsure.low == 0.0 and unsure.high > 0.5, "it may as well be full"
