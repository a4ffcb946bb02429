"""Synthetic features of a few scenes and photographs, which name each patch's material or are random."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.physics_net import PhysicsNet, PhysicsNetConfig
from training.impact.data import CELLS, FeatureSet, PhotoData, SceneData
from training.impact.trainer import set_feature_scales

KINDS, REPEATS, CHANNELS = len(MATERIALS), 8, (8, 8)  # eight features name each material, because of feature dropout
DIM = KINDS * REPEATS
TINY = PhysicsNetConfig(DIM, CHANNELS, width=24, layers=1, heads=2, codes=20, code_dim=8)


def feature_set(features: Tensor, channels: tuple[int, ...], random: torch.Generator) -> FeatureSet:
    """features (N, 256, D), with random crop features and stage maps."""
    count, dim = len(features), features.shape[2]
    maps = tuple(torch.randn(count, size, n * CELLS, n * CELLS, generator=random).half()
                 for size, n in zip(channels, (2, 1), strict=True))  # fmt: skip
    crops = torch.randn(count, 5, dim, generator=random)
    return FeatureSet(features.half(), crops.half(), maps, torch.arange(count))


def named_features(material: Tensor, seed: int) -> FeatureSet:
    """material: (N, 256), -1 for nothing -> features that name it, with noise."""
    random = torch.Generator().manual_seed(seed)
    named = torch.nn.functional.one_hot(material.clamp(min=0), KINDS) * (material >= 0)[..., None]
    features = 2.0 * named.repeat(1, 1, REPEATS) + 0.1 * torch.randn(*material.shape, DIM, generator=random)
    return feature_set(features, CHANNELS, random)


def some_scenes(count: int = 12, seed: int = 0) -> SceneData:
    """Each scene: nothing at the top, one object on the left, one on the right."""
    random = np.random.default_rng(seed)
    object_at = np.full((count, CELLS, CELLS), -1)
    objects = []
    for scene in range(count):
        for side in (slice(0, 8), slice(8, 16)):
            object_at[scene, 6:, side] = len(objects)
            shape, size = int(random.integers(7)), float(np.exp(random.uniform(np.log(0.05), 0)))
            objects.append([scene, random.integers(KINDS), shape, size, 0.7, 0.4, 0.01, 0.0])
    rows = torch.tensor(np.array(objects)).float()
    at = torch.from_numpy(object_at.reshape(count, -1))
    material = torch.where(at >= 0, rows[at.clamp(min=0), 1].long(), -1)
    return SceneData(named_features(material, seed), at, torch.rand(count, CELLS**2, 2), rows)


def some_photos(count: int = 16, seed: int = 1) -> PhotoData:
    material = torch.from_numpy(np.random.default_rng(seed).integers(0, KINDS, count))
    return PhotoData(named_features(material[:, None].expand(-1, CELLS**2), seed), material, torch.ones(count))


class NoTower(torch.nn.Module):
    """In place of the texture tower, which takes nearly all the time: finds nothing in the stage maps."""

    def __init__(self) -> None:
        super().__init__()
        for level, size in enumerate(CHANNELS):
            self.register_buffer(f"scale{level}", torch.ones(size, 1, 1))

    def forward(self, stage_maps: tuple[Tensor, ...]) -> Tensor:
        return torch.zeros(len(stage_maps[0]), CELLS**2, TINY.width)


def net_for(scenes: SceneData, photos: PhotoData, tower: bool = False) -> PhysicsNet:
    torch.manual_seed(0)
    net = PhysicsNet(TINY)
    if not tower:
        net.tower = NoTower()  # type: ignore[assignment]
    set_feature_scales(net, scenes, photos)
    return net
