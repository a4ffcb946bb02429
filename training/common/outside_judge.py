"""Outside judge: YAMNet (Google, Apache-2.0), a public AudioSet tagger that was trained on none of the project's data.

It is used for measuring alone: nothing is trained on its scores, no sound is selected by them, and it is never
shipped. The data folder holds `judges/yamnet.tflite` and `judges/yamnet_class_map.csv`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from synesthesia.core.errors import UserError

MODEL_FILE = "judges/yamnet.tflite"
CLASS_FILE = "judges/yamnet_class_map.csv"
RATE_HZ = 16_000
WINDOW = 15_600  # samples that the network hears at once, 0.975 s
HOP = WINDOW // 2


class Interpreter(Protocol):
    """The part of a tflite interpreter that the judge needs."""

    def allocate_tensors(self) -> None: ...
    def get_input_details(self) -> list[dict[str, Any]]: ...
    def get_output_details(self) -> list[dict[str, Any]]: ...
    def set_tensor(self, tensor_index: int, value: np.ndarray) -> None: ...
    def invoke(self) -> None: ...
    def get_tensor(self, tensor_index: int) -> np.ndarray: ...


class OutsideJudge:
    """Scores of AudioSet classes for a sound. names: the classes' display names, in the order of the scores."""

    rate_hz = RATE_HZ

    def __init__(self, interpreter: Interpreter, names: tuple[str, ...]) -> None:
        self.names, self._interpreter = names, interpreter
        interpreter.allocate_tensors()
        details = interpreter.get_input_details()[0]
        self._input, self._shape = int(details["index"]), tuple(details["shape"])
        self._output = int(interpreter.get_output_details()[0]["index"])

    @classmethod
    def load(cls, data: Path, threads: int = 1) -> OutsideJudge:
        """data: the data folder. Raises UserError where the files or the package ai-edge-litert are missing."""
        model = data / MODEL_FILE
        if not model.is_file():
            raise UserError(f"The outside judge needs {MODEL_FILE} in the data folder ({data}).")
        try:
            from ai_edge_litert.interpreter import Interpreter as TfliteInterpreter
        except ImportError:
            raise UserError(
                "The outside judge needs ai-edge-litert: pip install -r training/requirements.txt."
            ) from None
        return cls(TfliteInterpreter(model_path=str(model), num_threads=threads), class_names(data))

    def scores(self, waveform: Tensor) -> Tensor:
        """(521,) mean of the windows' scores. waveform: (n,) float at 16 kHz in [-1, 1]; windows overlap by half, a
        sound shorter than a window is padded with zeros."""
        assert waveform.ndim == 1, f"one channel expected, got {tuple(waveform.shape)}"
        return torch.from_numpy(np.mean([self._window_scores(window) for window in windows(waveform.numpy())], axis=0))

    def _window_scores(self, window: np.ndarray) -> np.ndarray:
        self._interpreter.set_tensor(self._input, window.reshape(self._shape))
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._output), dtype=np.float32).reshape(-1)


def windows(samples: np.ndarray) -> np.ndarray:
    """(windows, 15600) float32; what is left at the end, less than half a window, isn't heard."""
    samples = np.pad(samples.astype(np.float32), (0, max(0, WINDOW - len(samples))))
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP])


def class_names(data: Path) -> tuple[str, ...]:
    """The display names of the 521 classes, by index."""
    file = data / CLASS_FILE
    if not file.is_file():
        raise UserError(f"The outside judge needs {CLASS_FILE} in the data folder ({data}).")
    with file.open(newline="", encoding="utf-8") as stream:
        return tuple(row["display_name"] for row in csv.DictReader(stream))
