"""Warm-up of the spatial projector without a language model: azimuth classification by a linear probe.

The language model's loss depends little on direction: a few words among many, half of them settled by the question. All
but the projector's last layer therefore learn azimuths first; the probe is thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio_qa.projector import HIDDEN, SpatialProjector
from synesthesia.localization.localizer import LocalizerConfig
from training.binaural.clip_sampler import ClipBatch
from training.binaural.targets import azimuth_target
from training.common.fit import Learner, Step, TrainConfig, all_parameters, fit
from training.common.run_state import JsonlLog

STEPS_PER_BATCH = 4  # each batch adds new tokens to a pool, from which the steps draw
RATE = 1e-3
SECOND_SOURCE_WEIGHT = 0.4


def warm_up(
    projector: SpatialProjector, encode: Callable[[Tensor], Tensor], next_batch: Callable[[], ClipBatch],
    minutes: float, accelerator: Accelerator, log: JsonlLog, steps: int = 4_000_000, rows: int = 256,
) -> None:  # fmt: skip
    """encode: (B, 2, n) waveforms -> (B, 256) spatial tokens; rows: tokens per step."""
    azimuths_deg, device = LocalizerConfig().azimuths_deg, accelerator.device
    inner, probe = projector.layers[:-2], nn.Linear(HIDDEN[-1], len(azimuths_deg) + 1)
    both = nn.ModuleList([inner, probe]).to(device).train().requires_grad_(True)
    rng = np.random.default_rng(0)
    tokens: list[Tensor] = []
    azimuths: list[Tensor] = []

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor | float]]:
        if step.number % STEPS_PER_BATCH == 0:
            batch = next_batch()
            with torch.no_grad():
                tokens.append(encode(batch.waveform.to(device)))
            azimuths.append(batch.azimuth)
        pool, truth = torch.cat(tokens), torch.cat(azimuths)
        chosen = torch.from_numpy(rng.integers(0, len(pool), rows))
        logits = probe(inner(pool[chosen.to(device)])).float().cpu()
        target = azimuth_target(truth[chosen], azimuths_deg)
        azimuth_loss = -(target * logits[:, :-1].log_softmax(dim=1)).sum(dim=1).mean()
        has_second = (~truth[chosen, 1].isnan()).float()
        second_loss = F.binary_cross_entropy_with_logits(logits[:, -1], has_second)
        values = {"azimuth_loss": azimuth_loss, "clips": float(len(pool))}
        return azimuth_loss + SECOND_SOURCE_WEIGHT * second_loss, values

    config = TrainConfig(minutes=minutes, steps=steps, log_every=50 * STEPS_PER_BATCH)
    learner = Learner(both, all_parameters(both, RATE), betas=(0.9, 0.999), clip_norm=math.inf)
    fit(config, learner, step_loss, accelerator=accelerator, log=log)
