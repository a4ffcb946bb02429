"""Train the vocoder with an inverse STFT as its head (Vocos, Siuzdak 2023): log-mel -> waveform, real and decoded mels.

Notable: multi-resolution spectral losses first, small discriminators for the last part; part of the inputs come from a
rolling pool of round trips through the latent spaces with a little noise on the latents, because generated mels look
like those, not like real ones; averaged weights.

    python -m training.audio.train_vocoder --data DIR --out checkpoints/vocoder --vae checkpoints/vae    # one CPU core
    python -m training.audio.train_vocoder --data DIR --out runs/smoke --runs runs/smoke --minutes 0.2 --batch 2
    accelerate launch --module training.audio.train_vocoder --data DIR --out checkpoints/vocoder         # GPUs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LatentSpace, LogMel, MelPatches
from synesthesia.audio.vae import MelVae
from synesthesia.audio.vocoder import IstftConfig, IstftVocoder
from training.audio.discriminators import Discriminators, discriminator_loss, generator_losses
from training.audio.spectral_losses import MultiResolutionLoss
from training.common.audio_data import HOP, CropSampler, SoundStore, crop_samplers
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, check_loaded, fit, start

POOL_STEP = 8  # sounds replaced at a time


@dataclass(frozen=True)
class VocoderTraining(TrainOptions):
    runs: Path = Path("runs/vocoder")
    vae: Path | None = None  # the autoencoder whose decoded mels are learned as well
    minutes: float = 40.0
    batch: int = 8
    frames: int = 96  # 0.96 s
    rate: float = 1e-3
    decoded_from: float = 0.25  # share of the run after which decoded mels are mixed in
    decoded_share: float = 0.4
    rough_share: float = 0.2  # of the true mels: blurred or noisy ones, a generator's other faults
    adversarial_from: float = 0.65  # share of the run after which the discriminators join; 1: never
    latent_noise: float = 0.2  # at most, of the latents' deviation
    bf16: bool = True
    model: IstftConfig = field(default_factory=IstftConfig)


class DecodedPool:
    """(mel out of a latent space, waveform) pairs that are replaced little by little during training.

    Spaces take turns; noise on the latents, of up to `noise` of their deviation, stands for a generator's errors.
    """

    def __init__(self, spaces: list[LatentSpace], sampler: CropSampler, noise: float, size: int, frames: int) -> None:
        self.spaces, self.sampler, self.noise, self.frames = spaces, sampler, noise, frames
        self.log_mel, self.generator = LogMel(), torch.Generator().manual_seed(0)
        self.mels = torch.zeros(size, frames, 64)
        self.waves = torch.zeros(size, frames * HOP)
        self.turn = 0
        for _ in range(size // POOL_STEP):
            self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        space = self.spaces[self.turn % len(self.spaces)]
        waves, _ = self.sampler.wave_crops(POOL_STEP, self.frames * HOP)
        latents = space.encode(self.log_mel(waves))
        level = self.noise * torch.rand(POOL_STEP, 1, 1, 1, generator=self.generator)
        latents = latents + level * torch.randn(latents.shape, generator=self.generator)
        begin = self.turn * POOL_STEP % len(self.mels)
        self.mels[begin : begin + POOL_STEP] = space.decode(latents)
        self.waves[begin : begin + POOL_STEP] = waves
        self.turn += 1

    def draw(self, count: int, frames: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(count, frames, 64) mels and (count, frames * hop) waveforms."""
        begin = int(rng.integers(0, self.frames - frames + 1))
        chosen = torch.from_numpy(rng.integers(0, len(self.mels), count))
        return self.mels[chosen, begin : begin + frames], self.waves[chosen, begin * HOP : (begin + frames) * HOP]


def latent_spaces(vae: Path | None, sampler: CropSampler) -> list[LatentSpace]:
    """Latent spaces of the generators: the fitted patch transform, and the autoencoder if there is one."""
    patches = MelPatches()
    patches.fit(sampler.mel_crops(200, 256)[0])
    return [patches] if vae is None else [patches, MelVae.load(vae)]


def roughen(mels: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """(B, T, 64) -> the same with noise on a share of the log-mels, half of these blurred over 3 frames and 3 bands."""
    rough = mels.clone()
    for i in np.flatnonzero(rng.random(len(mels)) < share):
        if rng.random() < 0.5:
            rough[i] = F.avg_pool2d(mels[i][None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        rough[i] += float(rng.uniform(0.0, 0.3)) * torch.randn(mels.shape[1:])
    return rough


@torch.no_grad()
def evaluate(vocoder: IstftVocoder, waves: Tensor, loss: MultiResolutionLoss) -> tuple[float, float]:
    """(spectral loss, log-mel L1) from true mels."""
    total, mel = loss(vocoder(loss.log_mel(waves)), waves)
    return float(total), float(mel)


def main(config: VocoderTraining) -> IstftVocoder:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back vocoder."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    train, val = crop_samplers(SoundStore.open(config.data, config.cache, config.limit), rng)
    val_waves = val.wave_crops(32, config.frames * HOP, mix=0.0)[0].to(device)
    vocoder, spectral = IstftVocoder(config.model), MultiResolutionLoss().to(device)
    critic, log_mel = Discriminators(), LogMel()
    adversary = Learner(
        critic, all_parameters(critic, config.rate / 3, schedule=lambda progress: 1.0), betas=(0.8, 0.98), clip_norm=5.0
    )
    pool: DecodedPool | None = None

    def batch(step: Step) -> tuple[Tensor, Tensor]:
        """(B, T, 64) mels and (B, T * hop) waveforms; decoded mels are mixed in after `decoded_from`."""
        nonlocal pool
        if pool is None and step.progress >= config.decoded_from:
            pool = DecodedPool(latent_spaces(config.vae, train), train, config.latent_noise, 128, 2 * config.frames)
        decoded = round(config.batch * config.decoded_share) if pool else 0
        waves, _ = train.wave_crops(config.batch - decoded, config.frames * HOP)
        mels = roughen(log_mel(waves), config.rough_share, rng)
        if pool:
            if step.number % 16 == 0:
                pool.refresh()
            pool_mels, pool_waves = pool.draw(decoded, config.frames, rng)
            mels, waves = torch.cat([mels, pool_mels]), torch.cat([waves, pool_waves])
        return mels.to(device), waves.to(device)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        mels, waves = batch(step)
        with autocast():
            generated = vocoder(mels)  # (B, n)
        loss, mel_error = spectral(generated, waves)
        values = {"spectral": loss.detach(), "log_mel_l1": mel_error}
        if step.progress >= config.adversarial_from:
            with autocast():
                critic_loss = discriminator_loss(critic(waves), critic(generated.detach()))
            adversary.descend(critic_loss)
            with autocast():
                adversarial, matching = generator_losses(critic(waves), critic(generated))
            loss = loss + 0.5 * adversarial + 2.0 * matching
            values |= {"critic": critic_loss, "adversarial": adversarial, "matching": matching}
        return loss, values

    def autocast() -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=config.bf16)

    def check() -> dict[str, float]:
        vocoder.save(config.out)
        total, mel = evaluate(vocoder, val_waves, spectral)
        return {"held_out_spectral": total, "held_out_log_mel_l1": mel}

    learner = Learner(vocoder, all_parameters(vocoder, config.rate), betas=(0.8, 0.98), clip_norm=5.0)
    fit(config.frame(20, 400), learner, step_loss, others={"discriminators": adversary}, on_check=check,
        generators={"rng": rng}, accelerator=accelerator)  # fmt: skip
    if accelerator.is_main_process:
        vocoder.save(config.out)
        loaded = IstftVocoder.load(config.out).to(device)
        before, after = (evaluate(one, val_waves, spectral)[1] for one in (vocoder, loaded))
        check_loaded(config.runs, "held_out_log_mel_l1", before, after, tolerance=0.05 * max(before, 0.1))
    accelerator.wait_for_everyone()
    return IstftVocoder.load(config.out)


if __name__ == "__main__":
    run(main, VocoderTraining, __doc__)
