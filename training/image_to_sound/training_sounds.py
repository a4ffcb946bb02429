"""Training pairs of the sound generators: mel excerpts with query embeddings and descriptors as conditions.

At inference the generator gets a point in the tagger's embedding space, predicted from a picture, and the descriptor of
a training sound near it. In training the condition of a clip therefore comes from the clip itself (perturbed) or from
another clip of the same label, and is dropped now and then for classifier-free guidance.
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
from synesthesia.image_to_sound.flow import Condition
from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex
from synesthesia.image_to_sound.texture_statistics import texture_descriptor
from training.common.audio_data import SoundStore, place_in_canvas

LONGEST_FRAMES = 1024
FLOOR = MelConfig().floor


@dataclass(frozen=True)
class TrainingSounds:
    """All clips of the manifest with their index rows (see `SoundIndex`), in the manifest's order."""

    store: SoundStore
    index: SoundIndex
    labels: tuple[str, ...]
    label_of: np.ndarray  # (N,) int
    train: np.ndarray  # rows of the training split
    held_out: np.ndarray  # val rows whose recording was not trained on

    @property
    def train_descriptors(self) -> Tensor:
        """(train rows, D)."""
        return self.index.descriptors[torch.from_numpy(self.train)]


@torch.inference_mode()
def embed_clips(tagger: AudioTagger, store: SoundStore) -> Tensor:
    """(N, 128) unit vectors: each clip's embedding, whole clip up to 10.24 s."""
    mels = (torch.from_numpy(store.mel(i)[None, :LONGEST_FRAMES]) for i in range(len(store.clips)))
    return torch.cat([tagger(mel)[1] for mel in mels])


def load_training_sounds(data: Path, cache: Path, tagger: AudioTagger, limit: int = 0) -> TrainingSounds:
    """Embeddings and descriptors of the first `limit` clips (0: all), cached per tagger."""
    store, labels = SoundStore.open(data, cache, limit), tagger.labels
    clips = store.clips
    label_of = np.array([labels.index(clip.label) for clip in clips])
    key = f"{float(tagger.directions.double().abs().sum()):.6f}-{len(clips)}"
    file = cache / f"training_sounds-{key}.npz"
    if not file.is_file():
        with torch.inference_mode():
            descriptors = [texture_descriptor(torch.from_numpy(store.mel(i))) for i in range(len(clips))]
        np.savez(file, embeddings=embed_clips(tagger, store).numpy(), descriptors=torch.stack(descriptors).numpy())
    saved = np.load(file, allow_pickle=False)
    embeddings = torch.from_numpy(saved["embeddings"])  # (N, 128)
    # labels of training sounds are known: move each embedding towards its label's direction, so that sounds of one
    # label lie together even where the tagger is unsure
    directions = F.normalize(tagger.directions.detach(), dim=1)[torch.from_numpy(label_of)]
    points = F.normalize(embeddings + directions, dim=1)
    entries = tuple(IndexEntry(clip.label, clip.source, clip.recording_id, clip.licence) for clip in clips)
    rows = torch.cat([torch.from_numpy(saved["descriptors"]), embeddings], dim=1)  # (N, 328 + 128)
    splits = np.array(store.train_rows), np.array(store.held_out_rows)
    return TrainingSounds(store, SoundIndex(entries, points, rows), tuple(labels), label_of, *splits)


class ConditionSampler:
    """Draws clips, their mel excerpts and their conditions.

    neighbours: of each row, the rows of its label that may stand for it; by default the nearest training clips.
    """

    def __init__(
        self, sounds: TrainingSounds, rng: np.random.Generator, neighbours: dict[int, np.ndarray] | None = None
    ) -> None:
        self.sounds, self.rng = sounds, rng
        label_of, train = sounds.label_of, sounds.train
        seconds = np.array([min(sounds.store.clips[i].seconds, 10.0) for i in train])
        total = np.bincount(label_of[train], weights=seconds, minlength=len(sounds.labels))
        weight = np.sqrt(seconds) * (np.maximum(total, 1.0) ** -0.5)[label_of[train]]
        self.probability = weight / weight.sum()
        self.neighbours = nearest_of_label(sounds) if neighbours is None else neighbours
        self.spread = sounds.train_descriptors.std(dim=0).clamp(min=1e-3)

    def draw(self, count: int) -> np.ndarray:
        """(count,) rows of training clips, balanced by the square root of a label's seconds."""
        return self.rng.choice(self.sounds.train, size=count, p=self.probability)

    def mels(self, rows: np.ndarray, frames: int) -> Tensor:
        """(B, frames, 64): each clip stretched by up to 8 %, placed, now and then over a quiet clip of the same
        label."""
        mels = np.stack([self._one(int(row), frames) for row in rows])
        gain = self.rng.uniform(-1.2, 0.1, (len(rows), 1, 1)).astype(np.float32)  # nepers: -10 to +1 dB
        return torch.from_numpy(np.maximum(mels + gain, FLOOR))

    def _one(self, row: int, frames: int) -> np.ndarray:
        mel = place_in_canvas(self._stretched(row), frames, self.rng, FLOOR)
        if self.rng.random() < 0.12:
            other = int(self.rng.choice(self.neighbours[row]))
            under = place_in_canvas(self._stretched(other), frames, self.rng, FLOOR)
            mel = np.logaddexp(mel, under - np.float32(self.rng.uniform(0.3, 2.5)))
        return mel

    def _stretched(self, row: int) -> np.ndarray:
        mel = self.sounds.store.mel(row)[:LONGEST_FRAMES]
        if self.rng.random() < 0.5 or len(mel) < 16:
            return mel
        count = max(8, int(len(mel) * self.rng.uniform(0.92, 1.08)))
        at = np.linspace(0, len(mel) - 1, count)
        low = np.minimum(at.astype(int), len(mel) - 2)
        part = (at - low).astype(np.float32)[:, None]
        return mel[low] * (1 - part) + mel[low + 1] * part

    def condition(self, rows: np.ndarray) -> Condition:
        """Condition of the clips in `rows`, from themselves or from their neighbours, with dropout of its parts."""
        rng, index, count = self.rng, self.sounds.index, len(rows)
        neighbours = np.array([rng.choice(self.neighbours[int(row)]) for row in rows])
        described = np.where(rng.random(count) < 0.45, rows, neighbours)
        queried = np.where(rng.random(count) < 0.4, rows, neighbours)
        queries = index.embeddings[torch.from_numpy(queried)]
        noise = torch.from_numpy(rng.normal(0, 1, queries.shape).astype(np.float32)) / queries.shape[1] ** 0.5
        level = torch.from_numpy(rng.uniform(0, 0.7, (count, 1)).astype(np.float32))
        queries = F.normalize(queries + noise * level, dim=1)
        descriptors = index.descriptors[torch.from_numpy(described)]
        jitter = torch.from_numpy(rng.normal(0, 1, descriptors.shape).astype(np.float32)) * self.spread
        descriptors = descriptors + jitter * torch.from_numpy(rng.uniform(0, 0.25, (count, 1)).astype(np.float32))
        unconditional = rng.random(count) < 0.1
        has_query = ~unconditional & (rng.random(count) > 0.1)
        has_descriptor = ~unconditional & (rng.random(count) > 0.15)
        return Condition(queries, descriptors, torch.from_numpy(has_query), torch.from_numpy(has_descriptor))


def nearest_of_label(sounds: TrainingSounds, count: int = 10) -> dict[int, np.ndarray]:
    """Of each training row the `count` nearest other training rows of the same label; itself if there are none."""
    similar = sounds.index.embeddings @ sounds.index.embeddings.T
    nearest: dict[int, np.ndarray] = {}
    for i in sounds.train:
        same = sounds.train[(sounds.label_of[sounds.train] == sounds.label_of[i]) & (sounds.train != i)]
        order = similar[i, same].argsort(descending=True).numpy()
        nearest[int(i)] = same[order[:count]] if len(same) else np.array([i])
    return nearest
