"""Verdicts of the judges: strict and with generic skipped, silence, what can't be judged, remembered recordings."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from training.common.outside_judge import CLASS_FILE, class_names
from training.common.pairs import sound_labels
from training.evaluation.audioset_classes import ENVIRONMENT, AcceptedClasses, AudioSetClasses
from training.evaluation.judges import SILENCE, Bench, verdict

DATA = Path(os.environ.get("SYNESTHESIA_DATA", "-"))
needs_data = pytest.mark.skipif(not (DATA / CLASS_FILE).is_file(), reason="SYNESTHESIA_DATA names no data folder")
NAMES = ("Animal", "Dog", "Bark", "Rain", "Music", "Wind", "Water")
DOG = AcceptedClasses(frozenset({"Dog", "Bark"}), frozenset({"Animal"}))


class Counting:
    """A judge whose scores are the waveform's first samples."""

    name, key, names = "counting", "k", ("dog", "rain")

    def __init__(self) -> None:
        self.asked = 0

    def scores(self, waveform: Tensor) -> Tensor:
        self.asked += 1
        return waveform[:2]

    def accepted(self, labels: Iterable[str]) -> AcceptedClasses:
        return AcceptedClasses(frozenset(labels) & frozenset(self.names), frozenset())


def test_an_ancestor_is_an_error_unless_it_is_skipped() -> None:
    found = verdict(NAMES, torch.tensor([0.9, 0.8, 0.1, 0.0, 0.0, 0.0, 0.0]), DOG)
    assert (found.top1, found.top5, found.lenient1, found.lenient5) == (False, True, True, True)
    assert found.best == pytest.approx(0.8) and [name for name, _ in found.heard] == ["Animal", "Dog", "Bark"]


def test_a_wrong_class_is_an_error_either_way() -> None:
    found = verdict(NAMES, torch.tensor([0.8, 0.0, 0.1, 0.9, 0.7, 0.6, 0.5]), DOG)
    assert (found.top1, found.top5, found.lenient1, found.lenient5) == (False, False, False, True)


def test_several_labels_are_all_right_and_no_right_class_is_an_ancestor() -> None:
    classes = AudioSetClasses({"dog": DOG, "zoo": AcceptedClasses(frozenset({"Animal"}), frozenset({"Wind"}))})
    both = classes.accepted(["dog", "zoo", "elephant"])
    assert both == AcceptedClasses(frozenset({"Dog", "Bark", "Animal"}), frozenset({"Wind"}) | ENVIRONMENT)
    assert not classes.accepted(["elephant"]).right


def test_silence_is_a_miss_and_unknown_labels_are_not_judged() -> None:
    bench = Bench((Counting(),))
    assert bench.verdicts(None, frozenset({"dog"})) == {"counting": SILENCE}
    assert bench.verdicts(torch.zeros(4), frozenset({"elephant"})) == {}
    assert bench.verdicts(torch.tensor([1.0, 0.0]), frozenset({"dog", "elephant"}))["counting"].top1


def test_scores_of_recordings_are_remembered_by_the_next_run(tmp_path: Path) -> None:
    sound, dog = torch.tensor([0.3, 0.7, 0.0]), frozenset({"rain"})
    judge = Counting()
    bench = Bench((judge,), tmp_path)
    first = [bench.verdicts(sound, dog, "rain/1.ogg") for _ in range(2)]
    bench.verdicts(sound, dog)
    assert judge.asked == 2
    bench.save()
    again = Counting()
    assert Bench((again,), tmp_path).verdicts(sound, dog, "rain/1.ogg") == first[0] == first[1]
    assert again.asked == 0


def test_the_reviewed_classes_have_no_class_twice() -> None:
    table = AudioSetClasses.load().table  # asserts that each label has one row
    assert all(classes.right.isdisjoint(classes.skipped) for classes in table.values())
    generic = {"Animal", "Domestic animals, pets", "Wild animals", "Music", "Musical instrument", "Vehicle", "Noise"}
    assert not [label for label, classes in table.items() if classes.right & generic]
    assert "Dog" in table["dog"].right and "Animal" in table["dog"].skipped


@needs_data
def test_every_class_and_every_label_exists() -> None:
    table, names = AudioSetClasses.load().table, set(class_names(DATA))
    assert {name for classes in table.values() for name in classes.right | classes.skipped} <= names
    assert set(table) == set(sound_labels(DATA)) and names >= ENVIRONMENT
