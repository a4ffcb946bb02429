"""Train the iSTFT-head vocoder: log-mel -> waveform, on real mels and on mels that the autoencoder has decoded.

Notable: multi-resolution spectral losses first, small discriminators for the last part; part of the inputs come from a
rolling pool of round trips through the latent spaces with a little noise on the latents, because generated mels look
like those, not like real ones; an average of the weights over time.

    python -m training.audio.train_codec --stage vocoder --data DIR --out checkpoints/vocoder --vae checkpoints/vae
    python -m training.audio.train_codec --stage vocoder --data DIR --out runs/smoke --minutes 0.2 --batch 2    # smoke run
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel
from synesthesia.audio.vae import MelVae
from synesthesia.audio.vocoder import IstftConfig, IstftVocoder
from synesthesia.image_to_sound.mel_patches import LatentSpace, MelPatches
from training.audio.discriminators import Discriminators, discriminator_loss, generator_losses
from training.audio.spectral_losses import SpectralLoss
from training.common.audio_data import HOP, CropSampler, SoundStore, read_manifest
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state

POOL_STEP = 8  # sounds replaced at a time


@dataclass(frozen=True)
class VocoderTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/vocoder")
    cache: Path = Path("runs/cache")
    vae: Path | None = None
    minutes: float = 40.0
    steps: int = 1_000_000
    batch: int = 8
    frames: int = 96  # 0.96 s
    rate: float = 1e-3
    ema: float = 0.998
    decoded_from: float = 0.25  # share of the run after which decoded mels are mixed in
    decoded_share: float = 0.4
    rough_share: float = 0.2  # of the true mels: blurred or noisy ones, a generator's other faults
    adversarial_from: float = 0.65  # share of the run after which the discriminators speak
    latent_noise: float = 0.2  # at most, of the latents' deviation
    seed: int = 0
    bf16: bool = True
    limit: int = 0
    model: IstftConfig = field(default_factory=IstftConfig)


class DecodedPool:
    """(mel out of a latent space, waveform) pairs that are replaced bit by bit while training goes on.

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
    """What generators work in: the fitted patch transform, and the autoencoder where there is one."""
    patches = MelPatches()
    patches.fit(sampler.mel_crops(200, 256)[0])
    return [patches] if vae is None else [patches, MelVae.load(vae)]


def roughened(mels: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """(B, T, 64) -> the same with noise on a share of the log-mels, half of these blurred over 3 frames and 3 bands."""
    made = mels.clone()
    for i in np.flatnonzero(rng.random(len(mels)) < share):
        if rng.random() < 0.5:
            made[i] = F.avg_pool2d(mels[i][None, None], 3, 1, 1, count_include_pad=False)[0, 0]
        made[i] += float(rng.uniform(0.0, 0.3)) * torch.randn(mels.shape[1:])
    return made


@torch.no_grad()
def evaluate(vocoder: IstftVocoder, waves: Tensor, loss: SpectralLoss) -> tuple[float, float]:
    """(spectral loss, log-mel L1) from true mels."""
    total, mel = loss(vocoder(loss.log_mel(waves)), waves)
    return float(total), float(mel)


def main(config: VocoderTraining) -> IstftVocoder:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back vocoder."""
    torch.manual_seed(config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    store = SoundStore(config.data, clips, config.cache)
    rng = random_stream(config.runs, config.seed)
    train = CropSampler(store, [i for i, clip in enumerate(clips) if clip.split == "train"], rng)
    held_out = [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]
    val = CropSampler(store, held_out or list(train.indices), np.random.default_rng(1))
    val_waves, _ = val.wave_crops(32, config.frames * HOP, mix=0.0)

    vocoder, average = IstftVocoder(config.model), IstftVocoder(config.model).eval()
    judges, spectral = Discriminators(), SpectralLoss()
    optimiser = torch.optim.AdamW(vocoder.parameters(), lr=config.rate, betas=(0.8, 0.98), weight_decay=0.01)
    judging = torch.optim.AdamW(judges.parameters(), lr=config.rate / 3, betas=(0.8, 0.98), weight_decay=0.01)
    ema = Ema(vocoder, config.ema)
    modules = {"vocoder": vocoder, "judges": judges}
    optimisers = {"vocoder": optimiser, "judges": judging}
    step, spent_s = load_state(config.runs, modules, optimisers, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs)
    pool: DecodedPool | None = None

    for step in clock:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(clock.progress, config.rate)
        if pool is None and clock.progress >= config.decoded_from:
            pool = DecodedPool(latent_spaces(config.vae, train), train, config.latent_noise, 128, 2 * config.frames)
        decoded = round(config.batch * config.decoded_share) if pool else 0
        waves, _ = train.wave_crops(config.batch - decoded, config.frames * HOP)
        mels = roughened(spectral.log_mel(waves), config.rough_share, rng)  # (B, T, 64)
        if pool:
            if step % 16 == 0:
                pool.refresh()
            pool_mels, pool_waves = pool.draw(decoded, config.frames, rng)
            mels, waves = torch.cat([mels, pool_mels]), torch.cat([waves, pool_waves])
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
            made = vocoder(mels)  # (B, n)
        loss, mel_error = spectral(made, waves)
        values: dict[str, float] = {"spectral": loss.item(), "log_mel_l1": mel_error.item()}
        if clock.progress >= config.adversarial_from:
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
                judged = discriminator_loss(judges(waves), judges(made.detach()))
            judging.zero_grad(set_to_none=True)
            judged.backward()
            torch.nn.utils.clip_grad_norm_(judges.parameters(), 5.0)
            judging.step()
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
                adversarial, matching = generator_losses(judges(waves), judges(made))
            loss = loss + 0.5 * adversarial + 2.0 * matching
            values |= {"judged": judged.item(), "adversarial": adversarial.item(), "matching": matching.item()}
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vocoder.parameters(), 5.0)
        optimiser.step()
        ema.update(vocoder)
        if step % 20 == 0:
            log.write(step=step, progress=clock.progress, **values)
        if step % 400 == 399:
            average.load_state_dict(ema.values)
            total, mel = evaluate(average, val_waves, spectral)
            log.write(step=step, held_out_spectral=total, held_out_log_mel_l1=mel)
            save_state(config.runs, modules, optimisers, ema, clock)
            average.save(config.out)
    save_state(config.runs, modules, optimisers, ema, clock)
    average.load_state_dict(ema.values)
    average.save(config.out)
    loaded = IstftVocoder.load(config.out)
    before, after = evaluate(average, val_waves, spectral)[1], evaluate(loaded, val_waves, spectral)[1]
    assert abs(before - after) < 0.05 * max(before, 0.1), f"saved weights differ: {before} before, {after} after"
    log.write(step=clock.step, held_out_log_mel_l1=before, loaded_back=after)
    return loaded
