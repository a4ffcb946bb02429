"""The project's vocoder: known answers of the shipped weights on noise, chords, glides and clicks; shapes."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel
from synesthesia.audio.tone_noise_vocoder import ToneNoiseConfig, ToneNoiseVocoder
from synesthesia.core.errors import UserError
from tests.audio.known_sounds import RATE_HZ, chord, click, glide, harmonics_to_noise_db, rain, white_noise

TINY = ToneNoiseConfig(width=8, hidden=16, blocks=1, last=12)
SHIPPED = Path(__file__).parents[2] / "checkpoints/vocoder"


@cache
def shipped() -> ToneNoiseVocoder:
    return ToneNoiseVocoder.load(SHIPPED)


def tiny() -> ToneNoiseVocoder:
    torch.manual_seed(0)
    vocoder = ToneNoiseVocoder(TINY).eval().requires_grad_(False)
    torch.nn.init.constant_(vocoder.head.bias[:513], 1.0)  # everything is fairly tonal
    return vocoder


def mel(frames: int = 20) -> Tensor:
    return -5 + torch.randn(2, frames, 64, generator=torch.Generator().manual_seed(0))


def remade(sound: Tensor) -> Tensor:
    return shipped()(LogMel()(sound))


def line_over_neighbourhood_db(sound: Tensor, hz: float) -> float:
    """(n,) -> level of the envelope's spectrum (1.5 to 4 kHz) within 1 Hz of `hz`, over that 4 to 20 Hz away."""
    spectrum, frequency = torch.fft.fft(sound), torch.fft.fftfreq(len(sound), 1 / RATE_HZ)
    envelope = torch.fft.ifft(torch.where((frequency >= 1500) & (frequency < 4000), 2 * spectrum, 0)).abs()
    power = torch.fft.rfft((envelope - envelope.mean()) * torch.hann_window(len(envelope))).abs().square()
    away = (torch.fft.rfftfreq(len(envelope), 1 / RATE_HZ) - hz).abs()
    return float(10 * (power[away <= 1].mean() / power[(away >= 4) & (away <= 20)].mean()).log10())


@pytest.mark.parametrize("sound", [white_noise, rain, chord])
def test_steady_sounds_have_no_trace_of_the_frame_rate(sound: type) -> None:
    original = sound(24.0)  # long, so that chance in the noise stays below 2 dB
    made = remade(original)
    for hz in (100, 200, 300, 400):
        level = line_over_neighbourhood_db(made[0], hz)
        assert level < max(3.0, line_over_neighbourhood_db(original[0], hz) + 3.0), f"{level:.1f} dB at {hz} Hz"


@pytest.mark.parametrize("hnr_db", [10.0, 20.0])
def test_a_gliding_tone_keeps_its_harmonics_to_noise_ratio(hnr_db: float) -> None:
    sound, phase = glide(hnr_db, octaves_a_second=0.25)
    before, after = (harmonics_to_noise_db(x[0], phase) for x in (sound, remade(sound)))
    assert abs(after - before) < 3.0, f"{before:.1f} dB before, {after:.1f} dB after"


def test_a_click_stays_within_five_milliseconds() -> None:
    energy = remade(click(at=8000))[0].square()
    centre = float((energy * torch.arange(len(energy))).sum() / energy.sum())
    assert abs(centre - 8000) < 0.005 * RATE_HZ
    assert float(energy[8000 - 80 : 8000 + 80].sum() / energy.sum()) > 0.8


def test_silence_stays_silent() -> None:
    silent = torch.full((1, 100, 64), math.log(1e-5))
    assert float(remade(torch.zeros(1, 16_000)).abs().max()) < 1e-3
    assert float(shipped()(silent).abs().max()) < 1e-3


@pytest.mark.parametrize("vocoder", [tiny, shipped])
@pytest.mark.parametrize("frames", [1, 2, 3, 4, 20])
def test_any_length_gives_a_hop_per_frame_and_the_same_sound_again(vocoder: type, frames: int) -> None:
    one = vocoder()
    made = one(mel(frames))
    assert made.shape == (2, 160 * frames) and torch.isfinite(made).all()
    assert torch.equal(made, one(mel(frames)))


def test_a_batch_equals_its_sounds_alone() -> None:
    mels = LogMel()(torch.cat([chord(1.0), rain(1.0), click()]))
    together = shipped()(mels)
    for made, alone in zip(together, mels, strict=True):
        assert torch.allclose(made, shipped()(alone[None])[0], atol=1e-3)


def test_save_and_load(tmp_path: Path) -> None:
    vocoder = tiny()
    vocoder.save(tmp_path)
    loaded = ToneNoiseVocoder.load(tmp_path)
    assert loaded.config == TINY
    assert torch.allclose(loaded.predict(mel()).log_magnitude, vocoder.predict(mel()).log_magnitude, atol=2e-2)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        ToneNoiseVocoder.load(tmp_path)
