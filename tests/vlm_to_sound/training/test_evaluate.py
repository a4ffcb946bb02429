"""Figures of the path `language`, by hand: a path that does as it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.ui.vlm_to_sound.attention_overlay import times_even
from synesthesia.vision.grid import PatchGrid
from synesthesia.vlm_to_sound.generate import TAKES, GeneratedStereo, Sampling, TokenGenerator
from training.vlm_to_sound.evaluate import LanguageRows

ROWS, COLS = 8, 12


def a_grid(key: str) -> PatchGrid:
    return PatchGrid(torch.zeros(ROWS, COLS, 4), torch.zeros(4), torch.zeros(ROWS, COLS, 2, 4), 120, 80, key)


class Path:
    """Clicked at column c it is louder and sooner on that side by c, unless deaf; it looks at the clicked patch."""

    def __init__(self, deaf: bool = False) -> None:
        self.deaf, self.asked = deaf, list[tuple[int, Any, Sampling]]()

    def think(self, grid: PatchGrid, row: int, col: int) -> tuple[int, int]:
        return row, col

    def speak(self, memory: tuple[int, int], grid: PatchGrid, *, seconds: float, seed: int, takes: int,
              sampling: Sampling, wanted: torch.Tensor) -> GeneratedStereo:  # fmt: skip
        self.asked.append((takes, wanted, sampling))
        side = 0.0 if self.deaf else (memory[1] + 0.5) / grid.cols - 0.5
        looks = np.zeros((grid.rows, grid.cols), np.float32)
        looks[memory] = 1.0
        ears = np.array([[1.0 - side], [1.0 + side]], np.float32) * np.ones((2, 50), np.float32)
        return GeneratedStereo(ears, np.zeros((2, 4, 3), np.int64), looks, -1e-4 if self.deaf else side * 1e-3, 0)


def the_rows(path: Path) -> LanguageRows:
    voices = torch.arange(ROWS * COLS)[:, None].float()
    hearing = SimpleNamespace(wish=lambda grid: SimpleNamespace(voices=voices))
    return LanguageRows(
        cast(TokenGenerator, path), cast(ImageToSoundPipeline, hearing), [a_grid("a"), a_grid("b")], 2.0
    )


def test_the_louder_ear_is_that_of_the_clicked_side() -> None:
    sides, looks = the_rows(Path()).sides(3.0)
    assert (sides.louder.value, sides.louder.n, sides.sooner.value) == (1.0, 4, 1.0)
    assert sides.difference_db == pytest.approx(20 * np.log10(1.375 / 0.625), rel=1e-4)
    assert {(row, col) for _, row, col in looks} == {(4, 1), (4, 10)}


def test_where_it_looks_is_told_of_the_sides_alone_too() -> None:
    rows = the_rows(Path())
    assert set(rows.side_figures(3.0)) == {"sides", "attention: sides, box", "attention: sides, near"}


def test_ears_that_are_alike_agree_with_no_side() -> None:
    sides, _ = the_rows(Path(deaf=True)).sides(3.0)
    assert sides.louder.value == 0.0 and sides.sooner.value == 0.5 and sides.difference_db == 0.0


def test_a_click_in_the_middle_is_heard_as_both_ears_together() -> None:
    path = Path()
    rows = the_rows(path)
    sounds = rows.clicks("language", 2.0)
    assert len(sounds) == 2 and torch.allclose(sounds[0], torch.ones(50))
    assert [takes for takes, *_ in path.asked] == [TAKES, TAKES]
    assert path.asked[0][1] == 4 * COLS + 6, "the take is chosen by what is wished at the clicked patch"
    attention = rows.attention([])
    assert set(attention) == {"middle, box", "middle, near"} and attention["middle, box"].value == ROWS * COLS


def test_each_row_is_sampled_as_it_says() -> None:
    path = Path()
    rows, names = the_rows(path), ("language_one_take", "language_plainly_guided", "language_unguided")
    for name in names:
        rows.clicks(name, 2.0)
    assert {takes for takes, *_ in path.asked} == {1} and rows.middles == []
    assert [sampling for *_, sampling in path.asked[::2]] == [
        Sampling(guidance=2.0), Sampling(guidance=2.0, free=0.0), Sampling(guidance=1.0)
    ]  # fmt: skip


def test_looking_is_counted_in_even_shares() -> None:
    even = np.full((ROWS, COLS), 1 / (ROWS * COLS))
    assert times_even(even, (3, 5), 0.0) == pytest.approx(1.0) and times_even(even, (0, 0), 0.1) == pytest.approx(1.0)
    there = np.zeros((ROWS, COLS))
    there[3, 5] = 1.0
    assert times_even(there, (3, 5), 0.0) == pytest.approx(ROWS * COLS)
    assert times_even(there, (3, 6), 0.0) == 0.0 and times_even(there, (3, 6), 0.1) > 1.0
