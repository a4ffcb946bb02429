"""The audio tagger's training on made-up sounds: excerpts are never silence, a run saves, resumes and loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.train_tagger import FLOOR, Excerpts, TaggerTraining, augment, main, mixup
from training.common.audio_data import SoundStore, read_manifest


def test_excerpts_fill_their_frames_and_hold_sound(tmp_path: Path) -> None:
    data = tiny_sounds(tmp_path / "data")
    clips = read_manifest(data)
    store = SoundStore(data, clips, tmp_path / "cache")
    train = [i for i, clip in enumerate(clips) if clip.split == "train"]
    mels, chosen = Excerpts(store, train, np.random.default_rng(0), 0.4).draw(40, 160)
    assert mels.shape == (40, 160, 64) and set(chosen) <= set(train)
    assert (mels.amax(dim=(1, 2)) > FLOOR + 1).all()  # never silence alone


def test_augmented_and_mixed_crops_stay_log_mels() -> None:
    rng = np.random.default_rng(0)
    mels = -5 + torch.randn(6, 160, 64)
    targets = torch.eye(6)
    mel, target = mixup(augment(mels, rng), targets, 0.5, rng)
    assert mel.shape == mels.shape and mel.isfinite().all() and mel.min() >= FLOOR
    assert torch.allclose(target.sum(dim=1), torch.ones(6))


def test_a_run_saves_resumes_and_loads_back(tmp_path: Path) -> None:
    data = tiny_sounds(tmp_path / "data")
    config = TaggerTraining(data, tmp_path / "ear", tmp_path / "runs", tmp_path / "cache", steps=2, batch=2, bf16=False)
    main(config)
    ear = main(replace(config, steps=3))  # goes on from step 2
    assert json.loads((tmp_path / "runs/state.json").read_text())["step"] == 3
    assert set(ear.labels) == {"hiss", "tone"}
