"""Training clips as a generator of sounds meets them: placed log-mels to make, and conditions to make them from.

At test time the generator is told a point in the ear's space, found from a picture, and the descriptor of a training
sound near it. In training it therefore hears about a clip through itself (perturbed) or through another clip of the
same label, and now and then it hears nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synesthesia.audio.mel import MelConfig
from synesthesia.audio.tagger import AudioTagger
from synesthesia.image_to_sound.condition import Condition
from synesthesia.image_to_sound.retrieval import Entry, SoundIndex
from synesthesia.image_to_sound.texture_statistics import describe
from training.common.audio_data import Clip, SoundStore, read_manifest
from training.common.crop_placing import place_in_canvas

LONGEST_FRAMES = 1024
FLOOR = MelConfig().floor


@dataclass(frozen=True)
class SoundMemory:
    """All clips of the manifest with their index rows (see `SoundIndex`), in the manifest's order."""

    store: SoundStore
    index: SoundIndex
    labels: tuple[str, ...]
    label_of: np.ndarray  # (N,) int
    train: np.ndarray  # rows of the training split
    held_out: np.ndarray  # val rows whose recording was not trained on

    @property
    def clips(self) -> list[Clip]:
        return self.store.clips


@torch.inference_mode()
def embed_clips(ear: AudioTagger, store: SoundStore) -> Tensor:
    """(N, 128) unit vectors: each clip's embedding, whole clip up to 10.24 s."""
    return torch.cat([ear(torch.from_numpy(store.mel(i)[None, :LONGEST_FRAMES]))[1] for i in range(len(store.clips))])


def remember(data: Path, cache: Path, ear: AudioTagger) -> SoundMemory:
    """Reads or computes everything. Embeddings and descriptors are cached per ear."""
    clips = read_manifest(data)
    store = SoundStore(data, clips, cache)
    labels = ear.labels
    label_of = np.array([labels.index(clip.label) for clip in clips])
    key = f"{float(ear.directions.double().abs().sum()):.6f}-{len(clips)}"
    file = cache / f"memory-{key}.npz"
    if not file.is_file():
        with torch.inference_mode():
            described = torch.stack([describe(torch.from_numpy(store.mel(i))) for i in range(len(clips))])
        np.savez(file, embeddings=embed_clips(ear, store).numpy(), described=described.numpy())
    saved = np.load(file, allow_pickle=False)
    heard = torch.from_numpy(saved["embeddings"])  # (N, 128)
    # the label is known for every sound of the memory: pull each towards its label's direction, so that what belongs
    # together lies together even where the ear is unsure
    directions = F.normalize(ear.directions.detach(), dim=1)[torch.from_numpy(label_of)]
    points = F.normalize(heard + directions, dim=1)
    entries = tuple(Entry(clip.label, clip.source, clip.recording_id, clip.licence) for clip in clips)
    rows = torch.cat([torch.from_numpy(saved["described"]), heard], dim=1)  # (N, 328 + 128)
    train = np.array([i for i, clip in enumerate(clips) if clip.split == "train"])
    held_out = np.array([i for i, clip in enumerate(clips) if clip.split == "val" and not clip.single_recording])
    return SoundMemory(store, SoundIndex(entries, points, rows), tuple(labels), label_of, train, held_out)


class ConditionSampler:
    """Draws clips to make and what is told about them."""

    def __init__(self, memory: SoundMemory, rng: np.random.Generator, kin: int = 10) -> None:
        self.memory, self.rng = memory, rng
        label_of, train = memory.label_of, memory.train
        seconds = np.array([min(memory.clips[i].seconds, 10.0) for i in train])
        total = np.bincount(label_of[train], weights=seconds, minlength=len(memory.labels))
        weight = np.sqrt(seconds) * (np.maximum(total, 1.0) ** -0.5)[label_of[train]]
        self.probability = weight / weight.sum()
        # kin: the nearest other training clips of the same label
        similar = memory.index.embeddings @ memory.index.embeddings.T
        self.kin: dict[int, np.ndarray] = {}
        for i in train:
            same = train[(label_of[train] == label_of[i]) & (train != i)]
            order = similar[i, same].argsort(descending=True).numpy()
            self.kin[int(i)] = same[order[:kin]] if len(same) else np.array([i])
        rows = memory.index.descriptors[torch.from_numpy(train)]
        self.spread = rows.std(dim=0).clamp(min=1e-3)

    def draw(self, count: int) -> np.ndarray:
        """(count,) rows of training clips, balanced by the square root of a label's seconds."""
        return self.rng.choice(self.memory.train, size=count, p=self.probability)

    def mels(self, rows: np.ndarray, frames: int) -> Tensor:
        """(B, frames, 64): each clip stretched by up to 8 %, placed, now and then over a quiet clip of the same
        label."""
        out = np.stack([self._one(int(row), frames) for row in rows])
        gain = self.rng.uniform(-1.2, 0.1, (len(rows), 1, 1)).astype(np.float32)  # nepers: -10 to +1 dB
        return torch.from_numpy(np.maximum(out + gain, FLOOR))

    def _one(self, row: int, frames: int) -> np.ndarray:
        mel = place_in_canvas(self._stretched(row), frames, self.rng, FLOOR)
        if self.rng.random() < 0.12:
            other = int(self.rng.choice(self.kin[row]))
            under = place_in_canvas(self._stretched(other), frames, self.rng, FLOOR)
            mel = np.logaddexp(mel, under - np.float32(self.rng.uniform(0.3, 2.5)))
        return mel

    def _stretched(self, row: int) -> np.ndarray:
        mel = self.memory.store.mel(row)[:LONGEST_FRAMES]
        if self.rng.random() < 0.5 or len(mel) < 16:
            return mel
        count = max(8, int(len(mel) * self.rng.uniform(0.92, 1.08)))
        at = np.linspace(0, len(mel) - 1, count)
        low = np.minimum(at.astype(int), len(mel) - 2)
        part = (at - low).astype(np.float32)[:, None]
        return mel[low] * (1 - part) + mel[low + 1] * part

    def condition(self, rows: np.ndarray) -> Condition:
        """What the generator is told about the clips of `rows`."""
        rng, index, count = self.rng, self.memory.index, len(rows)
        kin = np.array([rng.choice(self.kin[int(row)]) for row in rows])
        shown = np.where(rng.random(count) < 0.45, rows, kin)  # whose descriptor
        asked = np.where(rng.random(count) < 0.4, rows, kin)  # whose place in the ear's space
        queries = index.embeddings[torch.from_numpy(asked)]
        noise = torch.from_numpy(rng.normal(0, 1, queries.shape).astype(np.float32)) / queries.shape[1] ** 0.5
        queries = F.normalize(
            queries + noise * torch.from_numpy(rng.uniform(0, 0.7, (count, 1)).astype(np.float32)), dim=1
        )
        descriptors = index.descriptors[torch.from_numpy(shown)]
        jitter = torch.from_numpy(rng.normal(0, 1, descriptors.shape).astype(np.float32)) * self.spread
        descriptors = descriptors + jitter * torch.from_numpy(rng.uniform(0, 0.25, (count, 1)).astype(np.float32))
        nothing = rng.random(count) < 0.1
        has_query = ~nothing & (rng.random(count) > 0.1)
        has_descriptor = ~nothing & (rng.random(count) > 0.15)
        return Condition(queries, descriptors, torch.from_numpy(has_query), torch.from_numpy(has_descriptor))
