"""Waveform to latents and back on a tiny random codec: lengths, the hub's vocoder, one preset's folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import SpeechT5HifiGan

from synesthesia.audio.codec import LatentCodec
from synesthesia.audio.hifigan_vocoder import HifiGanVocoder
from synesthesia.audio.mel import LogMel
from synesthesia.audio.tone_noise_vocoder import ToneNoiseConfig, ToneNoiseVocoder
from synesthesia.audio.vae import MelVae, VaeConfig
from tests.audio.test_hifigan_vocoder import TINY_HIFIGAN


def tiny_vae() -> MelVae:
    torch.manual_seed(0)
    config = VaeConfig(channels=(4, 4, 8), norm_groups=2)
    return MelVae(config.build(), config.mel_mean, config.mel_std).eval()


def tiny_codec() -> LatentCodec:
    torch.manual_seed(1)
    return LatentCodec(
        LogMel(), tiny_vae(), ToneNoiseVocoder(ToneNoiseConfig(width=8, hidden=16, blocks=1, last=12)).eval()
    )


def noise(samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("samples", "frames"), [(640, 1), (6400, 10), (6401, 11), (16_000, 25)])
def test_a_latent_frame_covers_forty_milliseconds(samples: int, frames: int) -> None:
    codec = tiny_codec()
    latents = codec.encode(noise(samples))
    assert latents.shape == (2, 8, frames, 16) and codec.frames(samples) == frames
    waveform = codec.decode(latents)
    assert waveform.shape == (2, frames * 640)
    assert float(waveform.abs().max()) <= 1.0


def test_the_same_latents_give_the_same_samples() -> None:
    codec = tiny_codec()
    latents = codec.encode(noise(6400))
    assert torch.equal(codec.decode(latents), codec.decode(latents))


def test_the_hubs_vocoder_fits_behind_the_same_codec() -> None:
    vocoder = HifiGanVocoder(SpeechT5HifiGan(TINY_HIFIGAN).eval())
    codec = LatentCodec(LogMel(), tiny_vae(), vocoder)
    assert codec.decode(codec.encode(noise(6400))).shape == (2, 6400)


def test_from_folders(tmp_path: Path) -> None:
    codec = tiny_codec()
    codec.vae.save(tmp_path / "vae", exact=True)
    codec.vocoder.save(tmp_path / "vocoder", half=False)
    loaded = LatentCodec.from_folders(tmp_path / "vae", tmp_path / "vocoder")
    wave = noise(3200)
    assert torch.allclose(loaded.decode(loaded.encode(wave)), codec.decode(codec.encode(wave)), atol=1e-5)
