"""Train the generator of the direct path: the rectified-flow transformer, on sounds alone.

    python -m training.image_to_sound.train_flow --data DATA --out checkpoints/mapper --minutes 0.5        # CPU smoke run
    python -m training.image_to_sound.train_flow --data DATA --out checkpoints/mapper --minutes 65         # the committed one, one
    core python -m training.image_to_sound.train_flow --data DATA --out checkpoints/mapper_hub --latents CKPT   # latents of an
    autoencoder accelerate launch --module training.image_to_sound.train_flow --data DATA --out checkpoints/mapper --minutes 60

Pictures play no part here: the prior (`training.image_to_sound.train`) finds the condition from a picture afterwards. Resumes
from `runs/flow`. Writes the averaged weights, half precision, every few minutes, and loads them back at the end.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.vae import MelVae
from synesthesia.image_to_sound.condition import Condition
from synesthesia.image_to_sound.flow import Flow, FlowConfig
from synesthesia.image_to_sound.mel_patches import LatentSpace, MelPatches
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, save_state
from training.image_to_sound.sound_memory import ConditionSampler, SoundMemory, remember

LENGTHS = ((256, 0.55), (400, 0.35), (1024, 0.10))  # mel frames of an excerpt and how often
MEL_FRAMES_A_STEP = 13_000


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    ear: Path = Path("checkpoints/ear")
    latents: Path | None = None  # folder of a MelVae; none: the linear transform, fitted here
    start: Path | None = None  # folder of an earlier flow whose weights this run begins with
    run: Path = Path("runs/flow")
    cache: Path = Path("runs/cache")
    minutes: float = 65.0
    steps: int = 1_000_000
    rate: float = 1e-3
    ema: float = 0.9985
    seed: int = 11
    threads: int = 1
    keep_minutes: float = 5.0
    flow: FlowConfig = field(default_factory=FlowConfig)
    mel_frames_a_step: int = MEL_FRAMES_A_STEP


def latent_space(config: Config, sampler: ConditionSampler) -> LatentSpace:
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
def fit_statistics(flow: Flow, space: LatentSpace, sampler: ConditionSampler) -> None:
    """Means, and the root of the deviations: what varies little is decided late, as fine detail in pictures is.

    A flow that has its latents' statistics already, from an earlier run, keeps them.
    """
    rows = sampler.memory.index.descriptors[torch.from_numpy(sampler.memory.train)]
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
def held_out_loss(flow: Flow, space: LatentSpace, memory: SoundMemory, count: int = 96) -> float:
    """Loss on held-out recordings told by a training clip of their label, always the same draws."""
    rng = np.random.default_rng(5)
    rows = rng.choice(memory.held_out, size=count)
    shown = np.array([rng.choice(memory.train[memory.label_of[memory.train] == memory.label_of[row]]) for row in rows])
    sampler = ConditionSampler.__new__(ConditionSampler)
    sampler.memory, sampler.rng, sampler.kin = memory, rng, {int(row): np.array([row]) for row in rows}
    latents = space.encode(sampler.mels(rows, 256))
    index = memory.index
    told = torch.from_numpy(shown)
    condition = Condition.of(index.embeddings[told], index.descriptors[told], index.descriptors.shape[1])
    return float(flow.loss(latents, condition, torch.Generator().manual_seed(5)))


def main(config: Config) -> float:
    """Trains, stores, loads back; returns the held-out loss of the stored weights."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    memory = remember(config.data, config.cache, AudioTagger.load(config.ear))
    first = ConditionSampler(memory, np.random.default_rng(config.seed))
    flow = Flow(config.flow) if config.start is None else Flow.load(config.start).train()
    space = latent_space(config, first)
    fit_statistics(flow, space, first)
    optimiser = torch.optim.AdamW(flow.parameters(), lr=config.rate, betas=(0.9, 0.97), weight_decay=0.01, fused=True)
    ema = Ema(flow, config.ema)
    step, spent_s = load_state(config.run, {"flow": flow}, {"adamw": optimiser}, ema)
    sampler = ConditionSampler(memory, np.random.default_rng(config.seed + step))
    generator = torch.Generator().manual_seed(config.seed + step)
    clock = TimeBudget(config.minutes, config.steps, spent_s, step)
    log = JsonlLog(config.run)
    log.write(step=step, parameters=sum(p.numel() for p in flow.parameters()), clips=len(memory.train))
    kept_s, losses, made = clock.spent_s, [], 0
    lengths, shares = [length for length, _ in LENGTHS], [share for _, share in LENGTHS]
    for step in clock:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(clock.progress, config.rate)
        frames = int(sampler.rng.choice(lengths, p=shares))
        rows = sampler.draw(max(1, config.mel_frames_a_step // frames))
        with torch.no_grad():
            latents = space.encode(sampler.mels(rows, frames))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = flow.loss(latents, sampler.condition(rows), generator)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
        optimiser.step()
        ema.update(flow)
        losses.append(loss.item())
        made += len(rows)
        if step % 50 == 0:
            log.write(step=step, progress=clock.progress, loss=float(np.mean(losses)), excerpts=made)
            losses = []
        if clock.spent_s - kept_s > 60 * config.keep_minutes:
            kept_s = clock.spent_s
            save_state(config.run, {"flow": flow}, {"adamw": optimiser}, ema, clock)
            log.write(step=step, held_out=keep(config, flow.config, ema, space, memory))
    save_state(config.run, {"flow": flow}, {"adamw": optimiser}, ema, clock)
    final = keep(config, flow.config, ema, space, memory)
    log.write(step=clock.step, held_out=final)
    return final


def keep(config: Config, flow_config: FlowConfig, ema: Ema, space: LatentSpace, memory: SoundMemory) -> float:
    """Stores the averaged weights and measures them as they load back."""
    averaged = Flow(flow_config)
    averaged.load_state_dict(ema.values)
    averaged.save(config.out)
    return held_out_loss(Flow.load(config.out), space, memory)


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ear", type=Path, default=Path("checkpoints/ear"))
    parser.add_argument(
        "--latents", type=Path, default=None, help="folder of an autoencoder; default: linear transform"
    )
    parser.add_argument("--start", type=Path, default=None, help="folder of an earlier flow to begin with")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--run", type=Path, default=Path("runs/flow"))
    parser.add_argument("--minutes", type=float, default=65.0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1)
    return Config(**vars(parser.parse_args()))


if __name__ == "__main__":
    main(parse())
