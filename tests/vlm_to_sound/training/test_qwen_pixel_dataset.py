"""Pictures for a thinker from the hub: pixels, class probabilities and labels move together, cell by cell, and the
model's own processor leaves them unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.region_inputs import PIXELS
from training.common.patch_features import Targets
from training.common.pictures import Picture
from training.vlm_to_sound.clicked_sounds import sample_clicks
from training.vlm_to_sound.image_dataset import PRIOR_WEIGHT
from training.vlm_to_sound.qwen_pixel_dataset import (
    CELL_PX,
    LONG,
    SHORT,
    PixelImage,
    PixelStore,
    cells_of,
    resize_to_cells,
    write_pixels,
)

SIZES = ((64, 64), (160, 240), (300, 90))  # height and width of pictures, pixels


def processor(patch: int = 16) -> Qwen2VLImageProcessor:
    size = {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1]}
    return Qwen2VLImageProcessor(patch_size=patch, merge_size=2, image_mean=[0.5] * 3, image_std=[0.5] * 3, size=size)


def image(rows: int, cols: int, first: int = 0, label: int = 0) -> PixelImage:
    """Cells with their own number in every pixel and class; labels of 250 classes."""
    numbers = first + torch.arange(rows * cols).reshape(rows, cols)
    labels = torch.zeros(rows, cols, 250)
    labels[:, :, label] = 1.0
    pixels = numbers.repeat_interleave(CELL_PX, 0).repeat_interleave(CELL_PX, 1)[:, :, None].expand(-1, -1, 3)
    return PixelImage(pixels.to(torch.uint8), torch.eye(250)[numbers], labels, processor())


def numbers_of(one: PixelImage) -> list[list[int]]:
    """The cells' numbers; checks that pixels and class probabilities moved together."""
    found = one.class_probs.argmax(dim=2)
    assert one.shape == tuple(found.shape) and one.labels.shape == one.class_probs.shape
    spread = found.repeat_interleave(CELL_PX, 0).repeat_interleave(CELL_PX, 1)
    assert torch.equal(one.content.long(), spread[:, :, None].expand(-1, -1, 3))
    listed: list[list[int]] = found.tolist()
    return listed


def test_pictures_move_cell_by_cell() -> None:
    assert numbers_of(image(2, 3).flip()) == [[2, 1, 0], [5, 4, 3]]
    assert numbers_of(image(2, 3).transpose()) == [[0, 3], [1, 4], [2, 5]]
    both = image(4, 2, 0, label=1).concat(image(2, 3, 10, label=2))
    assert numbers_of(both) == [[2, 3, 10, 11, 12], [4, 5, 13, 14, 15]], "cropped to the centre of the higher one"
    assert both.labels.argmax(dim=2).tolist() == [[1, 1, 2, 2, 2]] * 2
    assert numbers_of(both.transpose().flip()) == [[4, 2], [5, 3], [13, 10], [14, 11], [15, 12]]


def test_the_tower_reads_every_cell_as_four_patches() -> None:
    tower_input = image(8, 9).concat(image(8, 10, 100)).tower_input
    assert (tower_input.rows, tower_input.cols) == (16, 38) and tower_input.pixels.shape == (16 * 38, 3 * 2 * 16 * 16)
    blocks = ((tower_input.pixels + 1) * 127.5).round().unflatten(0, (8 * 19, 4))
    target = torch.cat([torch.arange(72).reshape(8, 9), 100 + torch.arange(80).reshape(8, 10)], dim=1).flatten()
    assert torch.equal(blocks[:, 0, 0].long(), target) and (blocks.std(dim=(1, 2)) == 0).all()


@pytest.mark.parametrize(("rows", "cols"), [(SHORT, SHORT), (SHORT, LONG), (LONG, SHORT)])
def test_the_processor_leaves_the_largest_and_the_smallest_unchanged(rows: int, cols: int) -> None:
    one = image(rows, cols)
    for shown in (one, one.concat(one), one.concat(one).transpose()):
        assert shown.tower_input.pixels.shape[0] == 4 * shown.shape[0] * shown.shape[1]


def test_a_model_with_other_tokens_is_refused() -> None:
    one = image(SHORT, 10)
    with pytest.raises(AssertionError, match="32 px"):
        _ = PixelImage(one.content, one.class_probs, one.labels, processor(14)).tower_input


@pytest.mark.parametrize(
    ("high", "wide", "cells"),
    [(64, 64, (8, 8)), (160, 240, (8, 12)), (240, 160, (12, 8)), (100, 700, (8, 16)), (90, 89, (8, 8))],
)
def test_a_picture_is_whole_cells(high: int, wide: int, cells: tuple[int, int]) -> None:
    assert cells_of(high, wide) == cells
    pixels = np.zeros((high, wide, 3), np.uint8)
    assert resize_to_cells(pixels).size == (cells[1] * CELL_PX, cells[0] * CELL_PX)


def test_a_long_picture_is_cropped_to_its_centre() -> None:
    pixels = np.zeros((40, 200, 3), np.uint8)
    pixels[:, :80], pixels[:, 120:] = 200, 250
    cut = np.asarray(resize_to_cells(pixels))
    assert cut.shape == (256, 512, 3)
    assert (cut[:, :110] >= 195).all() and (cut[:, 160:350] <= 1).all() and (cut[:, 420:] >= 245).all()


class FakeEncoder:
    """A patch is 8 px; its feature is the mean of its pixels."""

    def encode(self, image: Image.Image) -> PatchGrid:
        pixels = torch.from_numpy(np.asarray(image).copy()).float().mean(dim=2)
        features = pixels.unflatten(1, (-1, 8)).mean(dim=2).unflatten(0, (-1, 8)).mean(dim=1)[:, :, None]
        return PatchGrid(features, features[0, 0], features[:, :, None], image.width, image.height, "")


class FakePrior:
    """The lighter, the more hiss."""

    def predict(self, grid: PatchGrid) -> FakePrior:
        light = grid.features.flatten() / 255
        self.class_probs = torch.stack([light, 1 - light], dim=1)
        return self


class FakeTargets:
    """Of the last picture a half is silence."""

    def shares(self, picture: Picture) -> Tensor:
        return torch.tensor([0.1, 0.4, 0.5] if picture.label == "2" else [1.0, 0.0, 0.0])


def pictures() -> list[Picture]:
    rng = np.random.default_rng(0)
    return [Picture(rng.integers(0, 256, (*size, 3), np.uint8), str(number), "made up", "train", "")
            for number, size in enumerate(SIZES)]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PixelStore:
    folder = tmp_path_factory.mktemp("seen_pixels")
    write_pixels(
        pictures(),
        cast(PatchEncoder, FakeEncoder()),
        cast(ImageToSoundPipeline, FakePrior()),
        cast(Targets, FakeTargets()),
        folder,
    )
    return PixelStore(folder, processor())


def test_stored_pictures_are_read_back(store: PixelStore) -> None:
    assert len(store) == 3 and [store[number].shape for number in range(3)] == [(8, 8), (8, 12), (16, 8)]
    for number, picture in enumerate(pictures()):
        one = store[number]
        assert np.array_equal(one.content.numpy(), np.asarray(resize_to_cells(picture.pixels)))
        light = one.content.float().mean(dim=2) / 255
        means = light.unflatten(1, (-1, CELL_PX)).mean(dim=2).unflatten(0, (-1, CELL_PX)).mean(dim=1)
        assert torch.allclose(one.class_probs[:, :, 0], means, atol=1e-3), "of all patches of a cell"
        assert torch.allclose(one.class_probs.sum(dim=2), torch.ones(one.shape), atol=2e-3)
        target = torch.tensor([0.2, 0.8] if number == 2 else [1.0, 0.0])
        assert torch.allclose(one.labels, target.expand(*one.shape, 2))
    assert store.probability.sum() == pytest.approx(1.0) and store.probability[2] > store.probability[0]


def test_clicks_fall_on_cells(store: PixelStore) -> None:
    clicks = sample_clicks(store, 60, np.random.default_rng(0))
    x, y = ((clicks.boxes[:, :2] + clicks.boxes[:, 2:]) / 2).T
    for number, one in enumerate(clicks.images):
        assert isinstance(one, PixelImage)
        row, col = int(y[number] * one.shape[0]), int(x[number] * one.shape[1])
        target = PRIOR_WEIGHT * one.class_probs[row, col] + (1 - PRIOR_WEIGHT) * one.labels[row, col]
        assert torch.allclose(clicks.targets[number], target / target.sum(), atol=1e-5)
    assert len({one.shape for one in clicks.images}) > 6, "pictures and pairs of them"


def test_an_interrupted_encoding_leaves_no_index(store: PixelStore, tmp_path: Path) -> None:
    class Blind(FakeEncoder):
        def encode(self, image: Image.Image) -> PatchGrid:
            raise KeyboardInterrupt

    (tmp_path / "index.npz").touch()
    with pytest.raises(KeyboardInterrupt):
        write_pixels(
            pictures(),
            cast(PatchEncoder, Blind()),
            cast(ImageToSoundPipeline, FakePrior()),
            cast(Targets, FakeTargets()),
            tmp_path,
        )
    assert not (tmp_path / "index.npz").exists()
