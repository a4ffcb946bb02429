"""The codec's figures on held-out recordings: what each way back to sound loses, with n and 95 % intervals.

    python -m training.evaluate_codec --data DIR                    # the table, a few minutes on one core
    python -m training.evaluate_codec --data DIR --per-label 2      # quicker
    python -m training.evaluate_codec --data DIR --pictures OUT     # also spectrograms of dog, rain, glass, clock

Rows: identity; codec (autoencoder and vocoder); vocoder alone from the true mel; Griffin-Lim from the same mel; EnCodec
with all codebooks and with four. Columns: log-mel distance, multi-resolution STFT distance, SI-SDR, what the judge and
the product's ear hear (top-1, top-5), CPU seconds per second of sound. Distances ask for the same spectrogram, SI-SDR
for the same waveform; the judge asks whether it still is the same thing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.audio.ear import Ear
from synesthesia.audio.mel import LogMel
from synesthesia.audio.metrics import mel_distance, si_sdr_db, stft_distance
from synesthesia.audio.tokens import TokenCodec
from synesthesia.audio.vocoder import GriffinLim
from synesthesia.evaluation.intervals import Estimate, bootstrap, wilson
from synesthesia.evaluation.judge import Judge
from training.audio_data import SAMPLE_RATE_HZ, Clip, SoundStore, read_manifest

FOUR = ("dog", "rain", "glass_breaking", "clock_tick")  # what a listener must be able to tell apart
Back = Callable[[Tensor], Tensor]  # waveform (1, n) -> waveform (1, n)


@dataclass(frozen=True)
class Row:
    """One system's figures."""

    system: str
    mel: Estimate
    stft: Estimate
    si_sdr_db: Estimate
    judge_top1: Estimate
    judge_top5: Estimate
    ear_top1: Estimate
    ear_top5: Estimate
    four_told_apart: Estimate  # the judge choosing between dog, rain, glass and clock alone
    cpu_s_per_s: float

    def line(self) -> str:
        parts = (self.mel, self.stft, self.si_sdr_db, self.judge_top1, self.judge_top5, self.ear_top1, self.ear_top5)
        return " | ".join(
            [f"| {self.system}", *map(str, parts), str(self.four_told_apart), f"{self.cpu_s_per_s:.4f} |"]
        )


HEADER = (
    "| system | log-mel distance | STFT distance | SI-SDR dB | judge top-1 | judge top-5 | ear top-1 | ear top-5 "
    "| four told apart | CPU s per s |\n" + "|---" * 10 + "|"
)


def held_out(clips: list[Clip], labels: tuple[str, ...], per_label: int, seed: int) -> list[int]:
    """Indices of held-out clips, at most `per_label` of a label, drawn with a seed; no one-recording labels."""
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        if clip.split == "val" and not clip.single_recording and clip.label in labels:
            by_label.setdefault(clip.label, []).append(index)
    return sorted(int(i) for mine in by_label.values() for i in rng.permutation(mine)[:per_label])


def systems(codec: LatentCodec, tokens: TokenCodec | None) -> dict[str, Back]:
    """Every way from a waveform (1, n) back to one; n is a multiple of 640 samples."""
    mel = codec.mel
    griffin_lim = GriffinLim()
    ways: dict[str, Back] = {
        "identity": lambda wave: wave,
        "codec: autoencoder + vocoder": lambda wave: codec.decode(codec.encode(wave)),
        "vocoder from the true mel": lambda wave: codec.vocoder(mel(wave)).clamp(-1.0, 1.0),
        "Griffin-Lim from the true mel": lambda wave: griffin_lim(mel(wave)),
    }
    if tokens is not None:
        ways[f"EnCodec, {tokens.codebooks} codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None]))[:, 0]
        ways["EnCodec, 4 codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None], 4))[:, 0]
    return ways


@torch.no_grad()
def measure(name: str, back: Back, waves: list[Tensor], labels: list[str], ear: Ear, judge: Judge | None) -> Row:
    """Figures of one system over waveforms (1, n) with their labels."""
    log_mel, spent_s = LogMel(), 0.0
    numbers, hits, four = [], [], []
    for wave, label in zip(waves, labels, strict=True):
        began = time.process_time()
        made = back(wave)[:, : wave.shape[1]]
        spent_s += time.process_time() - began
        distances = (mel_distance(made, wave, log_mel), stft_distance(made, wave), si_sdr_db(made, wave))
        numbers.append([float(value) for value in distances])
        heard = ear(log_mel(made))[0][0].topk(5).indices.tolist()
        ear_index = ear.labels.index(label)
        found = [heard[0] == ear_index, ear_index in heard, False, False]
        if judge is not None:
            logits = judge(made)[0][0]
            ranked, wanted = logits.topk(5).indices.tolist(), judge.config.labels.index(label)
            found[2:] = [ranked[0] == wanted, wanted in ranked]
            if label in FOUR:
                among = [float(logits[judge.config.labels.index(other)]) for other in FOUR]
                four.append(FOUR[int(np.argmax(among))] == label)
        hits.append(found)
    values, found_all, rng = np.array(numbers), np.array(hits), np.random.default_rng(0)
    shares = [wilson(int(found_all[:, k].sum()), len(waves)) for k in range(4)]
    means = [bootstrap(values[:, k][np.isfinite(values[:, k])], lambda x: float(np.mean(x)), rng) for k in range(3)]
    seconds = sum(wave.shape[1] for wave in waves) / SAMPLE_RATE_HZ
    return Row(
        name, *means, shares[2], shares[3], shares[0], shares[1], wilson(sum(four), len(four)), spent_s / seconds
    )


def pictures(ways: dict[str, Back], waves: list[Tensor], labels: list[str], out: Path) -> None:
    """One PNG per label of FOUR: the log-mels of every system's result, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    log_mel = LogMel()
    for label in FOUR:
        if label not in labels:
            continue
        wave = waves[labels.index(label)][:, : 4 * SAMPLE_RATE_HZ]
        figure, axes = plt.subplots(len(ways), 1, figsize=(10, 1.9 * len(ways)), layout="constrained")
        for axis, (name, back) in zip(axes, ways.items(), strict=True):
            axis.imshow(log_mel(back(wave))[0].T, origin="lower", aspect="auto", vmin=-11.5, vmax=1.5, cmap="magma")
            axis.set_title(f"{label}: {name}", fontsize=9)
            axis.set_ylabel("mel band")
        axes[-1].set_xlabel("frames of 10 ms")
        figure.savefig(out / f"{label}.png", dpi=80)
        plt.close(figure)


def main(
    data: Path, checkpoints: Path, cache: Path, per_label: int, seed: int, out: Path | None, drawn: Path | None
) -> list[Row]:
    """Print the table, write it as JSON to `out`; returns its rows."""
    codec = LatentCodec.from_folders(checkpoints / "vae", checkpoints / "vocoder")
    ear = Ear.load(checkpoints / "ear")
    tokens = TokenCodec.load(checkpoints / "encodec") if (checkpoints / "encodec/config.json").is_file() else None
    judge = Judge.load(checkpoints / "judge") if (checkpoints / "judge/config.json").is_file() else None
    clips = read_manifest(data)
    chosen = held_out(clips, ear.labels, per_label, seed)
    store = SoundStore(data, clips, cache)
    labels = [clips[i].label for i in chosen]
    waves = []
    for index in chosen:
        wave = torch.from_numpy(store.waveform(index))[None, : 5 * SAMPLE_RATE_HZ]
        short = max(SAMPLE_RATE_HZ - wave.shape[1], -wave.shape[1] % codec.samples_per_latent)
        waves.append(F.pad(wave, (0, short + -(wave.shape[1] + short) % codec.samples_per_latent)))
    ways = systems(codec, tokens)
    with torch.no_grad():
        if drawn:
            pictures(ways, waves, labels, drawn)
    print(f"n = {len(waves)} held-out clips of {len(set(labels))} labels (first 5 s of each), 95 % intervals\n{HEADER}")
    rows = []
    for name, back in ways.items():
        rows.append(measure(name, back, waves, labels, ear, judge))
        print(rows[-1].line(), flush=True)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--per-label", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the rows as JSON")
    parser.add_argument("--pictures", type=Path, help="folder for spectrogram pictures")
    a = parser.parse_args()
    main(a.data, a.checkpoints, a.cache, a.per_label, a.seed, a.out, a.pictures)
