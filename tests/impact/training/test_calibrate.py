"""Temperatures: too sure a reading is made to doubt, and what it says first stays first."""

from __future__ import annotations

import pytest
import torch

from synesthesia.impact.physics_net import DOUBTED, PhysicsNet
from tests.impact.training.test_train import TINY, some_photos, some_scenes
from training.impact.calibrate import fit_doubts, likeliest
from training.impact.data import read_in_half
from training.impact.train import set_scales


def test_the_temperature_is_the_one_of_the_highest_score() -> None:
    assert likeliest(lambda t: -((t - 2.0) ** 2)) == pytest.approx(2.0, rel=0.07)


def test_a_reading_that_knows_nothing_but_is_sure_learns_to_doubt() -> None:
    torch.manual_seed(0)
    net, scenes = PhysicsNet(TINY).eval(), some_scenes(4)
    set_scales(net, scenes, some_photos(4))
    net.codebook.votes.copy_(torch.nn.functional.one_hot(torch.arange(TINY.codes) % 13, 13).float())
    net.codebook.log_sharpness.data.fill_(3.6)  # sure of a code by chance
    with torch.no_grad():
        net.geometry[-1].weight.mul_(30)
    views = scenes.pictures.views(torch.arange(4))
    with torch.inference_mode():
        before = read_in_half(net, views)
    told = fit_doubts(net, scenes)
    assert set(told) == set(DOUBTED) and min(told.values()) > 1.5, told
    assert net.doubts.tolist() == pytest.approx(list(told.values()))
    with torch.inference_mode():
        after = read_in_half(net, views)
    assert float(after.codes.max()) < float(before.codes.max()) - 0.1
    assert float(after.by_shape[0].max()) < float(before.by_shape[0].max()) - 0.1
    assert torch.equal(after.codes.argmax(dim=-1), before.codes.argmax(dim=-1))


def test_training_knows_no_temperatures() -> None:
    net, views = PhysicsNet(TINY).train(), some_scenes(2).pictures.views(torch.arange(2))
    told = []
    for doubt in (1.0, 5.0):
        net.doubts.fill_(doubt)
        torch.manual_seed(1)
        told.append(read_in_half(net, views).codes.detach())
    assert torch.equal(*told)
