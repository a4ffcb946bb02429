"""Training set of the prior: region features of places in photographs, with the sounds of each place or silence.

A photograph of `images_manifest.csv` has one thing in its middle; one of `pictures_manifest.csv` may have boxes. A few
patches of each are kept: within the box, or where the vision network finds the picture's class, or anywhere in pictures
that sound all over (rain, sea). Patches beyond all boxes are silent with some doubt. Some pictures are pasted side by
side, so that a region must be told from the rest of the photograph. Held-out pictures are kept too, marked as such.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from synesthesia.core import presets
from synesthesia.image_to_sound.region_features import RegionFeatures, region_features
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.pretrained import imagenet_classifier
from training.common.pairs import imagenet_to_sound, sound_labels, sound_pairs
from training.common.patch_features import paste
from training.common.pictures import SILENT, manifest_rows, place_rows

# heard wherever one clicks in a picture that has no box
EVERYWHERE = {
    "applause", "cicada", "crickets", "crowd", "jungle", "rain", "rustling_leaves", "sea_waves", "speech_babble",
    "stream", "thunder", "traffic", "underwater", "water", "waterfall", "wind",
}  # fmt: skip
NEAR_BOX = 0.08  # of the picture's sides: a margin around boxes where nobody knows
UNKNOWN, QUIET, SOUNDING = -1, 0, 1


@dataclass(frozen=True, kw_only=True)
class PlaceCollection:
    data: Path
    preset: Literal["embedded", "hub"] = "embedded"
    of_a_class: int = 10  # Caltech pictures of each class in training, and a third as many in validation
    pasted: int = 300  # pairs of training pictures
    seed: int = 23
    bf16: bool = True


@dataclass(frozen=True)
class Thing:
    """sounds: label -> weight, empty for silence; box: (x0, y0, x1, y1) in shares of the sides, None: unknown."""

    sounds: dict[str, float]
    box: tuple[float, float, float, float] | None = None

    @property
    def everywhere(self) -> bool:
        return self.box is None and any(label in EVERYWHERE for label in self.sounds)


@dataclass(frozen=True)
class Photograph:
    path: str
    source: str
    split: str
    label: str
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class LabelledPlaces:
    """N patches. views (N, VIEWS, D) float16; targets (N, labels + 1) shares, the last is silence;
    accepted (N, labels) bool, direct sounds; trust (N,): weight of the target; sounding (N,): 1, 0 or -1 (unknown);
    group (N,): number of the picture; held_out (N,) bool; source (N,): index into `sources`; labels: of the columns."""

    views: Tensor
    targets: Tensor
    accepted: Tensor
    trust: Tensor
    sounding: Tensor
    group: Tensor
    held_out: Tensor
    source: Tensor
    sources: tuple[str, ...] = field(default=())
    labels: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.trust)

    def region(self, rows: Tensor) -> RegionFeatures:
        return RegionFeatures(self.views[rows].float())

    def of_sources(self, names: tuple[str, ...]) -> Tensor:
        """(N,) bool."""
        return torch.isin(
            self.source, torch.tensor([self.sources.index(name) for name in names if name in self.sources])
        )

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.contiguous() for name, value in vars(self).items() if isinstance(value, Tensor)}
        save_file(tensors, file, metadata={"names": json.dumps([self.sources, self.labels])})

    @staticmethod
    def load(file: Path) -> LabelledPlaces:
        with safe_open(file, "pt") as opened:
            sources, labels = json.loads(opened.metadata()["names"])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        return LabelledPlaces(**tensors, sources=tuple(sources), labels=tuple(labels))


def photographs(config: PlaceCollection) -> list[Photograph]:
    """Of both manifests, with what sounds in each; labels without any sound are left out."""
    rng, pairs, known = np.random.default_rng(config.seed), sound_pairs(config.data), set(sound_labels(config.data))
    by_class: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in manifest_rows(config.data):
        if row["label"] != "*":
            by_class[row["source"], row["label"], row["split"]].append(row["path"])
    found = []
    for (source, label, split), paths in by_class.items():
        most = {"caltech101": config.of_a_class, "trashnet": 6 * config.of_a_class}.get(source, 1_000)
        most = most if split == "train" else max(1, most * 3 // 8)
        sounds = {sound: weight for sound, weight in pairs.get((source, label), {}).items() if sound in known}
        found += [Photograph(paths[i], source, split, label, (Thing(sounds),))
                  for i in rng.permutation(len(paths))[:most]]  # fmt: skip
    by_path = defaultdict(list)
    for place in place_rows(config.data):
        by_path[place.path].append(place)
    for path, places in by_path.items():
        with Image.open(config.data / path) as picture:
            sides = (*picture.size, *picture.size)
        things = tuple(
            Thing({} if place.sound == SILENT else {place.sound: place.weight},
                  tuple(x / side for x, side in zip(place.box, sides, strict=True)) if place.box else None)  # type: ignore[arg-type]
            for place in places if place.sound == SILENT or place.sound in known
        )  # fmt: skip
        if things:
            found.append(Photograph(path, places[0].source, places[0].split, places[0].label, things))
    return found


class PlaceCollector:
    """Chooses patches of encoded photographs and remembers them."""

    def __init__(
        self, labels: list[str], classify: torch.nn.Linear | None, table: Tensor, rng: np.random.Generator
    ) -> None:  # fmt: skip
        self.labels, self.classify, self.table, self.rng = labels, classify, table, rng
        self.sources: list[str] = []
        self.rows: list[tuple[Tensor, Tensor, Tensor, float, int, int, bool, int]] = []
        self.pictures = 0

    def add(self, grid: PatchGrid, photograph: Photograph, inside: Tensor | None = None) -> None:
        """inside: (R * C,) bool, the patches that belong to the photograph; all by default."""
        region = region_features(grid)
        rows, cols = torch.meshgrid(torch.arange(grid.rows), torch.arange(grid.cols), indexing="ij")
        y, x = (rows.flatten() + 0.5) / grid.rows, (cols.flatten() + 0.5) / grid.cols
        inside = torch.ones(len(region), dtype=torch.bool) if inside is None else inside
        probs = torch.zeros(len(region), len(self.labels))  # of the object view
        if self.classify is not None:
            probs = self.classify(region.views[:, 0]).softmax(dim=1) @ self.table
        for thing in photograph.things:
            for place, sounding, trust in self._choose(thing, x, y, inside, probs):
                self._keep(region, place, thing.sounds, sounding, trust, photograph)
        boxes = [thing.box for thing in photograph.things]
        if photograph.source != "pasted" and all(boxes):
            free = inside.clone()
            for box in boxes:
                free &= ~_within(box, x, y, NEAR_BOX)
            for place in self._some(free, 2):
                self._keep(region, place, {}, QUIET, 0.4, photograph)
        self.pictures += 1

    def _choose(
        self, thing: Thing, x: Tensor, y: Tensor, inside: Tensor, probs: Tensor
    ) -> Iterator[tuple[int, int, float]]:
        """(patch, sounding, trust) of a few patches."""
        sounding = SOUNDING if thing.sounds else QUIET
        if thing.box is not None:
            core = _within(thing.box, x, y, -0.2) & inside
            yield from ((place, sounding, 1.0) for place in self._some(core if core.any() else inside, 3))
            return
        if thing.everywhere or not thing.sounds:
            yield from ((place, sounding, 1.0) for place in self._some(inside, 3))
            return
        columns = torch.tensor([self.labels.index(label) for label in thing.sounds])
        right = probs[:, columns].sum(dim=1)
        middle = torch.exp(-((x - x[inside].mean()) ** 2 + (y - y[inside].mean()) ** 2) / (2 * 0.2**2))
        noise = torch.from_numpy(self.rng.random(len(x)).astype(np.float32)) * 0.1
        score = torch.where(inside, right + 0.5 * middle + noise, -1.0)
        for place in score.topk(2).indices.tolist():
            yield place, sounding, 1.0
        for place in self._some(inside, 2):
            known = SOUNDING if right[place] > 0.25 or middle[place] > 0.7 else UNKNOWN
            yield place, known, 1.0 if known == SOUNDING else 0.25

    def _some(self, allowed: Tensor, count: int) -> list[int]:
        places = allowed.nonzero()[:, 0].numpy()
        return [int(i) for i in self.rng.permutation(places)[:count]]

    def _keep(self, region: RegionFeatures, place: int, sounds: dict[str, float], sounding: int, trust: float,
              photograph: Photograph) -> None:  # fmt: skip
        target, accepted = torch.zeros(len(self.labels) + 1), torch.zeros(len(self.labels), dtype=torch.bool)
        for label, weight in sounds.items():
            column = self.labels.index(label)
            target[column], accepted[column] = weight, weight >= 1
        if not sounds:
            target[-1] = 1.0
        if photograph.source not in self.sources:
            self.sources.append(photograph.source)
        self.rows.append((region.views[place].half(), target / target.sum(), accepted, trust,
                          sounding, self.pictures, photograph.split != "train",
                          self.sources.index(photograph.source)))  # fmt: skip

    def places(self) -> LabelledPlaces:
        views, targets, accepted, trust, sounding, group, held_out, source = zip(*self.rows, strict=True)
        return LabelledPlaces(
            torch.stack(views), torch.stack(targets), torch.stack(accepted), torch.tensor(trust),
            torch.tensor(sounding), torch.tensor(group), torch.tensor(held_out), torch.tensor(source),
            tuple(self.sources), tuple(self.labels),
        )  # fmt: skip


def _within(box: tuple[float, float, float, float], x: Tensor, y: Tensor, margin: float) -> Tensor:
    """(N,) whether places (x, y) lie in a box widened by `margin`, or narrowed by a share of its sides if negative."""
    x0, y0, x1, y1 = box
    across, down = (-margin * (x1 - x0), -margin * (y1 - y0)) if margin < 0 else (-margin, -margin)
    return (x > x0 + across) & (x < x1 - across) & (y > y0 + down) & (y < y1 - down)


@torch.inference_mode()
def collect(config: PlaceCollection, encoder: PatchEncoder) -> LabelledPlaces:
    labels, rng = sound_labels(config.data), np.random.default_rng(config.seed)
    table = torch.from_numpy(imagenet_to_sound(config.data, labels))
    vision = presets.preset(config.preset).vision
    classify = imagenet_classifier(vision) if vision.weights.package else None
    collector = PlaceCollector(labels, classify, table, rng)
    shown = photographs(config)

    def encode(picture: Image.Image) -> PatchGrid:
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
            return encoder.encode(picture)

    for photograph in tqdm(shown, unit="picture", mininterval=10):
        with Image.open(config.data / photograph.path) as picture:
            collector.add(encode(picture.convert("RGB")), photograph)
    middle = [one for one in shown if one.split == "train" and len(one.things) == 1 and one.things[0].box is None]
    order = rng.permutation(len(middle))
    for number in tqdm(range(config.pasted), unit="pair", mininterval=10):
        both = [middle[order[2 * number + side]] for side in (0, 1)]
        beside = number % 3 != 0
        pixels = [np.asarray(Image.open(config.data / one.path).convert("RGB")) for one in both]
        grid = encode(paste(pixels[0], pixels[1], beside))
        along = torch.arange(grid.cols if beside else grid.rows)
        half = along < len(along) // 2
        first = (half[None].expand(grid.rows, -1) if beside else half[:, None].expand(-1, grid.cols)).flatten()
        for one, inside in zip(both, (first, ~first), strict=True):
            collector.add(grid, Photograph(one.path, "pasted", "train", one.label, one.things), inside)
    return collector.places()
