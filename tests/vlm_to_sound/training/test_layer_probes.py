"""Readers of every layer of the thinker: which states they are given, and that they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.vlm_to_sound.qwen3_vl import load_tiny
from tests.vlm_to_sound.training.tiny import language_path_folder
from training.vlm_to_sound.clicked_sounds import click
from training.vlm_to_sound.layer_probes import _taught, states_of_all, taught_readers
from training.vlm_to_sound.pictures import SeenStore


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_path_folder(tmp_path_factory.mktemp("layers"))


def test_the_states_are_those_of_every_layer(folder: Path) -> None:
    thinker, store = load_tiny(folder / "thinker"), SeenStore(folder / "runs" / "seen")
    clicks = click(store, 4, np.random.default_rng(0))
    seen = [sight.seen for sight in clicks.sights]
    states = states_of_all(thinker, seen, clicks.boxes)
    assert states.shape == (3, 4, 32)
    with torch.no_grad():
        for layer in (1, -1):
            thinker.layer = layer
            assert torch.allclose(states[layer], thinker(seen, clicks.boxes).states[:, -1], atol=1e-5)
    assert (states[0] == states[0][:1]).all(), "before the first layer the click is not known"
    assert not any(module._forward_pre_hooks for module in thinker.model.language_model.layers)


def test_a_reader_learns_what_the_states_hold() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(300, 12, generator=generator) * 5 + 3
    shares = torch.eye(4)[(states[:, :4]).argmax(dim=1)]
    reader = _taught(states[:200], shares[:200], 0)
    hits = (reader(states[200:]).argmax(dim=1) == shares[200:].argmax(dim=1)).float().mean()
    assert hits > 0.85


def test_one_reader_a_layer(folder: Path) -> None:
    readers = taught_readers(load_tiny(folder / "thinker"), SeenStore(folder / "runs" / "seen"), 30, 0)
    assert [reader.weight.shape for reader in readers] == [(2, 32)] * 3
