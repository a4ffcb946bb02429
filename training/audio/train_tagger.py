"""Train the audio tagger: residual network on log-mels with SpecAugment and mixup -> label, 128-d unit embedding.

Notable: labels drawn almost evenly; short clips repeated or placed in silence; small time stretch and pitch shift;
mixup of two clips in the magnitude domain with both labels; random gain, equaliser curve and low-pass (sources differ
in bandwidth, and a model would learn the source instead); masks in time and band; blur and noise in the log-mel,
because the tagger must also classify generated sound.

    python -m training.audio.train_tagger --data DIR --out checkpoints/ear --minutes 18              # one CPU core
    python -m training.audio.train_tagger --data DIR --out runs/smoke --runs runs/smoke --minutes 0.2 --batch 4
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import MelConfig
from synesthesia.audio.tagger import AudioTagger, AudioTaggerConfig
from training.common.audio_data import SoundStore, label_names, place_in_canvas
from training.common.cli import run
from training.common.fit import Learner, Step, TrainOptions, decay_matrices, fit, start
from training.common.run_state import JsonlLog

FLOOR = MelConfig().floor


@dataclass(frozen=True)
class TaggerTraining(TrainOptions):
    runs: Path = Path("runs/ear")
    minutes: float = 18.0
    batch: int = 32
    rate: float = 3e-3
    balance: float = 0.4  # a label is drawn with the number of its clips to this power
    bf16: bool = True


def augment(mels: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, T, 64) log-mels -> the same shape: equaliser, low-pass, noise floor, blur, masks, each on a share."""
    count, frames, bands = mels.shape
    augmented = mels.clone()
    position = torch.linspace(0.0, 1.0, bands)
    for i in range(count):
        curve = sum(rng.normal(0.0, 0.35) * torch.cos(torch.pi * k * position) for k in range(1, 4))
        augmented[i] += curve  # a smooth curve of about +-5 dB
        if rng.random() < 0.35:  # low-pass somewhere between 1.8 and 8 kHz
            cut = int(rng.integers(34, bands))
            augmented[i, :, cut:] -= float(rng.uniform(2.0, 9.0))
        if rng.random() < 0.3:  # a steady noise floor
            noise = float(rng.uniform(-11.0, -6.5)) + 0.3 * torch.randn(frames, bands)
            augmented[i] = torch.logaddexp(augmented[i], noise)
        if rng.random() < 0.35:  # what a generator does to fine detail
            augmented[i] = F.avg_pool2d(augmented[i][None, None], 3, 1, 1, count_include_pad=False)[0, 0]
            augmented[i] += float(rng.uniform(0.0, 0.35)) * torch.randn(frames, bands)
        if rng.random() < 0.5:
            begin, width = int(rng.integers(0, bands - 10)), int(rng.integers(1, 10))
            augmented[i, :, begin : begin + width] = FLOOR
        if rng.random() < 0.5:
            begin, width = int(rng.integers(0, frames - frames // 6)), int(rng.integers(1, frames // 6))
            augmented[i, begin : begin + width] = FLOOR
    return augmented.clamp(min=FLOOR)


def mixup(mels: Tensor, targets: Tensor, share: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
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
def accuracy(tagger: AudioTagger, store: SoundStore, indices: list[int]) -> tuple[float, float]:
    """(top-1, top-5) on whole clips."""
    first = fifth = 0
    for index in indices:
        mel = torch.from_numpy(store.mel(index))[None].to(tagger.directions.device)
        order = tagger(mel)[0][0].topk(min(5, len(tagger.labels))).indices.tolist()
        label = tagger.labels.index(store.clips[index].label)
        first += order[0] == label
        fifth += label in order
    return first / len(indices), fifth / len(indices)


@torch.no_grad()
def fit_temperature(tagger: AudioTagger, store: SoundStore, indices: list[int]) -> float:
    """The temperature with the least cross-entropy on the given clips, over a grid (Guo et al. 2017)."""
    logits = torch.cat([tagger(torch.from_numpy(store.mel(i))[None])[0] for i in indices])
    targets = torch.tensor([tagger.labels.index(store.clips[i].label) for i in indices])
    grid = [0.4 * 1.08**k for k in range(30)]
    return round(min(grid, key=lambda t: float(F.cross_entropy(logits / t, targets))), 4)


def main(config: TaggerTraining) -> AudioTagger:
    """Train, resume if `runs` holds a state, save to `out` with the fitted temperature; returns it loaded back."""
    accelerator, rng = start(config.seed)
    device = accelerator.device
    store = SoundStore.open(config.data, config.cache, config.limit)
    clips, names = store.clips, label_names(store.clips)
    train = Excerpts(store, store.train_rows, rng, config.balance)
    held_out = [i for i in store.held_out_rows if clips[i].label in names] or store.train_rows
    label_of = torch.tensor([names.index(clip.label) if clip.label in names else 0 for clip in clips])
    tagger = AudioTagger(AudioTaggerConfig(labels=tuple(names))).to(memory_format=torch.channels_last)

    def step_loss(step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        frames = int(rng.choice([160, 256, 400], p=[0.35, 0.4, 0.25]))
        mels, chosen = train.draw(max(2, config.batch * 256 // frames), frames)
        mels, targets = mixup(mels, F.one_hot(label_of[chosen], len(names)).float(), 0.5, rng)
        targets = targets.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
            logits, _ = tagger(augment(mels, rng).to(device))
        loss = F.cross_entropy(logits.float(), targets, label_smoothing=0.05)
        return loss, {"loss": loss, "accuracy": (logits.argmax(1) == targets.argmax(1)).float().mean()}

    def check() -> dict[str, float]:
        first, fifth = accuracy(tagger, store, held_out[::4])
        return {"quarter_top1": first, "quarter_top5": fifth}

    learner = Learner(tagger, decay_matrices(tagger, config.rate, weight_decay=0.05), clip_norm=2.0)
    fit(config.frame(20), learner, step_loss, on_check=check, generators={"rng": rng}, accelerator=accelerator)
    if accelerator.is_main_process:
        tagger.cpu()
        tagger.config = replace(tagger.config, temperature=fit_temperature(tagger, store, held_out))
        tagger.save(config.out)
        loaded = AudioTagger.load(config.out)
        mel = torch.from_numpy(store.mel(held_out[0]))[None]
        assert torch.allclose(loaded(mel)[1], tagger(mel)[1], atol=2e-2), "saved weights differ from those in memory"
        first, fifth = accuracy(loaded, store, held_out)
        figures = {"top1": first, "top5": fifth, "temperature": loaded.config.temperature}
        JsonlLog(config.runs).write(held_out=len(held_out), **figures)
    accelerator.wait_for_everyone()
    return AudioTagger.load(config.out)


if __name__ == "__main__":
    run(main, TaggerTraining, __doc__)
