"""Figures of the path `language`, by hand, with a fake generator."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia.image_to_sound.pipeline import ImageToSoundPipeline
from synesthesia.vision.grid import EncodedImage, PatchGrid
from synesthesia.vlm_to_sound.attention import relative_attention
from synesthesia.vlm_to_sound.generate import TAKES, GeneratedStereo, TokenGenerator
from synesthesia.vlm_to_sound.sampling import TokenSampler
from training.vlm_to_sound.evaluate import LanguageEvaluation

ROWS, COLS = 8, 12


def an_image(key: str) -> EncodedImage:
    grid = PatchGrid(torch.zeros(ROWS, COLS, 4), torch.zeros(4), torch.zeros(ROWS, COLS, 2, 4), 120, 80, key)
    return EncodedImage(Image.new("RGB", (120, 80)), key, grid)


class Generator:
    """Clicked at column c, that side is louder and leads by c, unless mono; attention is on the clicked patch."""

    def __init__(self, mono: bool = False) -> None:
        self.deaf, self.asked = mono, list[tuple[int, Any, TokenSampler]]()

    def encode(self, image: EncodedImage, row: int, col: int) -> tuple[int, int]:
        return row, col

    def generate(self, memory: tuple[int, int], grid: PatchGrid, *, seconds: float, seed: int, takes: int,
              sampler: TokenSampler, class_probs: torch.Tensor) -> GeneratedStereo:  # fmt: skip
        self.asked.append((takes, class_probs, sampler))
        side = 0.0 if self.deaf else (memory[1] + 0.5) / grid.cols - 0.5
        attention = np.zeros((grid.rows, grid.cols), np.float32)
        attention[memory] = 1.0
        ears = np.array([[1.0 - side], [1.0 + side]], np.float32) * np.ones((2, 50), np.float32)
        return GeneratedStereo(ears, np.zeros((2, 4, 3), np.int64), attention, -1e-4 if self.deaf else side * 1e-3, 0)


def the_rows(generator: Generator) -> LanguageEvaluation:
    voices = torch.arange(ROWS * COLS)[:, None].float()
    hearing = SimpleNamespace(class_probs=lambda grid, row, col: voices[row * COLS + col])
    return LanguageEvaluation(
        cast(TokenGenerator, generator), cast(ImageToSoundPipeline, hearing), [an_image("a"), an_image("b")], 2.0
    )


def test_the_louder_ear_is_that_of_the_clicked_side() -> None:
    sides, attention = the_rows(Generator()).laterality(3.0)
    assert (sides.louder.value, sides.louder.n, sides.leads.value) == (1.0, 4, 1.0)
    assert sides.difference_db == pytest.approx(20 * np.log10(1.375 / 0.625), rel=1e-4)
    assert {(row, col) for _, row, col in attention} == {(4, 1), (4, 10)}


def test_attention_is_reported_for_the_sides_alone_too() -> None:
    rows = the_rows(Generator())
    assert set(rows.side_figures(3.0)) == {"sides", "attention: sides, box", "attention: sides, near"}


def test_equal_ears_agree_with_no_side() -> None:
    sides, _ = the_rows(Generator(mono=True)).laterality(3.0)
    assert sides.louder.value == 0.0 and sides.leads.value == 0.5 and sides.difference_db == 0.0


def test_a_click_at_the_centre_is_the_mean_of_both_ears() -> None:
    path = Generator()
    rows = the_rows(path)
    sounds = rows.clicks("language", 2.0)
    assert len(sounds) == 2 and torch.allclose(sounds[0], torch.ones(50))
    assert [takes for takes, *_ in path.asked] == [TAKES, TAKES]
    assert path.asked[0][1] == 4 * COLS + 6, "the take is chosen by the class probabilities of the clicked patch"
    attention = rows.attention([])
    assert set(attention) == {"middle, box", "middle, near"} and attention["middle, box"].value == ROWS * COLS


def test_each_row_uses_its_own_sampler() -> None:
    path = Generator()
    rows, names = the_rows(path), ("language_one_take", "language_plainly_guided", "language_unguided")
    for name in names:
        rows.clicks(name, 2.0)
    assert {takes for takes, *_ in path.asked} == {1} and rows.centre_sounds == []
    assert [sampling for *_, sampling in path.asked[::2]] == [
        TokenSampler(guidance=2.0), TokenSampler(guidance=2.0, no_history_share=0.0), TokenSampler(guidance=1.0)
    ]  # fmt: skip


def test_attention_is_relative_to_the_average() -> None:
    even = np.full((ROWS, COLS), 1 / (ROWS * COLS))
    assert relative_attention(even, (3, 5), 0.0) == pytest.approx(1.0) and relative_attention(
        even, (0, 0), 0.1
    ) == pytest.approx(1.0)
    there = np.zeros((ROWS, COLS))
    there[3, 5] = 1.0
    assert relative_attention(there, (3, 5), 0.0) == pytest.approx(ROWS * COLS)
    assert relative_attention(there, (3, 6), 0.0) == 0.0 and relative_attention(there, (3, 6), 0.1) > 1.0
