"""Train the evaluation classifier behind every figure about sounds (SpecAugment, mixup), on real training sounds only.

    python -m training.evaluation.train_eval_tagger --data DIR --out checkpoints/judge                   # one CPU core
    python -m training.evaluation.train_eval_tagger --data DIR --out runs/smoke --runs runs/smoke --minutes 0.5  # smoke
    accelerate launch --module training.evaluation.train_eval_tagger --data DIR --out checkpoints/judge  # GPUs

Balanced draws; clips placed anywhere and repeated when short; mixtures of two clips with mixed targets; masked bands
and frames; gain; coloured noise, so that a codec's noise floor does not disturb the classifier. Prints its own top-1
and top-5 on held-out recordings with Wilson intervals, which bound every agreement that it reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.evaluation.eval_tagger import EvalTagger, EvalTaggerConfig
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from training.common.audio_data import SAMPLE_RATE_HZ, SoundStore, label_names, place_in_canvas, read_manifest
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, all_parameters, fit, start
from training.common.report import write_json


@dataclass(frozen=True)
class EvalTaggerTraining(TrainOptions):
    runs: Path = Path("runs/judge")
    minutes: float = 9.0
    ema: float = 0.0
    batch: int = 32
    crop_seconds: float = 2.6
    rate: float = 3e-3
    seed: int = 7041
    threads: int = 1


def evaluate(
    tagger: EvalTagger, store: SoundStore, indices: list[int], seconds: float = 4.0
) -> dict[str, ConfidenceInterval]:
    """Top-1 and top-5 over clips cut or padded to `seconds`."""
    labels = {label: i for i, label in enumerate(tagger.config.labels)}
    samples = int(seconds * tagger.config.sample_rate_hz)
    waves = np.stack([np.pad(w[:samples], (0, max(0, samples - len(w)))) for w in map(store.waveform, indices)])
    ranks = tagger.predict(torch.from_numpy(waves))[0].argsort(dim=1, descending=True)[:, :5]
    truth = torch.tensor([labels[store.clips[i].label] for i in indices])[:, None]
    hits = ranks == truth
    return {"top1": wilson(int(hits[:, 0].sum()), len(indices)), "top5": wilson(int(hits.any(1).sum()), len(indices))}


def main(config: EvalTaggerTraining) -> dict[str, ConfidenceInterval]:
    """Train, resume if `runs` holds a state, save to `out` with figures.json; returns the figures as loaded back."""
    accelerator, rng = start(config.seed)
    torch.set_num_threads(config.threads)
    device = accelerator.device
    clips = read_manifest(config.data)
    clips = clips[:: max(1, len(clips) // config.limit)] if config.limit else clips
    store, names = SoundStore(config.data, clips, config.cache), label_names(clips)
    number = {label: i for i, label in enumerate(names)}
    train = np.array(store.train_rows)
    label_of = torch.tensor([number.get(clip.label, 0) for clip in clips])
    weight = np.bincount(label_of[train])[label_of[train]] ** -0.6
    tagger = EvalTagger(EvalTaggerConfig(labels=tuple(names))).to(memory_format=torch.channels_last)
    samples = int(config.crop_seconds * SAMPLE_RATE_HZ)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        chosen = rng.choice(train, size=config.batch, p=weight / weight.sum())
        waves = torch.from_numpy(np.stack([place_in_canvas(store.waveform(i), samples, rng) for i in chosen]))
        waves, targets = _mix(waves, F.one_hot(label_of[chosen], len(names)).float(), rng)
        noise_level = 10 ** torch.from_numpy(rng.uniform(-5, -2.3, (len(waves), 1))).float()
        waves = waves + torch.randn_like(waves) * noise_level * waves.abs().amax(1, True)
        power = _mask(tagger.band_power(waves.to(device)), rng)
        with torch.autocast(device.type, torch.bfloat16):
            logits, _ = tagger.classify_bands(power)
        loss = F.cross_entropy(logits.float(), targets.to(device), label_smoothing=0.05)
        return loss, {"loss": loss}

    learner = Learner(tagger, all_parameters(tagger, config.rate, 0.03), betas=(0.9, 0.999), clip_norm=2.0)
    result = fit(config.frame(), learner, step_loss, generators={"rng": rng}, accelerator=accelerator)
    if accelerator.is_main_process:
        tagger.cpu()
        before = evaluate(tagger, store, store.held_out_rows)
        facts = {"clips_seen": result.step * config.batch, "seed": config.seed, "minutes": config.minutes}
        tagger.save(config.out, facts)
    accelerator.wait_for_everyone()
    figures = evaluate(EvalTagger.load(config.out), store, store.held_out_rows)  # as stored, in half precision
    if accelerator.is_main_process:
        for name, figure in figures.items():
            print(f"held-out recordings {name}: {figure} (n = {figure.n}); before storing {before[name].value:.3f}")
        write_json(config.out / "figures.json", figures)
    return figures


def _mix(x: Tensor, targets: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Half of the clips get a neighbour mixed in at equal power; targets follow the amplitudes."""
    level = x.pow(2).mean(1, keepdim=True).sqrt().clamp(min=1e-4)
    x = x / level
    share = torch.from_numpy(np.where(rng.random(len(x)) < 0.5, rng.uniform(0.5, 1.0, len(x)), 1.0)).float()[:, None]
    gain = share.sqrt(), (1 - share).sqrt()
    return gain[0] * x + gain[1] * x.roll(1, 0), share * targets + (1 - share) * targets.roll(1, 0)


def _mask(power: Tensor, rng: np.random.Generator) -> Tensor:
    """SpecAugment (Park et al. 2019) on (B, T, bands): a stripe of bands, one of frames, a random spectral tilt."""
    count, frames, bands = power.shape
    tilt = torch.from_numpy(rng.normal(0, 0.5, (count, 1, 1))).float() * torch.linspace(-1, 1, bands)
    power = power * (10**tilt).to(power.device)
    for axis, size in ((2, bands), (1, frames)):
        width = rng.integers(0, size // 6, count)
        start = np.array([rng.integers(0, size - w) for w in width])
        where = np.arange(size)[None]
        hidden = torch.from_numpy((where >= start[:, None]) & (where < (start + width)[:, None])).to(power.device)
        power = power.masked_fill(hidden[:, None, :] if axis == 2 else hidden[:, :, None], 0.0)
    return power


if __name__ == "__main__":
    run(main, EvalTaggerTraining, __doc__)
