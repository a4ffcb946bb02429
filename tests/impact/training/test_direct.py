"""The baseline without a state: it learns a little from made-up scenes, resumes, and is one sound a click and seed."""

from __future__ import annotations

import json
from itertools import count, pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.modal.contact import MALLETS
from synesthesia.impact.modal.things import MATERIALS, SHAPES
from synesthesia.impact.physics_net import BackboneFeatures, PhysicsNetConfig
from synesthesia.impact.predictor import ImpactPredictor, backbone_features
from tests.impact.tiny import EARLY, FEATURES, a_grid, a_net
from training.impact import train_direct as train_tap_direct
from training.impact.band_energies import POINTS, Parts, edges_s, energies
from training.impact.data import Photos, Pictures, Scenes, mirror
from training.impact.direct import DirectConfig, DirectNet, DirectPath, sounded
from training.impact.features import CELLS
from training.impact.train_direct import Blows, TrainConfig, bell_width, material_blows, scene_blows, scene_loss, train

SIDES = (2 * CELLS, CELLS)  # of the early maps
TINY = TrainConfig(steps=12, scenes=2, photos=2, blows=3, kinds=2, places=2, warm=2, rate=3e-3)


def pictures(count: int, seed: int) -> Pictures:
    random = torch.Generator().manual_seed(seed)
    early = [torch.randn(count, channels, n, n, generator=random) for channels, n in zip(EARLY, SIDES, strict=True)]
    features, windows = (torch.randn(count, rows, FEATURES, generator=random) for rows in (CELLS * CELLS, 5))
    late = torch.arange(len(features))
    return Pictures(features.half(), windows.half(), tuple(layer.half() for layer in early), late)


def tiny_scenes() -> Scenes:
    """Three scenes: a metal bowl left and a wooden block right; a rubber ball; nothing."""
    things = torch.tensor([
        [0, MATERIALS.index("metal"), SHAPES.index("bowl"), 0.2, 0.9, 0.5, 0.002, 0],
        [0, MATERIALS.index("wood"), SHAPES.index("solid"), 0.4, 0.6, 0.3, 0.12, 0],
        [1, MATERIALS.index("rubber"), SHAPES.index("solid"), 0.1, 0.9, 0.9, 0.09, 0],
    ])  # fmt: skip
    thing = torch.full((3, CELLS, CELLS), -1)
    thing[0, :, :4], thing[0, :, 12:], thing[1, 4:9, 4:9] = 0, 1, 2
    place = torch.rand(3, CELLS * CELLS, 2, generator=torch.Generator().manual_seed(0))
    return Scenes(pictures(3, 1), thing.flatten(1), place, things)


def tiny_photos() -> Photos:
    material = torch.tensor([MATERIALS.index(name) for name in ("metal", "rubber", "glass")])
    return Photos(pictures(3, 2), material, torch.tensor([1.0, 0.5, 1.0]))


def tiny_net(seed: int = 0) -> DirectNet:
    torch.manual_seed(seed)
    return DirectNet(DirectConfig(PhysicsNetConfig(FEATURES, EARLY, width=16, layers=1, heads=2), modes=6, hidden=16))


def test_it_learns_and_resumes_to_the_very_same_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes, photos = tiny_scenes(), tiny_photos()
    whole = tiny_net()
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    assert train(whole, scenes, photos, TINY, tmp_path / "whole")
    assert "dB" in capsys.readouterr().out
    moved = [name for name, value in whole.named_parameters() if not torch.equal(value, before[name])]
    assert {name.split(".")[0] for name in moved} == {"trunk", "head"}, "everything learns"

    minutes, state = count(step=60.0), tmp_path / "state"
    monkeypatch.setattr(train_tap_direct, "time", SimpleNamespace(monotonic=lambda: next(minutes)))
    assert not train(tiny_net(), scenes, photos, TINY, state, minutes=5.5), "no time for all"
    assert 0 < json.loads((state / "state.json").read_text())["step"] < TINY.steps
    monkeypatch.undo()
    again = tiny_net(seed=5)  # what was kept counts, not what it comes with
    assert train(again, scenes, photos, TINY, state)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_steps_bring_it_nearer_to_what_is_struck() -> None:
    scenes, config = tiny_scenes(), TrainConfig(steps=100, scenes=2, photos=1, blows=4, kinds=2, warm=5, rate=4e-3)
    net, at, same = tiny_net(), torch.tensor([0, 1]), torch.zeros(2, dtype=torch.bool)
    known = scene_blows(scenes, config.blows, torch.Generator().manual_seed(config.seed))  # as train draws them
    net.eval()
    with torch.no_grad():
        first = float(scene_loss(net, scenes, known, at, same, 1.0))
    train(net, scenes, tiny_photos(), config)
    with torch.no_grad():
        last = float(scene_loss(net, scenes, known, at, same, 1.0))
    assert last < 0.75 * first, (first, last)


def test_struck_cells_show_something_and_keep_their_blows() -> None:
    scenes = tiny_scenes()
    known = scene_blows(scenes, 40, torch.Generator().manual_seed(0))
    assert known.pictures.tolist() == [0, 1] and known.cells.shape == (2, 40)
    thing = scenes.thing[known.pictures[:, None], known.cells]
    assert set(thing[0].tolist()) == {0, 1} and set(thing[1].tolist()) == {2}
    assert len(known.blows.parts) == len(known.blows.force_n) == 80
    assert set(known.blows.mallet.tolist()) == set(range(len(MALLETS)))
    assert float(known.blows.force_n.min()) >= 1.0 and float(known.blows.force_n.max()) <= 30.0
    rings = slowest(known.blows.parts)  # metal rings on, whatever strikes it; rubber does not
    assert float(rings[thing.flatten() == 0].max()) < float(rings[thing.flatten() == 2].min())


def slowest(parts: Parts) -> Tensor:
    """(R,) decay of what rings longest."""
    return torch.where(parts.gains.abs() > 0, parts.decays_per_s, torch.inf).amin(dim=1)


def test_a_mirrored_scene_is_struck_at_the_mirrored_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, asked = tiny_scenes(), []

    def distance(net: DirectNet, views: BackboneFeatures, cells: Tensor, true: Blows, width: float) -> Tensor:
        asked.append(cells)
        return torch.zeros(cells.numel())

    monkeypatch.setattr(train_tap_direct, "distance", distance)
    known, at = scene_blows(scenes, 20, torch.Generator().manual_seed(0)), torch.tensor([0, 1])
    mirrored = torch.tensor([True, False])
    scene_loss(tiny_net(), scenes, known, at, mirrored, 1.0)
    rows = torch.arange(2)[:, None]
    shown = mirror(scenes.thing[known.pictures], mirrored)[rows, asked[0]]
    assert torch.equal(shown, scenes.thing[known.pictures[:, None], known.cells])
    assert torch.equal(asked[0][1], known.cells[1]) and not torch.equal(asked[0][0], known.cells[0])


def test_photographs_are_given_things_of_their_material() -> None:
    blows, known = material_blows(tiny_scenes(), 5, torch.Generator().manual_seed(0))
    assert [MATERIALS[k] for k in known.nonzero()[:, 0].tolist()] == ["wood", "metal", "rubber"]
    rings = slowest(blows.parts).view(len(MATERIALS), 5)
    assert float(rings[MATERIALS.index("metal")].max()) < float(rings[MATERIALS.index("rubber")].min())


def test_bells_grow_narrow() -> None:
    config = TrainConfig(steps=300)
    assert bell_width(0, config) == config.widths[0]
    assert bell_width(200, config) == bell_width(300, config) == pytest.approx(config.widths[1])


def test_one_sound_a_click_and_seed_also_from_disk(tmp_path: Path) -> None:
    path = DirectPath(tiny_net())
    path.save(tmp_path / "direct")
    loaded, grid = DirectPath.load(tmp_path / "direct"), a_grid()
    first = path.sound(grid, 2, 3, 8.0, "wood", 1.0, 1)
    assert first.dtype == np.float32 and first.shape == (SAMPLE_RATE_HZ,)
    assert 0 < np.abs(first).max() <= 1 and abs(first[-1]) < 1e-6
    assert np.array_equal(first, loaded.sound(grid, 2, 3, 8.0, "wood", 1.0, 1))
    other = loaded.sound(grid, 2, 3, 8.0, "wood", 1.0, 2)
    assert not np.array_equal(first, other)
    for changed in (
        loaded.sound(grid, 4, 6, 8.0, "wood", 1.0, 1), loaded.sound(a_grid(seed=1), 2, 3, 8.0, "wood", 1.0, 1),
        loaded.sound(grid, 2, 3, 2.0, "wood", 1.0, 1), loaded.sound(grid, 2, 3, 8.0, "metal", 1.0, 1),
    ):  # fmt: skip
        assert not np.array_equal(first, changed)
    with pytest.raises(UserError, match="train_tap_direct"):
        DirectPath.load(tmp_path / "nowhere")


def test_a_photograph_is_shown_as_the_adapter_shows_it() -> None:
    net, grid = a_net(), a_grid()
    with torch.inference_mode():
        assert torch.equal(net(backbone_features(grid)).codes[0], ImpactPredictor(net).read(grid).codes)


def test_a_sound_has_the_energies_that_its_parts_foretell() -> None:
    """Over noise and two modes that are far apart."""
    hz = torch.tensor([[700.0, 3000.0]])
    spectrum = torch.zeros(1, 1, POINTS)
    spectrum[0, 0, 50:70] = 0.01 / 20
    parts = Parts(hz, torch.tensor([[5.0, 60.0]]), torch.tensor([[0.2, 0.2]]), torch.zeros(1, 2), spectrum,
                  torch.tensor([[80.0]]), torch.zeros(1, 1))  # fmt: skip
    waves = torch.from_numpy(np.stack([sounded(parts, SAMPLE_RATE_HZ, seed) for seed in range(12)]))
    ends = (edges_s() * SAMPLE_RATE_HZ).round().long().tolist()
    true = torch.stack([waves[:, a:b].square().mean() for a, b in pairwise(ends)])
    assert torch.allclose(energies(parts, 0.7)[0].sum(dim=0), true, rtol=0.12, atol=1e-6)
