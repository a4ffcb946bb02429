"""The hub preset runs the same code as the embedded one, tested offline.

DINOv2's own architecture and AudioLDM's own file names and shapes, but random weights and thin layers, saved by the
libraries themselves into a folder that stands in for the hub. The test marked `hub` fetches the real files instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from synesthesia.audio.codec import LatentCodec
from synesthesia.core import checkpoints, presets
from synesthesia.core.errors import UserError
from synesthesia.studio import Studio
from synesthesia.vision.backbone import PatchEncoder
from tests.tiny import write_checkpoints

AUDIOLDM_SCALING = 0.9227914214134216
AUDIOLDM_RATES = [5, 4, 2, 2, 2]


@pytest.fixture(scope="module")
def stand_in_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<folder>/<hub id>/<file>, as each library's save_pretrained lays it out."""
    import timm
    from diffusers import AutoencoderKL
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hub")
    preset = presets.hub()

    vision = folder / preset.vision.weights.hub_id
    vision.mkdir(parents=True)
    net = timm.create_model(preset.vision.architecture, pretrained=False, num_classes=0)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, vision / "model.safetensors")
    card = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "input_size": [3, 518, 518]}
    config = {"architecture": preset.vision.architecture, "num_classes": 0, "pretrained_cfg": card}
    (vision / "config.json").write_text(json.dumps(config))

    audioldm = folder / preset.codec.vae_weights.hub_id
    AutoencoderKL(
        in_channels=1, out_channels=1, latent_channels=8, block_out_channels=(8, 8, 8), norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        scaling_factor=AUDIOLDM_SCALING,
    ).save_pretrained(audioldm / "vae")  # fmt: skip
    vocoder = SpeechT5HifiGanConfig(
        model_in_dim=64, sampling_rate=16_000, upsample_initial_channel=32, upsample_rates=AUDIOLDM_RATES,
        upsample_kernel_sizes=[16, 16, 8, 4, 4], normalize_before=False,
    )  # fmt: skip
    SpeechT5HifiGan(vocoder).save_pretrained(audioldm / "vocoder")
    return folder


@pytest.fixture(scope="module")
def requested(stand_in_hub: Path) -> Iterator[list[tuple[str, str, str]]]:
    """hf_hub_download answers from the folder; the files it was asked for, as (id, file, revision)."""
    files: list[tuple[str, str, str]] = []

    def download(repo_id: str, filename: str, *, revision: str) -> str:
        files.append((repo_id, filename, revision))
        return str(stand_in_hub / repo_id / filename)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.hf_hub_download", download)
        yield files


@pytest.fixture(scope="module")
def studio(requested: list[tuple[str, str, str]]) -> Studio:
    return Studio.load("hub")


def test_dinov2_gives_a_patch_grid(studio: Studio, requested: list[tuple[str, str, str]], cat: Image.Image) -> None:
    weights = presets.hub().vision.weights
    grid = studio.look(cat)
    assert grid.features.shape == (16, 24, 384)
    assert grid.global_feature.shape == (384,)
    assert torch.isfinite(grid.features).all()
    assert {revision for hub_id, _, revision in requested if hub_id == weights.hub_id} == {weights.revision}


def test_audioldm_codec_keeps_its_shapes(requested: list[tuple[str, str, str]]) -> None:
    codec = LatentCodec.load(presets.hub().codec)
    assert codec.vae.scaling_factor == pytest.approx(AUDIOLDM_SCALING)
    waveform = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0)) * 0.1
    latents = codec.encode(waveform)
    assert latents.shape == (1, 8, 25, 16)  # one second: 100 mel frames
    decoded = codec.decode(latents)
    assert decoded.shape == (1, 16_000)
    assert torch.isfinite(decoded).all()
    assert all(name.endswith((".json", ".safetensors")) for _, name, _ in requested)  # never a pickle


def test_the_studio_looks_but_needs_a_mapper_to_sound(
    studio: Studio, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    assert studio.similarity(cat, 200, 100).shape == (16, 24)
    with pytest.raises(UserError) as caught:
        studio.hear(cat, 200, 100)
    assert presets.hub().image_to_sound.train_command in str(caught.value)
    assert "\n" not in str(caught.value)


def test_with_a_mapper_for_its_features_it_sounds(
    studio: Studio, cat: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoints(tmp_path)
    monkeypatch.setenv(checkpoints.ROOT_VARIABLE, str(tmp_path))
    heard = studio.hear(cat, 200, 100, seconds=1, steps=2, anyway=True)
    assert heard.waveform.shape == (1, 16_000)
    assert heard.waveform.any()
    assert heard.recipe.preset == "hub"


@pytest.mark.hub
def test_the_real_files(cat: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetches about 90 MB (DINOv2) and 440 MB (AudioLDM's two parts)."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    preset = presets.hub()
    assert PatchEncoder.load(preset.vision).encode(cat).features.shape == (16, 24, 384)
    codec = LatentCodec.load(preset.codec)
    times_s = torch.arange(16_000) / 16_000
    tone = 0.3 * torch.sin(2 * torch.pi * 440 * times_s)[None]
    decoded = codec.decode(codec.encode(tone))
    spectrum = torch.fft.rfft(decoded[0]).abs()
    assert abs(int(spectrum.argmax()) - 440) < 15  # Hz: a tone stays that tone
