"""Fit the codebooks of `MelTokens`: k-means on pieces of training sounds, one codebook after the other. Minutes.

python -m training.audio.train_codec --stage mel_tokens --data DIR --out checkpoints/mel_tokens
python -m training.audio.train_codec --stage mel_tokens --data DIR --out runs/smoke --cells 2000      # smoke run
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from training.common.audio_data import CropSampler, SoundStore, read_manifest
from training.common.run_state import JsonlLog

PER_CROP = 16  # pieces of one excerpt


@dataclass(frozen=True)
class MelTokensTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/mel_tokens")
    cache: Path = Path("runs/cache")
    cells: int = 100_000  # pieces of 40 ms
    rounds: int = 10
    gain_db: float = 24.0  # sounds are heard up to so much softer than they were recorded
    seed: int = 0
    limit: int = 0
    model: MelTokenConfig = field(default_factory=MelTokenConfig)


def main(config: MelTokensTraining) -> MelTokens:
    """Fit, save to `out`; returns the loaded-back tokens."""
    rng, generator = np.random.default_rng(config.seed), torch.Generator().manual_seed(config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    store, log = SoundStore(config.data, clips, config.cache), JsonlLog(config.runs)
    sampler = CropSampler(store, [i for i, clip in enumerate(clips) if clip.split == "train"], rng)
    tokens = MelTokens(config.model)
    frames = PER_CROP * config.model.frames
    crops = [
        sampler.mel_crops(250, frames, mix=0.0, gain_db=config.gain_db)[0]
        for _ in range(-(-config.cells // (250 * PER_CROP)))
    ]
    errors = tokens.fit(tokens.cut(torch.cat(crops)).flatten(0, 1)[: config.cells], generator, config.rounds)
    tokens.save(config.out)
    held = [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]
    val = CropSampler(store, held or list(sampler.indices), np.random.default_rng(1))
    mels = val.mel_crops(300, frames, mix=0.0)[0]
    loaded = MelTokens.load(config.out)
    for book, error in enumerate(errors):
        codes = loaded.encode(mels)[:, : book + 1]
        log.write(codebooks=book + 1, error=error, held_out=float((loaded.decode(codes) - mels).abs().mean()))
    return loaded
