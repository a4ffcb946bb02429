"""Thoughts and sounds written down once: they are what the thinker thinks, padded again, and enough to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF
from synesthesia.core.errors import UserError
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import load_tiny
from tests.vlm_to_sound.training.tiny import LABELS
from training.common.audio_data import SoundStore, read_manifest
from training.vlm_to_sound.clicked_sounds import BinauralSounds
from training.vlm_to_sound.hidden_state_cache import CacheConfig, CachedHiddenStates, cache_hidden_states
from training.vlm_to_sound.image_dataset import FeatureStore

SMALL = CacheConfig(shard=8, batch=4, seconds=0.48)


def written(folder: Path, store: FeatureStore, out: Path, rank: int = 0, processes: int = 1) -> Path:
    clips = read_manifest(folder)
    sounds = BinauralSounds(
        SoundStore(folder, clips, folder / "cache"), list(range(len(clips))), LABELS,
        SphericalHarmonicHRTF.load(folder / "head"), MelTokens.load(folder / "tokens"), np.random.default_rng(0),
    )  # fmt: skip
    thinker = load_tiny(folder / "thinker").eval()
    cache_hidden_states(thinker, store, sounds, out, 16, 3, rank, processes, SMALL)
    return out


@pytest.fixture(scope="module")
def one(folder: Path, store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shards of one process."""
    return written(folder, store, tmp_path_factory.mktemp("hidden_states"))


def test_what_was_thought_comes_back_padded(one: Path) -> None:
    known = CachedHiddenStates(one)
    assert len(known) == 16 and known.codes.shape[:3] == (16, SMALL.sounds, 2) and known.sounds == SMALL.sounds
    drawn = known.draw(16, 6, np.random.default_rng(0))
    thought = drawn.hidden_states
    assert drawn.codes.shape == (32, 2, 2, 6) and len(drawn.boxes) == len(drawn.itd_s) == 32
    assert thought.mask[:, -1].all() and not thought.mask.all(), "shorter prompts are padded, on the left"
    assert sorted(thought.mask.sum(1).tolist()) == sorted(known.lengths.tolist())
    assert not thought.states[~thought.mask].any() and not (thought.image_mask & ~thought.mask).any()
    middle = (drawn.boxes[::2, :2] + drawn.boxes[::2, 2:]) / 2
    assert torch.allclose(thought.positions[:, -1], middle, atol=1e-2), "thoughts and boxes belong together"
    right, left = drawn.boxes[:, 0] > 0.6, drawn.boxes[:, 2] < 0.4
    assert (drawn.itd_s[right] > 0).all() and (drawn.itd_s[left] < 0).all(), "and so do the sounds"


def test_it_is_what_the_thinker_thinks(one: Path) -> None:
    known = CachedHiddenStates(one)
    thought = known.hidden_states(torch.tensor([5, 2]))
    alone = known.hidden_states(torch.tensor([2]))
    own = thought.states[1][thought.mask[1]]
    assert torch.equal(own, alone.states[0][alone.mask[0]])
    assert own.norm(dim=1).min() > 0 and len(own.unique(dim=0)) == len(own)


def test_shards_do_not_depend_on_who_writes_them(folder: Path, store: FeatureStore, one: Path, tmp_path: Path) -> None:
    two = tmp_path
    written(folder, store, two, 1, 2)
    assert [file.name for file in sorted(two.iterdir())] == ["0001.npz"]
    written(folder, store, two, 0, 2)
    for name in ("states", "codes", "boxes", "itd_s"):
        assert torch.equal(getattr(CachedHiddenStates(one), name), getattr(CachedHiddenStates(two), name)), name


def test_without_any_the_person_is_told_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--stage rehearse"):
        CachedHiddenStates(tmp_path)
