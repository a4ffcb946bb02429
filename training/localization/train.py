"""Train the localizer on recordings rendered through measured HRTFs, with and without rooms.

    python -m training.localization.train --data DIR --out checkpoints/localiser --minutes 60          # one CPU core
    torchrun --nproc-per-node 2 -m training.localization.train --data DIR --out checkpoints/localiser  # two cores
    python -m training.localization.train --data DIR --out runs/smoke --runs runs/smoke --minutes 0.3 --bank 60

A bank of impulse responses (HRTF x direction x room) is computed once, another one in every process; every step
convolves new excerpts with responses drawn from it and adds a second source, diffuse noise, filtering, and a small
mismatch of the two channels. Validation HRTFs and held-out recordings are never used. At the end the uncertainty is
calibrated on held-out sounds through training HRTFs. `DIR/hrtf` holds the HRTFs, see `training.binaural.hrtf_data`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.localization.localizer import Localizer, LocalizerConfig
from training.binaural.clip_sampler import NOISE_SHARE, ClipSampler, training_responses
from training.common.audio_data import SoundStore
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, fit, start
from training.common.run_state import JsonlLog
from training.localization.calibrate import calibrated
from training.localization.losses import localizer_loss

SECONDS, SECONDS_SHARES = (0.25, 0.6, 1.0, 1.6), (0.2, 0.25, 0.4, 0.15)  # of the excerpts of a step
CLIP_SECONDS_PER_STEP = 32.0 / 1.5


@dataclass(frozen=True)
class LocalizerTrainConfig(TrainOptions):
    runs: Path = Path("runs/localiser")
    hrtf: Path = Path("checkpoints/head")  # the reference HRTF, one among the measured ones
    weights: Path | None = None  # of a localizer to start from, when `runs` holds no state
    minutes: float = 60.0
    bank: int = 14_400  # responses in rooms, and as many without one
    rate: float = 2e-3
    second_share: float = 0.4  # of clips with two sources
    bf16: bool = True


def main(config: LocalizerTrainConfig) -> Localizer:
    """Train or resume, calibrate, save to `out`; returns the localizer as loaded back."""
    accelerator, rng = start(config.seed)
    store = SoundStore.open(config.data, config.cache, config.limit)
    seed = config.seed + accelerator.process_index
    responses = training_responses(config.data, config.hrtf, config.bank, config.cache, seed)
    rows = store.train_rows
    held_out_rows = [i for i, clip in enumerate(store.clips) if clip.split == "val"] or rows
    train = ClipSampler(store, rows, responses, rng, NOISE_SHARE)
    held_out = ClipSampler(store, held_out_rows, responses, rng)
    localizer = Localizer(LocalizerConfig())
    if config.weights is not None:
        localizer.load_state_dict(Localizer.load(config.weights).state_dict())

    def step_loss(_: Step) -> tuple[Tensor, dict[str, Tensor]]:
        seconds = float(rng.choice(SECONDS, p=SECONDS_SHARES))
        batch = train.draw(max(2, int(CLIP_SECONDS_PER_STEP / seconds)), seconds, config.second_share)
        batch = batch.mirrored(torch.from_numpy(rng.random(len(batch.elevation)) < 0.5)).to(accelerator.device)
        loss, azimuth = localizer_loss(localizer, batch, config.bf16)
        return loss, {"azimuth_loss": azimuth}

    def save() -> dict[str, float]:
        localizer.save(config.out)
        return {}

    learner = Learner(localizer, all_parameters(localizer, config.rate, weight_decay=0.02), clip_norm=2.0)
    result = fit(config.frame(save_every=1000), learner, step_loss, generators={"rng": rng}, on_check=save,
                 accelerator=accelerator)  # fmt: skip
    if not result.main:
        return localizer
    localizer.cpu()
    localizer.config = calibrated(localizer, held_out)
    localizer.save(config.out)
    loaded = Localizer.load(config.out)
    JsonlLog(config.runs).write(
        step=result.step, temperature=loaded.config.temperature, interval_mass=loaded.config.interval_mass
    )
    return loaded


if __name__ == "__main__":
    run(main, LocalizerTrainConfig, __doc__)
