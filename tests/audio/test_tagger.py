"""The audio tagger on a tiny random configuration: shapes, unit embeddings, level invariance, save and load."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.core.errors import UserError

TINY = AudioTaggerConfig(labels=("dog", "rain", "clock_tick"), widths=(8, 8, 16), depths=(1, 1, 1))


@pytest.fixture
def tagger() -> AudioTagger:
    torch.manual_seed(0)
    return AudioTagger(TINY).eval().requires_grad_(False)


def mels(frames: int = 100) -> torch.Tensor:
    return -4 + torch.randn(2, frames, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("frames", [3, 100, 431, 1000])
def test_any_length_gives_logits_and_a_unit_embedding(tagger: AudioTagger, frames: int) -> None:
    logits, embedding = tagger(mels(frames))
    assert logits.shape == (2, 3) and embedding.shape == (2, 128)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2), atol=1e-5)


def test_the_level_does_not_matter(tagger: AudioTagger) -> None:
    assert torch.allclose(tagger(mels())[0], tagger(mels() + 2.0)[0], atol=1e-4)


def test_silence_is_heard_without_numbers_going_wrong(tagger: AudioTagger) -> None:
    assert tagger(torch.full((1, 100, 64), math.log(1e-5)))[0].isfinite().all()


def test_top_is_sorted_and_sums_to_one(tagger: AudioTagger) -> None:
    top = tagger.top_labels(mels()[:1], 5)
    scores = [score for _, score in top]
    assert {label for label, _ in top} == set(TINY.labels)
    assert scores == sorted(scores, reverse=True) and math.isclose(sum(scores), 1.0, abs_tol=1e-5)


def test_save_and_load(tagger: AudioTagger, tmp_path: Path) -> None:
    tagger.save(tmp_path)
    loaded = AudioTagger.load(tmp_path)
    assert loaded.config == TINY
    assert torch.allclose(loaded(mels())[1], tagger(mels())[1], atol=1e-2)
    (tmp_path / "config.json").unlink()
    with pytest.raises(UserError, match="incomplete"):
        AudioTagger.load(tmp_path)
