"""The thinker with a reader of what sounds: its loss by hand, and one batch learnt by heart."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from synesthesia.vlm_to_sound.qwen3_vl import load_tiny, tiny
from synesthesia.vlm_to_sound.thinker import Thinker
from tests.vlm_to_sound.training.tiny import language_path_folder, small_config
from training.vlm_to_sound.clicked_sounds import Clicks, click
from training.vlm_to_sound.losses import DENSE, thinker_loss
from training.vlm_to_sound.pictures import WISHED, SeenStore, Shown, Sight
from training.vlm_to_sound.trainable import Reader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_path_folder(tmp_path_factory.mktemp("reader"))


@pytest.fixture
def store(folder: Path) -> SeenStore:
    return SeenStore(folder / "runs" / "seen")


@pytest.fixture
def clicks(store: SeenStore) -> Clicks:
    return click(store, 6, np.random.default_rng(0))


class Knowing(nn.Module):
    """A reader that gives these scores."""

    def __init__(self, said: Tensor, dense: Tensor) -> None:
        super().__init__()
        self.said, self.dense = said, dense

    def forward(self, clicks: Clicks) -> tuple[Tensor, Tensor]:
        return self.said, self.dense


def test_the_thinkers_loss_is_that_of_the_click_and_of_every_cell(clicks: Clicks, folder: Path) -> None:
    def wanted(sight: Shown) -> Tensor:
        assert isinstance(sight, Sight)
        return (WISHED * sight.wishes + (1 - WISHED) * sight.labels).flatten(0, 1)

    cells = torch.cat([wanted(sight) for sight in clicks.sights])
    cells = cells / cells.sum(dim=1, keepdim=True)

    def loss(said: Tensor, dense: Tensor) -> float:
        return float(thinker_loss(Knowing(said, dense), clicks))  # type: ignore[arg-type]

    def entropy(shares: Tensor) -> float:
        return float(-torch.xlogy(shares, shares).sum(dim=1).mean())

    best = loss(clicks.wanted.log().clamp(min=-50), cells.log().clamp(min=-50))
    assert best == pytest.approx(entropy(clicks.wanted) + DENSE * entropy(cells), abs=1e-4)
    even = loss(torch.zeros(6, 2), torch.zeros_like(cells))
    assert even == pytest.approx((1 + DENSE) * math.log(2), abs=1e-5)
    thinker = load_tiny(folder / "thinker")
    reader = Reader(thinker, 2)
    said, dense = reader(clicks)
    assert said.shape == (6, 2) and dense.shape == cells.shape
    with torch.no_grad():
        alone = torch.cat([reader(Clicks((sight,), clicks.boxes[[n]], clicks.wanted[[n]]))[1]
                           for n, sight in enumerate(clicks.sights)])  # fmt: skip
    assert torch.allclose(dense, alone, atol=1e-4), "in the order of the cells"


def test_the_thinker_reads_what_sounds_where(folder: Path, store: SeenStore) -> None:
    """One batch by heart: the click's own sounds from the last state."""
    torch.manual_seed(0)
    thinker: Thinker = tiny(small_config(4))
    reader, clicks = Reader(thinker, 2).train(), click(store, 6, np.random.default_rng(1))
    optimiser = torch.optim.Adam(reader.parameters(), 5e-3)
    losses = []
    for _ in range(40):
        loss = thinker_loss(reader, clicks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    with torch.no_grad():
        said = reader(clicks)[0].softmax(dim=1)
    assert losses[-1] < 0.8 * losses[0] and (said - clicks.wanted).abs().max() < 0.1, losses[::10]
