"""The baseline without a physics state: it learns, resumes, and gives one sound per click and seed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MALLETS, MATERIALS, SHAPES
from synesthesia.impact.physics_net import PhysicsNetConfig
from synesthesia.impact.predictor import ImpactPredictor, backbone_features
from tests.impact.tiny import EARLY, FEATURES, random_grid, tiny_physics_net
from tests.impact.training.synthetic import feature_set
from training.impact.band_energies import POINTS, SinesAndNoise, band_energies, edges_s
from training.impact.data import CELLS, FeatureSet, PhotoData, SceneData, mirror
from training.impact.direct_model import DirectConfig, DirectModel, DirectNet, synthesize_direct
from training.impact.train_direct import (
    DirectTraining,
    material_strikes,
    scene_loss,
    scene_strikes,
    struck_patches,
    train,
)

TINY = DirectTraining(steps=6, scenes=2, photos=2, strikes=3, per_material=2, points=2, warm=2, rate=3e-3)


def random_features(count: int, seed: int) -> FeatureSet:
    random = torch.Generator().manual_seed(seed)
    return feature_set(torch.randn(count, CELLS**2, FEATURES, generator=random), EARLY, random)


def tiny_scenes() -> SceneData:
    """Three scenes: a metal bowl on the left and a wooden block on the right; a rubber ball; nothing."""
    objects = torch.tensor([
        [0, MATERIALS.index("metal"), SHAPES.index("bowl"), 0.2, 0.9, 0.5, 0.002, 0],
        [0, MATERIALS.index("wood"), SHAPES.index("solid"), 0.4, 0.6, 0.3, 0.12, 0],
        [1, MATERIALS.index("rubber"), SHAPES.index("solid"), 0.1, 0.9, 0.9, 0.09, 0],
    ])  # fmt: skip
    object_at = torch.full((3, CELLS, CELLS), -1)
    object_at[0, :, :4], object_at[0, :, 12:], object_at[1, 4:9, 4:9] = 0, 1, 2
    points = torch.rand(3, CELLS * CELLS, 2, generator=torch.Generator().manual_seed(0))
    return SceneData(random_features(3, 1), object_at.flatten(1), points, objects)


def tiny_photos() -> PhotoData:
    material = torch.tensor([MATERIALS.index(name) for name in ("metal", "rubber", "glass")])
    return PhotoData(random_features(3, 2), material, torch.tensor([1.0, 0.5, 1.0]))


def tiny_net(seed: int = 0) -> DirectNet:
    torch.manual_seed(seed)
    return DirectNet(DirectConfig(PhysicsNetConfig(FEATURES, EARLY, width=16, layers=1, heads=2), modes=6, hidden=16))


def test_it_learns_and_resumes_to_the_very_same_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes, photos = tiny_scenes(), tiny_photos()
    whole = tiny_net()
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    assert train(whole, scenes, photos, TINY, tmp_path / "whole")
    assert "renders_db" in capsys.readouterr().out
    moved = [name for name, value in whole.named_parameters() if not torch.equal(value, before[name])]
    assert {name.split(".")[0] for name in moved} == {"trunk", "head"}, "everything learns"

    state = tmp_path / "state"
    assert not train(tiny_net(), scenes, photos, TINY, state, stop_at=3)
    assert 0 < json.loads((state / "state.json").read_text())["step"] < TINY.steps
    again = tiny_net(seed=5)  # the stored weights count, not the initial ones
    assert train(again, scenes, photos, TINY, state)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_training_reduces_the_distance() -> None:
    scenes = tiny_scenes()
    config = DirectTraining(steps=40, scenes=2, photos=1, strikes=4, per_material=2, points=1, warm=5, rate=8e-3)
    net, at, same = tiny_net(), torch.tensor([0, 1]), torch.zeros(2, dtype=torch.bool)
    known = scene_strikes(scenes, config.strikes, torch.Generator().manual_seed(config.seed))  # as train samples them
    net.eval()
    with torch.no_grad():
        first = float(scene_loss(net, scenes, known, at, same, 1.0))
    train(net, scenes, tiny_photos(), config)
    with torch.no_grad():
        last = float(scene_loss(net, scenes, known, at, same, 1.0))
    assert last < 0.75 * first, (first, last)


def test_struck_patches_show_an_object_and_keep_their_strikes() -> None:
    scenes = tiny_scenes()
    known = scene_strikes(scenes, 40, torch.Generator().manual_seed(0))
    assert known.pictures.tolist() == [0, 1] and known.cells.shape == (2, 40)
    struck = scenes.object_at[known.pictures[:, None], known.cells]
    assert set(struck[0].tolist()) == {0, 1} and set(struck[1].tolist()) == {2}
    assert len(known.strikes.sounds) == len(known.strikes.force_n) == 80
    assert set(known.strikes.mallet.tolist()) == set(range(len(MALLETS)))
    assert float(known.strikes.force_n.min()) >= 1.0 and float(known.strikes.force_n.max()) <= 30.0
    decays = slowest(known.strikes.sounds)  # metal rings under any mallet, rubber does not
    assert float(decays[struck.flatten() == 0].max()) < float(decays[struck.flatten() == 2].min())


def slowest(sounds: SinesAndNoise) -> Tensor:
    """(R,) smallest decay rate of an audible mode."""
    return torch.where(sounds.gains.abs() > 0, sounds.decays_per_s, torch.inf).amin(dim=1)


def test_a_mirrored_scene_is_struck_at_the_mirrored_patches() -> None:
    scenes = tiny_scenes()
    known, at = scene_strikes(scenes, 20, torch.Generator().manual_seed(0)), torch.tensor([0, 1])
    mirrored = torch.tensor([True, False])
    cells, _ = struck_patches(known, at, mirrored)
    shown = mirror(scenes.object_at[known.pictures], mirrored)[torch.arange(2)[:, None], cells]
    assert torch.equal(shown, scenes.object_at[known.pictures[:, None], known.cells])
    assert torch.equal(cells[1], known.cells[1]) and not torch.equal(cells[0], known.cells[0])


def test_photographs_get_objects_of_their_material() -> None:
    strikes, known = material_strikes(tiny_scenes(), 5, torch.Generator().manual_seed(0))
    assert [MATERIALS[k] for k in known.nonzero()[:, 0].tolist()] == ["wood", "metal", "rubber"]
    decays = slowest(strikes.sounds).view(len(MATERIALS), 5)
    assert float(decays[MATERIALS.index("metal")].max()) < float(decays[MATERIALS.index("rubber")].min())


def test_kernels_become_narrow() -> None:
    config = DirectTraining(steps=300)
    assert config.kernel_width(0) == config.widths[0]
    assert config.kernel_width(200) == config.kernel_width(300) == pytest.approx(config.widths[1])


def test_one_sound_per_click_and_seed_also_from_disk(tmp_path: Path) -> None:
    model = DirectModel(tiny_net())
    model.save(tmp_path / "direct")
    loaded, grid = DirectModel.load(tmp_path / "direct"), random_grid()
    first = model.sound(grid, 2, 3, 8.0, "wood", 1.0, 1)
    assert first.dtype == np.float32 and first.shape == (SAMPLE_RATE_HZ,)
    assert 0 < np.abs(first).max() <= 1 and abs(first[-1]) < 1e-6
    assert np.array_equal(first, loaded.sound(grid, 2, 3, 8.0, "wood", 1.0, 1))
    other = loaded.sound(grid, 2, 3, 8.0, "wood", 1.0, 2)
    assert not np.array_equal(first, other)
    for changed in (
        loaded.sound(grid, 4, 6, 8.0, "wood", 1.0, 1), loaded.sound(random_grid(seed=1), 2, 3, 8.0, "wood", 1.0, 1),
        loaded.sound(grid, 2, 3, 2.0, "wood", 1.0, 1), loaded.sound(grid, 2, 3, 8.0, "metal", 1.0, 1),
    ):  # fmt: skip
        assert not np.array_equal(first, changed)
    with pytest.raises(UserError, match="train_direct"):
        DirectModel.load(tmp_path / "nowhere")


def test_a_photograph_enters_as_in_the_adapter() -> None:
    net, grid = tiny_physics_net(), random_grid()
    with torch.inference_mode():
        assert torch.equal(net(backbone_features(grid)).codes[0], ImpactPredictor(net).predict(grid).codes)


def test_a_sound_has_the_energies_of_its_parameters() -> None:
    """Noise and two modes that are far apart."""
    hz = torch.tensor([[700.0, 3000.0]])
    spectrum = torch.zeros(1, 1, POINTS)
    spectrum[0, 0, 50:70] = 0.01 / 20
    sounds = SinesAndNoise(hz, torch.tensor([[5.0, 60.0]]), torch.tensor([[0.2, 0.2]]), torch.zeros(1, 2), spectrum,
                           torch.tensor([[80.0]]), torch.zeros(1, 1))  # fmt: skip
    waves = torch.from_numpy(np.stack([synthesize_direct(sounds, SAMPLE_RATE_HZ, seed) for seed in range(12)]))
    ends = (edges_s() * SAMPLE_RATE_HZ).round().long().tolist()
    true = torch.stack([waves[:, a:b].square().mean() for a, b in pairwise(ends)])
    assert torch.allclose(band_energies(sounds, 0.7)[0].sum(dim=0), true, rtol=0.12, atol=1e-6)
