"""Reconstruction quality of the codecs on held-out recordings (log-mel, STFT, SI-SDR, classifiers), 95 % intervals.

    python -m training.audio.evaluate_codec --data DIR                    # the table, a few minutes on one core
    python -m training.audio.evaluate_codec --data DIR --per-label 2      # quicker
    python -m training.audio.evaluate_codec --data DIR --pictures OUT     # also spectrograms of dog, rain, glass, clock

Rows: identity; codec (autoencoder and vocoder); vocoder alone from the true mel; Griffin-Lim from the same mel; mel
tokens; EnCodec with all codebooks and with four. Columns: log-mel distance, multi-resolution STFT distance, SI-SDR,
agreement of the evaluation tagger and of the product's tagger (top-1, top-5), CPU seconds per second of sound.
Distances compare spectrograms, SI-SDR waveforms; the evaluation tagger checks whether the sound is still recognised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.codec import LatentCodec
from synesthesia.audio.mel import LogMel, MelPatches
from synesthesia.audio.metrics import mel_distance, si_sdr_db, stft_distance
from synesthesia.audio.tagger import AudioTagger
from synesthesia.audio.tokens import TokenCodec
from synesthesia.audio.vocoder import GriffinLim
from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from synesthesia.vlm_to_sound.mel_tokens import MelTokens
from training.common.audio_data import SAMPLE_RATE_HZ, SoundStore
from training.common.cli import run
from training.common.report import mean_interval, table_header, table_row, write_json

FOUR = ("dog", "rain", "glass_breaking", "clock_tick")  # labels that a listener must be able to distinguish
Codec = Callable[[Tensor], Tensor]  # waveform (1, n) -> its reconstruction (1, n)
Sounds = list[tuple[Tensor, str]]  # waveforms (1, n), n a multiple of 640, with their labels
Figures = dict[str, ConfidenceInterval | float]  # of one system, by the keys of COLUMNS
# eval_top1, eval_top5: agreement of the evaluation tagger; tagger_...: of the product's; four_labels: the evaluation
# tagger choosing between the labels of FOUR alone
COLUMNS = {
    "mel": "log-mel distance", "stft": "STFT distance", "si_sdr_db": "SI-SDR dB", "eval_top1": "eval tagger top-1",
    "eval_top5": "eval tagger top-5", "tagger_top1": "tagger top-1", "tagger_top5": "tagger top-5",
    "four_labels": "four labels", "cpu_s_per_s": "CPU s per s",
}  # fmt: skip


@dataclass(frozen=True)
class CodecEvaluation:
    data: Path
    checkpoints: Path = Path("checkpoints")
    cache: Path = Path("runs/cache")
    per_label: int = 4
    seed: int = 0
    out: Path | None = None  # file for the rows as JSON
    pictures: Path | None = None  # folder for spectrogram pictures


def held_out(store: SoundStore, labels: tuple[str, ...], per_label: int, seed: int) -> list[int]:
    """Indices of held-out clips, at most `per_label` of a label, drawn with a seed; no one-recording labels."""
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[int]] = {}
    for index in store.held_out_rows:
        if store.clips[index].label in labels:
            by_label.setdefault(store.clips[index].label, []).append(index)
    return sorted(int(i) for mine in by_label.values() for i in rng.permutation(mine)[:per_label])


def systems(
    codec: LatentCodec, tokens: TokenCodec | None, patches: MelPatches | None, mel_tokens: MelTokens | None = None
) -> dict[str, Codec]:
    """Each system by its name; n of its waveforms is a multiple of 640 samples."""
    mel = codec.mel
    griffin_lim = GriffinLim()
    found: dict[str, Codec] = {
        "identity": lambda wave: wave,
        "codec: autoencoder + vocoder": lambda wave: codec.decode(codec.encode(wave)),
        "vocoder from the true mel": lambda wave: codec.vocoder(mel(wave)).clamp(-1.0, 1.0),
        "Griffin-Lim from the true mel": lambda wave: griffin_lim(mel(wave)),
    }
    if patches is not None:
        found["mapper's patch transform + vocoder"] = lambda wave: codec.vocoder(
            patches.decode(patches.encode(mel(wave)))
        )
    if mel_tokens is not None:
        for books in (1, 2, mel_tokens.config.codebooks):
            found[f"mel tokens, {books} codebooks + vocoder"] = partial(through_tokens, codec, mel_tokens, books)
    if tokens is not None:
        found[f"EnCodec, {tokens.codebooks} codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None]))[:, 0]
        found["EnCodec, 4 codebooks"] = lambda wave: tokens.decode(tokens.encode(wave[:, None], 4))[:, 0]
    return found


def through_tokens(codec: LatentCodec, tokens: MelTokens, books: int, wave: Tensor) -> Tensor:
    """(1, n) -> (1, n) by the first `books` codebooks of the mel tokens."""
    return codec.vocoder(tokens.decode(tokens.encode(codec.mel(wave))[:, :books])).clamp(-1.0, 1.0)


@torch.no_grad()
def measure(codec: Codec, sounds: Sounds, four: Sounds, tagger: AudioTagger, eval_tagger: EvalTagger | None) -> Figures:
    """Figures of one system over sounds, and over those of FOUR for distinguishing them."""
    log_mel, spent_s = LogMel(), 0.0
    distances, hits = [], []
    for wave, label in sounds:
        began = time.process_time()
        decoded = codec(wave)[:, : wave.shape[1]]
        spent_s += time.process_time() - began
        both = (mel_distance(decoded, wave, log_mel), stft_distance(decoded, wave), si_sdr_db(decoded, wave))
        distances.append([float(value) for value in both])
        found = _top1_top5(tagger(log_mel(decoded))[0][0], tagger.labels.index(label))
        if eval_tagger is not None:
            found += _top1_top5(eval_tagger(decoded)[0][0], eval_tagger.config.labels.index(label))
        hits.append(found)
    rng = np.random.default_rng(0)
    means = [mean_interval(x[np.isfinite(x)], rng) for x in np.array(distances).T]
    shares = [wilson(int(column.sum()), len(sounds)) for column in np.array(hits).T]
    of_eval_tagger = shares[2:] or [wilson(0, 0)] * 2
    seconds = sum(wave.shape[1] for wave, _ in sounds) / SAMPLE_RATE_HZ
    four_right = four_labels(codec, four, eval_tagger)
    return dict(zip(COLUMNS, [*means, *of_eval_tagger, *shares[:2], four_right, spent_s / seconds], strict=True))


def _top1_top5(logits: Tensor, label: int) -> list[bool]:
    ranked = logits.topk(5).indices.tolist()
    return [ranked[0] == label, label in ranked]


@torch.no_grad()
def four_labels(codec: Codec, four: Sounds, eval_tagger: EvalTagger | None) -> ConfidenceInterval:
    """How often the evaluation tagger, choosing between the labels of FOUR alone, names the right one."""
    if eval_tagger is None:
        return wilson(0, 0)
    columns = [eval_tagger.config.labels.index(label) for label in FOUR]
    right = [FOUR[int(eval_tagger(codec(wave))[0][0][columns].argmax())] == label for wave, label in four]
    return wilson(sum(right), len(right))


def pictures(codecs: dict[str, Codec], four: Sounds, out: Path) -> None:
    """One PNG per label of FOUR: the log-mels of every system's result, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    log_mel = LogMel()
    for wave, label in {label: (wave[:, : 4 * SAMPLE_RATE_HZ], label) for wave, label in four}.values():
        figure, axes = plt.subplots(len(codecs), 1, figsize=(10, 1.9 * len(codecs)), layout="constrained")
        for axis, (name, codec) in zip(axes, codecs.items(), strict=True):
            axis.imshow(log_mel(codec(wave))[0].T, origin="lower", aspect="auto", vmin=-11.5, vmax=1.5, cmap="magma")
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
    samples = max(SAMPLE_RATE_HZ, wave.shape[1])
    return F.pad(wave, (0, samples + -samples % multiple - wave.shape[1]))


def main(config: CodecEvaluation) -> list[dict[str, object]]:
    """Print the table, write it as JSON to `out`; returns its rows."""
    folder = config.checkpoints
    codec = LatentCodec.from_folders(folder / "vae", folder / "vocoder")
    tagger = AudioTagger.load(folder / "ear")
    tokens = TokenCodec.load(folder / "encodec") if (folder / "encodec/config.json").is_file() else None
    eval_tagger = EvalTagger.load(folder / "judge") if (folder / "judge/config.json").is_file() else None
    mel_tokens = MelTokens.load(folder / "mel_tokens") if (folder / "mel_tokens").is_dir() else None
    store = SoundStore.open(config.data, config.cache)

    def excerpts(labels: tuple[str, ...], per_label: int) -> Sounds:
        rows = held_out(store, labels, per_label, config.seed)
        return [(_excerpt(store, i, codec.samples_per_latent), store.clips[i].label) for i in rows]

    sounds, four = excerpts(tagger.labels, config.per_label), excerpts(FOUR, 4 * config.per_label)
    codecs = systems(codec, tokens, patch_transform(folder / "mapper"), mel_tokens)
    with torch.no_grad():
        if config.pictures:
            pictures(codecs, four, config.pictures)
    count = len({label for _, label in sounds})
    print(f"n = {len(sounds)} held-out clips of {count} labels, {len(four)} of the four labels (first 5 s of each)")
    print(table_header("system", *COLUMNS.values()))
    rows: list[dict[str, object]] = []
    for name, one in codecs.items():
        figures = measure(one, sounds, four, tagger, eval_tagger)
        rows.append({"system": name, **figures})
        *intervals, seconds = figures.values()
        print(table_row(name, *intervals, f"{seconds:.4f}"), flush=True)
    if config.out:
        write_json(config.out, rows)
    return rows


if __name__ == "__main__":
    run(main, CodecEvaluation, __doc__)
