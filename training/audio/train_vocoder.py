"""Train the vocoder's network: log-mel -> tonality, instantaneous frequency, magnitude, fine envelope, by regression.

Notable: no adversary and no loss on a synthesised waveform; all targets are measured on recordings, or known of
synthetic tones. A third of the crops are resampled in pitch and speed; a part of the inputs are round trips through the
latent spaces with noise on the latents, because generated mels look like those; averaged weights.

    python -m training.audio.train_vocoder --data DIR --out checkpoints/vocoder --vae checkpoints/vae    # one CPU core
    python -m training.audio.train_vocoder --data DIR --out runs/smoke --runs runs/smoke --minutes 0.2 --batch 4
    accelerate launch --module training.audio.train_vocoder --data DIR --out checkpoints/vocoder         # GPUs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel
from synesthesia.audio.tone_noise_synthesis import Prediction
from synesthesia.audio.tone_noise_vocoder import ToneNoiseConfig, ToneNoiseVocoder
from training.audio.tonality_targets import Targets, TonalityTargets
from training.audio.vocoder_batches import Shares, VocoderBatches
from training.common.audio_data import HOP, SoundStore, crop_samplers
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, check_loaded, fit, start

HUBER = 1.5  # where the losses of log-magnitudes and envelopes turn from square to linear, in nepers

NOISE_WEIGHT = 0.15  # of a noisy bin's magnitude against a tonal one's


@dataclass(frozen=True)
class VocoderTraining(TrainOptions):
    runs: Path = Path("runs/vocoder")
    vae: Path | None = None  # the autoencoder whose round trips are learned as well
    minutes: float = 50.0
    batch: int = 8
    frames: int = 128  # 1.28 s
    rate: float = 1.5e-3
    latent_noise: float = 0.3  # at most, of the latents' deviation
    bf16: bool = True
    shares: Shares = field(default_factory=Shares)
    model: ToneNoiseConfig = field(default_factory=ToneNoiseConfig)


def losses(prediction: Prediction, targets: Targets) -> dict[str, Tensor]:
    """Mean losses by name: tonality and offset weighted by power, offset and magnitude by tonality (what noise has of
    fine structure can't be predicted)."""
    weight = targets.weight
    total = weight.sum().clamp(min=1.0)
    tonal = weight * targets.tonality.clamp(0.0, 1.0)
    tonality = (weight * (prediction.tonality - targets.tonality).square()).sum() / total
    fine = NOISE_WEIGHT + targets.tonality.clamp(0.0, 1.0)
    magnitude = F.smooth_l1_loss(prediction.log_magnitude, targets.log_magnitude, beta=HUBER, reduction="none")
    offset = F.smooth_l1_loss(prediction.offset, targets.offset, beta=0.2, reduction="none")
    return {
        "tonality": tonality,
        "offset": (tonal * offset).sum() / tonal.sum().clamp(min=1.0),
        "log_magnitude": (fine * magnitude).sum() / fine.sum(),
        "envelope": F.smooth_l1_loss(prediction.envelope, targets.envelope, beta=HUBER),
    }


WEIGHTS = {"tonality": 2.0, "offset": 1.0, "log_magnitude": 1.0, "envelope": 0.7}


def main(config: VocoderTraining) -> ToneNoiseVocoder:
    """Train, resume if `runs` holds a state, save to `out`; returns the averaged, loaded-back vocoder."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    train, val = crop_samplers(SoundStore.open(config.data, config.cache, config.limit), rng)
    batches = VocoderBatches(train, config.vae, config.batch, config.frames, config.shares, config.latent_noise, rng)
    held_out = val.wave_crops(32, config.frames * HOP, mix=0.0)[0]
    val_mels, val_targets = LogMel()(held_out).to(device), _to(TonalityTargets()(held_out), device)
    vocoder = ToneNoiseVocoder(config.model)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        mels, targets = batches.draw()
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            prediction = vocoder.predict(mels.to(device))
        values = losses(prediction, _to(targets, device))
        loss = sum((WEIGHTS[name] * value for name, value in values.items()), torch.zeros((), device=device))
        return loss, {name: value.detach() for name, value in values.items()}

    @torch.no_grad()
    def evaluate(one: ToneNoiseVocoder) -> dict[str, float]:
        values = losses(one.predict(val_mels), val_targets)
        return {f"held_out_{name}": float(value) for name, value in values.items()}

    def check() -> dict[str, float]:
        vocoder.save(config.out)
        return evaluate(vocoder)

    learner = Learner(vocoder, all_parameters(vocoder, config.rate), clip_norm=1.0)
    fit(config.frame(50, 500), learner, step_loss, on_check=check, generators={"rng": rng}, accelerator=accelerator)
    if accelerator.is_main_process:
        vocoder.save(config.out)
        loaded = ToneNoiseVocoder.load(config.out).to(device)
        name = "held_out_log_magnitude"
        check_loaded(config.runs, name, evaluate(vocoder)[name], evaluate(loaded)[name], tolerance=0.02)
    accelerator.wait_for_everyone()
    return ToneNoiseVocoder.load(config.out)


def _to(targets: Targets, device: torch.device) -> Targets:
    parts = (targets.tonality, targets.weight, targets.offset, targets.log_magnitude, targets.envelope)
    return Targets(*(part.to(device) for part in parts))


if __name__ == "__main__":
    run(main, VocoderTraining, __doc__)
