"""Which AudioSet classes count as right for a sound label: `audioset_classes.csv`, reviewed by hand, a row a label.

`classes` are the class of the label, its synonyms and children, and one level of parent where that isn't generic
(a bowed string instrument for a violin, no musical instrument). A label without any class of its own (elephant) has
none there and isn't judged. `ancestors` are generic classes above an accepted one (an animal for a dog): they are no
answer, but they are no error either, so a second ranking leaves them out, and with them the classes of the acoustic
environment, which name no sound at all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = frozenset({
    "Inside, small room", "Inside, large room or hall", "Inside, public space", "Outside, urban or manmade",
    "Outside, rural or natural",
})  # fmt: skip
CLASSES_FILE = Path(__file__).with_name("audioset_classes.csv")


@dataclass(frozen=True)
class AcceptedClasses:
    """Names of AudioSet classes. right: those that count; skipped: those left out by the second ranking."""

    right: frozenset[str]
    skipped: frozenset[str]


class AudioSetClasses:
    """Label -> accepted classes."""

    def __init__(self, table: dict[str, AcceptedClasses]) -> None:
        self.table = table

    @classmethod
    def load(cls, file: Path = CLASSES_FILE) -> AudioSetClasses:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        labels = [row["label"] for row in rows]
        assert len(set(labels)) == len(labels), "each label has one row"
        return cls({row["label"]: AcceptedClasses(_names(row["classes"]), _names(row["ancestors"])) for row in rows})

    def accepted(self, labels: Iterable[str]) -> AcceptedClasses:
        """Of several labels that all count as right. Labels that have no class add nothing."""
        found = [self.table[label] for label in labels if label in self.table]
        right = frozenset().union(*(classes.right for classes in found))
        return AcceptedClasses(right, ENVIRONMENT.union(*(classes.skipped for classes in found)) - right)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(";") if name.strip())
