"""The codec's training scripts on made-up sounds: one batch overfits, a run of a few steps saves, resumes and loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.tokens import TokenCodec, TokenCodecConfig
from synesthesia.audio.vae import MelVae, VaeConfig
from synesthesia.audio.vocoder import IstftConfig, IstftVocoder
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.discriminators import Discriminators, discriminator_loss, generator_losses
from training.audio.spectral_losses import MultiResolutionLoss
from training.audio.train_encodec import EncodecTraining, quantised
from training.audio.train_encodec import main as train_encodec
from training.audio.train_vae import VaeTraining, vae_loss
from training.audio.train_vae import main as train_vae
from training.audio.train_vocoder import VocoderTraining
from training.audio.train_vocoder import main as train_vocoder

TINY_VAE = VaeConfig(channels=(4, 4, 8), norm_groups=2)
TINY_VOCODER = IstftConfig(width=16, hidden=32, blocks=1)


def tone(samples: int) -> torch.Tensor:
    return 0.5 * torch.sin(2 * torch.pi * 440 * torch.arange(samples) / 16_000)[None].repeat(2, 1)


def test_one_batch_overfits_the_autoencoder() -> None:
    torch.manual_seed(0)
    model = MelVae(TINY_VAE.build(), -5.0, 2.5)
    mels = -5 + 2 * torch.sin(torch.arange(64) / 5).expand(2, 32, 64)
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(25):
        loss = vae_loss(model, mels, 1e-3, bf16=False)[0]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0], losses


def test_one_batch_overfits_the_vocoder() -> None:
    torch.manual_seed(0)
    vocoder, spectral = IstftVocoder(TINY_VOCODER), MultiResolutionLoss()
    optimiser = torch.optim.Adam(vocoder.parameters(), 1e-2)
    losses = []
    for _ in range(50):
        loss, _ = spectral(vocoder(spectral.log_mel(tone(4800))), tone(4800))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0], losses


def test_the_spectral_loss_of_a_sound_with_itself_is_nothing() -> None:
    total, mel = MultiResolutionLoss()(tone(4800), tone(4800))
    assert float(total) < 1e-5 and float(mel) < 1e-5


def test_discriminators_learn_to_tell_a_tone_from_noise() -> None:
    torch.manual_seed(0)
    judges = Discriminators(widths=(4, 8))
    optimiser = torch.optim.Adam(judges.parameters(), 2e-3)
    noise = 0.3 * torch.randn(2, 3200)
    losses = []
    for _ in range(12):
        loss = discriminator_loss(judges(tone(3200)), judges(noise))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    adversarial, matching = generator_losses(judges(tone(3200)), judges(noise))
    assert adversarial.isfinite() and float(matching) > 0
    assert float(generator_losses(judges(noise), judges(noise))[1]) == 0.0


def test_quantising_passes_gradients_straight_through() -> None:
    torch.manual_seed(0)
    model = TokenCodecConfig(filters=2, hidden=4, codebooks=4, codes=16).build()
    hidden = torch.randn(2, 4, 10, requires_grad=True)
    made, commitment = quantised(model, hidden, torch.tensor([4, 2]), 0.9, np.random.default_rng(0))
    made.sum().backward()
    assert torch.equal(hidden.grad, torch.ones_like(hidden)) and float(commitment) > 0


def test_every_stage_trains_resumes_and_loads_back(tmp_path: Path) -> None:
    data, cache = tiny_sounds(tmp_path / "data"), tmp_path / "cache"
    vae = VaeTraining(
        data, tmp_path / "vae", tmp_path / "runs/vae", cache, steps=2, batch=2, frames=16, model=TINY_VAE, bf16=False
    )
    train_vae(vae)
    assert isinstance(train_vae(replace(vae, steps=3)), MelVae)  # goes on from step 2
    assert '"step": 3' in (tmp_path / "runs/vae/state.json").read_text()
    vocoder = VocoderTraining(
        data, tmp_path / "vocoder", tmp_path / "runs/vocoder", cache, vae=tmp_path / "vae", steps=3, batch=3,
        frames=24, decoded_from=0.3, adversarial_from=0.6, bf16=False, model=TINY_VOCODER,
    )  # fmt: skip
    assert isinstance(train_vocoder(vocoder), IstftVocoder)
    tokens = EncodecTraining(
        data, tmp_path / "encodec", tmp_path / "runs/encodec", cache, steps=2, batch=2, samples=3200,
        codebooks_from=0.4, model=TokenCodecConfig(filters=2, hidden=4, codebooks=4, codes=16),
    )  # fmt: skip
    assert isinstance(train_encodec(tokens), TokenCodec)
