"""Training of the physics adapter on synthetic features that name each patch's material."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.material_codebook import MaterialCodebook
from synesthesia.impact.modal.materials import Properties
from synesthesia.impact.physics_net import SIZE
from tests.impact.training.synthetic import TINY, net_for, some_photos, some_scenes
from training.impact.codebook import CodebookEma, count_materials
from training.impact.data import CELLS, forward_bf16
from training.impact.train import PhysicsTargets, PhysicsTraining, smooth_labels, train


def test_it_learns_materials_without_their_names_and_counts_names_afterwards() -> None:
    scenes, photos = some_scenes(8), some_photos(39)
    net = net_for(scenes, photos)
    assert train(net, scenes, photos, PhysicsTraining(steps=110, scenes=1, photos=8, rate=8e-3, warm=5))
    count_materials(net, scenes, photos)
    fresh = some_photos(26, seed=9)
    posterior = forward_bf16(net, fresh.pictures.views(torch.arange(len(fresh))))
    centre = CELLS * CELLS // 2 + CELLS // 2
    predicted = (posterior.codes[:, centre].exp() @ net.codebook.material_shares).argmax(dim=1)
    assert float((predicted == fresh.material).float().mean()) > 0.8  # chance is 1/13
    assert torch.allclose(net.codebook.material_shares.sum(dim=1), torch.ones(TINY.codes), atol=1e-5)
    assert float(net.codebook.usage.sum()) == pytest.approx(1.0, abs=1e-5)


def test_an_interrupted_run_continues_to_the_same_weights(tmp_path: Path) -> None:
    scenes, photos = some_scenes(2), some_photos(2)
    config = PhysicsTraining(steps=4, scenes=1, photos=1)
    whole, first, second = (net_for(scenes, photos) for _ in range(3))
    assert train(whole, scenes, photos, config)
    assert not train(first, scenes, photos, config, tmp_path, stop_at=2)
    assert (tmp_path / "state.json").exists()
    assert train(second, scenes, photos, config, tmp_path)
    for name, value in whole.state_dict().items():
        assert torch.allclose(value, second.state_dict()[name], atol=1e-4), name


def test_the_deviation_shrinks_to_its_last_value() -> None:
    config = PhysicsTraining(steps=300)
    deviations = [config.deviation(step) for step in (0, 70, 150, 299)]
    assert deviations[0] == config.deviations[0]
    assert deviations[0] > deviations[1] > deviations[2] == pytest.approx(config.deviations[1])
    assert deviations[3] == pytest.approx(config.deviations[1])
    assert replace(config, pretrained=True).deviation(0) == config.deviations[1]


def test_a_pretrained_net_keeps_its_codebook() -> None:
    scenes, photos = some_scenes(2), some_photos(2)
    config = PhysicsTraining(steps=1, scenes=1, photos=1)
    moved = []
    for pretrained in (False, True):
        net = net_for(scenes, photos, tower=True)
        before = net.codebook.code_properties.clone()
        train(net, scenes, photos, replace(config, pretrained=pretrained))
        moved.append(float((net.codebook.code_properties - before).abs().max()))
    assert moved[1] < 0.3 * moved[0]  # one step of the moving averages


def test_a_code_is_the_mean_of_its_patches_and_an_unused_one_is_restarted() -> None:
    book = net_for(some_scenes(2), some_photos(2)).codebook
    average, random = CodebookEma(book), torch.Generator().manual_seed(0)
    target = book.standardised(Properties.of(["glass", "rubber"]))
    joint = torch.full((2, TINY.codes), -50.0)
    joint[0, 3] = joint[1, 5] = 0.0  # code 3 explains the first, code 5 the second
    for _ in range(1000):
        average.update(book, joint, target, torch.tensor([0.5, 0.5]))
    assert torch.allclose(book.code_properties[[3, 5]], target, atol=1e-2)
    average.restart_unused(book, target[:1], random)
    assert torch.allclose(book.code_properties[[3, 5]], target, atol=1e-2), "a used code stays"
    assert torch.allclose(book.code_properties[0], target[0])


def test_the_joint_prefers_the_code_with_the_right_properties() -> None:
    book = MaterialCodebook(len(MATERIALS), 4)
    book.code_properties.copy_(book.standardised(Properties.of(list(MATERIALS))))
    uniform = torch.zeros(len(MATERIALS), len(MATERIALS)).log_softmax(dim=1)
    likeliest = book.joint(uniform, book.code_properties, 0.15).argmax(dim=1)
    assert likeliest.tolist() == list(range(len(MATERIALS)))


def test_label_smoothing_bounds_the_cost_of_a_patch() -> None:
    smoothed = smooth_labels(torch.tensor([[0.0, -90.0, -90.0, -90.0]])).exp()
    assert float(smoothed.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(smoothed[0, 1]) == pytest.approx(0.005, rel=1e-3)


def test_targets_are_the_objects_own_sizes() -> None:
    scenes, photos = some_scenes(3), some_photos(2)
    targets = PhysicsTargets(scenes, net_for(scenes, photos))
    median = SIZE.quantile(targets.by_shape[0], 0.5)
    assert torch.allclose(median.log(), scenes.objects[:, 3].log(), atol=SIZE.step / 2)
