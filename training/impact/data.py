"""Batches for the physics adapter: cached features of renders and of photographs, with what is true of each patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from synesthesia.impact.modal.things import MATERIALS
from synesthesia.impact.physics_net import BackboneFeatures, PhysicsNet, PhysicsPosterior, grid_positions
from training.impact.features import CELLS, mixing

ROW = ("scene", "material", "shape", "size_m", "middle", "least", "thickness_m", "held_out")
SOURCE_WEIGHT = {"caltech101": 0.4}  # many pictures of few kinds, most of them motorcycles and aeroplanes
BELIEF_CELLS = 2.5  # deviation of the bell over a photograph's middle, in cells


@dataclass(frozen=True)
class Pictures:
    """What the eyes saw of N square pictures, float16, see `tap_features.Seen`. features (M, 256, D) and windows
    (M, 5, D): late layers, of M of them; late: (N,) int64 row of those, -1 for none."""

    features: Tensor
    windows: Tensor
    early: tuple[Tensor, ...]
    late: Tensor

    def __len__(self) -> int:
        return len(self.late)

    def views(self, at: Tensor, mirrored: Tensor | None = None, late: Tensor | None = None) -> BackboneFeatures:
        """Of some of them. mirrored: (B,) bool, those to be seen in a mirror; late: (B,) rows of late layers to go with
        them, -1 for none, instead of their own."""
        late = self.late[at] if late is None else late
        features, windows = (
            torch.where((late >= 0)[:, None, None], rows[late.clamp(min=0)], torch.zeros((), dtype=rows.dtype))
            for rows in (self.features, self.windows)
        )
        early = [layer[at] for layer in self.early]
        if mirrored is not None:
            features = mirror(features, mirrored)
            early = [torch.where(mirrored[:, None, None, None], layer.flip(3), layer) for layer in early]
            turned = windows[:, [0, 2, 1, 4, 3]]  # the four close ones lie row by row
            windows = torch.where(mirrored[:, None, None], turned, windows)
        return BackboneFeatures(
            features.bfloat16(), windows.bfloat16(), tuple(layer.bfloat16() for layer in early),
            grid_positions(CELLS, CELLS).expand(len(at), -1, -1), mixing(),
        )  # fmt: skip


def mirror(cells: Tensor, chosen: Tensor) -> Tensor:
    """(B, 256, ...) with left and right exchanged in chosen (B,) rows."""
    turned = cells.unflatten(1, (CELLS, CELLS)).flip(2).flatten(1, 2)
    return torch.where(chosen.view(-1, *[1] * (cells.ndim - 1)), turned, cells)


@dataclass(frozen=True)
class Scenes:
    """Rendered scenes. thing: (N, 256) int64, row of `things` at each cell's middle, -1 for none; place: (N, 256, 2) on
    it, 0..1; things: (T, 8) float32, columns ROW."""

    pictures: Pictures
    thing: Tensor
    place: Tensor
    things: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class Photos:
    """Photographs of which only the thing in the middle is known. material: (N,) int64, -1 for what nobody would
    strike; weight: (N,) how surely it is that one."""

    pictures: Pictures
    material: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


def joined(parts: list[Pictures]) -> Pictures:
    early = tuple(torch.cat(layers) for layers in zip(*(part.early for part in parts), strict=True))
    before, late = 0, []
    for part in parts:
        late.append(torch.where(part.late >= 0, part.late + before, -1))
        before += len(part.features)
    return Pictures(
        torch.cat([part.features for part in parts]), torch.cat([part.windows for part in parts]), early,
        torch.cat(late),
    )  # fmt: skip


def pictures_of(kept: Mapping[str, np.ndarray]) -> Pictures:
    levels = sum(name.startswith("early") for name in kept)
    early = tuple(torch.from_numpy(kept[f"early{level}"]) for level in range(levels))
    features = torch.from_numpy(kept["features"])
    late = torch.arange(len(features)) if len(features) else torch.full((len(early[0]),), -1)
    return Pictures(features, torch.from_numpy(kept["windows"]), early, late)


def read_scenes(folder: Path, split: str, most: int = 10**6, of: str = "") -> Scenes:
    """All cached shards and views of a split; most: of them at most; of: the folder they were rendered to, "" for
    all."""
    pictures, thing, place, things = [], [], [], []
    for path in sorted(set(folder.glob(f"{of}-*.npz" if of else "*.npz")) - set(folder.glob("photos-*.npz"))):
        with np.load(path) as kept:
            if str(kept["split"]) != split or len(pictures) >= most:
                continue
            rows, before = kept["things"], sum(map(len, things))
            first = np.searchsorted(rows[:, 0], np.arange(len(kept["thing"])))  # rows are in the order of scenes
            number = kept["thing"].astype(np.int64)
            thing.append(np.where(number > 0, number - 1 + first[:, None] + before, -1))
            place.append(kept["place"])
            rows[:, 0] += sum(map(len, pictures))
            things.append(rows)
            pictures.append(pictures_of(kept))
    return Scenes(
        joined(pictures),
        torch.from_numpy(np.concatenate(thing)),
        torch.from_numpy(np.concatenate(place)).float() / 255,
        torch.from_numpy(np.concatenate(things)).float(),
    )


def read_photos(folder: Path, sources: tuple[str, ...], split: str) -> Photos:
    """Cached photographs of some sources."""
    pictures, material, weight = [], [], []
    for source in sources:
        path = folder / f"photos-{source}-{split}.npz"
        if path.exists():
            with np.load(path) as kept:
                pictures.append(pictures_of(kept))
                material.append(torch.from_numpy(kept["material"]))
                weight.append(SOURCE_WEIGHT.get(source, 1.0) * torch.from_numpy(kept["weight"]).float())
    return Photos(joined(pictures), torch.cat(material), torch.cat(weight))


def belief() -> Tensor:
    """(256,) that sum to 1: how surely a patch of a photograph shows the thing in its middle."""
    return (-0.5 * grid_positions(CELLS, CELLS).square().sum(dim=1) * (CELLS / BELIEF_CELLS) ** 2).softmax(dim=0)


def cell_weights(thing: Tensor) -> Tensor:
    """(B, 256) rows of things -> (B, 256) that sum to 1 a scene: half for area, half for each thing alike."""
    there = thing >= 0
    alike = (thing[:, :, None] == thing[:, None, :]).sum(dim=2).float()  # (B, 256) cells of the same thing
    per_thing = torch.where(there, 1 / alike, 0.0)
    area = there.float()
    parts = [part / part.sum(dim=1, keepdim=True).clamp(min=1e-9) for part in (area, per_thing)]
    return 0.5 * (parts[0] + parts[1])


def rarity(photos: Photos) -> Tensor:
    """(1 + M,) weights, of what isn't struck first, by which a photograph is drawn, so that common materials don't
    crowd out rare ones."""
    counts = torch.bincount(photos.material + 1, weights=photos.weight, minlength=len(MATERIALS) + 1).float()
    return 1 / counts.clamp(min=1).sqrt()


def read_in_half(net: PhysicsNet, views: BackboneFeatures) -> PhysicsPosterior:
    """The network in bfloat16, what it says in float32."""
    with torch.autocast("cpu", torch.bfloat16):
        read = net(views)
    parts = (getattr(read, field.name) for field in fields(PhysicsPosterior))
    return PhysicsPosterior(
        *(tuple(p.float() for p in part) if isinstance(part, tuple) else part.float() for part in parts)
    )
