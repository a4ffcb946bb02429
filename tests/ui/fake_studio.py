"""The real Studio with stand-in eyes and ears: enough to drive the page in milliseconds, without weights.

A patch's "features" are its mean colour and place, its presence rises with brightness, and its sound is a decaying
tone whose pitch follows the redness and the seed. Only for tests of the page: it proves nothing about hearing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

from synesthesia import presets
from synesthesia.results import Evidence, LabelScore, Neighbour
from synesthesia.studio import Studio
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.image import picture_key

LABELS = ("rain", "dog", "clock_tick", "engine", "glass_breaking", "cat")


@dataclass(frozen=True)
class FakeEyes:
    rows: int = 16

    def encode(self, picture: Image.Image) -> PatchGrid:
        cols = max(round(self.rows * picture.width / picture.height), 1)
        colours = np.asarray(picture.resize((cols, self.rows), Image.Resampling.BOX), dtype=np.float32) / 255.0
        place = np.stack(np.meshgrid(np.linspace(0, 0.2, cols), np.linspace(0, 0.2, self.rows)), axis=-1).astype(
            np.float32
        )
        features = torch.from_numpy(np.concatenate([colours, place], axis=-1))  # (rows, cols, 5)
        return PatchGrid(
            features,
            features.mean(dim=(0, 1)),
            features[:, :, None].expand(-1, -1, 2, -1),
            picture.width,
            picture.height,
            picture_key(picture),
        )


@dataclass(frozen=True)
class FakeEars:
    delay_s: float = 0.0
    threshold: float = 0.5

    def presence_map(self, grid: PatchGrid) -> torch.Tensor:
        return (grid.features[..., :3].mean(dim=-1) * 1.5).clamp(0, 1)

    def hear(
        self,
        grid: PatchGrid,
        row: int,
        col: int,
        *,
        mapper: str,
        seconds: float,
        seed: int,
        steps: int,
        guidance: float,
    ) -> Any:
        time.sleep(self.delay_s)
        red = float(grid.features[row, col, 0])
        pitch_hz = 200.0 + 1200.0 * red + 37.0 * (seed % 20) + (300.0 if mapper == "mlp" else 0.0) + 9.0 * col
        times_s = np.arange(round(seconds * presets.SAMPLE_RATE_HZ)) / presets.SAMPLE_RATE_HZ
        noise = np.random.default_rng(seed + 1000 * row + col).standard_normal(len(times_s))
        wave = 0.4 * np.sin(2 * np.pi * pitch_hz * times_s) * np.exp(-1.5 * (times_s % 1.0)) + 0.02 * noise
        best = int(red * 5.999) + row
        labels = tuple(LabelScore(LABELS[(best + i) % len(LABELS)], 0.71 / (1 + i) ** 1.4) for i in range(5))
        neighbours = tuple(
            Neighbour(labels[0].label, 0.91 - 0.06 * i, "freesound", f"{417200 + 13 * i}", "CC0-1.0") for i in range(5)
        )
        return SimpleNamespace(
            waveform=wave.astype(np.float32)[None], sample_rate=presets.SAMPLE_RATE_HZ, presence=0.9,
            evidence=Evidence(labels, neighbours),
        )  # fmt: skip


class FakeStudio(Studio):
    """`delay_s`: how long each sound pretends to take."""

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__(presets.embedded())
        self.fake_ears = FakeEars(delay_s)

    def _eyes(self) -> Any:
        return FakeEyes()

    def _ears(self) -> Any:
        return self.fake_ears
