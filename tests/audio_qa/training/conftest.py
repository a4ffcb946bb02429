"""Fixtures of the audio QA trainings: made-up sounds, a spherical head, and the tiny models that they start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synesthesia.audio_qa.checkpoint import save_language_model
from synesthesia.binaural.sphere_hrtf import SphereHRTF
from synesthesia.localization.encoder import SpatialEncoderConfig
from synesthesia.localization.localizer import Localizer, LocalizerConfig
from tests.audio_qa.tiny_models import tagger, tiny_language_model
from tests.training_common.tiny_sounds import tiny_sounds
from training.binaural.clip_sampler import ClipSampler
from training.binaural.response_bank import GROUP, ResponseBank, build_bank
from training.common.audio_data import SoundStore, read_manifest

LABELS = {"hiss": "dog", "tone": "clock_tick"}  # made-up sounds -> labels that the tagger and the answers know


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds, tagger ("ear"), language model and localizer."""
    folder = tiny_sounds(tmp_path_factory.mktemp("spatial"))
    manifest = (folder / "manifest.csv").read_text()
    for label, known in LABELS.items():
        manifest = manifest.replace(f",{label},", f",{known},")
    (folder / "manifest.csv").write_text(manifest)
    tagger().save(folder / "ear")
    save_language_model(tiny_language_model("tagger"), folder / "language")
    torch.manual_seed(3)
    small = SpatialEncoderConfig(widths=(4, 4, 8), heads=2)
    localizer = Localizer(LocalizerConfig(encoder=small, hidden=16))
    with torch.no_grad():
        for weight in localizer.encoder.parameters():
            weight.mul_(5.0 if weight.ndim == 4 else 1.0)  # at initialisation, tokens of different clips are alike
    localizer.save(folder / "localiser")
    return folder


@pytest.fixture(scope="session")
def responses(folder: Path) -> ResponseBank:
    """Instead of the measured heads of a data folder."""
    return build_bank([SphereHRTF()], [], GROUP, folder / "cache", seed=3)


@pytest.fixture
def sampler(folder: Path, responses: ResponseBank) -> ClipSampler:
    clips = read_manifest(folder)
    rows = [i for i, clip in enumerate(clips) if clip.split == "train"]
    return ClipSampler(SoundStore(folder, clips, folder / "cache"), rows, responses, np.random.default_rng(0))
