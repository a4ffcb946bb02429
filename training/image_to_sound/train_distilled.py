"""Distil guidance and steps of the flow: one evaluation a step, 1 to 4 steps, for what twelve guided ones give.

    python -m training.image_to_sound.train_distilled --data DIR --teacher runs/flow --out checkpoints/mapper
    python -m training.image_to_sound.train_distilled --data DIR --teacher runs/flow --out runs/smoke \\
        --runs runs/smoke --minutes 0.2

The student begins as the teacher with one more input, the guidance scale (Meng et al. 2023, arXiv:2210.03142). The
teacher walks from noise to a sound in twelve guided steps; the student learns to go from one of its stations to the
next in a single step, for schedules of 4, 2 and 1 steps (Salimans and Ho 2022, arXiv:2202.00512). Part of the walks
begin where the student itself would be by then, so that it learns to mend its own errors. Resumes from --runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.tagger import AudioTagger
from synesthesia.image_to_sound.flow import MIN_REMAINING_TIME, Condition, RectifiedFlow, uniform_times
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, fit, start
from training.image_to_sound.training_sounds import ConditionSampler, load_training_sounds

TEACHER_STEPS = 12
STATIONS = 4  # of a walk, where a step of the student may begin
SCHEDULES = ((4, 0.7), (2, 0.2), (1, 0.1))  # the student's numbers of steps and how often
PER_STATION = TEACHER_STEPS // STATIONS


@dataclass(frozen=True)
class DistilTraining(TrainOptions):
    teacher: Path = Path("runs/flow")  # folder of an undistilled flow
    runs: Path = Path("runs/distilled")
    ear: Path = Path("checkpoints/ear")
    minutes: float = 25.0
    rate: float = 3e-4
    ema: float = 0.99
    seed: int = 13
    batch: int = 32
    walks: int = 384  # kept, the oldest are replaced
    new_walks: int = 6  # a step
    latent_frames: int = 64  # 2.56 s
    threads: int = 1


@dataclass(frozen=True)
class Walks:
    """stations: (W, STATIONS + 1, N, token_dim) tokens; first: (W,) int64, the first station that was recorded; the
    condition of each, and guidance (W,)."""

    stations: Tensor
    first: Tensor
    condition: Condition
    guidance: Tensor

    def __len__(self) -> int:
        return len(self.first)

    def replaced(self, other: Walks, keep: int) -> Walks:
        """With `other` added and only the last `keep` left."""
        rows = torch.arange(len(self) + len(other))[-keep:]
        joined = [torch.cat(pair)[rows] for pair in ((self.stations, other.stations), (self.first, other.first),
                                                     (self.guidance, other.guidance))]  # fmt: skip
        return Walks(joined[0], joined[1], self.condition.concat(other.condition).select(rows), joined[2])


class Walker:
    """Draws conditions as at a click, and walks from noise to a sound with the teacher."""

    def __init__(self, teacher: RectifiedFlow, sampler: ConditionSampler, frames: int, generator: torch.Generator):
        self.teacher, self.sampler, self.frames, self.generator = teacher, sampler, frames, generator
        self.times = uniform_times(TEACHER_STEPS)

    def conditions(self, count: int) -> Condition:
        """Query halfway between a training sound and a neighbour of it, the neighbour's statistics; a few unconditional
        ones."""
        index, rng = self.sampler.sounds.index, self.sampler.rng
        rows = self.sampler.draw(count)
        near = torch.from_numpy(np.array([rng.choice(self.sampler.neighbours[int(row)]) for row in rows]))
        noise = (
            torch.randn(count, index.embeddings.shape[1], generator=self.generator) / index.embeddings.shape[1] ** 0.5
        )
        query = F.normalize(index.embeddings[torch.from_numpy(rows)] + 0.4 * noise, dim=1)
        query = F.normalize(query + index.embeddings[near], dim=1)
        descriptors = index.descriptors[near]
        given = Condition.of(query, descriptors, descriptors.shape[1])
        retrieved = torch.from_numpy(rng.random(count) > 0.05)
        return replace(given, has_descriptor=retrieved)

    @torch.no_grad()
    def walk(self, student: RectifiedFlow, count: int, begin: int | None = None) -> Walks:
        """begin: the station from which the teacher walks, the student until there; drawn by default."""
        condition, rng = self.conditions(count), self.sampler.rng
        guidance = torch.from_numpy(np.where(rng.random(count) < 0.6, 3.0, rng.uniform(0.0, 6.0, count))).float()
        if begin is None:
            begin = int(rng.choice(STATIONS, p=[0.55, 0.15, 0.15, 0.15]))
        tokens = -(-self.frames // self.teacher.config.frames_per_token)
        x = torch.randn(count, tokens, self.teacher.config.token_dim, generator=self.generator)
        stations = [x]
        for station in range(STATIONS):
            times = self.times[station * PER_STATION : (station + 1) * PER_STATION + 1]
            if station < begin:
                x, _ = student.walk(x, condition, [times[0], times[-1]], guidance)
            else:
                x, _ = self.teacher.walk(x, condition, times, guidance)
            stations.append(x)
        return Walks(torch.stack(stations, dim=1), torch.full((count,), begin), condition, guidance)


def distillation_loss(student: RectifiedFlow, walks: Walks, rows: Tensor, steps: int, station: int) -> Tensor:
    """Mean squared error of the student's single step from `station`, in the units of the flow's velocity loss."""
    stride = STATIONS // steps
    now, then = station / STATIONS, (station + stride) / STATIONS
    x, target = walks.stations[rows, station], walks.stations[rows, station + stride]
    wanted = x + (target - x) * ((1.0 - now) / (then - now))  # the clean tokens that lead to the target
    t = torch.full((len(rows),), now)
    predicted = student(x, t, walks.condition.select(rows), walks.guidance[rows]).float()
    return ((predicted - wanted) / max(1.0 - now, MIN_REMAINING_TIME)).square().mean() * (then - now)


def begin_student(teacher: RectifiedFlow) -> RectifiedFlow:
    """The teacher's weights with a guidance input that has no effect yet."""
    student = RectifiedFlow(replace(teacher.config, distilled=True))
    student.load_state_dict(teacher.state_dict(), strict=False)
    return student


@torch.no_grad()
def endpoint_error(student: RectifiedFlow, walks: Walks, steps: int) -> float:
    """Mean absolute difference of the student's and the teacher's sounds from the same noise, in token units."""
    rows = (walks.first == 0).nonzero()[:, 0]
    x, condition, guidance = walks.stations[rows, 0], walks.condition.select(rows), walks.guidance[rows]
    x, _ = student.walk(x, condition, uniform_times(steps), guidance)
    return float((x - walks.stations[rows, -1]).abs().mean())


def main(config: DistilTraining) -> RectifiedFlow:
    """Train, resume if `runs` holds a state, save to `out`; returns the student loaded back."""
    accelerator, rng = start(config.seed, cpu=True)
    torch.set_num_threads(config.threads)
    sounds = load_training_sounds(config.data, config.cache, AudioTagger.load(config.ear), config.limit)
    teacher = RectifiedFlow.load(config.teacher)
    assert not teacher.config.distilled, f"{config.teacher} holds a flow that is distilled already"
    student = begin_student(teacher).train()
    generator = torch.Generator().manual_seed(config.seed)
    sampler = ConditionSampler(sounds, rng)
    walker = Walker(teacher, sampler, config.latent_frames, generator)
    same = ConditionSampler(sounds, np.random.default_rng(3), sampler.neighbours)  # draws in every run
    fixed = Walker(teacher, same, config.latent_frames, torch.Generator().manual_seed(3)).walk(student, 24, begin=0)
    walks = walker.walk(student, config.batch)
    schedules, shares = [steps for steps, _ in SCHEDULES], [share for _, share in SCHEDULES]

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        nonlocal walks
        with torch.autocast("cpu", dtype=torch.bfloat16):
            walks = walks.replaced(walker.walk(student, config.new_walks), config.walks)
        steps = int(rng.choice(schedules, p=shares))
        station = int(rng.integers(steps)) * (STATIONS // steps)
        usable = (walks.first <= station).nonzero()[:, 0].numpy()
        rows = torch.from_numpy(rng.choice(usable, size=config.batch))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = distillation_loss(student, walks, rows, steps, station)
        return loss, {"loss": loss}

    def check() -> dict[str, float]:
        save(student, config)
        return {f"error_{steps}": endpoint_error(student, fixed, steps) for steps in schedules}

    learner = Learner(student, all_parameters(student, config.rate), betas=(0.9, 0.97))
    fit(config.frame(save_every=200), learner, step_loss, on_check=check,
        generators={"rng": rng, "noise": generator}, accelerator=accelerator)  # fmt: skip
    if accelerator.is_main_process:
        save(student, config)
    accelerator.wait_for_everyone()
    return RectifiedFlow.load(config.out)


def save(student: RectifiedFlow, config: DistilTraining) -> None:
    """The flow, and the teacher's transform of mel patches beside it."""
    student.save(config.out)
    patches = config.teacher / "patches.safetensors"
    if patches.is_file() and config.teacher.resolve() != config.out.resolve():
        save_file(load_file(patches), config.out / patches.name)


if __name__ == "__main__":
    run(main, DistilTraining, __doc__)
