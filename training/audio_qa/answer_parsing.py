"""Answer parsing: reads labels, directions and counts back from the fixed phrases of an answer, in either language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from training.audio_qa.answer_templates import (
    COUNT,
    FRONT,
    LANGUAGES,
    OCTANT,
    RELATION,
    SIDE,
    SOUND_NAMES,
    Front,
    Language,
    Relation,
    Side,
)

Item = TypeVar("Item")

_PLACES: dict[Language, tuple[str, ...]] = {
    language: tuple(
        sorted({*OCTANT[language], *SIDE[language].values(), *FRONT[language].values()}, key=len, reverse=True)
    )
    for language in LANGUAGES
}
_PLACE = re.compile(rf"\bfrom ({'|'.join(_PLACES['en'])})\b|从({'|'.join(_PLACES['zh'])})传来", re.IGNORECASE)
_LABELS: dict[str, str] = {name.lower(): label for label, names in SOUND_NAMES.items() for name in names.values()}
_LONGEST_FIRST = sorted(_LABELS, key=len, reverse=True)
_LABEL = re.compile(
    rf"\b(?:{'|'.join(name for name in _LONGEST_FIRST if name.isascii())})\b"
    rf"|{'|'.join(name for name in _LONGEST_FIRST if not name.isascii())}",
    re.IGNORECASE,
)


def parse_labels(answer: str) -> tuple[str, ...]:
    """The labels whose names occur, in order."""
    return tuple(_LABELS[match[0].lower()] for match in _LABEL.finditer(answer))


def parse_octant(answer: str) -> int | None:
    """Index into `geometry.OCTANTS` of the direction named first."""
    place = _place(answer)
    return next((words.index(place) for words in OCTANT.values() if place in words), None)


def parse_side(answer: str) -> Side | None:
    return _key_of(SIDE, _place(answer))


def parse_front(answer: str) -> Front | None:
    return _key_of(FRONT, _place(answer))


def parse_count(answer: str) -> int | None:
    return _key_within(COUNT, answer)


def parse_relation(answer: str) -> Relation | None:
    return _key_within(RELATION, answer)


PARSERS: dict[str, Callable[[str], object]] = {
    "side": parse_side, "front": parse_front, "count": parse_count, "relation": parse_relation, "where": parse_octant,
}  # fmt: skip


def _place(text: str) -> str | None:
    """The first place that a sound comes from; "to the right" names none."""
    match = _PLACE.search(text)
    return (match[1] or match[2]).lower() if match else None


def _key_of(phrases: Mapping[Language, Mapping[Item, str]], place: str | None) -> Item | None:
    return next((key for words in phrases.values() for key, word in words.items() if word == place), None)


def _key_within(phrases: Mapping[Language, Mapping[Item, str]], answer: str) -> Item | None:
    """The key whose fixed sentence the answer holds, with or without its final mark and in any case."""
    folded = answer.lower()
    return next((key for words in phrases.values() for key, text in words.items() if text[:-1].lower() in folded), None)
