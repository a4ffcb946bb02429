"""Train the rectified-flow transformer (Liu et al. 2022) of path `flow`, on sounds alone.

    python -m training.image_to_sound.train_flow --data DIR --out checkpoints/mapper --minutes 65     # one core
    python -m training.image_to_sound.train_flow --data DIR --out runs/smoke --run runs/smoke --minutes 0.5    # smoke
    python -m training.image_to_sound.train_flow --data DIR --out FOLDER --latents checkpoints/vae    # VAE latents
    torchrun --nproc-per-node 2 -m training.image_to_sound.train_flow --data DIR --out checkpoints/mapper     # two

Pictures are not needed: the prior (`training.image_to_sound.train`) predicts the condition from a picture afterwards.
Resumes from `--run`. Writes the averaged weights (eight bits) every 250 steps and loads them back at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from safetensors.torch import load_file, save_file
from torch import Tensor

from synesthesia.audio.mel import LatentSpace, MelPatches
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vae import MelVae
from synesthesia.image_to_sound.flow import Condition, FlowConfig, RectifiedFlow
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, fit, start
from training.image_to_sound.training_sounds import ConditionSampler, TrainingSounds, load_training_sounds

LENGTHS = ((256, 0.55), (400, 0.35), (1024, 0.10))  # mel frames of an excerpt and how often
MEL_FRAMES_A_STEP = 13_000


@dataclass(frozen=True)
class FlowTraining(TrainOptions):
    runs: Annotated[Path, tyro.conf.arg(aliases=["--run"])] = Path("runs/flow")
    ear: Path = Path("checkpoints/ear")  # the audio tagger, whose embeddings are queries
    latents: Path | None = None  # folder of a MelVae; none: the linear transform, fitted here
    start: Path | None = None  # folder of an earlier flow whose weights this run begins with
    minutes: float = 65.0
    rate: float = 1e-3
    ema: float = 0.9985
    seed: int = 11
    threads: int = 1
    flow: FlowConfig = field(default_factory=FlowConfig)
    mel_frames_a_step: int = MEL_FRAMES_A_STEP


def latent_space(config: FlowTraining, sampler: ConditionSampler) -> LatentSpace:
    """The autoencoder of `config.latents`, or the linear transform, fitted to training sounds and stored in `out`.

    A run that starts from earlier weights keeps their transform.
    """
    if config.latents is not None:
        return MelVae.load(config.latents)
    patches = MelPatches()
    if config.start is not None:
        patches.load_state_dict(load_file(config.start / "patches.safetensors"))
        if config.start.resolve() == config.out.resolve():
            return patches
    else:
        patches.fit(sampler.mels(sampler.draw(400), 256))
    config.out.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in patches.state_dict().items()}, config.out / "patches.safetensors")
    return patches


@torch.no_grad()
def fit_statistics(flow: RectifiedFlow, space: LatentSpace, sampler: ConditionSampler) -> None:
    """Means, and the root of the deviations: what varies little is decided late, as fine detail in pictures is.

    A flow that has its latents' statistics already, from an earlier run, keeps them.
    """
    rows = sampler.sounds.train_descriptors
    flow.condition.mean.copy_(rows.mean(dim=0))
    flow.condition.std.copy_(rows.std(dim=0).clamp(min=1e-3))
    if flow.mean.any():
        return
    latents = space.encode(sampler.mels(sampler.draw(200), 256))  # (200, 8, 64, 16)
    frames = latents.transpose(1, 2).flatten(2).flatten(0, 1)
    deviation = frames.std(dim=0).clamp(min=1e-3)
    flow.mean.copy_(frames.mean(dim=0))
    flow.std.copy_(deviation.sqrt() * (deviation.mean() ** 0.5))


@torch.no_grad()
def held_out_loss(flow: RectifiedFlow, space: LatentSpace, sounds: TrainingSounds, count: int = 96) -> float:
    """Loss on held-out recordings, each with a training clip of its label as the condition; always the same draws."""
    rng = np.random.default_rng(5)
    rows = rng.choice(sounds.held_out, size=count)
    shown = [rng.choice(sounds.train[sounds.label_of[sounds.train] == sounds.label_of[row]]) for row in rows]
    sampler = ConditionSampler(sounds, rng, {int(row): np.array([row]) for row in rows})
    latents = space.encode(sampler.mels(rows, 256))
    index, shown_rows = sounds.index, torch.from_numpy(np.array(shown))
    descriptors = index.descriptors[shown_rows]
    condition = Condition.of(index.embeddings[shown_rows], descriptors, descriptors.shape[1])
    return float(flow.loss(latents, condition, torch.Generator().manual_seed(5)))


def main(config: FlowTraining) -> float:
    """Train, resume if `runs` holds a state, save to `out`; returns the held-out loss of the loaded-back weights."""
    accelerator, rng = start(config.seed, cpu=True)
    torch.set_num_threads(config.threads)
    sounds = load_training_sounds(config.data, config.cache, AudioTagger.load(config.ear), config.limit)
    first = ConditionSampler(sounds, np.random.default_rng(config.seed))  # of all processes alike
    sampler = ConditionSampler(sounds, rng, first.neighbours)
    flow = RectifiedFlow(config.flow) if config.start is None else RectifiedFlow.load(config.start).train()
    with accelerator.main_process_first():
        space = latent_space(config, first)
    fit_statistics(flow, space, first)
    generator = torch.Generator().manual_seed(config.seed + accelerator.process_index)
    lengths, shares = [length for length, _ in LENGTHS], [share for _, share in LENGTHS]

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        frames = int(rng.choice(lengths, p=shares))
        rows = sampler.draw(max(1, config.mel_frames_a_step // frames))
        with torch.no_grad():
            latents = space.encode(sampler.mels(rows, frames))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = flow.loss(latents, sampler.condition(rows), generator)
        return loss, {"loss": loss}

    def check() -> dict[str, float]:
        flow.save(config.out)
        return {"held_out": held_out_loss(RectifiedFlow.load(config.out), space, sounds)}

    learner = Learner(flow, all_parameters(flow, config.rate), betas=(0.9, 0.97))
    fit(config.frame(save_every=250), learner, step_loss, on_check=check, generators={"rng": rng, "noise": generator},
        accelerator=accelerator)  # fmt: skip
    if accelerator.is_main_process:
        flow.save(config.out)
    accelerator.wait_for_everyone()
    held_out = held_out_loss(RectifiedFlow.load(config.out), space, sounds)
    accelerator.print(f"held-out loss {held_out:.4f}")
    return held_out


if __name__ == "__main__":
    run(main, FlowTraining, __doc__)
