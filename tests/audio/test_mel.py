"""Log-mels against known answers (band centres, the clamp, silence, lengths, levels), and the transform of patches."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank

from synesthesia.audio.mel import (
    LogMel,
    MelConfig,
    MelPatches,
    band_edges_hz,
    hz_to_slaney_mel,
    mel_filters,
    slaney_mel_to_hz,
)


def sine(hz: float, seconds: float = 1.0, level: float = 0.5) -> torch.Tensor:
    return level * torch.sin(2 * math.pi * hz * torch.arange(int(16_000 * seconds)) / 16_000)[None]


def test_slaney_scale_has_its_published_values() -> None:
    hz = torch.tensor([0.0, 200.0, 1000.0, 6400.0], dtype=torch.float64)
    assert torch.allclose(hz_to_slaney_mel(hz), torch.tensor([0.0, 3.0, 15.0, 42.0], dtype=torch.float64))
    assert torch.allclose(slaney_mel_to_hz(hz_to_slaney_mel(hz)), hz)


@pytest.mark.parametrize("hz", [300.0, 1000.0, 4000.0])
def test_a_sine_peaks_in_the_band_whose_centre_is_nearest(hz: float) -> None:
    mel = LogMel()(sine(hz))[0, 20:80].mean(dim=0)
    centres = band_edges_hz(MelConfig())[1:-1]
    assert abs(int(mel.argmax()) - int((centres - hz).abs().argmin())) <= (hz > 1000)  # narrower bands weigh more


def test_filters_agree_with_transformers_slaney_bank() -> None:
    theirs = mel_filter_bank(513, 64, 0.0, 8000.0, 16_000, norm="slaney", mel_scale="slaney")
    assert np.abs(mel_filters(MelConfig()).numpy() - theirs).max() < 1e-6


def test_filters_have_slaney_area_one() -> None:
    filters = mel_filters(MelConfig())
    areas = filters[:, 20:].sum(dim=0) * 16_000 / 1024  # bands wide enough for the bins to sample them
    assert filters.shape == (513, 64)
    assert torch.allclose(areas, torch.ones(44), atol=0.05)


def test_silence_is_the_logarithm_of_the_clamp() -> None:
    mel = LogMel()(torch.zeros(2, 3200))
    assert mel.shape == (2, 20, 64)
    assert torch.allclose(mel, torch.full_like(mel, math.log(1e-5)))


def test_ten_times_the_amplitude_adds_the_logarithm_of_ten() -> None:
    noise = 0.05 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(LogMel()(10 * noise) - LogMel()(noise), torch.tensor(math.log(10.0)), atol=1e-3)


@pytest.mark.parametrize("samples", [16_000, 16_159, 163_840])
def test_frames_are_whole_hops(samples: int) -> None:
    assert LogMel()(torch.zeros(1, samples)).shape == (1, samples // 160, 64)


def test_a_click_stands_in_the_frame_centred_on_it() -> None:
    wave = torch.zeros(1, 16_000)
    wave[0, 50 * 160] = 1.0
    assert int(LogMel()(wave)[0].sum(dim=1).argmax()) == 50


def test_a_wrong_shape_is_named() -> None:
    with pytest.raises(AssertionError, match=r"\(B, n\)"):
        LogMel()(torch.zeros(16_000))


def test_patches_reconstruct_smooth_mels() -> None:
    torch.manual_seed(0)
    smooth = torch.randn(6, 64, 64).cumsum(dim=1).cumsum(dim=2) * 0.02 - 5
    patches = MelPatches()
    patches.fit(smooth)
    latents = patches.encode(smooth)
    assert latents.shape == (6, 8, 16, 16)
    assert (patches.decode(latents) - smooth).abs().mean() < 0.15 * smooth.std()
    assert torch.allclose(latents.pow(2).mean(dim=(0, 2, 3)), torch.ones(8), atol=0.05)
