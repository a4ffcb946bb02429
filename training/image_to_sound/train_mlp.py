"""Train the latent regression of path `mlp` on the flow's conditions and excerpts (a stage of `train`)."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from synesthesia.audio.mel import LatentSpace
from synesthesia.image_to_sound.mlp import Mlp, MlpConfig
from training.common.fit import Learner, Step, TrainConfig, all_parameters, fit, start
from training.image_to_sound.training_sounds import ConditionSampler, TrainingSounds


def train_mlp(
    sounds: TrainingSounds, space: LatentSpace, out: Path, minutes: float, seed: int, config: MlpConfig | None = None,
    steps: int = 1_000_000, batch: int = 32,
) -> float:  # fmt: skip
    """Writes mlp.json and mlp.safetensors; returns the last mean squared error between latents."""
    accelerator, rng = start(seed, cpu=True)
    sampler, mlp = ConditionSampler(sounds, rng), Mlp(config or MlpConfig())
    mlp.condition.mean.copy_(sounds.train_descriptors.mean(dim=0))
    mlp.condition.std.copy_(sounds.train_descriptors.std(dim=0).clamp(min=1e-3))

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        chosen = sampler.draw(batch)
        latents = space.encode(sampler.mels(chosen, 256))
        loss = (mlp(sampler.condition(chosen), 64) - latents).pow(2).mean()
        return loss, {"loss": loss}

    learner = Learner(mlp, all_parameters(mlp, 1e-3), betas=(0.9, 0.999), clip_norm=float("inf"))
    budget = TrainConfig(minutes=minutes, steps=steps, log_every=100)
    result = fit(budget, learner, step_loss, accelerator=accelerator)
    if result.main:
        mlp.save(out)
        Mlp.load(out)
    return result.values["loss"]
