"""Train the mel autoencoder: log-mel crops <-> latents [B, 8, T/4, 16] that a generator can model.

Notable: L1 + L2 on the log-mel, the same on its time and band differences and on coarser scales (transients and
harmonics are differences, not levels), a small KL term that keeps the latents compact and tolerant of a generator's
small errors, an average of the weights over time, and the scaling factor 1 / deviation measured at the end.
With `--refine FOLDER` the encoder and the scaling factor of that checkpoint stay as they are, to the last bit, and only
the decoder goes on learning: generators trained on its latents stay valid.

    python -m training.audio.train_codec --stage vae --data DIR --out checkpoints/vae --minutes 20          # one CPU core
    python -m training.audio.train_codec --stage vae --data DIR --out runs/refined --refine checkpoints/vae --minutes 6
    python -m training.audio.train_codec --stage vae --data DIR --out runs/smoke --minutes 0.2 --batch 2    # smoke run
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.vae import MelVae, VaeConfig
from training.common.audio_data import CropSampler, SoundStore, read_manifest
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state


@dataclass(frozen=True)
class VaeTraining:
    """Settings of one run; `minutes` and `steps` both end it, whichever comes first."""

    data: Path
    out: Path
    runs: Path = Path("runs/vae")
    cache: Path = Path("runs/cache")
    minutes: float = 20.0
    steps: int = 1_000_000
    batch: int = 8
    frames: int = 128  # 1.28 s
    rate: float = 1.2e-3
    kl_weight: float = 2e-2  # per latent number, against a loss per mel number
    ema: float = 0.998
    seed: int = 0
    bf16: bool = True
    refine: Path | None = None  # go on from this checkpoint with its encoder fixed
    limit: int = 0  # use only the first clips (smoke runs); 0 = all
    model: VaeConfig = field(default_factory=VaeConfig)


def mel_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """L1 + L2 of normalised log-mels (B, 1, T, 64), of their differences and of two coarser scales; a scalar."""
    total = F.l1_loss(made, wanted) + 0.5 * F.mse_loss(made, wanted)
    for axis in (2, 3):
        total = total + 0.5 * F.l1_loss(made.diff(dim=axis), wanted.diff(dim=axis))
    for scale in (2, 4):
        made_coarse, wanted_coarse = F.avg_pool2d(made, scale), F.avg_pool2d(wanted, scale)
        total = total + 0.5 * F.l1_loss(made_coarse, wanted_coarse)
    return total


def vae_loss(
    model: MelVae, mels: Tensor, kl_weight: float, bf16: bool, encoder_fixed: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Log-mels (B, T, 64) -> (loss, L1 in log-mel units, KL per latent number)."""
    wanted = ((mels - model.mel_mean) / model.mel_std)[:, None]  # (B, 1, T, 64)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        with torch.set_grad_enabled(torch.is_grad_enabled() and not encoder_fixed):
            moments = model.vae.quant_conv(model.vae.encoder(wanted)).float()
        mean, log_variance = moments.chunk(2, dim=1)  # (B, 8, T/4, 16) each
        log_variance = log_variance.clamp(-20.0, 10.0)
        latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        made = model.vae.decoder(model.vae.post_quant_conv(latents)).float()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()
    return mel_loss(made, wanted) + kl_weight * kl, F.l1_loss(made.detach(), wanted) * model.mel_std, kl.detach()


@torch.no_grad()
def evaluate(model: MelVae, mels: Tensor) -> float:
    """Mean absolute log-mel error of the mode's round trip; mels (N, T, 64)."""
    made = torch.cat([model.decode(model.encode(part)) for part in mels.split(8)])
    return float((made - mels).abs().mean())


@torch.no_grad()
def latent_deviation(model: MelVae, mels: Tensor) -> float:
    """Standard deviation of the unscaled latents' mode over mels (N, T, 64)."""
    latents = torch.cat([model.encode(part) for part in mels.split(8)]) / model.scaling_factor
    return float(latents.std())


def main(config: VaeTraining) -> MelVae:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged model."""
    torch.manual_seed(config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    store = SoundStore(config.data, clips, config.cache)
    rng = random_stream(config.runs, config.seed)
    train = CropSampler(store, [i for i, clip in enumerate(clips) if clip.split == "train"], rng)
    held_out = [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]
    val = CropSampler(store, held_out or list(train.indices), np.random.default_rng(1))
    val_mels, _ = val.mel_crops(48, config.frames, mix=0.0)

    model = MelVae(config.model.build(), config.model.mel_mean, config.model.mel_std)
    average = MelVae(config.model.build(), config.model.mel_mean, config.model.mel_std).eval()
    if config.refine:
        start = MelVae.load(config.refine).vae
        model.vae.load_state_dict(start.state_dict())
        for part in (model.vae.encoder, model.vae.quant_conv):
            part.requires_grad_(False)
        for one in (model, average):
            one.vae.register_to_config(scaling_factor=start.config.scaling_factor)
    optimiser = torch.optim.AdamW(
        [p for p in model.vae.parameters() if p.requires_grad], lr=config.rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    ema = Ema(model.vae, config.ema)
    step, spent_s = load_state(config.runs, {"vae": model.vae}, {"vae": optimiser}, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs)

    for step in clock:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(clock.progress, config.rate)
        mels, _ = train.mel_crops(config.batch, config.frames)
        loss, error, kl = vae_loss(model, mels, config.kl_weight, config.bf16, bool(config.refine))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.vae.parameters(), 1.0)
        optimiser.step()
        ema.update(model.vae)
        if step % 20 == 0:
            log.write(step=step, progress=clock.progress, loss=loss.item(), log_mel_l1=error.item(), kl=kl.item())
        if step % 400 == 399:
            average.vae.load_state_dict(ema.values)
            log.write(step=step, held_out_log_mel_l1=evaluate(average, val_mels))
            save_state(config.runs, {"vae": model.vae}, {"vae": optimiser}, ema, clock)
            _finish(average, val_mels, config)
    average.vae.load_state_dict(ema.values)
    save_state(config.runs, {"vae": model.vae}, {"vae": optimiser}, ema, clock)
    error_before = evaluate(average, val_mels)
    loaded = _finish(average, val_mels, config)
    log.write(step=clock.step, held_out_log_mel_l1=error_before, loaded_back=evaluate(loaded, val_mels))
    return loaded


def _finish(average: MelVae, val_mels: Tensor, config: VaeTraining) -> MelVae:
    """Set the scaling factor, save, load back and check that the file gives the same error."""
    if not config.refine:
        average.vae.register_to_config(scaling_factor=1.0)
        average.vae.register_to_config(scaling_factor=round(1.0 / max(latent_deviation(average, val_mels), 1e-3), 6))
    average.save(config.out)
    loaded = MelVae.load(config.out)
    before, after = evaluate(average, val_mels[:8]), evaluate(loaded, val_mels[:8])
    assert abs(before - after) < 0.02 * max(before, 0.05), f"saved weights differ: {before} before, {after} after"
    return loaded
