"""The first minutes of the spatial projector, without a language model: telling directions to a linear reader.

A language model's loss says little about a direction: a few words among many, half of them settled by the question.
All but the projector's last layer therefore learn from degrees first; the reader is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synesthesia.audio_qa.projector import HIDDEN, SpatialProjector
from synesthesia.localization.localizer import LocalizerConfig
from training.binaural.scenes import Batch
from training.common import distributed
from training.common.run_state import JsonlLog, TimeBudget, cosine_rate
from training.localization.train import azimuth_target

STEPS = 4  # for every batch of new tokens; what was heard before is seen again
ROWS = 256
RATE = 1e-3


def warm(
    projector: SpatialProjector, token: Callable[[Tensor], Tensor], heard: Callable[[], Batch], minutes: float,
    log: JsonlLog, steps: int = 1_000_000,
) -> None:  # fmt: skip
    """token: (B, 2, n) waveforms -> (B, 256); heard: the next clips."""
    azimuths_deg = LocalizerConfig().azimuths_deg
    device = next(projector.parameters()).device
    inner, reader = projector.layers[:-2], nn.Linear(HIDDEN[-1], len(azimuths_deg) + 1).to(device)
    both = nn.ModuleList([inner, reader]).train().requires_grad_(True)
    optimiser = torch.optim.AdamW(both.parameters(), lr=RATE, weight_decay=0.01)
    rng, clock = np.random.default_rng(0), TimeBudget(minutes, steps)
    tokens: list[Tensor] = []
    truths: list[Tensor] = []
    losses: list[float] = []
    for step, progress in distributed.steps(clock):
        batch = heard()
        with torch.no_grad():
            tokens.append(token(batch.waveform.to(device)))
        truths.append(batch.azimuth)
        pool, truth = torch.cat(tokens), torch.cat(truths)
        optimiser.param_groups[0]["lr"] = cosine_rate(progress, RATE)
        for _ in range(STEPS):
            rows = torch.from_numpy(rng.integers(0, len(pool), ROWS))
            said = reader(inner(pool[rows.to(device)])).float().cpu()
            where = -(azimuth_target(truth[rows], azimuths_deg) * said[:, :-1].log_softmax(dim=1)).sum(dim=1).mean()
            two = (~truth[rows, 1].isnan()).float()
            loss = where + 0.4 * F.binary_cross_entropy_with_logits(said[:, -1], two)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            distributed.average_gradients(both)
            optimiser.step()
            losses.append(float(where.detach()))
        if step % 50 == 0:
            log.write(warm=step, progress=progress, azimuth_loss=float(np.mean(losses)), clips=len(pool))
            losses = []
