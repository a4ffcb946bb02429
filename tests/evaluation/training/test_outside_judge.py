"""The outside judge: windows and means with a stand-in interpreter, the real one where a data folder is given."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.core.errors import UserError
from training.common.outside_judge import CLASS_FILE, HOP, MODEL_FILE, WINDOW, OutsideJudge, class_names, windows

DATA = Path(os.environ.get("SYNESTHESIA_DATA", "-"))
needs_data = pytest.mark.skipif(not (DATA / MODEL_FILE).is_file(), reason="SYNESTHESIA_DATA names no data folder")


class MeanAndPeak:
    """An interpreter with two scores: mean and peak of the window. Keeps the shapes that it was given."""

    def __init__(self) -> None:
        self.window, self.shapes = np.zeros((1, WINDOW), np.float32), []

    def allocate_tensors(self) -> None: ...

    def get_input_details(self) -> list[dict[str, object]]:
        return [{"index": 3, "shape": np.array([1, WINDOW])}]

    def get_output_details(self) -> list[dict[str, object]]:
        return [{"index": 7, "shape": np.array([1, 2])}]

    def set_tensor(self, tensor_index: int, value: np.ndarray) -> None:
        assert tensor_index == 3
        self.window = value
        self.shapes.append((value.shape, value.dtype))

    def invoke(self) -> None: ...

    def get_tensor(self, tensor_index: int) -> np.ndarray:
        assert tensor_index == 7
        return np.array([[self.window.mean(), self.window.max()]], np.float32)


def test_windows_overlap_by_half_and_the_last_partial_one_is_left_out() -> None:
    samples = np.arange(2 * WINDOW + 10, dtype=np.float32)
    parts = windows(samples)
    assert parts.shape == (3, WINDOW) and parts.dtype == np.float32
    assert parts[:, 0].tolist() == [0, HOP, 2 * HOP]


def test_a_short_sound_is_padded_with_zeros() -> None:
    judge = OutsideJudge(MeanAndPeak(), ("mean", "peak"))
    scores = judge.scores(torch.ones(WINDOW // 4))
    assert torch.allclose(scores, torch.tensor([0.25, 1.0]))


def test_scores_are_the_mean_over_windows_in_the_interpreters_shape() -> None:
    interpreter = MeanAndPeak()
    judge = OutsideJudge(interpreter, ("mean", "peak"))
    scores = judge.scores(torch.cat([torch.ones(WINDOW), torch.zeros(WINDOW)]))
    assert torch.allclose(scores, torch.tensor([0.5, 2 / 3]), atol=1e-5)
    assert interpreter.shapes == [((1, WINDOW), np.float32)] * 3


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=MODEL_FILE):
        OutsideJudge.load(tmp_path)
    with pytest.raises(UserError, match=CLASS_FILE):
        class_names(tmp_path)


@needs_data
def test_the_real_judge_hears_silence_and_a_tone() -> None:
    judge = OutsideJudge.load(DATA)
    assert len(judge.names) == 521 and judge.names[0] == "Speech"
    assert judge.names[int(judge.scores(torch.zeros(32_000)).argmax())] == "Silence"
    tone = 0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(32_000) / judge.rate_hz)
    scores = judge.scores(tone)
    assert scores.shape == (521,) and "Silence" not in [judge.names[i] for i in scores.argsort(descending=True)[:5]]
