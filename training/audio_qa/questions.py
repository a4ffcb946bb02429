"""Questions and answers about a binaural clip whose truth is known, in English and Chinese.

Questions have many paraphrases; every answer has one fixed form for its kind and language, so that a small model can
learn it and the `read_*` functions can read it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

import numpy as np

from synesthesia.binaural.geometry import OCTANTS, difference, is_front, octant, wrap
from training.audio_qa.phrases import (
    CANNOT,
    COUNT,
    FRONT,
    KINDS,
    NO_DIRECTION,
    OCTANT,
    QUESTIONS,
    RELATION,
    SIDE,
    Front,
    Kind,
    Language,
    Relation,
    Side,
)
from training.audio_qa.question_grammar import generated, plain
from training.audio_qa.sound_names import NAMES
from training.audio_qa.written_questions import CLOSERS, HELD_OUT, MORE, OPENERS

Split = Literal["train", "val"]
Item = TypeVar("Item")

MIDDLE_DEG = 7.5  # this near the plane between the ears, a sound is neither left nor right
WRITTEN_SHARE = 0.5  # of training questions that are drawn from those written by hand alone
SIDEWAYS_DEG = 10.0  # this near the line through the ears, a sound is neither in front nor behind


@dataclass(frozen=True)
class Scene:
    """The truth about one clip.

    labels: one or two different ones, the louder first; azimuths_deg: as many, positive to the right, or none at all
    when the clip holds no direction (mono, panned).
    """

    labels: tuple[str, ...]
    azimuths_deg: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.labels) not in (1, 2) or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"a scene holds one label or two different ones, not {self.labels}")
        if len(self.azimuths_deg) not in (0, len(self.labels)):
            raise ValueError(f"{len(self.azimuths_deg)} directions for {len(self.labels)} labels")


@dataclass(frozen=True)
class Exchange:
    """One question and its answer."""

    kind: Kind
    language: Language
    question: str
    answer: str


def kinds(scene: Scene) -> tuple[Kind, ...]:
    """What can be asked: all but "relation", which needs two directions of which one is left of the other."""
    return tuple(kind for kind in KINDS if kind != "relation" or relation(scene))


def exchange(
    scene: Scene, kind: Kind, language: Language, rng: np.random.Generator, split: Split = "train"
) -> Exchange:
    """A random paraphrase of the question, varied as people type in training, as it stands in validation."""
    if kind not in kinds(scene):
        raise ValueError(f"'{kind}' cannot be asked of {scene}")
    if split == "train":
        written = rng.random() < WRITTEN_SHARE
        question = typed(pick(by_hand(kind, language) if written else questions(kind, language), rng), language, rng)
    else:
        question = pick(questions(kind, language, split), rng)
    return Exchange(kind, language, question, answer(scene, kind, language))


@cache
def by_hand(kind: Kind, language: Language) -> tuple[str, ...]:
    """The training questions that somebody wrote one by one, each once."""
    every = QUESTIONS[language][kind] + MORE[language][kind]
    return tuple({plain(question): question for question in every}.values())


@cache
def questions(kind: Kind, language: Language, split: Split = "train") -> tuple[str, ...]:
    """The paraphrases of one split; none is in both. Where both writers had the same idea, it is a training question if
    it was written by hand."""
    known = {plain(question) for question in by_hand(kind, language)}
    kept = tuple(question for question in HELD_OUT[language][kind] if plain(question) not in known)
    if split == "val":
        return kept
    known |= {plain(question) for question in kept}
    return by_hand(kind, language) + tuple(q for q in generated(kind, language) if plain(q) not in known)


def answer(scene: Scene, kind: Kind, language: Language) -> str:
    """The one sentence that answers this kind of question."""
    names = [NAMES[label][language] for label in scene.labels]
    together = (" and " if language == "en" else "和").join(names)
    if kind == "other":
        return CANNOT[language]
    if kind == "count":
        return COUNT[language][len(names)]
    if kind == "what":
        return sentence(together, language)
    if not scene.azimuths_deg:
        if kind == "describe":
            return sentence(together + ("; " if language == "en" else "；") + NO_DIRECTION[language], language)
        return sentence(NO_DIRECTION[language], language)
    if kind == "describe":
        comma, more = (", ", "; and ") if language == "en" else ("，", "；还有")
        placed = zip(names, scene.azimuths_deg, strict=True)
        return sentence(more.join(name + comma + whence(azimuth, language) for name, azimuth in placed), language)
    main = scene.azimuths_deg[0]
    if kind == "where":
        return sentence(whence(main, language), language)
    if kind == "side":
        return sentence(coming_from(SIDE[language][side(main)], language), language)
    if kind == "front":
        return sentence(coming_from(FRONT[language][front(main)], language), language)
    where = relation(scene)
    assert where is not None
    return RELATION[language][where]


def side(azimuth_deg: float) -> Side:
    """Left, right, or in the plane between the ears, before or behind the head."""
    if min(abs(wrap(azimuth_deg)), 180 - abs(wrap(azimuth_deg))) <= MIDDLE_DEG:
        return "middle"
    return "right" if wrap(azimuth_deg) > 0 else "left"


def front(azimuth_deg: float) -> Front:
    """In front, behind, or beside the head."""
    if abs(abs(wrap(azimuth_deg)) - 90) < SIDEWAYS_DEG:
        return "side"
    return "front" if is_front(azimuth_deg) else "back"


def relation(scene: Scene) -> Relation | None:
    """On which side of the other sound the main one stands, or None where neither is left of the other."""
    if len(scene.azimuths_deg) < 2:
        return None
    turn = difference(scene.azimuths_deg[0], scene.azimuths_deg[1])
    if side(turn) == "middle":  # one direction, or opposite ones
        return None
    return "right" if turn > 0 else "left"


def rounded(azimuth_deg: float) -> tuple[int, Relation]:
    """Degrees from the front, 0 to 180 in steps of 10, and to which hand."""
    azimuth = wrap(azimuth_deg)
    return int(np.floor(abs(azimuth) / 10 + 0.5)) * 10, "right" if azimuth > 0 else "left"


def whence(azimuth_deg: float, language: Language) -> str:
    """The octant, then the angle: "from the front right, about 60 degrees to the right"."""
    degrees, hand = rounded(azimuth_deg)
    place = coming_from(OCTANT[language][octant(wrap(azimuth_deg))], language)
    if language == "en":
        straight = {0: "straight ahead", 180: "straight behind you"}
        return f"{place}, {straight.get(degrees, f'about {degrees} degrees to the {hand}')}"
    straight = {0: "正对着你", 180: "在你正背后"}
    toward = "右" if hand == "right" else "左"
    return f"{place}，{straight.get(degrees, f'向{toward}约{degrees}度')}"


def coming_from(place: str, language: Language) -> str:
    return f"from {place}" if language == "en" else f"从{place}传来"


def sentence(text: str, language: Language) -> str:
    return text[0].upper() + text[1:] + ("." if language == "en" else "。")


def pick(items: Sequence[Item], rng: np.random.Generator) -> Item:
    return items[int(rng.integers(len(items)))]


def typed(question: str, language: Language, rng: np.random.Generator) -> str:
    """The question as somebody might type it: polite, with some words around it, in lower case, without the last mark,
    with a slip."""
    polite, lower, bare, slip, opened, closed = rng.random(6) < (0.1, 0.4, 0.3, 0.1, 0.15, 0.08)
    gap = " " if language == "en" else ""
    if opened and not polite:
        question = pick(OPENERS[language], rng) + gap + question
    if closed:
        question = question + gap + pick(CLOSERS[language], rng)
    if language == "zh":
        if polite:
            question = ("请问" if question.endswith("？") else "请") + question
        return question.rstrip("？。") if bare else question
    if polite:
        question = "Please " + (question if question.startswith("I ") else question[0].lower() + question[1:])
    if lower:
        question = question.lower()
    if bare:
        question = question.rstrip("?.!")
    places = [match.start() for match in re.finditer(r"(?=([a-z])(?!\1)[a-z])", question)]
    if slip and places:
        at = pick(places, rng)
        question = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    return question


def notes(scene: Scene, rng: np.random.Generator) -> str:
    """What the ears could tell, in fewer than 25 words and in any order: everything but what sounds.

    Stands in for the spatial token in pre-training: "one sound ; main front right 60 right ; side right ; depth front".
    """
    parts = ["one sound" if len(scene.labels) == 1 else "two sounds"]
    if not scene.azimuths_deg:
        parts.append("no direction")
    for who, azimuth in zip(("main", "other"), scene.azimuths_deg, strict=False):
        degrees, hand = rounded(azimuth)
        parts.append(
            f"{who} {OCTANTS[octant(wrap(azimuth))]} {degrees} " + {0: "ahead", 180: "behind"}.get(degrees, hand)
        )
        if who == "main":
            parts += [f"side {side(azimuth)}", f"depth {front(azimuth)}"]
    if relation(scene):
        parts.append(f"{relation(scene)} of other")
    return " ; ".join(parts[index] for index in rng.permutation(len(parts)))


_PLACES: dict[Language, tuple[str, ...]] = {
    language: tuple(
        sorted({*OCTANT[language], *SIDE[language].values(), *FRONT[language].values()}, key=len, reverse=True)
    )
    for language in ("en", "zh")
}
_PLACE = re.compile(rf"\bfrom ({'|'.join(_PLACES['en'])})\b|从({'|'.join(_PLACES['zh'])})传来", re.IGNORECASE)
_LABELS: dict[str, str] = {name: label for label, names in NAMES.items() for name in names.values()}
_FOLDED = {name.lower(): label for name, label in _LABELS.items()}
_LONGEST_FIRST = sorted(_LABELS, key=len, reverse=True)
_LABEL = re.compile(
    rf"\b(?:{'|'.join(name for name in _LONGEST_FIRST if name.isascii())})\b"
    rf"|{'|'.join(name for name in _LONGEST_FIRST if not name.isascii())}",
    re.IGNORECASE,
)


def _place(text: str) -> str | None:
    """The first place named as one that a sound comes from; "to the right" names none."""
    match = _PLACE.search(text)
    return (match[1] or match[2]).lower() if match else None


def read_octant(answer: str) -> int | None:
    """Index into OCTANTS of the direction named first."""
    place = _place(answer)
    return next((words.index(place) for words in OCTANT.values() if place in words), None)


def read_labels(answer: str) -> tuple[str, ...]:
    """The labels whose names occur, in order."""
    return tuple(_FOLDED[match[0].lower()] for match in _LABEL.finditer(answer))


def read_side(answer: str) -> Side | None:
    place = _place(answer)
    return next((key for words in SIDE.values() for key, word in words.items() if word == place), None)


def read_front(answer: str) -> Front | None:
    place = _place(answer)
    return next((key for words in FRONT.values() for key, word in words.items() if word == place), None)


def _named(answer: str, words: dict[Item, str]) -> Item | None:
    """The key whose fixed sentence the answer holds, without its last mark and in any case."""
    return next((key for key, said in words.items() if said[:-1].lower() in answer.lower()), None)


def read_count(answer: str) -> int | None:
    return next((count for words in COUNT.values() if (count := _named(answer, words))), None)


def read_relation(answer: str) -> Relation | None:
    return next((where for words in RELATION.values() if (where := _named(answer, words))), None)


def random_scene(rng: np.random.Generator) -> Scene:
    """One or two of all named sounds, anywhere around the head or, one time in ten, nowhere."""
    labels = tuple(NAMES)
    count = int(rng.integers(1, 3))
    chosen = tuple(labels[index] for index in rng.choice(len(labels), count, replace=False))
    return Scene(chosen, () if rng.random() < 0.1 else tuple(float(deg) for deg in rng.uniform(-180, 180, count)))


def corpus(rng: np.random.Generator, count: int) -> Iterator[str]:
    """`count` texts to fit a tokenizer on: notes, training questions and answers of random scenes, in turn."""
    for index in range(count):
        scene = random_scene(rng)
        language: Language = pick(("en", "zh"), rng)
        spoken = exchange(scene, pick(kinds(scene), rng), language, rng)
        yield (notes(scene, rng), spoken.question, spoken.answer)[index % 3]
