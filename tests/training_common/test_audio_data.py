"""Training sounds: the manifest, the cache, crops that come from their seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.audio.mel import LogMel
from synesthesia.core.errors import UserError
from tests.training_common.tiny_sounds import tiny_sounds
from training.common.audio_data import CropSampler, SoundStore, label_names, place_in_canvas, read_manifest


def store(tmp_path: Path) -> SoundStore:
    data = tiny_sounds(tmp_path / "data")
    return SoundStore(data, read_manifest(data), tmp_path / "cache")


def test_the_manifest_is_read(tmp_path: Path) -> None:
    clips = read_manifest(tiny_sounds(tmp_path))
    assert len(clips) == 6 and label_names(clips) == ["hiss", "tone"]
    assert [clip.split for clip in clips].count("val") == 2 and not clips[0].single_recording


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no manifest\.csv"):
        read_manifest(tmp_path)


def test_the_cache_holds_the_very_sounds_and_is_used_again(tmp_path: Path) -> None:
    first = store(tmp_path)
    wave, mel = first.waveform(0), first.mel(0)
    assert mel.shape == (len(wave) // 160, 64)
    difference = np.abs(LogMel()(torch.from_numpy(wave)[None])[0].numpy() - mel)
    assert np.median(difference) < 0.01  # 16-bit samples, half-precision mels
    for clip in first.clips:
        (tmp_path / "data" / clip.path).unlink()
    assert np.array_equal(SoundStore(tmp_path / "data", first.clips, tmp_path / "cache").waveform(0), wave)


def test_crops_come_from_their_seed_and_short_clips_stand_in_silence(tmp_path: Path) -> None:
    sounds = store(tmp_path)

    def crops(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        sampler = CropSampler(sounds, [0, 1, 3, 4], np.random.default_rng(seed))
        return sampler.mel_crops(4, 200)[0], sampler.wave_crops(4, 32_000)[0]

    assert torch.equal(crops(0)[0], crops(0)[0]) and torch.equal(crops(0)[1], crops(0)[1])
    assert not torch.equal(crops(0)[0], crops(1)[0])
    mel, wave = crops(0)
    assert mel.shape == (4, 200, 64) and wave.shape == (4, 32_000)
    assert float(wave.abs().max()) <= 1.0 and bool((wave == 0).sum(dim=1).min() > 7000)


def test_placing_keeps_the_length_and_the_clip() -> None:
    rng = np.random.default_rng(0)
    clip = np.arange(1.0, 11.0)
    assert place_in_canvas(np.arange(100.0), 30, rng).shape == (30,)
    once = place_in_canvas(clip, 40, rng, repeat=0.0)
    assert once.shape == (40,) and once.sum() == clip.sum()
    assert place_in_canvas(clip, 40, rng, repeat=1.0).sum() > clip.sum()
