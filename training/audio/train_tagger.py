"""Train the product's own ear on the training split: log-mel -> label and a 128-d point on the unit sphere.

Notable: labels drawn almost evenly; short clips repeated or placed in silence; stretched and shifted a little in pitch;
mixing of two clips in the magnitude domain with both labels; random gain, equaliser curve and low-pass (sources differ
in bandwidth, and a model would tell sources apart by that); masks in time and band; blur and noise in the log-mel,
because the ear must also hear generated sound.

    python -m training.audio.train_tagger --data DIR --out checkpoints/ear --minutes 18              # one CPU core
    python -m training.audio.train_tagger --data DIR --out runs/smoke --minutes 0.2 --batch 4        # smoke run
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import MelConfig
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from training.common.audio_data import SoundStore, label_names, read_manifest
from training.common.crop_placing import place_in_canvas
from training.common.run_state import Ema, JsonlLog, TimeBudget, cosine_rate, load_state, random_stream, save_state

FLOOR = MelConfig().floor


@dataclass(frozen=True)
class TaggerTraining:
    data: Path
    out: Path
    runs: Path = Path("runs/ear")
    cache: Path = Path("runs/cache")
    minutes: float = 18.0
    steps: int = 1_000_000
    batch: int = 32
    rate: float = 3e-3
    ema: float = 0.998
    balance: float = 0.4  # a label is drawn with the number of its clips to this power
    seed: int = 0
    bf16: bool = True
    limit: int = 0


def augment(mels: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, T, 64) log-mels -> the same shape: equaliser, low-pass, noise floor, blur, masks, each on a share."""
    count, frames, bands = mels.shape
    made = mels.clone()
    position = torch.linspace(0.0, 1.0, bands)
    for i in range(count):
        waves = sum(rng.normal(0.0, 0.35) * torch.cos(torch.pi * k * position) for k in range(1, 4))
        made[i] += waves  # a smooth curve of about +-5 dB
        if rng.random() < 0.35:  # low-pass somewhere between 1.8 and 8 kHz
            cut = int(rng.integers(34, bands))
            made[i, :, cut:] -= float(rng.uniform(2.0, 9.0))
        if rng.random() < 0.3:  # a steady noise floor
            noise = float(rng.uniform(-11.0, -6.5)) + 0.3 * torch.randn(frames, bands)
            made[i] = torch.logaddexp(made[i], noise)
        if rng.random() < 0.35:  # what a generator does to fine detail
            made[i] = F.avg_pool2d(made[i][None, None], 3, 1, 1, count_include_pad=False)[0, 0]
            made[i] += float(rng.uniform(0.0, 0.35)) * torch.randn(frames, bands)
        if rng.random() < 0.5:
            begin, width = int(rng.integers(0, bands - 10)), int(rng.integers(1, 10))
            made[i, :, begin : begin + width] = FLOOR
        if rng.random() < 0.5:
            begin, width = int(rng.integers(0, frames - frames // 6)), int(rng.integers(1, frames // 6))
            made[i, begin : begin + width] = FLOOR
    return made.clamp(min=FLOOR)


def mixed(mels: Tensor, targets: Tensor, share: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Mix a share of the crops (B, T, 64) with others of the batch; targets (B, labels) follow the levels."""
    order = torch.from_numpy(rng.permutation(len(mels)))
    weight = torch.from_numpy(rng.beta(0.6, 0.6, (len(mels), 1, 1)).astype(np.float32)).clamp(1e-3, 1 - 1e-3)
    use = torch.from_numpy(rng.random((len(mels), 1, 1)) < share)
    mel = torch.where(use, torch.logaddexp(mels + weight.log(), mels[order] + (1 - weight).log()), mels)
    target = torch.where(use[:, 0], weight[:, 0] * targets + (1 - weight[:, 0]) * targets[order], targets)
    return mel.clamp(min=FLOOR), target


class Excerpts:
    """Draws clips of the training split, evenly over labels, and cuts or places them."""

    def __init__(self, store: SoundStore, indices: list[int], rng: np.random.Generator, balance: float) -> None:
        self.store, self.indices, self.rng = store, np.array(indices), rng
        labels = [store.clips[i].label for i in indices]
        weight = np.array([labels.count(label) ** (balance - 1.0) for label in labels])
        self.probability = weight / weight.sum()

    def draw(self, count: int, frames: int) -> tuple[Tensor, np.ndarray]:
        """(count, frames, 64) log-mels and the (count,) store indices."""
        chosen = self.rng.choice(self.indices, size=count, p=self.probability)
        return torch.from_numpy(np.stack([self._one(int(i), frames) for i in chosen])), chosen

    def _one(self, index: int, frames: int) -> np.ndarray:
        rng, mel = self.rng, self.store.mel(index)
        if rng.random() < 0.5 and len(mel) > 16:  # up to 15 % slower or faster
            at = np.linspace(0, len(mel) - 1, max(8, int(len(mel) * rng.uniform(0.87, 1.15))))
            mel = mel[np.round(at).astype(int)]
        mel = place_in_canvas(mel, frames, rng, FLOOR)
        shift = int(rng.integers(-2, 3)) if rng.random() < 0.5 else 0
        if shift:  # up to two bands, about two semitones
            mel = np.roll(mel, shift, axis=1)
            edge = slice(0, shift) if shift > 0 else slice(shift, None)
            mel[:, edge] = mel[:, shift : shift + 1] if shift > 0 else mel[:, shift - 1 : shift]
        return mel


@torch.no_grad()
def accuracy(ear: AudioTagger, store: SoundStore, indices: list[int], names: list[str]) -> tuple[float, float]:
    """(top-1, top-5) on whole clips."""
    first = fifth = 0
    for index in indices:
        order = ear(torch.from_numpy(store.mel(index))[None])[0][0].topk(min(5, len(names))).indices.tolist()
        label = names.index(store.clips[index].label)
        first += order[0] == label
        fifth += label in order
    return first / len(indices), fifth / len(indices)


@torch.no_grad()
def fit_temperature(ear: AudioTagger, store: SoundStore, indices: list[int], names: list[str]) -> float:
    """The temperature with the least cross-entropy on the given clips, over a grid."""
    logits = torch.cat([ear(torch.from_numpy(store.mel(i))[None])[0] for i in indices])
    targets = torch.tensor([names.index(store.clips[i].label) for i in indices])
    grid = [0.4 * 1.08**k for k in range(30)]
    return round(min(grid, key=lambda t: float(F.cross_entropy(logits / t, targets))), 4)


def main(config: TaggerTraining) -> AudioTagger:
    """Train, resume if `runs` holds a state, save to `out` with the fitted temperature; returns the loaded-back ear."""
    torch.manual_seed(config.seed)
    clips = read_manifest(config.data)[: config.limit or None]
    names = label_names(clips)
    store = SoundStore(config.data, clips, config.cache)
    rng = random_stream(config.runs, config.seed)
    train = Excerpts(store, [i for i, clip in enumerate(clips) if clip.split == "train"], rng, config.balance)
    held_out = [i for i, c in enumerate(clips) if c.split == "val" and not c.single_recording and c.label in names]
    held_out = held_out or list(train.indices)
    label_of = torch.tensor([names.index(clip.label) if clip.label in names else 0 for clip in clips])

    ear = AudioTagger(AudioTaggerConfig(labels=tuple(names))).to(memory_format=torch.channels_last)
    average = AudioTagger(AudioTaggerConfig(labels=tuple(names))).eval()
    decay = [p for n, p in ear.named_parameters() if p.ndim > 1]
    free = [p for n, p in ear.named_parameters() if p.ndim <= 1]
    groups = [{"params": decay, "weight_decay": 0.05}, {"params": free, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))
    ema = Ema(ear, config.ema)
    step, spent_s = load_state(config.runs, {"ear": ear}, {"ear": optimiser}, ema)
    clock, log = TimeBudget(config.minutes, config.steps, spent_s, step), JsonlLog(config.runs)

    for step in clock:
        for group in optimiser.param_groups:
            group["lr"] = cosine_rate(clock.progress, config.rate)
        frames = int(rng.choice([160, 256, 400], p=[0.35, 0.4, 0.25]))
        mels, chosen = train.draw(max(2, config.batch * 256 // frames), frames)
        targets = F.one_hot(label_of[chosen], len(names)).float()
        mels, targets = mixed(mels, targets, 0.5, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
            logits, _ = ear(augment(mels, rng))
        loss = F.cross_entropy(logits.float(), targets, label_smoothing=0.05)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(ear.parameters(), 2.0)
        optimiser.step()
        ema.update(ear)
        if step % 20 == 0:
            hit = (logits.argmax(1) == targets.argmax(1)).float().mean().item()
            log.write(step=step, progress=clock.progress, loss=loss.item(), hit=hit)
        if step % 500 == 499:
            average.load_state_dict(ema.values)
            first, fifth = accuracy(average, store, held_out[::4], names)
            log.write(step=step, quarter_top1=first, quarter_top5=fifth)
            save_state(config.runs, {"ear": ear}, {"ear": optimiser}, ema, clock)
    save_state(config.runs, {"ear": ear}, {"ear": optimiser}, ema, clock)
    average.load_state_dict(ema.values)
    average.config = replace(average.config, temperature=fit_temperature(average, store, held_out, names))
    average.save(config.out)
    loaded = AudioTagger.load(config.out)
    mel = torch.from_numpy(store.mel(held_out[0]))[None]
    assert torch.allclose(loaded(mel)[1], average(mel)[1], atol=2e-2), "saved weights differ from those in memory"
    first, fifth = accuracy(loaded, store, held_out, names)
    log.write(step=clock.step, held_out=len(held_out), top1=first, top5=fifth, temperature=loaded.config.temperature)
    return loaded


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name in ("runs", "cache"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("steps", "batch", "limit", "seed"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--minutes", type=float)
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    main(TaggerTraining(**given))
