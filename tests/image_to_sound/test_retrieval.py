"""What is remembered of sounds: descriptors, the index, the linear latents, and how clips are placed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.mel import MelPatches
from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex
from synesthesia.image_to_sound.texture_statistics import DESCRIPTOR_DIM, modulation, rhythm, texture_descriptor
from training.common.crop_placing import place_in_canvas


def knocks(period: int, frames: int = 512) -> torch.Tensor:
    mel = torch.full((frames, 64), -8.0)
    for start in range(0, frames, period):
        mel[start : start + 4] = torch.tensor([0.0, -2.0, -4.0, -6.0])[: frames - start, None]
    return mel


def test_descriptor_is_finite_and_of_one_length_for_any_clip() -> None:
    for frames in (8, 50, 300, 1024):
        assert texture_descriptor(torch.randn(frames, 64) - 5).shape == (DESCRIPTOR_DIM,)
        assert torch.isfinite(texture_descriptor(torch.full((frames, 64), -11.5))).all()


def test_descriptor_forgets_when_things_happened() -> None:
    mel = knocks(64)
    assert torch.allclose(texture_descriptor(mel)[:256], texture_descriptor(mel.roll(20, 0))[:256], atol=1e-4)


def test_rhythm_finds_the_period_of_a_clock() -> None:
    mel = knocks(50)
    assert abs(float(rhythm(mel, mel.logsumexp(dim=1))[4]) - 0.5) < 0.03


def test_modulation_tells_fast_from_slow() -> None:
    time = torch.arange(512) / 100.0
    slow = torch.sin(2 * torch.pi * 1.0 * time)[:, None].expand(-1, 64)
    fast = torch.sin(2 * torch.pi * 20.0 * time)[:, None].expand(-1, 64)
    assert modulation(slow)[0].argmax() < modulation(fast)[0].argmax()


def test_patches_bring_back_smooth_mels_and_silence() -> None:
    torch.manual_seed(0)
    smooth = torch.randn(6, 64, 64).cumsum(dim=1).cumsum(dim=2) * 0.02 - 5
    patches = MelPatches()
    patches.fit(smooth)
    latents = patches.encode(smooth)
    assert latents.shape == (6, 8, 16, 16)
    assert (patches.decode(latents) - smooth).abs().mean() < 0.15 * smooth.std()
    assert torch.allclose(latents.pow(2).mean(dim=(0, 2, 3)), torch.ones(8), atol=0.05)


def small_index() -> SoundIndex:
    points = torch.nn.functional.normalize(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    entries = tuple(IndexEntry(f"label{i % 3}", "here", f"r:{i}", "CC0") for i in range(20))
    return SoundIndex(entries, points, torch.arange(60.0).reshape(20, 3))


def test_index_draws_near_sounds_by_seed() -> None:
    index = small_index()
    near = set(index.nearest(index.embeddings[7], 5)[1].tolist())
    assert 7 in near
    first = index.sample(index.embeddings[7], 3, torch.Generator().manual_seed(1), among=5)
    again = index.sample(index.embeddings[7], 3, torch.Generator().manual_seed(1), among=5)
    assert torch.equal(first, again) and set(first.tolist()) <= near and len(set(first.tolist())) == 3
    drawn = {tuple(index.sample(index.embeddings[7], 1, torch.Generator().manual_seed(s), among=5,
    temperature=1.0).tolist())
             for s in range(20)}  # fmt: skip
    assert len(drawn) > 1


def test_index_loads_back(tmp_path: Path) -> None:
    index = small_index()
    index.save(tmp_path)
    back = SoundIndex.load(tmp_path)
    assert back.entries == index.entries
    assert torch.allclose(back.embeddings, index.embeddings, atol=2e-3)
    assert torch.equal(back.descriptors, index.descriptors)


def test_placing_keeps_the_length_and_the_clip() -> None:
    rng = np.random.default_rng(0)
    clip = np.arange(1.0, 11.0)
    assert place_in_canvas(np.arange(100.0), 30, rng).shape == (30,)
    once = place_in_canvas(clip, 40, rng, repeat=0.0)
    assert once.shape == (40,) and once.sum() == clip.sum()
    assert place_in_canvas(clip, 40, rng, repeat=1.0).sum() > clip.sum()
