"""HiFi-GAN on a tiny random configuration: length, weight norm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from synesthesia.audio.hifigan_vocoder import HifiGanVocoder

TINY_HIFIGAN = SpeechT5HifiGanConfig(
    model_in_dim=64, sampling_rate=16_000, upsample_initial_channel=64, upsample_rates=[5, 4, 2, 2, 2],
    upsample_kernel_sizes=[16, 16, 8, 4, 4], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]],
    normalize_before=False,
)  # AudioLDM's rates and kernels, few channels  # fmt: skip


def mel(frames: int = 20) -> torch.Tensor:
    return -5 + torch.randn(2, frames, 64, generator=torch.Generator().manual_seed(0))


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
