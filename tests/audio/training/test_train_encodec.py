"""EnCodec's training on made-up sounds: straight-through gradients, a run of a few steps saves and loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.tokens import TokenCodec, TokenCodecConfig
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.train_encodec import EncodecTraining, main, quantised

TINY = TokenCodecConfig(filters=2, hidden=4, codebooks=4, codes=16)


def test_quantising_passes_gradients_straight_through() -> None:
    torch.manual_seed(0)
    model = TINY.build()
    hidden = torch.randn(2, 4, 10, requires_grad=True)
    quantised_frames, commitment = quantised(model, hidden, torch.tensor([4, 2]), 0.9, np.random.default_rng(0))
    quantised_frames.sum().backward()
    assert torch.equal(hidden.grad, torch.ones_like(hidden)) and float(commitment) > 0


def test_a_run_fills_the_codebooks_saves_and_loads_back(tmp_path: Path) -> None:
    config = EncodecTraining(
        tiny_sounds(tmp_path / "data"), tmp_path / "encodec", tmp_path / "runs", tmp_path / "cache", steps=2, batch=2,
        samples=3200, codebooks_from=0.4, model=TINY,
    )  # fmt: skip
    codec = main(config)
    assert isinstance(codec, TokenCodec) and codec.model.quantizer.layers[0].codebook.embed.abs().sum() > 0
