"""Train the variational autoencoder of log-mels (Kingma and Welling 2014): crops <-> latents [B, 8, T/4, 16].

Notable: L1 + L2 on the log-mel, the same on its time and band differences and on coarser scales (transients and
harmonics are differences, not levels); a small KL term that keeps the latents compact and tolerant of a generator's
small errors; averaged weights; the scaling factor 1 / deviation, measured at the end.
With `--refine FOLDER` the encoder and the scaling factor of that checkpoint stay the same to the last bit and only the
decoder is trained: generators trained on its latents stay valid.

    python -m training.audio.train_vae --data DIR --out checkpoints/vae --minutes 20          # one CPU core
    python -m training.audio.train_vae --data DIR --out runs/refined --refine checkpoints/vae --minutes 6
    python -m training.audio.train_vae --data DIR --out runs/smoke --runs runs/smoke --minutes 0.2 --batch 2
    accelerate launch --module training.audio.train_vae --data DIR --out checkpoints/vae      # GPUs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.vae import MelVae, VaeConfig
from training.common.audio_data import SoundStore, crop_samplers
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, check_loaded, fit, start


@dataclass(frozen=True)
class VaeTraining(TrainOptions):
    runs: Path = Path("runs/vae")
    batch: int = 8
    frames: int = 128  # 1.28 s
    rate: float = 1.2e-3
    kl_weight: float = 2e-2  # per latent number, against a loss per mel number
    bf16: bool = True
    refine: Path | None = None  # train only the decoder of this checkpoint
    model: VaeConfig = field(default_factory=VaeConfig)


def mel_loss(decoded: Tensor, target: Tensor) -> Tensor:
    """L1 + L2 of normalised log-mels (B, 1, T, 64), of their differences and of two coarser scales; a scalar."""
    total = F.l1_loss(decoded, target) + 0.5 * F.mse_loss(decoded, target)
    for axis in (2, 3):
        total = total + 0.5 * F.l1_loss(decoded.diff(dim=axis), target.diff(dim=axis))
    for scale in (2, 4):
        total = total + 0.5 * F.l1_loss(F.avg_pool2d(decoded, scale), F.avg_pool2d(target, scale))
    return total


def vae_loss(
    model: MelVae, mels: Tensor, kl_weight: float, bf16: bool, encoder_fixed: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Log-mels (B, T, 64) -> (loss, L1 in log-mel units, KL per latent number)."""
    target = ((mels - model.mel_mean) / model.mel_std)[:, None]  # (B, 1, T, 64)
    with torch.autocast(mels.device.type, torch.bfloat16, enabled=bf16):
        with torch.set_grad_enabled(torch.is_grad_enabled() and not encoder_fixed):
            moments = model.vae.quant_conv(model.vae.encoder(target)).float()
        mean, log_variance = moments.chunk(2, dim=1)  # (B, 8, T/4, 16) each
        log_variance = log_variance.clamp(-20.0, 10.0)
        latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        decoded = model.vae.decoder(model.vae.post_quant_conv(latents)).float()
    kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()
    return mel_loss(decoded, target) + kl_weight * kl, F.l1_loss(decoded.detach(), target) * model.mel_std, kl.detach()


@torch.no_grad()
def evaluate(model: MelVae, mels: Tensor) -> float:
    """Mean absolute log-mel error of the mode's round trip; mels (N, T, 64)."""
    decoded = torch.cat([model.decode(model.encode(part)) for part in mels.split(8)])
    return float((decoded - mels).abs().mean())


@torch.no_grad()
def latent_deviation(model: MelVae, mels: Tensor) -> float:
    """Standard deviation of the unscaled latents' mode over mels (N, T, 64)."""
    latents = torch.cat([model.encode(part) for part in mels.split(8)]) / model.scaling_factor
    return float(latents.std())


def main(config: VaeTraining) -> MelVae:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back model."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    train, val = crop_samplers(SoundStore.open(config.data, config.cache, config.limit), rng)
    val_mels = val.mel_crops(48, config.frames, mix=0.0)[0].to(device)
    model = MelVae(config.model.build(), config.model.mel_mean, config.model.mel_std)
    if config.refine:
        refined = MelVae.load(config.refine).vae
        model.vae.load_state_dict(refined.state_dict())
        model.vae.register_to_config(scaling_factor=refined.config.scaling_factor)
        for part in (model.vae.encoder, model.vae.quant_conv):
            part.requires_grad_(False)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        mels = train.mel_crops(config.batch, config.frames)[0].to(device)
        loss, error, kl = vae_loss(model, mels, config.kl_weight, config.bf16, bool(config.refine))
        return loss, {"loss": loss, "log_mel_l1": error, "kl": kl}

    def check() -> dict[str, float]:
        save(model, val_mels, config)
        return {"held_out_log_mel_l1": evaluate(model, val_mels)}

    learner = Learner(model, all_parameters(model, config.rate))
    fit(config.frame(20, 400), learner, step_loss, kept=model.vae, on_check=check, generators={"rng": rng},
        accelerator=accelerator)  # fmt: skip
    if accelerator.is_main_process:
        save(model, val_mels, config)
        before, after = evaluate(model, val_mels), evaluate(MelVae.load(config.out).to(device), val_mels)
        check_loaded(config.runs, "held_out_log_mel_l1", before, after, tolerance=0.02 * max(before, 0.05))
    accelerator.wait_for_everyone()
    return MelVae.load(config.out)


def save(model: MelVae, val_mels: Tensor, config: VaeTraining) -> None:
    """With the scaling factor that gives latents a deviation of 1; a refined decoder keeps its encoder's."""
    if not config.refine:
        model.vae.register_to_config(scaling_factor=1.0)
        model.vae.register_to_config(scaling_factor=round(1.0 / max(latent_deviation(model, val_mels), 1e-3), 6))
    model.save(config.out)


if __name__ == "__main__":
    run(main, VaeTraining, __doc__)
