"""Held-out clicks: which places count, where they are clicked, and in which order they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training_common.tiny_clicks import tiny_clicks
from training.common.hear_cases import HeldOutPicture, by_group, in_turn, load_cases, load_silent
from training.common.pictures import place_rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tiny_clicks(tmp_path / "data")


def case(source: str, *accepted: str) -> HeldOutPicture:
    return HeldOutPicture(Path("a.png"), "a", source, frozenset(accepted))


def test_direct_sounds_of_both_manifests_count_and_loose_ones_do_not(data: Path) -> None:
    cases = load_cases(data, per_label=9, limit=0, seed=0)
    assert sorted((c.source, c.file.stem, *c.accepted) for c in cases) == [
        ("bsds", "g", "clock_tick"), ("bsds", "g", "dog"), ("caltech101", "a", "dog"), ("weather", "d", "rain"),
        ("weather", "e", "rain"),
    ]  # fmt: skip


def test_sources_and_splits_narrow_and_widen(data: Path) -> None:
    cases = load_cases(data, per_label=9, limit=0, seed=0, sources=["caltech101"], splits=["val", "train"])
    assert sorted(c.file.stem for c in cases) == ["a", "b"]


def test_at_most_so_many_of_a_label_and_in_all(data: Path) -> None:
    few = load_cases(data, per_label=1, limit=0, seed=0)
    assert [c.source for c in few].count("weather") == 1
    assert {c.source for c in load_cases(data, per_label=9, limit=3, seed=0)} == {"bsds", "caltech101", "weather"}


def test_a_silent_place_is_labelled_so_or_of_a_class_without_sound(data: Path) -> None:
    silent = load_silent(data, limit=0, seed=0)
    assert sorted(c.file.stem for c in silent) == ["c", "h"] and all(c.silent for c in silent)


def test_the_click_is_the_centre_of_the_box_or_of_the_picture(data: Path) -> None:
    clicks = {min(c.accepted): c.click(*c.image.size) for c in load_cases(data, per_label=1, limit=0, seed=0)}
    assert clicks["rain"] == (50, 40) and clicks["clock_tick"] == (90, 10)
    edge = HeldOutPicture(Path("a.png"), "a", "bsds", frozenset(), (90, 70, 110, 90))
    assert edge.click(100, 80) == (99, 79), "a box that leaves the picture is clicked inside it"


def test_places_are_read_with_their_boxes_and_may_be_missing(data: Path, tmp_path: Path) -> None:
    place = place_rows(data)[3]
    assert (place.sound, place.box, place.weight) == ("dog", (10, 20, 30, 60), 1.0)
    assert place_rows(tmp_path) == []


def test_sources_come_in_turn() -> None:
    cases = [case("a", "1"), case("a", "2"), case("a", "3"), case("b", "1")]
    assert [c.source for c in in_turn(cases, 0)] == ["a", "b", "a", "a"] and len(in_turn(cases, 2)) == 2


def test_groups_are_all_then_kinds_then_sources() -> None:
    cases = [case("weather"), case("dtd"), case("own pictures")]
    groups = by_group(cases, lambda one: one)
    assert list(groups) == ["all", "objects", "scenes", "materials", "dtd", "own pictures", "weather"]
    assert len(groups["all"]) == 3 and groups["objects"] == [cases[2]]
