"""Inputs of the thinker, and its attention resampled onto the photograph's patches."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor

from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vlm_to_sound.region_inputs import PIXELS, FeatureRegionInputs, PixelRegionInputs, area_resample


def grid(rows: int, cols: int, width_px: int = 0, height_px: int = 0) -> PatchGrid:
    features = torch.zeros(rows, cols, 4)
    return PatchGrid(features, features[0, 0], torch.zeros(rows, cols, 2, 4), width_px or 10 * cols,
                     height_px or 10 * rows, "made up")  # fmt: skip


def test_attention_is_split_by_area() -> None:
    looks, edges = torch.tensor([0.4, 0.0, 0.0, 0.6]), torch.tensor([0.0, 1.5, 3.0])
    found = area_resample(looks, edges, edges, grid(3, 3))
    by_hand = torch.tensor([[4, 2, 0], [2, 1, 0], [0, 0, 0]]) / 9 * 0.4
    by_hand += torch.tensor([[0, 0, 0], [0, 1, 2], [0, 2, 4]]) / 9 * 0.6
    assert torch.allclose(found, by_hand, atol=1e-6)


@pytest.mark.parametrize(("rows", "cols"), [(4, 6), (5, 6), (4, 7), (5, 7), (3, 1)])
def test_an_odd_last_row_or_column_loses_nothing(rows: int, cols: int) -> None:
    down, across = (rows + 1) // 2, (cols + 1) // 2
    for token in range(down * across):
        looks = torch.zeros(down * across)
        looks[token] = 1.0
        found = FeatureRegionInputs().to_patches(looks, grid(rows, cols))
        top, left = 2 * (token // across), 2 * (token % across)
        inside = found[top : top + 2, left : left + 2]
        assert found.shape == (rows, cols) and torch.allclose(inside, torch.full_like(inside, 1 / inside.numel()))
        assert float(found.sum()) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def pixels() -> PixelRegionInputs:
    size = {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1]}
    return PixelRegionInputs(Qwen2VLImageProcessor(size=size, patch_size=16, merge_size=2))


@pytest.mark.parametrize("size", [(451, 300), (64, 64), (3000, 2000), (320, 16), (16, 320), (512, 512)])
def test_the_pixels_own_tokens_cover_the_whole_photograph(pixels: PixelRegionInputs, size: tuple[int, int]) -> None:
    photo = grid(16, 24, *size)
    seen, box = pixels.prepare(EncodedImage(Image.effect_noise(size, 60).convert("RGB"), "", photo), 4, 12)
    assert seen.pixels.shape == (seen.rows * seen.cols, 3 * 2 * 16 * 16)
    assert seen.rows * seen.cols * 256 <= PIXELS[1]
    x1, y1, x2, y2 = photo.box(4, 12)
    assert torch.allclose(box[0], torch.tensor([x1 / size[0], y1 / size[1], x2 / size[0], y2 / size[1]]))
    tokens = seen.rows * seen.cols // 4
    even = pixels.to_patches(torch.full((tokens,), 1 / tokens), photo)
    assert even.shape == (16, 24) and torch.allclose(even, torch.full((16, 24), 1 / 384), rtol=1e-3)


def test_attention_to_one_token_lies_on_the_patches_it_shows(pixels: PixelRegionInputs) -> None:
    """A white spot: the token that holds it, found by its pixels, maps to the patches of the spot."""
    photo, picture = grid(16, 24, 480, 320), Image.new("RGB", (480, 320))
    picture.paste((255, 255, 255), photo.box(5, 18))
    seen, _ = pixels.prepare(EncodedImage(picture, "", photo), 0, 0)
    bright = seen.pixels.mean(dim=1).unflatten(0, (-1, 4)).mean(dim=1)  # a token is four patches in a row
    looks = (bright - bright.min()) / (bright - bright.min()).sum()
    found = pixels.to_patches(looks, photo)
    row, col = divmod(int(found.argmax()), 24)
    assert abs(row - 5) <= 1 and abs(col - 18) <= 1
    assert float(found[4:7, 17:20].sum()) > 0.7 and float(found.sum()) == pytest.approx(1.0, abs=1e-5)


def test_the_processor_is_loaded_with_the_studios_sizes(tmp_path, pixels: PixelRegionInputs) -> None:
    Qwen2VLImageProcessor(patch_size=16, size={"shortest_edge": 99, "longest_edge": 1e9}).save_pretrained(tmp_path)
    loaded = PixelRegionInputs.load(str(tmp_path), "main")
    assert isinstance(loaded.processor, type(AutoImageProcessor.from_pretrained(tmp_path)))
    size = loaded.processor.size
    assert (size["shortest_edge"], size["longest_edge"]) == PIXELS and loaded.processor.patch_size == 16
