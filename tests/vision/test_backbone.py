"""Patch encoder: sizes, aspect, locality of the features, and one class for both kinds of backbone."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from synesthesia.core import checkpoints
from synesthesia.core.errors import UserError
from synesthesia.core.presets import VisionConfig, Weights
from synesthesia.vision.backbone import BackboneConfig, PatchEncoder, read_backbone

HALF = (0.5, 0.5, 0.5)


@pytest.fixture(scope="module")
def encoder() -> PatchEncoder:
    torch.manual_seed(0)
    backbone = BackboneConfig("mobilenetv2_100", 16, HALF, HALF, same_padding=True)
    return PatchEncoder(backbone, backbone.build(), short_side_px=256)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((1000, 700), (16, 23)), ((700, 1000), (23, 16)), ((64, 64), (16, 16)), ((4000, 200), (16, 48)),
        ((256, 256), (16, 16)),
    ],
)  # fmt: skip
def test_grid_follows_the_aspect(encoder: PatchEncoder, size: tuple[int, int], grid: tuple[int, int]) -> None:
    width, height = encoder.input_size(*size)
    assert (height // 16, width // 16) == grid


def test_encode_shapes_and_cells(encoder: PatchEncoder) -> None:
    grid = encoder.encode(noise(300, 256))
    assert grid.features.shape == (16, 19, 1280) and grid.global_feature.shape == (1280,)
    assert grid.features.dtype == torch.float32
    assert grid.cell(0, 0) == (0, 0) and grid.cell(299, 255) == (15, 18)
    with pytest.raises(UserError):
        grid.cell(300, 0)
    with pytest.raises(UserError):
        grid.cell(float("nan"), 0)


def test_the_same_photograph_gives_the_same_grid(encoder: PatchEncoder) -> None:
    first, second = (encoder.encode(noise(256, 256)) for _ in range(2))
    assert torch.equal(first.features, second.features) and first.key == second.key


def test_a_change_in_one_corner_changes_that_corner_most(encoder: PatchEncoder) -> None:
    before = noise(256, 256)
    after = before.copy()
    after.paste((0, 0, 0), (0, 0, 48, 48))
    change = (encoder.encode(after).features - encoder.encode(before).features).norm(dim=-1)
    assert change[0, 0] > 3 * change[-1, -1]


def test_transformer_backbone_by_the_same_class() -> None:
    backbone = read_backbone(
        {"architecture": "vit_small_patch14_reg4_dinov2", "pretrained_cfg": {"mean": HALF, "std": HALF}}
    )
    encoder = PatchEncoder(backbone, backbone.build(), short_side_px=224)
    grid = encoder.encode(noise(448, 224))
    assert grid.features.shape == (16, 32, 384) and grid.global_feature.shape == (384,)


def test_weights_of_another_architecture_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "mobilenetv2_100", "mean": HALF, "std": HALF}))
    save_file({"classifier.weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    monkeypatch.setattr(checkpoints, "files", lambda _: (tmp_path / "config.json", tmp_path / "model.safetensors"))
    with pytest.raises(UserError, match="asks for"):
        PatchEncoder.load(VisionConfig("mobilenetv3", Weights("vision")))
    with pytest.raises(UserError, match="lacks"):
        PatchEncoder.load(VisionConfig("mobilenetv2_100", Weights("vision")))


def test_a_window_sees_nothing_of_the_other_half(encoder: PatchEncoder) -> None:
    """The wide windows of two pictures side by side are each picture alone, whatever stands beside it."""
    left, right, other = (np.asarray(noise(512, 256))[:, :256], np.zeros((256, 256, 3)), np.full((256, 256, 3), 200))
    first, second = (
        encoder.encode(Image.fromarray(np.concatenate([left, half], axis=1).astype(np.uint8)))
        for half in (right, other)
    )
    row, col = 8, 7  # the middle of the left half
    assert first.crop_features.shape == (16, 32, 2, 1280)
    change = (
        first.crop_features[row, col, 0].float() - second.crop_features[row, col, 0].float()
    ).norm()  # a column of pixels at the seam
    assert change < 0.2 * (first.features[row, col] - second.features[row, col]).norm()


def test_textures_are_the_early_layers_of_the_whole_and_nothing_else(encoder: PatchEncoder) -> None:
    picture = noise(300, 256)
    whole, textures = encoder.encode(picture), encoder.encode_stage_maps(picture)
    assert len(textures.stage_maps) == len(whole.stage_maps) == 3
    assert all(torch.equal(one, other) for one, other in zip(textures.stage_maps, whole.stage_maps, strict=True))
    assert textures.features.shape == whole.features.shape and textures.crop_features.shape == whole.crop_features.shape
    assert not textures.features.any() and not textures.crop_features.any() and textures.key == whole.key
