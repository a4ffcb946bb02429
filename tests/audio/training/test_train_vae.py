"""The autoencoder's training on made-up sounds: one batch overfits, a run of a few steps saves, resumes and loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from synesthesia.audio.vae import MelVae, VaeConfig
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.train_vae import VaeTraining, main, vae_loss

TINY = VaeConfig(channels=(4, 4, 8), norm_groups=2)


def test_one_batch_overfits() -> None:
    torch.manual_seed(0)
    model = MelVae(TINY.build(), -5.0, 2.5)
    mels = -5 + 2 * torch.sin(torch.arange(64) / 5).expand(2, 16, 64)
    optimiser = torch.optim.Adam(model.parameters(), 2e-2)
    losses = []
    for _ in range(18):
        loss = vae_loss(model, mels, 1e-3, bf16=False)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0], losses


def test_a_run_saves_resumes_and_loads_back(tmp_path: Path) -> None:
    config = VaeTraining(
        tiny_sounds(tmp_path / "data"), tmp_path / "vae", tmp_path / "runs", tmp_path / "cache", steps=2, batch=2,
        frames=16, model=TINY, bf16=False,
    )  # fmt: skip
    main(config)
    assert isinstance(main(replace(config, steps=3)), MelVae)  # continues from step 2
    assert json.loads((tmp_path / "runs/state.json").read_text())["step"] == 3


def test_refining_keeps_the_encoder_to_the_last_bit(tmp_path: Path) -> None:
    start = MelVae(TINY.build(), -5.0, 2.5)
    start.save(tmp_path / "start")
    stored = MelVae.load(tmp_path / "start")
    config = VaeTraining(
        tiny_sounds(tmp_path / "data"), tmp_path / "vae", tmp_path / "runs", tmp_path / "cache", steps=2, batch=2,
        frames=16, model=TINY, bf16=False, refine=tmp_path / "start",
    )  # fmt: skip
    refined = main(config)
    changed = {
        name for name, value in refined.state_dict().items() if not torch.equal(value, stored.state_dict()[name])
    }
    assert changed and {name.split(".")[1] for name in changed} <= {"decoder", "post_quant_conv"}
    assert refined.scaling_factor == stored.scaling_factor
