"""Train `mlp`, the latent regression, on the very conditions and excerpts of the flow (a stage of `train_mapper`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from synesthesia.image_to_sound.mel_patches import LatentSpace
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from training.common.run_state import JsonlLog, TimeBudget, cosine_rate
from training.image_to_sound.sound_memory import ConditionSampler, SoundMemory


def train_mlp(
    memory: SoundMemory, space: LatentSpace, out: Path, minutes: float, seed: int, config: MlpConfig | None = None,
    steps: int = 1_000_000, batch: int = 32,
) -> float:  # fmt: skip
    """Writes mlp.json and mlp.safetensors; returns the last mean squared error between latents."""
    rng = np.random.default_rng(seed)
    sampler = ConditionSampler(memory, rng)
    mlp = Mlp(config or MlpConfig())
    rows = memory.index.descriptors[torch.from_numpy(memory.train)]
    mlp.condition.mean.copy_(rows.mean(dim=0))
    mlp.condition.std.copy_(rows.std(dim=0).clamp(min=1e-3))
    optimiser = torch.optim.AdamW(mlp.parameters(), lr=1e-3, weight_decay=0.01)
    clock, log, losses = TimeBudget(minutes, steps), JsonlLog(None), []
    for step in clock:
        optimiser.param_groups[0]["lr"] = cosine_rate(clock.progress, 1e-3)
        chosen = sampler.draw(batch)
        latents = space.encode(sampler.mels(chosen, 256))
        loss = (mlp(sampler.condition(chosen), 64) - latents).pow(2).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if step % 100 == 0:
            log.write(mlp_step=step, progress=clock.progress, loss=float(np.mean(losses[-100:])))
    mlp.save(out)
    Mlp.load(out)
    return float(np.mean(losses[-100:]))
