"""Reconstruction quality of the vocoder and the codecs on held-out recordings, with 95 % intervals.

    python -m training.audio.evaluate_codec --data DIR                    # the table, 10 to 20 minutes on one core
    python -m training.audio.evaluate_codec --data DIR --clips 40         # quicker
    python -m training.audio.evaluate_codec --data DIR --pictures OUT     # also spectrograms of some sounds

Is the sound still recognised: `outside judge`, YAMNet (the class that it gives the recording first is among its first
five of the reconstruction; cosine between its mean scores), and the project's own judge by the clips' labels. Is it the
same texture: statistics after McDermott and Simoncelli (2011), differences divided by the deviation between recordings.
Does it buzz: level of the envelope's spectrum at 100, 200, 300, 400 Hz over its neighbourhood. Distances: log-spectra
in dB with windows of 4,096 and 256 samples, log-mel, harmonics-to-noise ratio.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import LogMel
from synesthesia.audio.metrics import mel_distance
from synesthesia.audio.tone_noise_vocoder import ToneNoiseVocoder
from synesthesia.evaluation.eval_tagger import EvalTagger
from synesthesia.evaluation.intervals import ConfidenceInterval, wilson
from training.audio.codec_systems import SAMPLES, Codec, Codecs
from training.audio.reconstruction_metrics import (
    TextureStatistics,
    harmonicity_error_db,
    log_spectral_distance,
    modulation_lines_db,
)
from training.common.audio_data import SAMPLE_RATE_HZ, SoundStore
from training.common.cli import run
from training.common.outside_judge import OutsideJudge
from training.common.report import mean_interval, table_header, table_row, write_json

SECONDS = 5  # at most, of a clip
PICTURED = ("rain", "cat", "piano", "violin", "clock_tick", "dog", "pouring_water")
SHARES = {
    "outside_top5": "outside judge: recording's first class in top 5", "judge_top1": "own judge top-1",
    "judge_top5": "own judge top-5",
}  # fmt: skip
MEANS = {
    "outside_cosine": "outside judge: cosine", "moments": "texture: moments", "modulation": "texture: modulation",
    "correlations": "texture: correlations", "harmonicity_db": "HNR error dB", "line_100": "line 100 Hz dB",
    "line_200": "200 Hz", "line_300": "300 Hz", "line_400": "400 Hz", "lsd_fine": "LSD 4096 dB",
    "lsd_coarse": "LSD 256 dB", "mel": "log-mel distance",
}  # fmt: skip
Figures = dict[str, ConfidenceInterval | float]  # of one system


@dataclass(frozen=True)
class CodecEvaluation:
    data: Path
    checkpoints: Path = Path("checkpoints")
    vocoder: Path | None = None  # its folder, if not the one in `checkpoints`
    cache: Path = Path("runs/cache")
    clips: int = 150
    systems: tuple[str, ...] = ()  # names that begin so; none: all
    seed: int = 0
    out: Path | None = None  # file for the rows as JSON
    pictures: Path | None = None  # folder for spectrogram pictures


@dataclass(frozen=True)
class Recording:
    """What is compared with: waveform (1, n), label, the outside judge's scores (521,), texture statistics by group."""

    wave: Tensor
    label: str
    scores: Tensor | None
    texture: dict[str, Tensor]


def held_out(store: SoundStore, count: int, seed: int) -> list[int]:
    """Indices of `count` held-out clips, spread over the labels as evenly as they allow, drawn with a seed."""
    rng = np.random.default_rng(seed)
    by_label: dict[str, list[int]] = {}
    for index in rng.permutation(store.held_out_rows):
        by_label.setdefault(store.clips[index].label, []).append(int(index))
    ranked = [(place, rng.random(), index) for mine in by_label.values() for place, index in enumerate(mine)]
    return sorted(index for _, _, index in sorted(ranked)[:count])


def excerpt(store: SoundStore, index: int) -> Tensor:
    """(1, n): the first seconds of a clip, at least one second, n a multiple of SAMPLES; silence fills up."""
    wave = torch.from_numpy(store.waveform(index))[None, : SECONDS * SAMPLE_RATE_HZ]
    samples = max(SAMPLE_RATE_HZ, wave.shape[1])
    return F.pad(wave, (0, samples + -samples % SAMPLES - wave.shape[1]))


class Evaluation:
    """Recordings and judges; `measure` compares one system with them."""

    def __init__(self, waves: list[tuple[Tensor, str]], outside: OutsideJudge | None, judge: EvalTagger | None) -> None:
        self.outside, self.judge, self.log_mel, self.texture = outside, judge, LogMel(), TextureStatistics()
        self.recordings = [
            Recording(wave, label, outside.scores(wave[0]) if outside else None, self.texture(wave[0]))
            for wave, label in waves
        ]
        self.deviation = {
            group: torch.stack([one.texture[group] for one in self.recordings]).std(dim=0).clamp(min=1e-3)
            for group in self.texture.groups
        }

    @torch.no_grad()
    def measure(self, codec: Codec) -> Figures:
        spent_s, seconds = 0.0, 0.0
        values: dict[str, list[float]] = {name: [] for name in (*SHARES, *MEANS)}
        for recording in self.recordings:
            began = time.process_time()
            made = codec(recording.wave)[:, : recording.wave.shape[1]].clamp(-1.0, 1.0)
            spent_s += time.process_time() - began
            seconds += recording.wave.shape[1] / SAMPLE_RATE_HZ
            for name, value in {**self._recognised(made, recording), **self._distances(made[0], recording)}.items():
                values[name].append(value)
        rng = np.random.default_rng(0)
        shares = {name: wilson(int(sum(values[name])), len(values[name])) for name in SHARES}
        means = {name: mean_interval(values[name], rng) for name in MEANS if values[name]}
        return {**shares, **means, "cpu_s_per_s": spent_s / seconds}

    def _recognised(self, made: Tensor, recording: Recording) -> dict[str, float]:
        found: dict[str, float] = {}
        if self.outside is not None and recording.scores is not None:
            scores = self.outside.scores(made[0])
            found["outside_top5"] = float(int(recording.scores.argmax()) in scores.topk(5).indices.tolist())
            found["outside_cosine"] = float(F.cosine_similarity(scores, recording.scores, dim=0))
        if self.judge is not None and recording.label in self.judge.config.labels:
            ranked = self.judge(made)[0][0].topk(5).indices.tolist()
            label = self.judge.config.labels.index(recording.label)
            found |= {"judge_top1": float(ranked[0] == label), "judge_top5": float(label in ranked)}
        return found

    def _distances(self, made: Tensor, recording: Recording) -> dict[str, float]:
        wave = recording.wave[0]
        texture = self.texture(made)
        found = {
            group: float(((texture[group] - recording.texture[group]) / self.deviation[group]).square().mean().sqrt())
            for group in self.texture.groups
        }
        lines = modulation_lines_db(made)
        return {
            **found,
            "harmonicity_db": harmonicity_error_db(made, wave),
            **{f"line_{100 * (i + 1)}": level for i, level in enumerate(lines)},
            "lsd_fine": log_spectral_distance(made, wave, 4096),
            "lsd_coarse": log_spectral_distance(made, wave, 256),
            "mel": float(mel_distance(made[None], wave[None], self.log_mel)),
        }


def pictures(codecs: dict[str, Codec], store: SoundStore, out: Path) -> None:
    """One PNG per label of PICTURED: spectrograms of every system's result, one above the other."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    out.mkdir(parents=True, exist_ok=True)
    first = {store.clips[index].label: index for index in reversed(store.held_out_rows)}
    for label in (label for label in PICTURED if label in first):
        wave = excerpt(store, first[label])
        figure, axes = plt.subplots(len(codecs), 1, figsize=(14, 2.6 * len(codecs)), layout="constrained")
        for axis, (name, codec) in zip(np.atleast_1d(axes), codecs.items(), strict=True):
            spectrum = torch.stft(codec(wave)[0], 512, 128, window=torch.hann_window(512), return_complex=True)
            level = 20 * spectrum.abs().clamp(min=1e-4).log10()
            axis.imshow(
                level, origin="lower", aspect="auto", vmin=-50, vmax=35, cmap="magma",
                extent=(0, wave.shape[1] / SAMPLE_RATE_HZ, 0, SAMPLE_RATE_HZ / 2000),
            )  # fmt: skip
            axis.set_title(f"{label}: {name}", fontsize=9)
            axis.set_ylabel("kHz")
        figure.savefig(out / f"{label}.png", dpi=60)
        plt.close(figure)


def main(config: CodecEvaluation) -> list[dict[str, object]]:
    """Print the table, write it as JSON to `out`; returns its rows."""
    folder = config.checkpoints
    vocoder = ToneNoiseVocoder.load(config.vocoder or folder / "vocoder")
    chosen = {
        name: codec
        for name, codec in Codecs.load(vocoder, folder).systems().items()
        if not config.systems or name.startswith(config.systems)
    }
    store = SoundStore.open(config.data, config.cache)
    with torch.no_grad():
        if config.pictures:
            pictures(chosen, store, config.pictures)
        judge = EvalTagger.load(folder / "judge") if (folder / "judge/config.json").is_file() else None
        outside = OutsideJudge.load(config.data) if (config.data / "judges").is_dir() else None
        rows = held_out(store, config.clips, config.seed)
        waves = [(excerpt(store, index), store.clips[index].label) for index in rows]
        evaluation = Evaluation(waves, outside, judge)
    known = sum(label in judge.config.labels for _, label in waves) if judge else 0
    print(f"n = {len(waves)} held-out clips of {len({label for _, label in waves})} labels, first {SECONDS} s of each;")
    print(f"own judge: the {known} whose labels it has")
    print(table_header("system", *SHARES.values(), *MEANS.values(), "CPU s per s"))
    found: list[dict[str, object]] = []
    for name, codec in chosen.items():
        figures = evaluation.measure(codec)
        found.append({"system": name, **figures})
        cells = [figures.get(key, "") for key in (*SHARES, *MEANS)]
        print(table_row(name, *cells, f"{figures['cpu_s_per_s']:.4f}"), flush=True)
    if config.out:
        write_json(config.out, found)
    return found


if __name__ == "__main__":
    run(main, CodecEvaluation, __doc__)
