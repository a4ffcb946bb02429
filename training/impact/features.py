"""What the frozen eyes see of rendered scenes and of photographs, kept on disk: the material of the physics adapter.

    python -m training.impact.features --renders DIR --data DIR --out runs/tap_features     # what is there is left alone

A shard of renders becomes <out>/NAME-00000-0.npz (NAME is the folder of the renders, several may be given), and for
training <out>/NAME-00000-1.npz and on: the same scenes cut, lit and compressed otherwise, of which only early layers'
maps are kept. A kind of photographs becomes <out>/photos-<name>.npz and .json. Pictures are cut to a square, so every
grid has 16 x 16 cells. Of a render each cell has the thing at its middle; of a photograph only what the whole is made
of is known, and only its middle cells are believed.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from synesthesia.core import presets
from synesthesia.impact.modal.things import MATERIALS, SHAPES
from synesthesia.vision.backbone import PatchEncoder
from synesthesia.vision.grid import PatchGrid
from synesthesia.vision.multi_crop import LEVELS, crop_grid
from training.impact.rendered import Rendered, read_shard

CELLS = 16  # along each side
NOTHING = 255
TAUGHT = ("trashnet", "imagenet-sample", "caltech101")  # what the shipped adapter learnt from
SOURCES = (*TAUGHT, "tiny-imagenet")  # the last is of 64 px
CALLED = {"water": "liquid"}  # a material's name in the table of pairs, where it isn't ours
MOST_TINY = 200  # pictures of 64 px of a material
SIDES = (0.35, 1.0)  # of a cut, in sides of the picture
LAST_ANIMAL = 2_655_020  # WordNet's number, in the names of ImageNet's pictures
BATCH = 16


@dataclass(frozen=True)
class Seen:
    """What N pictures hold, float16. features (N, 256, D); windows (N, 5, D), see `spread`, both without a row where
    only early layers were kept; early: (N, C, h, w) each, as PatchGrid.early."""

    features: np.ndarray
    windows: np.ndarray
    early: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.early[0])


@lru_cache(maxsize=1)
def mixing() -> Tensor:
    """(256, 2, 5): how much each cell takes of each window, by level."""
    covers = [crop_grid(1.0, 1.0, share) for share in LEVELS]
    parts = torch.eye(5).split([len(level.boxes) for level in covers])
    levels = [level.spread(part, CELLS, CELLS, 1.0, 1.0) for level, part in zip(covers, parts, strict=True)]
    return torch.stack(levels, dim=2).flatten(0, 1)


def spread(windows: Tensor) -> Tensor:
    """(..., 5, D) of square pictures: the one wide window, the four close ones -> (..., 256, 2, D), as
    PatchGrid.closer."""
    return torch.einsum("nlw,...wd->...nld", mixing(), windows)


def windows_of(grid: PatchGrid) -> Tensor:
    """(5, D) float16 of a square picture: a corner's cell takes the window in that corner alone."""
    corners = grid.closer[[0, 0, -1, -1], [0, -1, 0, -1]]  # (4, 2, D)
    return torch.cat([corners[:1, 0], corners[:, 1]])


def square(picture: Image.Image) -> Image.Image:
    """The middle square."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def look(encoder: PatchEncoder, pictures: Iterable[Image.Image]) -> Seen:
    features, windows, early = [], [], []
    for picture in pictures:
        grid = encoder.encode(square(picture))
        assert grid.features.shape[:2] == (CELLS, CELLS), tuple(grid.features.shape)
        features.append(grid.features.flatten(0, 1).half().numpy())
        windows.append(windows_of(grid).numpy())
        early.append([layer.numpy() for layer in grid.early])
    return Seen(np.stack(features), np.stack(windows), tuple(np.stack(layer) for layer in zip(*early, strict=True)))


def early_look(encoder: PatchEncoder, pictures: Iterable[Image.Image]) -> Seen:
    """Early layers alone, many pictures at a time."""
    pixels = [encoder.prepare(square(picture)) for picture in pictures]
    maps = [encoder.layers(torch.cat(pixels[at : at + BATCH])) for at in range(0, len(pixels), BATCH)]
    dim = maps[0][0].shape[-1]
    early = zip(*(layers for _, _, layers in maps), strict=True)
    none = np.zeros((0, CELLS**2, dim), np.float16), np.zeros((0, 5, dim), np.float16)
    return Seen(*none, tuple(torch.cat(layer).half().contiguous().numpy() for layer in early))


@dataclass(frozen=True)
class Cut:
    """A square of a picture: left, top and side in pixels."""

    left: int
    top: int
    side: int

    def middles(self, first: int) -> np.ndarray:
        """(16,) pixels at the middles of cells that begin at left or top."""
        return first + ((np.arange(CELLS) + 0.5) * self.side / CELLS).astype(int)


def labels_of(scene: Rendered, cut: Cut) -> tuple[np.ndarray, np.ndarray]:
    """(256,) number of the thing at each cell's middle, 0 for none, and (256, 2) the place on it, 0 to 255."""
    at = np.ix_(cut.middles(cut.top), cut.middles(cut.left))
    return scene.object_index[at].ravel(), scene.place[at].reshape(-1, 2)


def shown(scene: Rendered, cut: Cut, random: np.random.Generator | None) -> Image.Image:
    """The cut as a camera may give it: other exposure, contrast, colour and sharpness, compressed; None: as it is."""
    picture = Image.fromarray(scene.picture).crop((cut.left, cut.top, cut.left + cut.side, cut.top + cut.side))
    if random is None:
        return picture
    for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = change(picture).enhance(float(np.exp(random.normal(0, 0.25))))
    tint = np.exp(random.normal(0, 0.06, 3)) * 255
    picture = Image.fromarray((np.asarray(picture) / 255.0 * tint).clip(0, 255).astype(np.uint8))
    if random.random() < 0.4:
        picture = picture.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.2)))
    stored = io.BytesIO()
    picture.save(stored, "JPEG", quality=int(random.integers(35, 95)))
    return Image.open(stored).convert("RGB")


def drawn_cut(side_px: int, random: np.random.Generator) -> Cut:
    side = round(side_px * random.uniform(*SIDES))
    left, top = (int(random.integers(0, side_px - side + 1)) for _ in range(2))
    return Cut(left, top, side)


def thing_rows(scene: Rendered, number: int) -> list[list[float]]:
    """Scene, material, shape, size, middle, least, thickness, whether its surface is held out: a row a thing."""
    return [
        [number, MATERIALS.index(t.material), SHAPES.index(t.shape), t.size_m, t.middle, t.least, t.thickness_m,
         float(t.held_out)]
        for t in scene.things
    ]  # fmt: skip


def keep_scenes(encoder: PatchEncoder, shard: Path, view: int, out: Path) -> None:
    """view: 0 for the pictures as they are, more for others."""
    scenes = list(read_shard(shard))
    randoms = [np.random.default_rng([scene.index, view]) if view else None for scene in scenes]
    sides = [scene.picture.shape[0] for scene in scenes]
    cuts = [drawn_cut(side, random) if random else Cut(0, 0, side) for side, random in zip(sides, randoms, strict=True)]
    triples = list(zip(scenes, cuts, randoms, strict=True))
    seen = (early_look if view else look)(encoder, (shown(*triple) for triple in triples))
    labels = [labels_of(scene, cut) for scene, cut, _ in triples]
    things = [row for number, scene in enumerate(scenes) for row in thing_rows(scene, number)]
    thing, place = (np.stack(part) for part in zip(*labels, strict=True))
    split = np.array(scenes[0].split)
    save(out, seen, thing=thing, place=place, things=np.array(things), split=split)


def save(path: Path, seen: Seen, **more: np.ndarray) -> None:  # an archive names its arrays by keywords
    part = path.with_suffix(".part.npz")
    early = {f"early{level}": layer for level, layer in enumerate(seen.early)}
    np.savez(part, features=seen.features, windows=seen.windows, **early, **more)
    part.rename(path)


@dataclass(frozen=True)
class Photo:
    """path inside the data folder, and member of it where that is an archive; material: -1 for what nobody would strike
    (animals); weight: how surely it is of it."""

    path: str
    member: str
    source: str
    label: str
    material: int
    weight: float
    split: str


def strongest(data: Path) -> dict[tuple[str, str], tuple[int, float]]:
    """(source, label) -> material and weight. A label that two materials claim alike is left out."""
    claims: dict[tuple[str, str], dict[str, float]] = {}
    with (data / "pairs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = CALLED.get(row["material_label"], row["material_label"])
            if name in MATERIALS:
                of = claims.setdefault((row["source"], row["label"]), {})
                of[name] = max(of.get(name, 0.0), float(row["weight"]))
    found = {}
    for key, of in claims.items():
        best = max(of.values())
        named = [name for name, weight in of.items() if weight == best]
        if len(named) == 1:
            found[key] = (MATERIALS.index(named[0]), best)
    return found


def is_animal(path: str) -> bool:
    """A picture that is named by a WordNet number of an animal."""
    number = re.match(r"n(\d{8})_", Path(path).name)
    return number is not None and int(number[1]) <= LAST_ANIMAL


def photos(data: Path, source: str, split: str) -> list[Photo]:
    """All photographs of one source and split that a material is known of."""
    known = strongest(data)
    out: list[Photo] = []
    tiny: list[Photo] = []
    with (data / "images_manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] != source or row["split"] != split:
                continue
            if row["label"] != "*":
                if is_animal(row["path"]):
                    out.append(Photo(row["path"], "", source, row["label"], -1, 1.0, split))
                elif (source, row["label"]) in known:
                    out.append(Photo(row["path"], "", source, row["label"], *known[source, row["label"]], split))
                continue
            with tarfile.open(data / row["path"]) as tar:
                for name in tar.getnames():
                    label = name.split("/")[-2] if "/" in name else ""
                    if (source, label) in known:
                        tiny.append(Photo(row["path"], name, source, label, *known[source, label], split))
    return out + rationed(tiny, MOST_TINY)


def rationed(found: list[Photo], most: int) -> list[Photo]:
    """At most so many of each material, the surest first and of every label as many, in their old order."""
    earlier = Counter[str]()  # photographs of a label that came before
    ranked: dict[int, list[tuple[float, int, int]]] = {}
    for place, photo in enumerate(found):
        ranked.setdefault(photo.material, []).append((-photo.weight, earlier[photo.label], place))
        earlier[photo.label] += 1
    return [found[place] for place in sorted(place for of in ranked.values() for *_, place in sorted(of)[:most])]


def opened(data: Path, chosen: list[Photo]) -> Iterator[Image.Image]:
    archive, tar = "", None
    for photo in chosen:
        if not photo.member:
            with Image.open(data / photo.path) as picture:
                yield picture.convert("RGB")
            continue
        if photo.path != archive:
            archive, tar = photo.path, tarfile.open(data / photo.path)  # noqa: SIM115  # read over many turns
        assert tar is not None
        source = tar.extractfile(photo.member)
        assert source is not None
        with Image.open(source) as picture:
            yield picture.convert("RGB")


def keep_photos(encoder: PatchEncoder, data: Path, source: str, split: str, out: Path) -> None:
    chosen = photos(data, source, split)
    if not chosen:
        return
    seen = look(encoder, opened(data, chosen))
    save(out, seen, material=np.array([photo.material for photo in chosen]),
         weight=np.array([photo.weight for photo in chosen]), split=np.array(split))  # fmt: skip
    out.with_suffix(".json").write_text(json.dumps([asdict(photo) for photo in chosen]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renders", type=Path, nargs="+", default=[], help="folders of tools.blender.scenes")
    parser.add_argument("--data", type=Path, help="folder with images_manifest.csv and pairs.csv")
    parser.add_argument("--preset", default="embedded", choices=("embedded", "hub"), help="whose eyes look")
    parser.add_argument("--sources", nargs="+", default=list(TAUGHT), choices=SOURCES)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--views", type=int, default=6, help="of each scene to train on")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    encoder = PatchEncoder.load(presets.preset(given.preset).vision)
    for view in range(given.views):
        for shard in (shard for folder in given.renders for shard in sorted(folder.glob("scenes-*.tar"))):
            path = given.out / f"{shard.parent.name}-{shard.stem[-5:]}-{view}.npz"
            if not path.exists() and (view == 0 or next(read_shard(shard)).split == "train"):
                keep_scenes(encoder, shard, view, path)
                print(path.stem, flush=True)
    for source in given.sources if given.data else []:
        for split in ("train", "val"):
            path = given.out / f"photos-{source}-{split}.npz"
            if not path.exists():
                keep_photos(encoder, given.data, source, split, path)
                print(path.stem, flush=True)


if __name__ == "__main__":
    main()
