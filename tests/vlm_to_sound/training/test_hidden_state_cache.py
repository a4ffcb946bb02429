"""Cached hidden states and sounds: padded again, and independent of who computed them."""

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


def test_cached_hidden_states_are_padded_again(one: Path) -> None:
    cache = CachedHiddenStates(one)
    assert len(cache) == 16 and cache.codes.shape[:3] == (16, SMALL.sounds, 2) and cache.sounds == SMALL.sounds
    drawn = cache.draw(16, 6, np.random.default_rng(0))
    hidden = drawn.hidden_states
    assert drawn.codes.shape == (32, 2, 2, 6) and len(drawn.boxes) == len(drawn.itd_s) == 32
    assert hidden.mask[:, -1].all() and not hidden.mask.all(), "shorter prompts are padded, on the left"
    assert sorted(hidden.mask.sum(1).tolist()) == sorted(cache.lengths.tolist())
    assert not hidden.states[~hidden.mask].any() and not (hidden.image_mask & ~hidden.mask).any()
    middle = (drawn.boxes[::2, :2] + drawn.boxes[::2, 2:]) / 2
    assert torch.allclose(hidden.positions[:, -1], middle, atol=1e-2), "hidden states and boxes belong together"
    right, left = drawn.boxes[:, 0] > 0.6, drawn.boxes[:, 2] < 0.4
    assert (drawn.itd_s[right] > 0).all() and (drawn.itd_s[left] < 0).all(), "and so do the sounds"


def test_a_cached_prompt_does_not_depend_on_the_others(one: Path) -> None:
    cache = CachedHiddenStates(one)
    hidden = cache.hidden_states(torch.tensor([5, 2]))
    alone = cache.hidden_states(torch.tensor([2]))
    own = hidden.states[1][hidden.mask[1]]
    assert torch.equal(own, alone.states[0][alone.mask[0]])
    assert own.norm(dim=1).min() > 0 and len(own.unique(dim=0)) == len(own)


def test_shards_do_not_depend_on_the_process(folder: Path, store: FeatureStore, one: Path, tmp_path: Path) -> None:
    two = tmp_path
    written(folder, store, two, 1, 2)
    assert [file.name for file in sorted(two.iterdir())] == ["0001.npz"]
    written(folder, store, two, 0, 2)
    for name in ("states", "codes", "boxes", "itd_s"):
        assert torch.equal(getattr(CachedHiddenStates(one), name), getattr(CachedHiddenStates(two), name)), name


def test_without_a_cache_the_error_names_the_stage(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--stage rehearse"):
        CachedHiddenStates(tmp_path)
