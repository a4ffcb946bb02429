"""Temperature scaling: overconfident posteriors become less confident, and their ranking stays."""

from __future__ import annotations

import pytest
import torch

from synesthesia.impact.physics_net import CALIBRATED, PhysicsNet
from tests.impact.training.synthetic import TINY, net_for, some_photos, some_scenes
from training.impact.calibrate import best_temperature, fit_temperatures
from training.impact.data import forward_bf16


def test_the_best_temperature_has_the_highest_score() -> None:
    assert best_temperature(lambda t: -((t - 2.0) ** 2)) == pytest.approx(2.0, rel=0.07)


def test_an_overconfident_net_gets_high_temperatures() -> None:
    scenes = some_scenes(4)
    net = net_for(scenes, some_photos(4)).eval()
    net.codebook.material_shares.copy_(torch.nn.functional.one_hot(torch.arange(TINY.codes) % 13, 13).float())
    net.codebook.log_sharpness.data.fill_(3.6)  # confident of a random code
    with torch.no_grad():
        net.geometry[-1].weight.mul_(30)
    views = scenes.pictures.views(torch.arange(4))
    with torch.inference_mode():
        before = forward_bf16(net, views)
    fitted = fit_temperatures(net, scenes)
    assert set(fitted) == set(CALIBRATED) and min(fitted.values()) > 1.5, fitted
    assert net.temperatures.tolist() == pytest.approx(list(fitted.values()))
    with torch.inference_mode():
        after = forward_bf16(net, views)
    assert float(after.codes.max()) < float(before.codes.max()) - 0.1
    assert float(after.by_shape[0].max()) < float(before.by_shape[0].max()) - 0.1
    assert torch.equal(after.codes.argmax(dim=-1), before.codes.argmax(dim=-1))


def test_training_ignores_temperatures() -> None:
    net, views = PhysicsNet(TINY).train(), some_scenes(2).pictures.views(torch.arange(2))
    codes = []
    for temperature in (1.0, 5.0):
        net.temperatures.fill_(temperature)
        torch.manual_seed(1)
        codes.append(forward_bf16(net, views).codes.detach())
    assert torch.equal(*codes)
