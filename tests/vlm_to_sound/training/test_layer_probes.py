"""Linear probes of every layer of the thinker: the states that they read, and that they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synesthesia.vlm_to_sound.qwen3_vl import load_tiny
from training.vlm_to_sound.clicked_sounds import sample_clicks
from training.vlm_to_sound.image_dataset import FeatureStore
from training.vlm_to_sound.layer_probes import fit_probe, fit_probes, layer_states


def test_the_states_are_those_of_every_layer(folder: Path, store: FeatureStore) -> None:
    thinker = load_tiny(folder / "thinker")
    clicks = sample_clicks(store, 4, np.random.default_rng(0))
    images = [image.tower_input for image in clicks.images]
    states = layer_states(thinker, images, clicks.boxes)
    assert states.shape == (3, 4, 32)
    with torch.no_grad():
        for layer in (1, -1):
            thinker.layer = layer
            assert torch.allclose(states[layer], thinker(images, clicks.boxes).states[:, -1], atol=1e-5)
    assert (states[0] == states[0][:1]).all(), "before the first layer the click is unknown"
    assert not any(module._forward_pre_hooks for module in thinker.model.language_model.layers)


def test_a_probe_learns_what_the_states_hold() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(300, 12, generator=generator) * 5 + 3
    shares = torch.eye(4)[(states[:, :4]).argmax(dim=1)]
    probe = fit_probe(states[:200], shares[:200], 0)
    hits = (probe(states[200:]).argmax(dim=1) == shares[200:].argmax(dim=1)).float().mean()
    assert hits > 0.85


def test_one_probe_per_layer(folder: Path, store: FeatureStore) -> None:
    probes = fit_probes(load_tiny(folder / "thinker"), store, 30, 0)
    assert [probe.weight.shape for probe in probes] == [(2, 32)] * 3
