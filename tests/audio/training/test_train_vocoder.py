"""The vocoder's losses, discriminators and training on made-up sounds."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from synesthesia.audio.vae import MelVae, VaeConfig
from synesthesia.audio.vocoder import IstftConfig, IstftVocoder
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.discriminators import Discriminators, discriminator_loss, generator_losses
from training.audio.spectral_losses import MultiResolutionLoss
from training.audio.train_vocoder import VocoderTraining, main

TINY = IstftConfig(width=16, hidden=32, blocks=1)


def tone(samples: int) -> torch.Tensor:
    return 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(samples) / 16_000)[None].repeat(2, 1)


def test_one_batch_overfits() -> None:
    torch.manual_seed(0)
    vocoder, spectral = IstftVocoder(TINY), MultiResolutionLoss()
    optimiser = torch.optim.Adam(vocoder.parameters(), 2e-2)
    losses = []
    for _ in range(26):
        loss, _ = spectral(vocoder(spectral.log_mel(tone(2400))), tone(2400))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0], losses


def test_the_spectral_loss_of_a_sound_with_itself_is_zero() -> None:
    total, mel = MultiResolutionLoss()(tone(4800), tone(4800))
    assert float(total) < 1e-5 and float(mel) < 1e-5


def test_discriminators_learn_to_distinguish_a_tone_from_noise() -> None:
    torch.manual_seed(0)
    critic = Discriminators(widths=(4, 8))
    optimiser = torch.optim.Adam(critic.parameters(), 2e-3)
    noise = 0.3 * torch.randn(2, 3200)
    losses = []
    for _ in range(12):
        loss = discriminator_loss(critic(tone(3200)), critic(noise))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    adversarial, matching = generator_losses(critic(tone(3200)), critic(noise))
    assert adversarial.isfinite() and matching > 0
    assert float(generator_losses(critic(noise), critic(noise))[1]) == 0.0


def test_a_run_with_decoded_mels_and_discriminators_saves_and_loads_back(tmp_path: Path) -> None:
    MelVae(VaeConfig(channels=(4, 4, 8), norm_groups=2).build(), -5.0, 2.5).save(tmp_path / "vae")
    config = VocoderTraining(
        tiny_sounds(tmp_path / "data"), tmp_path / "vocoder", tmp_path / "runs", tmp_path / "cache",
        vae=tmp_path / "vae", steps=3, batch=3, frames=24, decoded_from=0.3, adversarial_from=0.6, bf16=False,
        model=TINY,
    )  # fmt: skip
    assert isinstance(main(config), IstftVocoder)
    log = [json.loads(line) for line in (tmp_path / "runs/log.jsonl").read_text().splitlines()]
    assert any("critic" in line for line in log) and json.loads((tmp_path / "runs/state.json").read_text())["step"] == 3
