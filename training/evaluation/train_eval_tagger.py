"""Train the judge, the independent classifier behind every figure about sounds. Split `train` only, real sounds only.

    python -m training.evaluation.train_eval_tagger --data DATA --out checkpoints/judge --minutes 0.5      # CPU smoke run
    python -m training.evaluation.train_eval_tagger --data DATA --out checkpoints/judge                    # the committed one
    accelerate launch --module training.evaluation.train_eval_tagger --data DATA --out checkpoints/judge   # one GPU

Balanced draws, clips placed anywhere and repeated when short, mixtures of two clips with mixed targets, masked bands
and frames, gain, coloured noise: the judge must not be put off by a codec's noise floor. Prints its own top-1 and
top-5 on held-out recordings with Wilson intervals, which bound every agreement that it reports.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from synesthesia.evaluation.eval_tagger import EvalTagger, EvalTaggerConfig
from synesthesia.evaluation.intervals import Estimate, wilson
from training.common.audio_data import Clip, SoundStore, label_names, read_manifest
from training.common.crop_placing import place_in_canvas


@dataclass(frozen=True)
class Config:
    data: Path
    out: Path
    cache: Path = Path("runs/cache")
    minutes: float = 9.0
    batch: int = 32
    crop_seconds: float = 2.6
    rate: float = 3e-3
    seed: int = 7041
    threads: int = 1
    limit: int | None = None  # clips, for tests


def held_out(clips: list[Clip]) -> list[int]:
    """Held-out recordings that may be quoted: val, and not a segment of the recording that was trained on."""
    return [i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording]


def evaluate(judge: EvalTagger, store: SoundStore, indices: list[int], seconds: float = 4.0) -> dict[str, Estimate]:
    """Top-1 and top-5 over clips cut or padded to `seconds`."""
    labels = {label: i for i, label in enumerate(judge.config.labels)}
    samples = int(seconds * judge.config.sample_rate_hz)
    waves = np.stack([np.pad(w[:samples], (0, max(0, samples - len(w)))) for w in map(store.waveform, indices)])
    ranks = judge.hear(torch.from_numpy(waves))[0].argsort(dim=1, descending=True)[:, :5]
    truth = torch.tensor([labels[store.clips[i].label] for i in indices])[:, None]
    hits = ranks == truth
    return {"top1": wilson(int(hits[:, 0].sum()), len(indices)), "top5": wilson(int(hits.any(1).sum()), len(indices))}


def main(config: Config) -> dict[str, Estimate]:
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    rng = np.random.default_rng(config.seed)
    clips = read_manifest(config.data)
    if config.limit is not None:
        clips = clips[:: max(1, len(clips) // config.limit)]
    store = SoundStore(config.data, clips, config.cache)
    names = label_names(clips)
    number = {label: i for i, label in enumerate(names)}
    train = np.array([i for i, clip in enumerate(clips) if clip.split == "train"])
    counts = np.bincount([number[clips[i].label] for i in train], minlength=len(names))
    weight = np.array([counts[number[clips[i].label]] ** -0.6 for i in train])
    weight /= weight.sum()
    judge = EvalTagger(EvalTaggerConfig(labels=tuple(names))).to(memory_format=torch.channels_last)
    print(
        f"{sum(p.numel() for p in judge.parameters()):,} parameters, {len(train)} clips, {len(names)} labels",
        flush=True,
    )
    optimiser = torch.optim.AdamW(judge.parameters(), lr=config.rate, weight_decay=0.03)
    samples = int(config.crop_seconds * 16_000)
    config.out.mkdir(parents=True, exist_ok=True)
    log = (config.out / "log.jsonl").open("a", encoding="utf-8")
    started, spent, step, clips_seen = time.process_time(), 0.0, 0, 0
    judge.train()
    while spent < 1.0:
        spent = (time.process_time() - started) / (60.0 * config.minutes)  # CPU minutes: the machine is shared
        rate = config.rate * min(1.0, step / 50) * 0.5 * (1 + np.cos(np.pi * min(spent, 1.0))) + 1e-5
        optimiser.param_groups[0]["lr"] = rate
        chosen = rng.choice(train, size=config.batch, p=weight)
        waves = np.stack([place_in_canvas(store.waveform(i), samples, rng) for i in chosen])
        targets = F.one_hot(torch.tensor([number[clips[i].label] for i in chosen]), len(names)).float()
        x, targets = _mix(torch.from_numpy(waves), targets, rng)
        x = x + torch.randn_like(x) * 10 ** torch.from_numpy(rng.uniform(-5, -2.3, (len(x), 1))).float() * x.abs().amax(
            1, True
        )
        power = _mask(judge.bands(x), rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, _ = judge.from_bands(power)
        loss = F.cross_entropy(logits.float(), targets, label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 2.0)
        optimiser.step()
        step, clips_seen = step + 1, clips_seen + config.batch
        if step % 50 == 0:
            row = {"step": step, "clips": clips_seen, "share": round(spent, 3), "loss": round(loss.item(), 3)}
            print(json.dumps(row), flush=True)
            log.write(json.dumps(row) + "\n")
            log.flush()
    judge.eval()
    figures = evaluate(judge, store, held_out(clips))
    judge.save(config.out, clips_seen=clips_seen, seed=config.seed, cpu_minutes=config.minutes)
    again = evaluate(EvalTagger.load(config.out), store, held_out(clips))  # as stored, in half precision
    for name, estimate in again.items():
        print(f"held-out recordings {name}: {again[name]} (n = {estimate.n}); before storing {figures[name].value:.3f}")
    (config.out / "figures.json").write_text(json.dumps({k: asdict(v) for k, v in again.items()}, indent=1) + "\n")
    return again


def _mix(x: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Half of the clips get a neighbour mixed in at equal power; targets follow the amplitudes."""
    level = x.pow(2).mean(1, keepdim=True).sqrt().clamp(min=1e-4)
    x = x / level
    share = torch.from_numpy(np.where(rng.random(len(x)) < 0.5, rng.uniform(0.5, 1.0, len(x)), 1.0)).float()[:, None]
    gain = share.sqrt(), (1 - share).sqrt()
    return gain[0] * x + gain[1] * x.roll(1, 0), share * targets + (1 - share) * targets.roll(1, 0)


def _mask(power: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """SpecAugment on (B, T, bands): a stripe of bands and one of frames, plus a random tilt of the spectrum."""
    count, frames, bands = power.shape
    tilt = torch.from_numpy(rng.normal(0, 0.5, (count, 1, 1))).float() * torch.linspace(-1, 1, bands)
    power = power * 10**tilt
    for axis, size in ((2, bands), (1, frames)):
        width = rng.integers(0, size // 6, count)
        start = np.array([rng.integers(0, size - w) for w in width])
        where = torch.arange(size)[None]
        hidden = (where >= torch.from_numpy(start)[:, None]) & (where < torch.from_numpy(start + width)[:, None])
        power = power.masked_fill(hidden[:, None, :] if axis == 2 else hidden[:, :, None], 0.0)
    return power


def parse() -> Config:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--minutes", type=float, default=9.0, help="CPU minutes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7041)
    return Config(**vars(parser.parse_args()))


if __name__ == "__main__":
    main(parse())
