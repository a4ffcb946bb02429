"""Nearest-neighbour retrieval over the training sounds: embeddings, descriptors and licences; no audio, no latents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from synesthesia.nn.checkpoint_file import load_checkpoint, save_checkpoint

COLUMNS = ("label", "source", "recording_id", "licence")  # of index.json


@dataclass(frozen=True)
class IndexEntry:
    """Label and provenance of one row of the index."""

    label: str
    source: str
    recording_id: str
    licence: str


@dataclass(frozen=True)
class SoundIndex:
    """embeddings: (N, Q) unit vectors; descriptors: (N, D), `texture_statistics` joined with the tagger's embedding."""

    entries: tuple[IndexEntry, ...]
    embeddings: Tensor
    descriptors: Tensor

    def __post_init__(self) -> None:
        assert len(self.entries) == len(self.embeddings) == len(self.descriptors), "one row a sound in all three parts"

    def __len__(self) -> int:
        return len(self.entries)

    def nearest(self, query: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """query (Q,) -> (cosines, rows), both (count,), nearest first."""
        assert query.shape == self.embeddings.shape[1:], f"query {tuple(query.shape)}"
        cosines = self.embeddings @ query
        best = cosines.topk(min(count, len(self)))
        return best.values, best.indices

    def sample(
        self, query: Tensor, count: int, generator: torch.Generator, *, among: int = 12, temperature: float = 0.04
    ) -> Tensor:
        """Rows (count,) sampled without replacement from the `among` nearest, by softmax of cosine / temperature."""
        cosines, rows = self.nearest(query, max(among, count))
        weight = (cosines / temperature).softmax(dim=0) + 1e-9
        return rows[torch.multinomial(weight, count, generator=generator)]

    def save(self, folder: Path) -> None:
        """Writes index.safetensors (float16) and index.json, one list a row."""
        rows = [list(asdict(entry).values()) for entry in self.entries]
        tensors = {"embeddings": self.embeddings.half(), "descriptors": self.descriptors.half()}
        save_checkpoint(folder, {"columns": COLUMNS, "rows": rows}, tensors, config_file="index.json",
                        weights_file="index.safetensors", indent=None)  # fmt: skip

    @staticmethod
    def load(folder: Path) -> SoundIndex:
        """Reads what `save` wrote. UserError when a file is missing."""
        fields, tensors = load_checkpoint(
            folder, what="The mapper's folder", trained_by="training.image_to_sound.train",
            config_file="index.json", weights_file="index.safetensors",
        )  # fmt: skip
        embeddings = torch.nn.functional.normalize(tensors["embeddings"].float(), dim=1)
        entries = tuple(IndexEntry(*row) for row in fields["rows"])
        return SoundIndex(entries, embeddings, tensors["descriptors"].float())
