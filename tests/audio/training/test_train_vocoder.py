"""The vocoder's training on made-up sounds: losses, batches, a run that saves and loads back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from synesthesia.audio.mel import LogMel
from synesthesia.audio.tone_noise_vocoder import ToneNoiseConfig, ToneNoiseVocoder
from synesthesia.audio.vae import MelVae, VaeConfig
from tests.audio.known_sounds import chord
from tests.training_common.tiny_sounds import tiny_sounds
from training.audio.synthetic_tones import mixture
from training.audio.tonality_targets import TonalityTargets
from training.audio.train_vocoder import WEIGHTS, VocoderTraining, losses, main
from training.audio.vocoder_batches import Shares, VocoderBatches, resampled_crops
from training.common.audio_data import SoundStore, crop_samplers

TINY = ToneNoiseConfig(width=16, hidden=32, blocks=1, last=24)


def test_one_batch_overfits() -> None:
    torch.manual_seed(0)
    vocoder, wave = ToneNoiseVocoder(TINY), chord(1.0)
    mel, targets = LogMel()(wave), TonalityTargets()(wave)
    optimiser = torch.optim.Adam(vocoder.parameters(), 1e-2)
    totals = []
    for _ in range(40):
        loss = sum(WEIGHTS[name] * value for name, value in losses(vocoder.predict(mel), targets).items())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        totals.append(float(loss.detach()))
    assert totals[-1] < 0.5 * totals[0], totals


def test_mixtures_are_tones_and_the_rest() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        tones, rest = mixture(8000, rng)
        assert tones.shape == rest.shape == (8000,) and float((tones + rest).abs().max()) <= 1.0
        assert torch.isfinite(tones).all() and torch.isfinite(rest).all()
    same = [mixture(8000, np.random.default_rng(1)) for _ in range(2)]
    assert torch.equal(same[0][0], same[1][0]) and torch.equal(same[0][1], same[1][1])


def test_batches_hold_crops_of_every_kind(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    train, _ = crop_samplers(SoundStore.open(tiny_sounds(tmp_path / "data"), tmp_path / "cache"), rng)
    batches = VocoderBatches(train, None, 4, 24, Shares(), noise=0.2, rng=rng, pool=20)
    for _ in range(8):  # until the pool is full, and beyond
        mels, targets = batches.draw()
        assert mels.shape == (4, 24, 64) and targets.tonality.shape == (4, 24, 513)
        assert torch.isfinite(mels).all() and all(torch.isfinite(x).all() for x in vars(targets).values())
    assert len(batches.pool[0]) == 20


def test_resampling_changes_the_pitch(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    train, _ = crop_samplers(SoundStore.open(tiny_sounds(tmp_path / "data"), tmp_path / "cache"), rng)
    waves = resampled_crops(train, 8, 16_000, rng)
    assert waves.shape == (8, 16_000)
    peaks = torch.fft.rfft(waves * torch.hann_window(16_000)).abs().argmax(dim=1)
    assert {300, 500}.isdisjoint(peaks.tolist())  # the pitches of the made-up tones


def test_a_run_with_round_trips_saves_and_loads_back(tmp_path: Path) -> None:
    MelVae(VaeConfig(channels=(4, 4, 8), norm_groups=2).build(), -5.0, 2.5).save(tmp_path / "vae")
    config = VocoderTraining(
        tiny_sounds(tmp_path / "data"), tmp_path / "vocoder", tmp_path / "runs", tmp_path / "cache",
        vae=tmp_path / "vae", steps=3, batch=3, frames=24, bf16=False, model=TINY,
    )  # fmt: skip
    assert isinstance(main(config), ToneNoiseVocoder)
    log = [json.loads(line) for line in (tmp_path / "runs/log.jsonl").read_text().splitlines()]
    assert any("offset" in line for line in log) and json.loads((tmp_path / "runs/state.json").read_text())["step"] == 3
