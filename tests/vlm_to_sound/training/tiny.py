"""What training starts from, made up and tiny: sounds, encoded pictures, models, codes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel
from synesthesia.binaural.sh_hrtf import SphericalHarmonicHRTF, SphericalHarmonicHRTFConfig
from synesthesia.vlm_to_sound.audio_head import AudioHeadConfig
from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from synesthesia.vlm_to_sound.qwen3_vl import build_tiny, save_tiny, tiny_config
from tests.training_common.tiny_sounds import tiny_sounds
from training.common.audio_data import SoundStore, read_manifest

LABELS = ["hiss", "tone"]
BOOKS, CODES, LEADS = 2, 16, 33
SIZES = ((2, 3), (3, 2), (1, 2), (2, 2))
small_config = partial(tiny_config, width=32, layers=2)
small_decoder = partial(AudioHeadConfig, width=32, layers=2, heads=2)


def training_folder(where: Path) -> Path:
    """Recordings, encoded pictures, and the models that a training starts from."""
    folder = tiny_sounds(where)
    rng = np.random.default_rng(0)
    seen, counts = folder / "runs" / "seen", [rows * cols for rows, cols in SIZES]
    seen.mkdir(parents=True)
    np.save(seen / "content.npy", rng.normal(0, 3, (sum(counts), 12)).astype(np.float16))
    np.save(seen / "class_probs.npy", rng.dirichlet([1, 1], sum(counts)).astype(np.float16))
    np.savez(
        seen / "index.npz", starts=np.cumsum([0, *counts[:-1]]), rows=[rows for rows, _ in SIZES],
        cols=[cols for _, cols in SIZES], labels=np.eye(2, dtype=np.float32)[[0, 1, 0, 1]],
    )  # fmt: skip
    clips = read_manifest(folder)
    store = SoundStore(folder, clips, folder / "cache")
    tokens = MelTokens(MelTokenConfig(codebooks=BOOKS, codes=CODES))
    waves = torch.stack([torch.from_numpy(store.waveform(row)) for row in range(len(clips))])
    tokens.fit(tokens.to_patches(LogMel()(waves)).flatten(0, 1), torch.Generator().manual_seed(0))
    tokens.save(folder / "tokens")
    head = SphericalHarmonicHRTFConfig(order=1)
    SphericalHarmonicHRTF(head, np.zeros((4, head.frequencies), np.float32), np.zeros(4, np.float32)).save(
        folder / "head"
    )
    (folder / "mapper").mkdir()
    (folder / "mapper" / "config.json").write_text(json.dumps({"labels": LABELS}))
    torch.manual_seed(0)
    save_tiny(build_tiny(small_config(4)), folder / "thinker")
    return folder


def some_codes(count: int, frames: int = 4, seed: int = 0) -> Tensor:
    return torch.randint(CODES, (count, 2, BOOKS, frames), generator=torch.Generator().manual_seed(seed))
