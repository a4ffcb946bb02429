"""The memory of training sounds: where each lies in the ear's space, its statistics, whose it is. No audio, no
latents."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from synesthesia.core.errors import UserError


@dataclass(frozen=True)
class Entry:
    """Whose sound a row of the index describes."""

    label: str
    source: str
    recording_id: str
    licence: str


@dataclass(frozen=True)
class SoundIndex:
    """embeddings: (N, Q) unit vectors; descriptors: (N, D), the ear's embedding already joined on (see `row`)."""

    entries: tuple[Entry, ...]
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

    def draw(
        self, query: Tensor, takes: int, generator: torch.Generator, *, among: int = 12, temperature: float = 0.04
    ) -> Tensor:
        """Rows (takes,) drawn without repetition (while they last) among the nearest, the nearer the likelier."""
        cosines, rows = self.nearest(query, max(among, takes))
        weight = (cosines / temperature).softmax(dim=0) + 1e-9
        return rows[torch.multinomial(weight, takes, generator=generator)]

    def save(self, folder: Path, name: str = "index") -> None:
        """Writes <name>.safetensors (float16) and <name>.json, columns as lists."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            "embeddings": self.embeddings.half().contiguous(),
            "descriptors": self.descriptors.half().contiguous(),
        }
        save_file(tensors, folder / f"{name}.safetensors")
        rows = [list(asdict(entry).values()) for entry in self.entries]
        text = json.dumps({"columns": ["label", "source", "recording_id", "licence"], "rows": rows}, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text.replace("], [", "],\n[") + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path, name: str = "index") -> SoundIndex:
        """Reads what `save` wrote. UserError when a file is missing."""
        try:
            tensors = load_file(folder / f"{name}.safetensors")
            rows = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"]
        except FileNotFoundError as error:
            raise UserError(
                f"The mapper's folder {folder} is incomplete; train it with training.image_to_sound.train."
            ) from error
        embeddings = torch.nn.functional.normalize(tensors["embeddings"].float(), dim=1)
        return SoundIndex(tuple(Entry(*row) for row in rows), embeddings, tensors["descriptors"].float())
