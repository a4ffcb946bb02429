"""Fit the codebooks of the mel tokens: residual k-means on patches of training sounds.

    python -m training.vlm_to_sound.train_mel_tokens --data DIR --out checkpoints/mel_tokens
    python -m training.vlm_to_sound.train_mel_tokens --data DIR --out runs/smoke --cells 2000      # smoke run

Takes minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from synesthesia.vlm_to_sound.mel_tokens import MelTokenConfig, MelTokens
from training.common.audio_data import SoundStore, crop_samplers
from training.common.cli import run
from training.common.run_state import JsonlLog

PATCHES_PER_CROP = 16


@dataclass(frozen=True)
class MelTokensTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/mel_tokens")
    cache: Path = Path("runs/cache")
    cells: int = 100_000  # mel patches of 40 ms
    rounds: int = 10  # of k-means
    gain_db: float = 24.0  # crops are attenuated by up to this much
    seed: int = 0
    limit: int = 0  # of recordings, 0 is none
    model: MelTokenConfig = field(default_factory=MelTokenConfig)


def main(config: MelTokensTraining) -> MelTokens:
    """Fits, saves to `out` and returns the tokens loaded from there."""
    rng, generator = np.random.default_rng(config.seed), torch.Generator().manual_seed(config.seed)
    train, val = crop_samplers(SoundStore.open(config.data, config.cache, config.limit), rng)
    log = JsonlLog(config.runs)
    tokens = MelTokens(config.model)
    frames = PATCHES_PER_CROP * config.model.frames
    crops = [
        train.mel_crops(250, frames, mix=0.0, gain_db=config.gain_db)[0]
        for _ in range(-(-config.cells // (250 * PATCHES_PER_CROP)))
    ]
    patches = tokens.to_patches(torch.cat(crops)).flatten(0, 1)[: config.cells]
    errors = tokens.fit(patches, generator, config.rounds)
    tokens.save(config.out)
    mels = val.mel_crops(300, frames, mix=0.0)[0]
    loaded = MelTokens.load(config.out)
    for book, error in enumerate(errors):
        codes = loaded.encode(mels)[:, : book + 1]
        log.write(codebooks=book + 1, error=error, held_out=float((loaded.decode(codes) - mels).abs().mean()))
    return loaded


if __name__ == "__main__":
    run(main, MelTokensTraining, __doc__)
