"""Setup of both impact trainings: options, data, sampling of batches, schedule and one call of `fit()`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from synesthesia.impact.physics_net import PhysicsNet, PhysicsNetConfig
from training.common.fit import Learner, Step, TrainConfig, decay_matrices, fit
from training.impact.data import FeatureSet, PhotoData, SceneData, class_weights, read_photos, read_scenes
from training.impact.photo_manifest import TRAINING_SOURCES, Source

PHOTO_WEIGHT = 0.7
OTHER_LATE = 0.5  # share of the renders without late layers of their own that get another render's
EMA = 0.998


@dataclass(frozen=True)
class ImpactTrainOptions:
    features: Path  # folder of training.impact.features
    out: Path
    runs: Path | None = None  # folder to keep the run's state in, and to resume from
    start: Path | None = None  # folder of an adapter whose weights to start from
    minutes: float = math.inf  # of this session; the schedule follows the steps
    steps: int = 4000
    shards: int = 10**6  # of renders, at most
    sources: tuple[Source, ...] = TRAINING_SOURCES  # of photographs
    width: int = PhysicsNetConfig.width  # of the transformer
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True)
class Optimisation:
    """steps: of the whole run; rate: peak learning rate, falls linearly to 2 %; warm: steps of linear warm-up."""

    steps: int = 4000
    rate: float = 1.5e-3
    decay: float = 0.05
    warm: int = 200
    seed: int = 0

    def schedule(self, progress: float) -> float:
        return min(1.0, (progress * self.steps + 1) / self.warm) * (1 - 0.98 * progress)


def read_training_data(options: ImpactTrainOptions) -> tuple[SceneData, PhotoData]:
    """Sets threads and seed, and reads the cached features."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    scenes = read_scenes(options.features, "train", options.shards)
    photos = read_photos(options.features, options.sources, "train")
    print(f"{len(scenes)} scenes with {len(scenes.objects)} objects, {len(photos)} photographs", flush=True)
    return scenes, photos


def net_config(pictures: FeatureSet, width: int) -> PhysicsNetConfig:
    """For the vision network of these features."""
    channels = tuple(layer.shape[1] for layer in pictures.stage_maps)
    return PhysicsNetConfig(pictures.features.shape[2], channels, width)


def set_feature_scales(net: PhysicsNet, scenes: SceneData, photos: PhotoData) -> None:
    """Root mean squares of the features, over renders and photographs."""

    def scale(both: list[Tensor], over: tuple[int, ...]) -> Tensor:
        squares = [part[:: max(1, len(part) // 300)].float().square().mean(dim=over) for part in both if len(part)]
        return torch.stack(squares).mean(dim=0).sqrt().clamp(min=1e-3)

    sets = (scenes.pictures, photos.pictures)
    net.feature_scale.copy_(scale([one.features for one in sets], (0, 1)))
    for level in range(len(net.config.early)):
        of_level = scale([one.stage_maps[level] for one in sets], (0, 2, 3))
        net.tower.get_buffer(f"scale{level}").copy_(of_level[:, None, None])


def sample(weights: Tensor, count: int, random: torch.Generator) -> Tensor:
    """`count` indices with replacement, with these weights."""
    return torch.multinomial(weights, count, replacement=True, generator=random)


def photo_sampling_weights(photos: PhotoData) -> Tensor:
    """(N,) rare materials and confident labels more often."""
    return class_weights(photos)[photos.material + 1] * (0.3 + 0.7 * photos.weight)


def sample_mirrored(count: int, random: torch.Generator) -> Tensor:
    return torch.rand(count, generator=random) < 0.5


def sample_late_rows(pictures: FeatureSet, at: Tensor, own: float, others: float, random: torch.Generator) -> Tensor:
    """(B,) rows of late layers for pictures `at`, -1 for none: with probability `own` their own, else with probability
    `others` another picture's. Without this, late layers would memorise rendered scenes."""
    is_own = (pictures.late[at] >= 0) & (torch.rand(len(at), generator=random) < own)
    another = torch.randint(len(pictures.features), (len(at),), generator=random)
    another = torch.where(torch.rand(len(at), generator=random) < others, another, -1)
    return torch.where(is_own, pictures.late[at], another)


def interpolate_geometric(ends: tuple[float, float], part: float) -> float:
    """From the first to the last value as part goes from 0 to 1."""
    first, last = ends
    return first * (last / first) ** min(1.0, part)


def run_fit(
    net: nn.Module, optimisation: Optimisation, step_loss: Callable[[Step], tuple[Tensor, dict[str, Tensor]]],
    random: torch.Generator, *, kept: nn.Module, runs: Path | None, minutes: float, stop_at: int | None,
) -> bool:  # fmt: skip
    """`fit()` on the CPU: a step on cached features is small. Returns whether all steps are done."""
    net.train()
    config = TrainConfig(runs, steps=optimisation.steps, ema=EMA, session_minutes=minutes, stop_at=stop_at)
    learner = Learner(net, decay_matrices(net, optimisation.rate, optimisation.decay, optimisation.schedule))
    return fit(config, learner, step_loss, kept=kept, averaged=net, generators={"random": random},
               accelerator=Accelerator(cpu=True)).done  # fmt: skip
