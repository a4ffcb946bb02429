"""Clicks and their sounds, on made-up pictures, recordings and a spherical head: boxes, targets and sides."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from synesthesia.audio.mel import LogMel
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from tests.training_common.tiny_sounds import tiny_sounds
from training.common.audio_data import SoundStore, read_manifest
from training.common.patch_features import Targets
from training.common.pictures import Picture
from training.vlm_to_sound.clicked_sounds import (
    LEAD_IN,
    SPAN_DEG,
    BinauralSounds,
    Clicks,
    equalise_diffuse,
    sample_clicks,
)
from training.vlm_to_sound.image_dataset import PRIOR_WEIGHT, FeatureImage, FeatureStore, write_features

LABELS = ["hiss", "tone", "nothing"]  # there is no recording of nothing
SIZES = ((4, 6), (5, 7), (2, 2))  # rows and columns of patches


def image(rows: int, cols: int, first: int = 0, label: int = 0) -> FeatureImage:
    """Cells with their own number in every part; labels of 40 classes."""
    numbers = first + torch.arange(rows * cols)
    labels = torch.zeros(rows, cols, 40)
    labels[:, :, label] = 1.0
    merged = torch.stack([numbers, -numbers, numbers]).T.float().reshape(rows, cols, 3)
    return FeatureImage(merged, torch.eye(40)[numbers].reshape(rows, cols, 40), labels)


def numbers_of(one: FeatureImage) -> list[list[int]]:
    """The cells' numbers; checks that features and class probabilities moved together."""
    found = one.content[:, :, 0].long()
    assert torch.equal(one.class_probs.argmax(dim=2), found) and torch.equal(
        one.content[:, :, 1], -one.content[:, :, 0]
    )
    assert one.labels.shape == one.class_probs.shape
    listed: list[list[int]] = found.tolist()
    return listed


def test_flip_mirrors_left_to_right() -> None:
    assert numbers_of(image(2, 3).flip()) == [[2, 1, 0], [5, 4, 3]]


def test_transpose_swaps_rows_and_columns() -> None:
    assert numbers_of(image(2, 3).transpose()) == [[0, 3], [1, 4], [2, 5]]


def test_two_pictures_beside_each_other_keep_their_labels() -> None:
    both = image(4, 2, 0, label=1).concat(image(2, 3, 10, label=2))
    assert numbers_of(both) == [[2, 3, 10, 11, 12], [4, 5, 13, 14, 15]], "cropped to the centre of the higher one"
    assert both.labels.argmax(dim=2).tolist() == [[1, 1, 2, 2, 2]] * 2
    assert both.flip().labels.argmax(dim=2).tolist() == [[2, 2, 2, 1, 1]] * 2
    assert numbers_of(both.transpose()) == [[2, 4], [3, 5], [10, 13], [11, 14], [12, 15]], "one above the other"
    assert both.transpose().labels.argmax(dim=2).tolist() == [[1, 1], [1, 1], [2, 2], [2, 2], [2, 2]]


def test_the_tower_reads_every_cell_as_four_patches() -> None:
    tower_input = image(2, 3).concat(image(2, 1, 10)).tower_input
    assert (tower_input.rows, tower_input.cols) == (4, 8) and tower_input.pixels.shape == (32, 3)
    assert tower_input.pixels[:, 0].unflatten(0, (8, 4)).tolist() == [
        [float(n)] * 4 for n in (0, 1, 2, 10, 3, 4, 5, 11)
    ]


class FakeEncoder:
    """Features are the number of the picture, row and column."""

    def encode(self, image: Image.Image) -> PatchGrid:
        number = int(np.asarray(image)[0, 0, 0])
        rows, cols = SIZES[number]
        row, col = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
        features = torch.stack([torch.full((rows, cols), float(number)), row.float(), col.float()], dim=2)
        return PatchGrid(features, features[0, 0], features[:, :, None].repeat(1, 1, 2, 1), 1, 1, str(number))


class FakePrior:
    """Every patch has its own mixture of classes."""

    @staticmethod
    def of(number: int) -> Tensor:
        rows, cols = SIZES[number]
        return torch.rand(rows * cols, 3, generator=torch.Generator().manual_seed(number)).softmax(dim=1)

    def predict(self, grid: PatchGrid) -> FakePrior:
        self.class_probs = self.of(int(grid.key))
        return self


class FakeTargets:
    """Two pictures of hiss, one of a tone and a little of nothing; the last share is silence."""

    def shares(self, picture: Picture) -> Tensor:
        return torch.tensor([0.0, 0.6, 0.2, 0.2] if picture.label == "2" else [1.0, 0.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    pictures = [Picture(np.full((2, 2, 3), n, np.uint8), str(n), "made up", "train", "") for n in range(len(SIZES))]
    encoder, prior, targets = (
        cast(PatchEncoder, FakeEncoder()),
        cast(ImageToSoundPipeline, FakePrior()),
        cast(Targets, FakeTargets()),
    )
    folder = tmp_path_factory.mktemp("seen")
    write_features(pictures, encoder, prior, targets, folder)
    return FeatureStore(folder)


def test_stored_pictures_are_read_back(store: FeatureStore) -> None:
    assert len(store) == 3
    for number, (rows, cols) in enumerate(SIZES):
        one = store[number]
        down, across = (rows + 1) // 2, (cols + 1) // 2
        assert one.content.shape == (down, across, 9) and one.class_probs.shape == one.labels.shape == (down, across, 3)
        row, col = torch.arange(2 * down).clamp(max=rows - 1), torch.arange(2 * across).clamp(max=cols - 1)
        middles = [place.float().unflatten(0, (-1, 2)).mean(dim=1) for place in (row, col)]
        middle = torch.stack(torch.meshgrid(*middles, indexing="ij"), dim=2)
        assert torch.equal(one.content[:, :, 1:3], middle) and (one.content[:, :, 0] == number).all()
        patches = FakePrior.of(number).unflatten(0, (rows, cols))
        assert torch.allclose(one.class_probs, patches[::2, ::2], atol=1e-3)
        target = torch.tensor([0.0, 0.75, 0.25] if number == 2 else [1.0, 0.0, 0.0])
        assert torch.allclose(one.labels, target.expand(down, across, 3))


def test_pictures_of_rare_sounds_are_sampled_more_often(store: FeatureStore) -> None:
    assert store.probability.sum() == pytest.approx(1.0)
    assert store.probability[2] > store.probability[0] == pytest.approx(store.probability[1])
    assert store.probability[2] < store.probability[:2].sum()


@pytest.fixture
def clicks(store: FeatureStore) -> Clicks:
    return sample_clicks(store, 200, np.random.default_rng(0))


def test_boxes_lie_in_the_picture(clicks: Clicks) -> None:
    assert clicks.boxes.shape == (200, 4) and clicks.boxes.dtype == torch.float32
    assert (clicks.boxes >= 0).all() and (clicks.boxes <= 1).all()
    wide, high = (clicks.boxes[:, 2:] - clicks.boxes[:, :2]).T
    assert (wide > 0).all() and (high > 0).all()
    for one, width, height in zip(clicks.images, wide.tolist(), high.tolist(), strict=True):
        rows, cols = one.content.shape[:2]
        assert width <= 2.0 / cols + 1e-6 and height <= 2.0 / rows + 1e-6, "at most two cells"


def test_targets_are_those_of_the_cell_at_the_box_centre(clicks: Clicks) -> None:
    assert torch.allclose(clicks.targets.sum(dim=1), torch.ones(200))
    x, y = ((clicks.boxes[:, :2] + clicks.boxes[:, 2:]) / 2).T
    cells = set()
    for number, one in enumerate(clicks.images):
        rows, cols = one.content.shape[:2]
        row, col = int(y[number] * rows), int(x[number] * cols)
        cells.add((rows, cols, row, col))
        target = PRIOR_WEIGHT * one.class_probs[row, col] + (1 - PRIOR_WEIGHT) * one.labels[row, col]
        assert torch.allclose(clicks.targets[number], target / target.sum(), atol=1e-5)
    assert len(cells) > 60, "pictures, pairs of them, and many places"


def test_the_same_random_stream_gives_the_same_clicks(store: FeatureStore, clicks: Clicks) -> None:
    again, other = (sample_clicks(store, 200, np.random.default_rng(seed)) for seed in (0, 1))
    assert torch.equal(again.boxes, clicks.boxes) and torch.equal(again.targets, clicks.targets)
    assert not torch.equal(other.boxes, clicks.boxes)


def test_the_right_of_the_picture_is_the_right_of_the_head() -> None:
    boxes = torch.tensor([[0.9, 0.1, 1.0, 0.2], [0.0, 0.0, 0.1, 1.0], [0.4, 0.0, 0.6, 0.1]])
    azimuth = Clicks((), boxes, torch.zeros(3, 3)).azimuth_deg
    assert azimuth == pytest.approx([54.0, -54.0, 0.0], abs=1e-4)
    edges = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]])
    assert Clicks((), edges, torch.zeros(2, 3)).azimuth_deg.tolist() == [-SPAN_DEG / 2, SPAN_DEG / 2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="module")
def tokens(folder: Path) -> MelTokens:
    """Codebooks of these sounds at many levels."""
    clips = read_manifest(folder)
    store = SoundStore(folder, clips, folder / "cache")
    waves = torch.stack([torch.from_numpy(store.waveform(row)) for row in range(len(clips))])
    waves = torch.cat([waves * 10 ** (-level / 20) for level in range(0, 30, 3)])
    made = MelTokens(MelTokenConfig(codebooks=4, codes=64))
    made.fit(made.to_patches(LogMel()(waves)).flatten(0, 1), torch.Generator().manual_seed(0))
    return made


def binaural_sounds(folder: Path, tokens: MelTokens) -> BinauralSounds:
    clips = read_manifest(folder)
    rows = [row for row, clip in enumerate(clips) if clip.split == "train"]
    head = cast(SphericalHarmonicHRTF, SphereHRTF())
    store = SoundStore(folder, clips, folder / "cache")
    return BinauralSounds(store, rows, LABELS, head, tokens, np.random.default_rng(0))


def clicks_at(places: list[float], target: list[float]) -> Clicks:
    """Narrow boxes around these places, from left to right."""
    boxes = torch.tensor([[place - 0.01, 0.4, place + 0.01, 0.5] for place in places])
    return Clicks((), boxes, torch.tensor([target] * len(places)))


def test_codes_have_the_promised_shape(folder: Path, tokens: MelTokens) -> None:
    codes, itd_s = binaural_sounds(folder, tokens).render(clicks_at([0.2, 0.5, 0.7], [1.0, 0.0, 0.0]), 20 / 25)
    assert codes.shape == (3, 2, 4, 20) and codes.dtype == torch.int64 and itd_s.shape == (3,)
    for frames in (50, 100, 201):
        codes, _ = binaural_sounds(folder, tokens).render(clicks_at([0.5], [1.0, 0.0, 0.0]), frames / 25)
        assert codes.shape[3] == frames


def test_a_click_on_the_right_is_louder_and_earlier_in_the_right_ear(folder: Path, tokens: MelTokens) -> None:
    places = [0.05, 0.25, 0.5, 0.75, 0.95]
    codes, itd_s = binaural_sounds(folder, tokens).render(clicks_at(places, [1.0, 0.0, 0.0]), 1.0)
    left, right = (tokens.decode(codes[:, ear]).mean(dim=(1, 2)) for ear in (0, 1))
    louder = right - left
    assert louder[0] < louder[1] < -0.1 and louder[4] > louder[3] > 0.1 and abs(louder[2]) < 0.05
    assert (itd_s[1:] > itd_s[:-1]).all() and abs(float(itd_s[2])) < 1e-9
    assert torch.allclose(itd_s, -itd_s.flip(0), atol=1e-7)
    assert 3e-4 < float(itd_s[4]) < 6e-4, "at 54 degrees"


def test_the_itd_is_that_of_the_rendered_sounds(folder: Path, tokens: MelTokens) -> None:
    """Measured in the rendered impulse, not read from the HRTF."""
    made = binaural_sounds(folder, tokens)
    for azimuth in (-60, -20, 0, 35, 60):
        left, right = made.responses[azimuth + 60].double()
        spectrum = torch.fft.rfft(left, 1024) * torch.fft.rfft(right, 1024).conj()
        correlation = torch.fft.irfft(torch.nn.functional.pad(spectrum, (0, 15 * 512)), 16 * 1024)
        lag = int(correlation.argmax())
        lag_s = (lag if lag < 8192 else lag - 16384) / 256_000
        assert lag_s == pytest.approx(float(made.itds_s[azimuth + 60]), abs=60e-6)


def test_a_sound_keeps_its_own_spectrum() -> None:
    """By hand: the common spectrum is removed, level and time differences stay."""
    rng = np.random.default_rng(0)
    coloured = torch.from_numpy(rng.normal(size=(1, 1, 24)) * np.exp(-np.arange(24) / 4)).float()
    louder, later = torch.tensor([[[1.6, 1.6], [0.4, 0.4]]]), 3
    ears = torch.zeros(1, 2, 40)
    ears[:, 0, :24], ears[:, 1, later : later + 24] = coloured[:, 0], coloured[:, 0]
    ears = ears * louder[..., :1]
    plain = equalise_diffuse(ears)
    assert plain.shape == (1, 2, 40 + 2 * LEAD_IN)
    there, here = torch.fft.rfft(ears, 1024).abs(), torch.fft.rfft(plain, 1024).abs()
    assert torch.allclose(here.square().mean(dim=1), torch.ones(1, 513), atol=0.05), "both ears' power is flat"
    assert there.square().mean(dim=1).std() > 0.2, "it was not"
    assert torch.allclose(here[:, 0] / here[:, 1], torch.tensor(4.0), rtol=0.05)
    assert int(plain[0, 1].abs().argmax() - plain[0, 0].abs().argmax()) == later


def test_recordings_follow_the_targets(folder: Path, tokens: MelTokens) -> None:
    def spread(target: list[float]) -> Tensor:
        """How unlike the bands are: hiss is even, a tone stands out."""
        codes, _ = binaural_sounds(folder, tokens).render(clicks_at([0.5] * 8, target), 0.8)
        return tokens.decode(codes[:, 0]).std(dim=2).mean(dim=1)

    hiss, tone = spread([1.0, 0.0, 0.0]), spread([0.0, 1.0, 0.0])
    assert hiss.max() < tone.min()
    mixed = spread([0.5, 0.5, 0.0])
    middle = (hiss.max() + tone.min()) / 2
    assert 0 < int((mixed > middle).sum()) < 8
    without = spread([0.0, 0.3, 0.7])
    assert without.min() > middle, "classes without recordings are left out"
