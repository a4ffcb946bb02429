"""Places of photographs and the prior that is fitted to them, on made-up pictures and features."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthesia.image_to_sound.prior import Prior
from synesthesia.image_to_sound.region_features import VIEWS
from synesthesia.image_to_sound.retrieval import IndexEntry, SoundIndex
from synesthesia.vision.grid import PatchGrid
from training.image_to_sound import place_features, train_prior
from training.image_to_sound.place_features import (
    QUIET,
    SOUNDING,
    LabelledPlaces,
    Photograph,
    PlaceCollection,
    PlaceCollector,
    Thing,
    photographs,
)

LABELS, DIM = ["dog", "rain"], 12


def write_csv(file: Path, columns: str, *rows: str) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns.split(), *(row.split(",") for row in rows)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sounds; a dog with a box, rain, a silent room and a core picture of a dog and of something silent."""
    for name in ("boxed", "wet", "room", "core", "chair"):
        Image.new("RGB", (120, 80), "grey").save(tmp_path / f"{name}.png")
    columns = "path label material source recording_id licence seconds split single_recording"
    write_csv(tmp_path / "manifest.csv", columns, "a.wav,dog,,s,1,CC0,1,train,0", "b.wav,rain,,s,2,CC0,1,train,0")
    write_csv(tmp_path / "pairs.csv", "source label sound_label material_label weight n_images", "core,dog,dog,,1,1")
    write_csv(tmp_path / "images_manifest.csv", "path label source licence split", "core.png,dog,core,CC0,train",
              "chair.png,chair,core,CC0,val")  # fmt: skip
    write_csv(
        tmp_path / "pictures_manifest.csv", "path label sound_label material_label box weight source licence split",
        "boxed.png,dog,dog,,60 20 100 60,1,boxes,CC0,train", "wet.png,rain,rain,water,,1,weather,CC0,val",
        "room.png,room,none,,,1,rooms,CC0,train",
    )  # fmt: skip
    return tmp_path


def test_both_manifests_say_what_sounds_where(data: Path) -> None:
    found = {one.path: one for one in photographs(PlaceCollection(data=data))}
    assert found["core.png"].things == (Thing({"dog": 1.0}),) and found["chair.png"].things == (Thing({}),)
    assert found["boxed.png"].things[0].box == (0.5, 0.25, 100 / 120, 0.75)
    assert found["wet.png"].things[0].everywhere and not found["core.png"].things[0].everywhere
    assert found["room.png"].things == (Thing({}),) and found["wet.png"].split == "val"


def grid(key: str = "grid") -> PatchGrid:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(8, 12, DIM, generator=generator)
    return PatchGrid(features, features[0, 0], features[:, :, None].repeat(1, 1, 2, 1).half(), 120, 80, key)


def collector() -> PlaceCollector:
    return PlaceCollector(LABELS, None, torch.zeros(1, 2), np.random.default_rng(0))


def test_places_within_a_box_sound_and_places_beyond_it_are_silent() -> None:
    collected = collector()
    chosen: list[tuple[int, int]] = []
    keep = collected._keep
    collected._keep = lambda region, place, sounds, sounding, *rest: (  # type: ignore[method-assign]
        chosen.append((place, sounding)), keep(region, place, sounds, sounding, *rest)
    )  # fmt: skip
    box = (0.5, 0.25, 0.9, 0.75)
    collected.add(grid(), Photograph("boxed.png", "boxes", "train", "dog", (Thing({"dog": 1.0}, box),)))
    centres = {place: ((place % 12 + 0.5) / 12, (place // 12 + 0.5) / 8) for place, _ in chosen}
    within = {place for place, (x, y) in centres.items() if box[0] < x < box[2] and box[1] < y < box[3]}
    assert {place for place, sounding in chosen if sounding == SOUNDING} == within and len(within) == 3
    assert len([place for place, sounding in chosen if sounding == QUIET]) == 2
    places = collected.places()
    assert places.targets[places.sounding == SOUNDING][:, 0].eq(1).all()
    assert places.targets[places.sounding == QUIET][:, -1].eq(1).all()


def test_places_load_back(tmp_path: Path) -> None:
    collected = collector()
    collected.add(grid(), Photograph("wet.png", "weather", "val", "rain", (Thing({"rain": 1.0}),)))
    places = collected.places()
    assert places.held_out.all() and places.sounding.eq(SOUNDING).all() and len(places) == 3
    places.save(tmp_path / "places.safetensors")
    again = LabelledPlaces.load(tmp_path / "places.safetensors")
    assert torch.equal(again.views, places.views) and again.labels == ("dog", "rain") and again.sources == ("weather",)


def made_up_places(count: int = 240) -> LabelledPlaces:
    """Three kinds of places in two sources: dogs (feature 0), rain (feature 1) and silence (feature 2)."""
    generator = torch.Generator().manual_seed(0)
    kind = torch.arange(count) % 3
    views = torch.rand(count, VIEWS, DIM, generator=generator) * 0.5
    views[torch.arange(count), :, kind] += 2.0
    targets = torch.nn.functional.one_hot(kind, 3).float()
    number = torch.arange(count)
    return LabelledPlaces(
        views.half(), targets, targets[:, :2] > 0, torch.ones(count), (kind < 2).long(), number // 2, number % 5 == 0,
        number % 2, ("a", "b"), ("dog", "rain"),
    )  # fmt: skip


def test_the_prior_learns_sounds_and_silence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = train_prior.PriorTraining(
        data=tmp_path, out=tmp_path, preset="hub", components=6
    )  # no classifier of 1,000 classes
    entries = tuple(IndexEntry(label, "s", "1", "CC0") for label in LABELS)
    index = SoundIndex(entries, torch.eye(2, 5), torch.zeros(2, 7))
    places = made_up_places()
    prior = train_prior.train(config, places, LABELS, index)
    prior.save(tmp_path)
    table = train_prior.figures(Prior.load(tmp_path), places, places.held_out.nonzero()[:, 0])
    assert set(table) == {"a", "b"}
    for row in table.values():
        assert row["top1"].value > 0.95 and row["falls_silent"].value < 0.2 and row["stays_silent"].value > 0.9
    one = train_prior.train(replace(config, without=("b",)), places, LABELS, index)
    assert not torch.equal(one.regression.weight, prior.regression.weight), "a source that is left out teaches nothing"


def test_every_sound_that_is_heard_everywhere_is_a_label_in_lower_case() -> None:
    assert all(label == label.lower() and " " not in label for label in place_features.EVERYWHERE)
