"""The index of training sounds: sampling by seed among near sounds, save and load."""

from __future__ import annotations

from pathlib import Path

import torch

from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex


def small_index() -> SoundIndex:
    points = torch.nn.functional.normalize(torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    entries = tuple(IndexEntry(f"label{i % 3}", "here", f"r:{i}", "CC0") for i in range(20))
    return SoundIndex(entries, points, torch.arange(60.0).reshape(20, 3))


def test_index_samples_near_sounds_by_seed() -> None:
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
