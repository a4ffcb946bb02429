"""The codec's figures on held-out recordings: what each way back to sound loses, with n and 95 % intervals.

    python -m training.audio.evaluate_codec --data DIR                    # the table, a few minutes on one core
    python -m training.audio.evaluate_codec --data DIR --per-label 2      # quicker
    python -m training.audio.evaluate_codec --data DIR --pictures OUT     # also spectrograms of dog, rain, glass, clock

Rows: identity; codec (autoencoder and vocoder); vocoder alone from the true mel; Griffin-Lim from the same mel; mel
tokens; EnCodec with all codebooks and with four. Columns: log-mel distance, multi-resolution STFT distance, SI-SDR,
what the judge and the product's ear hear (top-1, top-5), CPU seconds per second of sound. Distances ask for the same
spectrogram, SI-SDR for the same waveform; the judge asks whether it still is the same thing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.audio.mel import LogMel
from synesthesia.audio.metrics import mel_distance, si_sdr_db, stft_distance
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.tokens import TokenCodec
from synesthesia.audio.vocoder import GriffinLim
from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.intervals import Estimate, bootstrap, wilson
from synesthesia.image_to_sound.mel_patches import MelPatches
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from training.common.audio_data import SAMPLE_RATE_HZ, Clip, SoundStore, read_manifest

FOUR = ("dog", "rain", "glass_breaking", "clock_tick")  # what a listener must be able to tell apart
Back = Callable[[Tensor], Tensor]  # waveform (1, n) -> waveform (1, n)
Sounds = list[tuple[Tensor, str]]  # waveforms (1, n), n a multiple of 640, with their labels


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


def systems(
    codec: LatentCodec, tokens: TokenCodec | None, patches: MelPatches | None, mel_tokens: MelTokens | None = None
) -> dict[str, Back]:
    """Every way from a waveform (1, n) back to one; n is a multiple of 640 samples."""
    mel = codec.mel
    griffin_lim = GriffinLim()
    ways: dict[str, Back] = {
        "identity": lambda wave: wave,
        "codec: autoencoder + vocoder": lambda wave: codec.decode(codec.encode(wave)),
        "vocoder from the true mel": lambda wave: codec.vocoder(mel(wave)).clamp(-1.0, 1.0),
        "Griffin-Lim from the true mel": lambda wave: griffin_lim(mel(wave)),
    }
    if patches is not None:
        ways["mapper's patch transform + vocoder"] = lambda wave: codec.vocoder(
            patches.decode(patches.encode(mel(wave)))
        )
    if mel_tokens is not None:
        for books in (1, 2, mel_tokens.config.codebooks):
            ways[f"mel tokens, {books} codebooks + vocoder"] = partial(through_tokens, codec, mel_tokens, books)
    if tokens is not None:
        ways[f"EnCodec, {tokens.codebooks} codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None]))[:, 0]
        ways["EnCodec, 4 codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None], 4))[:, 0]
    return ways


def through_tokens(codec: LatentCodec, tokens: MelTokens, books: int, wave: Tensor) -> Tensor:
    """(1, n) -> (1, n) by the first `books` codebooks of the mel tokens."""
    return codec.vocoder(tokens.decode(tokens.encode(codec.mel(wave))[:, :books])).clamp(-1.0, 1.0)


@torch.no_grad()
def measure(name: str, back: Back, sounds: Sounds, four: Sounds, ear: AudioTagger, judge: EvalTagger | None) -> Row:
    """Figures of one system over sounds, and over those of FOUR for telling apart."""
    log_mel, spent_s = LogMel(), 0.0
    numbers, hits = [], []
    for wave, label in sounds:
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
        hits.append(found)
    values, found_all, rng = np.array(numbers), np.array(hits), np.random.default_rng(0)
    ear1, ear5, judge1, judge5 = (wilson(int(found_all[:, k].sum()), len(sounds)) for k in range(4))
    mel, stft, si_sdr = (bootstrap(x[np.isfinite(x)], lambda draw: float(np.mean(draw)), rng) for x in values.T)
    seconds = sum(wave.shape[1] for wave, _ in sounds) / SAMPLE_RATE_HZ
    return Row(
        name, mel, stft, si_sdr, judge1, judge5, ear1, ear5, told_apart(back, four, judge), spent_s / seconds
    )  # fmt: skip


@torch.no_grad()
def told_apart(back: Back, four: Sounds, judge: EvalTagger | None) -> Estimate:
    """How often the judge, choosing between the labels of FOUR alone, names the right one after the way back."""
    if judge is None:
        return wilson(0, 0)
    columns = [judge.config.labels.index(label) for label in FOUR]
    right = [FOUR[int(judge(back(wave))[0][0][columns].argmax())] == label for wave, label in four]
    return wilson(sum(right), len(right))


def pictures(ways: dict[str, Back], four: Sounds, out: Path) -> None:
    """One PNG per label of FOUR: the log-mels of every system's result, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    log_mel = LogMel()
    for wave, label in {label: (wave[:, : 4 * SAMPLE_RATE_HZ], label) for wave, label in four}.values():
        figure, axes = plt.subplots(len(ways), 1, figsize=(10, 1.9 * len(ways)), layout="constrained")
        for axis, (name, back) in zip(axes, ways.items(), strict=True):
            axis.imshow(log_mel(back(wave))[0].T, origin="lower", aspect="auto", vmin=-11.5, vmax=1.5, cmap="magma")
            axis.set_title(f"{label}: {name}", fontsize=9)
            axis.set_ylabel("mel band")
        axes[-1].set_xlabel("frames of 10 ms")
        figure.savefig(out / f"{label}.png", dpi=80)
        plt.close(figure)


def patch_transform(folder: Path) -> MelPatches | None:
    """The mapper's own latent space, where the folder has one."""
    if not (folder / "patches.safetensors").is_file():
        return None
    patches = MelPatches()
    patches.load_state_dict(load_file(folder / "patches.safetensors"))
    return patches


def _excerpt(store: SoundStore, index: int, multiple: int) -> Tensor:
    """(1, n): the first five seconds of a clip, at least one second, n a multiple of `multiple`; silence fills up."""
    wave = torch.from_numpy(store.waveform(index))[None, : 5 * SAMPLE_RATE_HZ]
    wanted = max(SAMPLE_RATE_HZ, wave.shape[1])
    return F.pad(wave, (0, wanted + -wanted % multiple - wave.shape[1]))


def main(
    data: Path, checkpoints: Path, cache: Path, per_label: int, seed: int, out: Path | None, drawn: Path | None
) -> list[Row]:
    """Print the table, write it as JSON to `out`; returns its rows."""
    codec = LatentCodec.from_folders(checkpoints / "vae", checkpoints / "vocoder")
    ear = AudioTagger.load(checkpoints / "ear")
    tokens = TokenCodec.load(checkpoints / "encodec") if (checkpoints / "encodec/config.json").is_file() else None
    judge = EvalTagger.load(checkpoints / "judge") if (checkpoints / "judge/config.json").is_file() else None
    clips = read_manifest(data)
    chosen = held_out(clips, ear.labels, per_label, seed)
    store = SoundStore(data, clips, cache)
    sounds = [(_excerpt(store, i, codec.samples_per_latent), clips[i].label) for i in chosen]
    four = [
        (_excerpt(store, i, codec.samples_per_latent), clips[i].label)
        for i in held_out(clips, FOUR, 4 * per_label, seed)
    ]
    mel_tokens = MelTokens.load(checkpoints / "mel_tokens") if (checkpoints / "mel_tokens").is_dir() else None
    ways = systems(codec, tokens, patch_transform(checkpoints / "mapper"), mel_tokens)
    with torch.no_grad():
        if drawn:
            pictures(ways, four, drawn)
    count = len({label for _, label in sounds})
    print(f"n = {len(sounds)} held-out clips of {count} labels, {len(four)} for telling four apart (first 5 s of each)")
    print(HEADER)
    rows = []
    for name, back in ways.items():
        rows.append(measure(name, back, sounds, four, ear, judge))
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
