"""A whole checkpoints folder of tiny models at random: real classes, real files, real checksums, no training.

What they sound like means nothing; that every room fits the next, that files are found and that the same seed gives
the same samples is what they prove.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from synesthesia.audio.mel import MelPatches
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from synesthesia.audio.tone_noise_vocoder import ToneNoiseConfig, ToneNoiseVocoder
from synesthesia.audio.vae import MelVae, VaeConfig
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF, SphericalHarmonicHRTFConfig
from synesthesia.image_to_sound.flow import FlowConfig, RectifiedFlow
from synesthesia.image_to_sound.generator import GeneratorConfig
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from synesthesia.image_to_sound.prior import Prior, PriorConfig
from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex
from synesthesia.image_to_sound.texture_statistics import DESCRIPTOR_DIM
from synesthesia.localization.encoder import SpatialEncoderConfig
from synesthesia.localization.localizer import Localizer, LocalizerConfig
from synesthesia.localization.pipeline import ItdTable
from synesthesia.vision.backbone import BackboneConfig
from training.common.manifest import write_manifest

LABELS = ("rain", "dog", "clock_tick")
QUERY = 128
EMBEDDED_FEATURES, DINOV2_FEATURES = 1280, 384


def damaged_copy(checkpoints: Path, folder: Path, name: str) -> Path:
    """`folder`, where everything of `checkpoints` lies and the last byte of the file `name` is another."""
    shutil.copytree(checkpoints, folder)
    with (folder / name).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    return folder


def write_checkpoints(folder: Path) -> None:
    """vision, vae, vocoder, ear, mapper, mapper_hub and manifest.json below `folder`."""
    torch.manual_seed(0)
    write_vision(folder / "vision")
    vae = VaeConfig(channels=(8, 8, 8), norm_groups=4)
    MelVae(vae.build(), vae.mel_mean, vae.mel_std).save(folder / "vae")
    ToneNoiseVocoder(ToneNoiseConfig(width=16, hidden=32, blocks=1, last=16)).save(folder / "vocoder")
    AudioTagger(AudioTaggerConfig(LABELS, widths=(8, 16), depths=(1, 1))).save(folder / "ear")
    write_mapper(folder / "mapper", EMBEDDED_FEATURES)
    write_mapper(folder / "mapper_hub", DINOV2_FEATURES)
    small = SpatialEncoderConfig(widths=(4, 4, 8), heads=2, token=16)
    Localizer(LocalizerConfig(encoder=small, hidden=16)).save(folder / "localiser")
    coarse = SphericalHarmonicHRTFConfig(order=1)
    hrtf = SphericalHarmonicHRTF(coarse, np.zeros((4, coarse.frequencies)), np.zeros(4))
    hrtf.save(folder / "head")
    ItdTable.of(hrtf).save(folder / "head")
    write_manifest(folder)


def write_vision(folder: Path) -> None:
    backbone = BackboneConfig("mobilenetv2_100", 16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), same_padding=True)
    folder.mkdir(parents=True)
    tensors = {name: value.contiguous() for name, value in backbone.build().state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(backbone)))


def write_mapper(folder: Path, feature_dim: int) -> None:
    """Prior, memory, flow and mlp that fit features of this width."""
    config = PriorConfig(
        feature_dim=feature_dim, prototypes=6, classes=len(LABELS), query_dim=QUERY, components=4, threshold=0.1
    )
    prior = Prior(config)
    prior.set_prototypes(torch.nn.Linear(feature_dim, 6), torch.eye(6, len(LABELS)))
    torch.nn.init.normal_(prior.class_embeddings)
    torch.nn.init.normal_(prior.basis, std=0.05)
    torch.nn.init.normal_(prior.presence_head.weight, std=0.05)
    prior.save(folder)
    entries = tuple(IndexEntry(label, "nowhere", f"none:{number}", "CC0") for number, label in enumerate(LABELS * 6))
    embeddings = torch.nn.functional.normalize(torch.randn(len(entries), QUERY), dim=1)
    told = torch.cat([torch.randn(len(entries), DESCRIPTOR_DIM), embeddings], dim=1)
    SoundIndex(entries, embeddings, told).save(folder)
    sizes = {"query_dim": QUERY, "descriptor_dim": told.shape[1]}
    flow = RectifiedFlow(FlowConfig(width=32, depth=1, heads=2, **sizes))
    for weight in flow.parameters():  # layers that start at zero would make every sound the same
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.3)
    flow.save(folder)
    Mlp(MlpConfig(width=32, layers=1, **sizes)).save(folder)
    patches = MelPatches()
    patches.fit(torch.randn(4, 64, 64))
    save_file(patches.state_dict(), folder / "patches.safetensors")
    (folder / "config.json").write_text(json.dumps({"voice": asdict(GeneratorConfig())}))
