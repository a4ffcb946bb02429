"""Vocoders on tiny random configurations: lengths, save and load, known answers of Griffin-Lim and mel correction."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from synesthesia.audio.mel import LogMel
from synesthesia.audio.vocoder import (
    PEAK,
    GriffinLim,
    HifiGanVocoder,
    IstftConfig,
    IstftVocoder,
    MelMatch,
    fade_edges,
    finish,
    peak_normalise,
)
from synesthesia.core.errors import UserError

TINY = IstftConfig(width=8, hidden=16, blocks=1)
TINY_HIFIGAN = SpeechT5HifiGanConfig(
    model_in_dim=64, sampling_rate=16_000, upsample_initial_channel=64, upsample_rates=[5, 4, 2, 2, 2],
    upsample_kernel_sizes=[16, 16, 8, 4, 4], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]],
    normalize_before=False,
)  # AudioLDM's rates and kernels, few channels  # fmt: skip


def mel(frames: int = 20) -> torch.Tensor:
    return -5 + torch.randn(2, frames, 64, generator=torch.Generator().manual_seed(0))


def test_istft_gives_a_hop_per_frame_and_the_same_sound_again() -> None:
    vocoder = IstftVocoder(TINY).eval()
    with torch.no_grad():
        assert vocoder(mel()).shape == (2, 3200)
        assert vocoder(mel(1)).shape == (2, 160)
        assert torch.equal(vocoder(mel()), vocoder(mel()))


def test_istft_save_and_load(tmp_path: Path) -> None:
    torch.manual_seed(0)
    vocoder = IstftVocoder(TINY).eval().requires_grad_(False)
    vocoder.save(tmp_path)
    loaded = IstftVocoder.load(tmp_path)
    assert loaded.config == TINY
    assert torch.allclose(loaded(mel()), vocoder(mel()), atol=2e-2)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="incomplete"):
        IstftVocoder.load(tmp_path)


def test_hifigan_of_audioldm_is_trimmed_to_whole_hops() -> None:
    torch.manual_seed(0)
    model = SpeechT5HifiGan(TINY_HIFIGAN).eval().requires_grad_(False)
    assert model(mel()).shape == (2, 20 * 160 + 32)  # transformers' own excess
    assert HifiGanVocoder(model)(mel()).shape == (2, 3200)


@pytest.mark.parametrize("weight_norm", [False, True])
def test_hifigan_is_read_with_and_without_weight_norm(tmp_path: Path, weight_norm: bool) -> None:
    torch.manual_seed(0)
    model = SpeechT5HifiGan(TINY_HIFIGAN).eval().requires_grad_(False)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    if weight_norm:  # as older checkpoints store it
        for name in [name for name in state if name.endswith("conv_post.weight")]:
            weight = state.pop(name)
            state[name + "_v"], state[name + "_g"] = 3 * weight, weight.flatten(1).norm(dim=1).view(-1, 1, 1)
    save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(TINY_HIFIGAN.to_dict(), default=str))
    loaded = HifiGanVocoder.load(tmp_path)
    assert torch.allclose(loaded(mel()), HifiGanVocoder(model)(mel()), atol=1e-5)


def test_griffin_lim_brings_a_sine_back_at_its_pitch_and_level() -> None:
    wave = 0.5 * torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000)[None]
    made = GriffinLim(rounds=8)(LogMel()(wave))
    assert made.shape == wave.shape
    spectrum = torch.fft.rfft(made[0, 2000:14_000]).abs()
    assert abs(int(spectrum.argmax()) * 16_000 / 12_000 - 440) < 47  # one band is 46 Hz wide
    assert 0.2 < float(made[0, 2000:14_000].square().mean().sqrt()) / float(wave.square().mean().sqrt()) < 2.0


def test_griffin_lim_keeps_silence_silent_and_its_seed() -> None:
    silent = GriffinLim(rounds=2)(torch.full((1, 20, 64), math.log(1e-5)))
    assert float(silent.abs().max()) < 1e-3
    assert torch.equal(GriffinLim(rounds=2)(mel()), GriffinLim(rounds=2)(mel()))


def noise(seed: int, samples: int = 8000) -> torch.Tensor:
    return 0.1 * torch.randn(2, samples, generator=torch.Generator().manual_seed(seed))


def test_a_sound_that_has_its_mel_stays_as_it_is() -> None:
    wave = noise(0)
    corrected = MelMatch(3)(wave, LogMel()(wave))
    assert torch.allclose(corrected[:, :7000], wave[:, :7000], atol=1e-3)  # the last frame of a mel is repeated


def test_noise_comes_nearer_to_the_mel_of_a_sweep_with_every_round() -> None:
    time_s = torch.arange(8000) / 16_000
    target = LogMel()(0.5 * torch.sin(2 * torch.pi * (300 + 2000 * time_s) * time_s)[None].repeat(2, 1))
    errors = [float((LogMel()(MelMatch(rounds)(noise(0), target)) - target).abs().mean()) for rounds in (0, 1, 3)]
    assert errors[0] > 1.3 * errors[1] > 1.3 * errors[2]


def test_a_sound_too_short_for_the_transform_is_left_alone() -> None:
    wave = noise(0, 320)
    assert torch.equal(MelMatch(3)(wave, torch.zeros(2, 2, 64)), wave)


def test_ends_are_silent_and_silence_stays_finite() -> None:
    out = finish(torch.ones(16_000) + torch.randn(16_000), 16_000)
    assert out[0] == 0 and out[-1] == 0 and out.abs().max() == pytest.approx(0.89, abs=0.01)
    assert torch.isfinite(finish(torch.zeros(800), 16_000)).all()


def test_loudness_is_set_for_both_ears_together() -> None:
    wave = torch.stack([0.1 * torch.sin(torch.arange(1000.0)), 0.02 * torch.sin(0.5 * torch.arange(1000.0))])
    made = peak_normalise(wave + 0.3)
    assert float(made[0].abs().max()) == pytest.approx(PEAK, abs=1e-6)
    assert float(made[0].std() / made[1].std()) == pytest.approx(float(wave[0].std() / wave[1].std()), rel=1e-4)
    assert torch.allclose(made.mean(dim=1), torch.zeros(2), atol=1e-5)
    assert not peak_normalise(torch.zeros(2, 10)).any()


def test_fades() -> None:
    ones = torch.ones(2, 1_000)
    both = fade_edges(ones, 64)
    assert both[:, 0].tolist() == [0, 0] == both[:, -1].tolist() and (both[:, 64:-64] == 1).all()
    assert float(fade_edges(ones, 64, begin=False)[0, 0]) == 1 and float(fade_edges(ones, 64, end=False)[0, -1]) == 1
    assert (
        fade_edges(torch.ones(2, 1), 64).tolist() == [[1.0], [1.0]]
        and float(fade_edges(torch.ones(2, 9), 64)[0, 4]) == 1
    )
