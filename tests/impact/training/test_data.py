"""Cached features: batches, weights, flips, and the files they are read from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.impact.training.synthetic import CHANNELS, DIM, KINDS, named_features, some_photos, some_scenes
from training.impact.data import (
    CELLS,
    FeatureSet,
    PhotoData,
    cell_weights,
    centre_weights,
    mirror,
    read_photos,
    read_scenes,
)
from training.impact.features import save
from training.impact.photo_manifest import TRAINING_SOURCES, Photo, Source, subsample_per_material
from training.impact.trainer import ImpactTrainOptions, net_config, read_training_data, sample_late_rows


def test_half_the_weight_is_by_area_and_half_by_object() -> None:
    object_at = torch.full((1, CELLS**2), -1)
    object_at[0, :30], object_at[0, 30:40] = 0, 1  # a large and a small object
    weights = cell_weights(object_at)[0]
    assert abs(float(weights.sum()) - 1.0) < 1e-5
    assert abs(float(weights[:30].sum()) - (0.5 * 30 / 40 + 0.25)) < 1e-5
    assert float(weights[40:].sum()) == 0.0
    assert int(centre_weights().argmax()) in (119, 120, 135, 136) and abs(float(centre_weights().sum()) - 1.0) < 1e-5


def test_a_mirrored_picture_has_mirrored_labels() -> None:
    scenes = some_scenes(2)
    at, mirrored = torch.arange(2), torch.tensor([True, False])
    plain, flipped = scenes.pictures.views(at), scenes.pictures.views(at, mirrored)
    labels = mirror(scenes.object_at, mirrored)
    assert labels[0, 100] == scenes.object_at[0, 100 // CELLS * CELLS + CELLS - 1 - 100 % CELLS]
    assert torch.equal(labels[1], scenes.object_at[1]) and torch.equal(flipped.features[1], plain.features[1])
    named = flipped.features.float().argmax(dim=-1)[labels >= 0] % KINDS
    assert torch.equal(named, scenes.objects[labels[labels >= 0], 1].long())


def test_caches_are_read_with_each_object_in_its_own_scene(tmp_path: Path) -> None:
    scenes = some_scenes(3)
    for shard, rows in enumerate((slice(0, 2), slice(2, 3))):
        own = (scenes.objects[:, 0] >= rows.start) & (scenes.objects[:, 0] < rows.stop)
        objects = scenes.objects[own].numpy().copy()
        objects[:, 0] -= rows.start
        number = np.where(scenes.object_at[rows] >= 0, scenes.object_at[rows] % 2 + 1, 0)
        of = scenes.pictures
        part = FeatureSet(
            of.features[rows], of.crop_features[rows], tuple(layer[rows] for layer in of.stage_maps), of.late[rows]
        )
        labels = {"thing": number.astype(np.uint8), "place": np.zeros((len(number), CELLS**2, 2), np.uint8)}
        save(tmp_path / f"scenes-0000{shard}-0.npz", part, {**labels, "things": objects, "split": np.array("train")})
    read = read_scenes(tmp_path, "train")
    assert torch.equal(read.object_at, scenes.object_at) and torch.equal(read.objects, scenes.objects)
    assert torch.equal(read.pictures.features, scenes.pictures.features)
    photos = some_photos(3)
    cache(photos, tmp_path / "photos-trashnet-val.npz")
    assert torch.equal(read_photos(tmp_path, ("trashnet", "caltech101"), "val").material, photos.material)
    for source, count in (("trashnet", 3), ("caltech101", 2)):
        cache(some_photos(count), tmp_path / f"photos-{source}-train.npz")
    choices: tuple[tuple[Source, ...], ...] = (TRAINING_SOURCES, ("caltech101",), ("trashnet", "tiny-imagenet"))
    counts = [
        len(read_training_data(ImpactTrainOptions(tmp_path, tmp_path, sources=sources))[1]) for sources in choices
    ]
    assert counts == [5, 2, 3], "the requested sources that are cached"


def cache(photos: PhotoData, path: Path) -> None:
    save(path, photos.pictures, {"material": photos.material.numpy(), "weight": photos.weight.numpy()})


def test_many_small_pictures_are_subsampled_per_material() -> None:
    kinds = [("vase", 0, 0.5)] * 3 + [("bottle", 0, 1.0)] * 5 + [("glass", 0, 1.0)] * 2 + [("book", 1, 0.5)]
    photos = [
        Photo("tiny.tar", str(k), "tiny-imagenet", label, material, weight, "train")
        for k, (label, material, weight) in enumerate(kinds)
    ]
    kept = [photo.member for photo in subsample_per_material(photos, 5)]
    assert kept == ["3", "4", "5", "8", "9", "10"], "uncertain vases give way, bottle and glass come equally often"


def test_pictures_without_late_layers_get_none_or_another_ones() -> None:
    whole = named_features(torch.zeros(4, CELLS**2, dtype=torch.long), 0)
    bare = named_features(torch.ones(4, CELLS**2).long(), 1)
    bare = replace(bare, features=bare.features[:0], crop_features=bare.crop_features[:0], late=torch.full((4,), -1))
    both = FeatureSet.concatenate([bare, whole])
    assert both.late.tolist() == [-1, -1, -1, -1, 0, 1, 2, 3] and len(both) == 8
    at = torch.arange(8)
    views = both.views(at)
    assert not bool(views.features[:4].any())
    assert torch.equal(views.features[4:].half(), whole.features.bfloat16().half())
    random = torch.Generator().manual_seed(0)
    assert torch.equal(sample_late_rows(both, at, 1.0, 0.0, random), both.late)
    sampled = sample_late_rows(both, at, 1.0, 1.0, random)
    assert torch.equal(sampled[4:], both.late[4:]) and bool((sampled[:4] >= 0).all())
    assert sample_late_rows(both, at, 0.0, 0.0, random).tolist() == [-1] * 8
    assert torch.equal(both.views(at, late=sampled).features[0], both.features[sampled[0]].bfloat16())


def test_the_network_fits_the_features() -> None:
    config = net_config(some_scenes(2).pictures, 24)
    assert (config.feature_dim, config.early, config.width) == (DIM, CHANNELS, 24)
