"""A few steps of the flow's and the perceptron's training on made-up sounds: they write what loads back, and resume."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.mel import MelPatches
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.image_to_sound.flow import FlowConfig, RectifiedFlow
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from synesthesia.image_to_sound.retrieval import SoundIndex
from tests.training_common.tiny_sounds import tiny_sounds
from training.image_to_sound import train_distilled, train_flow
from training.image_to_sound.train import write_index
from training.image_to_sound.train_mlp import train_mlp
from training.image_to_sound.training_sounds import ConditionSampler, load_training_sounds


def small(tmp_path: Path, steps: int) -> train_flow.FlowTraining:
    return train_flow.FlowTraining(
        data=tmp_path / "data",
        out=tmp_path / "out",
        ear=tmp_path / "ear",
        runs=tmp_path / "run",
        cache=tmp_path / "cache",
        steps=steps,
        minutes=5.0,
        flow=FlowConfig(width=32, depth=1, heads=2, descriptor_tokens=2),
        mel_frames_a_step=1024,
    )


def test_trainers_write_what_loads_back_and_resume(tmp_path: Path) -> None:
    data = tiny_sounds(tmp_path / "data")
    torch.manual_seed(0)
    ear = AudioTagger(AudioTaggerConfig(labels=("hiss", "tone"), widths=(8, 8, 8), depths=(1, 1, 1)))
    ear.save(tmp_path / "ear")
    assert np.isfinite(train_flow.main(small(tmp_path, 2)))
    assert np.isfinite(train_flow.main(small(tmp_path, 3)))  # goes on from step 2
    assert json.loads((tmp_path / "run" / "state.json").read_text())["step"] == 3
    assert RectifiedFlow.load(tmp_path / "out").config.width == 32

    sounds = load_training_sounds(data, tmp_path / "cache", AudioTagger.load(tmp_path / "ear"))
    write_index(sounds, tmp_path / "out")
    index = SoundIndex.load(tmp_path / "out")
    assert len(index) == 4 and {entry.label for entry in index.entries} == {"hiss", "tone"}  # training split only
    space = MelPatches()
    space.fit(ConditionSampler(sounds, np.random.default_rng(0)).mels(sounds.train, 256))
    loss = train_mlp(sounds, space, tmp_path / "out", 5.0, 0, MlpConfig(width=16, layers=1), steps=2, batch=2)
    assert np.isfinite(loss) and Mlp.load(tmp_path / "out").config.width == 16


def test_conditions_are_dropped_now_and_then_and_come_from_neighbours(tmp_path: Path) -> None:
    data = tiny_sounds(tmp_path / "data")
    ear = AudioTagger(AudioTaggerConfig(labels=("hiss", "tone"), widths=(8, 8, 8), depths=(1, 1, 1)))
    sounds = load_training_sounds(data, tmp_path / "cache", ear.eval().requires_grad_(False))
    sampler = ConditionSampler(sounds, np.random.default_rng(1))
    condition = sampler.condition(sampler.draw(400))
    dropped = (~condition.has_query & ~condition.has_descriptor).float().mean()
    assert 0.05 < float(dropped) < 0.2
    assert torch.allclose(condition.query.norm(dim=1), torch.ones(400), atol=1e-4)
    for row in sounds.train:
        assert all(
            sounds.label_of[neighbour] == sounds.label_of[row] and neighbour != row
            for neighbour in sampler.neighbours[int(row)]
        )


def test_a_student_learns_the_teachers_walks_in_fewer_steps(tmp_path: Path) -> None:
    """On a teacher of random weights: after some steps one stride of the student is nearer to the teacher's end."""
    tiny_sounds(tmp_path / "data")
    torch.manual_seed(0)
    AudioTagger(AudioTaggerConfig(labels=("hiss", "tone"), widths=(8, 8, 8), depths=(1, 1, 1))).save(tmp_path / "ear")
    teacher = RectifiedFlow(FlowConfig(width=32, depth=1, heads=2, descriptor_tokens=2))
    torch.nn.init.normal_(teacher.leave.weight, std=0.1)
    teacher.save(tmp_path / "teacher")
    config = train_distilled.DistilTraining(
        data=tmp_path / "data", out=tmp_path / "out", teacher=tmp_path / "teacher", ear=tmp_path / "ear",
        runs=tmp_path / "run", cache=tmp_path / "cache", steps=60, rate=3e-3, ema=0.0, batch=8, new_walks=2, walks=32,
        latent_frames=8,
    )  # fmt: skip
    student = train_distilled.main(config)
    sounds = load_training_sounds(config.data, config.cache, AudioTagger.load(config.ear))
    loaded = RectifiedFlow.load(config.teacher)
    sampler = ConditionSampler(sounds, np.random.default_rng(0))
    walker = train_distilled.Walker(loaded, sampler, 8, torch.Generator().manual_seed(1))
    untrained = train_distilled.begin_student(loaded).eval()
    walks = walker.walk(untrained, 32, begin=0)
    for steps in (4, 1):
        before = train_distilled.endpoint_error(untrained, walks, steps)
        assert train_distilled.endpoint_error(student, walks, steps) < 0.9 * before
