"""Patch seeds: the same for the same patch, different for a neighbour or another photograph."""

from __future__ import annotations

from synesthesia.vision.grid import patch_seed


def test_a_seed_belongs_to_a_place() -> None:
    seeds = {
        patch_seed(seed, key, row, col)
        for seed in (0, 1)
        for key in ("cat", "dog")
        for row in range(16)
        for col in range(16)
    }
    assert len(seeds) == 2 * 2 * 16 * 16 and all(0 <= seed < 2**48 for seed in seeds)
    assert patch_seed(7, "cat", 3, 4) == patch_seed(7, "cat", 3, 4)
