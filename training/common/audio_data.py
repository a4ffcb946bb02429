"""Audio dataset of all trainings: the manifest, a memory-mapped cache of samples and log-mels, balanced random crops.

`manifest.csv` names each clip with label, split, source and licence. Decoding Ogg files again and again costs more
than training on them, so the first use writes all samples and log-mels into two flat arrays under `cache`.
"""

from __future__ import annotations

import csv
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from synesthesia.audio.mel import LogMel, MelConfig
from synesthesia.core.errors import UserError

SAMPLE_RATE_HZ = 16_000
HOP = 160


@dataclass(frozen=True)
class ClipRow:
    """One row of manifest.csv (the columns that training needs)."""

    path: str
    label: str
    source: str
    recording_id: str
    licence: str
    seconds: float
    split: str  # "train" | "val"
    single_recording: bool  # val clips of such labels come from the recording trained on: do not quote them


def read_manifest(data: Path) -> list[ClipRow]:
    """All clips in file order. UserError when the folder holds no manifest."""
    path = data / "manifest.csv"
    if not path.is_file():
        raise UserError(f"The data folder {data} holds no manifest.csv.")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            ClipRow(
                row["path"], row["label"], row["source"], row["recording_id"], row["licence"], float(row["seconds"]),
                row["split"], row["single_recording"] == "1",
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def label_names(clips: list[ClipRow]) -> list[str]:
    """Labels that occur in the training split, sorted: the order of every classifier's outputs."""
    return sorted({clip.label for clip in clips if clip.split == "train"})


class SoundStore:
    """Samples (int16) and log-mels (float16) of many clips in two flat arrays, cached on disk and memory-mapped."""

    def __init__(self, data: Path, clips: list[ClipRow], cache: Path) -> None:
        self.clips = clips
        key = hashlib.sha256("\n".join(clip.path for clip in clips).encode()).hexdigest()[:12]
        files = [cache / f"{name}-{key}.npy" for name in ("samples", "starts", "mels", "mel_starts")]
        if not all(file.is_file() for file in files):
            cache.mkdir(parents=True, exist_ok=True)
            for file, array in zip(files, _decode(data, clips), strict=True):
                part = file.with_suffix(f".{os.getpid()}.npy")  # other processes may do the same at the same time
                np.save(part, array, allow_pickle=False)
                part.replace(file)
        self.samples = np.load(files[0], mmap_mode="r", allow_pickle=False)  # (total samples,) int16
        self.starts = np.load(files[1], allow_pickle=False)  # (clips + 1,)
        self.mels = np.load(files[2], mmap_mode="r", allow_pickle=False)  # (total frames, 64) float16
        self.mel_starts = np.load(files[3], allow_pickle=False)  # (clips + 1,)

    @classmethod
    def open(cls, data: Path, cache: Path, limit: int = 0) -> SoundStore:
        """The first `limit` clips of a data folder, 0: all."""
        return cls(data, read_manifest(data)[: limit or None], cache)

    @property
    def train_rows(self) -> list[int]:
        return [i for i, clip in enumerate(self.clips) if clip.split == "train"]

    @property
    def held_out_rows(self) -> list[int]:
        """Recordings that may be quoted: val, and not a segment of a recording that is trained on."""
        return [i for i, clip in enumerate(self.clips) if clip.split == "val" and not clip.single_recording]

    def waveform(self, index: int) -> np.ndarray:
        """(n,) float32 in [-1, 1]."""
        return self.samples[self.starts[index] : self.starts[index + 1]].astype(np.float32) / 32768.0

    def mel(self, index: int) -> np.ndarray:
        """(T, 64) float32 natural log-mel."""
        return self.mels[self.mel_starts[index] : self.mel_starts[index + 1]].astype(np.float32)


def _decode(data: Path, clips: list[ClipRow]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """samples, starts, mels, mel starts of all clips; clips shorter than one FFT window are padded with silence."""
    log_mel = LogMel(MelConfig())
    waveforms, mels = [], []
    for clip in clips:
        samples, rate_hz = soundfile.read(data / clip.path, dtype="float32", always_2d=True)
        if rate_hz != SAMPLE_RATE_HZ:
            raise UserError(f"{clip.path} has {rate_hz} Hz; the training sounds must have {SAMPLE_RATE_HZ} Hz.")
        mono = samples.mean(axis=1)
        mono = np.pad(mono, (0, max(0, 1024 - len(mono))))
        with torch.no_grad():
            mels.append(log_mel(torch.from_numpy(mono)[None])[0].half().numpy())
        waveforms.append(np.clip(mono * 32768.0, -32768, 32767).astype(np.int16))
    starts = np.cumsum([0] + [len(waveform) for waveform in waveforms])
    mel_starts = np.cumsum([0] + [len(mel) for mel in mels])
    return np.concatenate(waveforms), starts, np.concatenate(mels), mel_starts


def place_in_canvas(
    clip: np.ndarray, length: int, rng: np.random.Generator, silence: float = 0.0, repeat: float = 0.6
) -> np.ndarray:
    """clip: (n, ...) of samples or frames -> (length, ...): a crop of a long clip; a short one is placed in silence.

    A short clip is repeated with gaps with the probability `repeat`: many recordings are one bark or one knock of half
    a second, and alone in four seconds of silence they would teach that most of a sound is silence.
    """
    count = len(clip)
    if count >= length:
        begin = rng.integers(0, count - length + 1)
        return clip[begin : begin + length]
    out = np.full((length, *clip.shape[1:]), silence, dtype=clip.dtype)
    if rng.random() >= repeat:
        begin = rng.integers(0, min(length - count, max(1, length // 2)) + 1)
        out[begin : begin + count] = clip
        return out
    gap = int(rng.uniform(0.05, 0.6) * count)
    start = -int(rng.integers(0, count + gap))
    while start < length:
        first, last = max(0, start), min(length, start + count)
        if last > first:
            out[first:last] = clip[first - start : last - start]
        start += count + gap
    return out


class CropSampler:
    """Random crops, balanced: a label is drawn with the square root of its seconds, a clip within it by its seconds.

    Clips shorter than the crop are placed at random in silence. Every draw comes from `rng`.
    """

    def __init__(self, store: SoundStore, indices: list[int], rng: np.random.Generator, power: float = 0.5) -> None:
        assert indices, "no clips to draw from"
        self.store, self.rng = store, rng
        self.indices = np.array(indices)
        seconds = np.array([store.clips[i].seconds for i in indices])
        labels = np.array([store.clips[i].label for i in indices])
        weight = np.zeros(len(indices))
        for label in np.unique(labels):
            mine = labels == label
            weight[mine] = seconds[mine] / seconds[mine].sum() * seconds[mine].sum() ** power
        self.probability = weight / weight.sum()

    def draw(self, count: int) -> np.ndarray:
        """(count,) indices into the store."""
        return self.rng.choice(self.indices, size=count, p=self.probability)

    def mel_crops(self, count: int, frames: int, mix: float = 0.3, gain_db: float = 24.0) -> tuple[Tensor, Tensor]:
        """(count, frames, 64) log-mels and the (count,) store indices of the (louder) clips.

        Gain is a shift in the log domain; a share `mix` of the crops has a second clip added in the magnitude domain.
        """
        floor = MelConfig().floor
        chosen = self.draw(count)
        mels = torch.from_numpy(np.stack([self._mel_crop(i, frames, floor) for i in chosen]))
        if mix > 0:
            others = torch.from_numpy(np.stack([self._mel_crop(i, frames, floor) for i in self.draw(count)]))
            shift = torch.from_numpy(self.rng.uniform(-3.0, -0.2, (count, 1, 1)).astype(np.float32))
            mixed = torch.logaddexp(mels, others + shift)
            use = torch.from_numpy(self.rng.random((count, 1, 1)) < mix)
            mels = torch.where(use, mixed, mels)
        gain = self.rng.uniform(-gain_db, 3.0, (count, 1, 1)) * np.log(10) / 20
        return (mels + torch.from_numpy(gain.astype(np.float32))).clamp(min=floor), torch.from_numpy(chosen)

    def wave_crops(self, count: int, samples: int, mix: float = 0.2, gain_db: float = 24.0) -> tuple[Tensor, Tensor]:
        """(count, samples) waveforms in [-1, 1] and the (count,) store indices of the (louder) clips."""
        chosen = self.draw(count)
        waves = np.stack([self._wave_crop(i, samples) for i in chosen])
        if mix > 0:
            others = np.stack([self._wave_crop(i, samples) for i in self.draw(count)])
            level = self.rng.uniform(0.05, 0.8, (count, 1)) * (self.rng.random((count, 1)) < mix)
            waves = waves + level.astype(np.float32) * others
        gain = 10 ** (self.rng.uniform(-gain_db, 0.0, (count, 1)) / 20)
        waves = waves * gain.astype(np.float32)
        peak = np.abs(waves).max(axis=1, keepdims=True)
        return torch.from_numpy(waves / np.maximum(peak, 1.0)), torch.from_numpy(chosen)

    def _mel_crop(self, index: int, frames: int, floor: float) -> np.ndarray:
        return self._crop(self.store.mels, self.store.mel_starts[index : index + 2], frames, floor)

    def _wave_crop(self, index: int, samples: int) -> np.ndarray:
        return self._crop(self.store.samples, self.store.starts[index : index + 2], samples, 0.0) / 32768.0

    def _crop(self, rows: np.ndarray, span: np.ndarray, count: int, fill: float) -> np.ndarray:
        """(count, ...) float32 of rows[span[0] : span[1]], placed in `fill` if there are fewer."""
        length = int(span[1] - span[0])
        if length >= count:
            begin = span[0] + self.rng.integers(0, length - count + 1)
            return rows[begin : begin + count].astype(np.float32)
        crop = np.full((count, *rows.shape[1:]), fill, dtype=np.float32)
        begin = self.rng.integers(0, count - length + 1)
        crop[begin : begin + length] = rows[span[0] : span[1]]
        return crop


def crop_samplers(store: SoundStore, rng: np.random.Generator) -> tuple[CropSampler, CropSampler]:
    """Of the training clips, drawn from `rng`; of held-out recordings (training clips where there are none), with the
    same draws in every run."""
    train = store.train_rows
    return CropSampler(store, train, rng), CropSampler(store, store.held_out_rows or train, np.random.default_rng(1))
