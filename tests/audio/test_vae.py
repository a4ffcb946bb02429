"""The mel autoencoder on a tiny random configuration: shapes, scaling, save and load, AudioLDM's config."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from synesthesia.audio.vae import MelVae, VaeConfig
from synesthesia.core.errors import UserError

TINY = VaeConfig(channels=(4, 4, 8), norm_groups=2, scaling_factor=0.5)


@pytest.fixture
def vae() -> MelVae:
    torch.manual_seed(0)
    return MelVae(TINY.build(), TINY.mel_mean, TINY.mel_std).eval().requires_grad_(False)


def mels(count: int = 2, frames: int = 24) -> torch.Tensor:
    return -5 + 2 * torch.randn(count, frames, 64, generator=torch.Generator().manual_seed(1))


def test_latents_have_audioldms_shape(vae: MelVae) -> None:
    latents = vae.encode(mels())
    assert latents.shape == (2, 8, 6, 16)
    assert vae.decode(latents).shape == (2, 24, 64)


def test_the_mode_is_certain_and_samples_follow_their_generator(vae: MelVae) -> None:
    assert torch.equal(vae.encode(mels()), vae.encode(mels()))
    first, again, other = (vae.encode(mels(), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_latents_are_scaled_once(vae: MelVae) -> None:
    plain = MelVae(VaeConfig(channels=(4, 4, 8), norm_groups=2).build(), TINY.mel_mean, TINY.mel_std).eval()
    plain.vae.load_state_dict(vae.vae.state_dict())
    assert torch.allclose(vae.encode(mels()), 0.5 * plain.encode(mels()))
    assert torch.allclose(vae.decode(vae.encode(mels())), plain.decode(plain.encode(mels())), atol=1e-5)


def test_save_and_load_give_the_same_model(vae: MelVae, tmp_path: Path) -> None:
    vae.save(tmp_path)
    loaded = MelVae.load(tmp_path)
    assert loaded.scaling_factor == 0.5 and loaded.mel_mean == -5.0
    assert torch.allclose(loaded.encode(mels()), vae.encode(mels()), atol=0.1)
    stored = load_file(tmp_path / "model.safetensors")
    assert {str(v.dtype) for name, v in stored.items() if v.ndim > 1} == {"torch.int8"}


def test_a_config_without_levels_means_raw_log_mels(vae: MelVae, tmp_path: Path) -> None:
    vae.save(tmp_path, exact=True)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["mel_mean"], config["mel_std"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = MelVae.load(tmp_path)  # as AudioLDM's folder has it
    assert (loaded.mel_mean, loaded.mel_std) == (0.0, 1.0)


def test_bad_lengths_and_missing_files_are_named(vae: MelVae, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="multiple of 4"):
        vae.encode(mels(1, 23))
    with pytest.raises(UserError, match="incomplete"):
        MelVae.load(tmp_path)
