"""Question paraphrases: handwritten ones and expansions of a template grammar, with a held-out validation split.

`questions_data/` holds them by language, then kind:

- `handwritten.json`: training questions, written one by one. None starts with a "please", which augmentation adds.
- `patterns.json`: templates for more training questions. "{left|right}" stands for one of the words, "{it}" for one of
  the words of that slot. Of a template with many expansions only some are used, spread over all of them, so that no
  template dominates.
- `held_out.json`: validation questions, by a writer who had seen none of the training questions.
- `fillers.json`: openers and closers that people put around a question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from math import gcd, prod
from typing import Any, Literal, TypeVar

import numpy as np

from training.audio_qa.answer_templates import DATA, Kind, Language

Split = Literal["train", "val"]
Item = TypeVar("Item")

EXPANSIONS_PER_PATTERN = 24
HANDWRITTEN_SHARE = 0.5  # of the training questions are drawn from the handwritten ones alone

_SLOT = re.compile(r"\{([^{}]*)\}")


@cache
def _data(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return data


def fillers(language: Language, place: Literal["openers", "closers"]) -> list[str]:
    """What people put before or after a question."""
    found: list[str] = _data("fillers")[language][place]
    return found


def normalize(question: str) -> str:
    """Letters and digits alone, in lower case: questions that agree in this count as one."""
    return "".join(letter for letter in question.lower() if letter.isalnum())


def choose(items: Sequence[Item], rng: np.random.Generator) -> Item:
    return items[int(rng.integers(len(items)))]


@cache
def handwritten(kind: Kind, language: Language) -> tuple[str, ...]:
    """The handwritten training questions, each once."""
    return tuple({normalize(question): question for question in _data("handwritten")[language][kind]}.values())


@cache
def expanded(kind: Kind, language: Language) -> tuple[str, ...]:
    """The training questions that patterns add to the handwritten ones, each once."""
    grammar, known = _data("patterns")[language], {normalize(question) for question in handwritten(kind, language)}
    found: list[str] = []
    for pattern in grammar["patterns"][kind]:
        for question in expand_pattern(pattern, grammar["slots"]):
            if normalize(question) not in known:
                known.add(normalize(question))
                found.append(question)
    return tuple(found)


@cache
def paraphrases(kind: Kind, language: Language, split: Split = "train") -> tuple[str, ...]:
    """All questions of one split; the splits are disjoint. A question that both writers had is a training question if
    it is handwritten there, else a validation question."""
    known = {normalize(question) for question in handwritten(kind, language)}
    held_out = tuple(question for question in _data("held_out")[language][kind] if normalize(question) not in known)
    if split == "val":
        return held_out
    excluded = {normalize(question) for question in held_out}
    return handwritten(kind, language) + tuple(q for q in expanded(kind, language) if normalize(q) not in excluded)


def expand_pattern(pattern: str, slots: Mapping[str, Sequence[str]], limit: int = EXPANSIONS_PER_PATTERN) -> list[str]:
    """At most `limit` different expansions of a pattern, always the same ones."""
    parts = _SLOT.split(pattern)  # text and slots in turn
    choices = [
        [part] if index % 2 == 0 else part.split("|") if "|" in part else slots[part]
        for index, part in enumerate(parts)
    ]
    count = prod(map(len, choices))
    # A step without a common divisor visits every expansion once; the golden section spreads the first ones evenly.
    step = max(1, round(count * 0.618))
    while gcd(step, count) > 1:
        step += 1
    every = ["".join(words) for words in product(*choices)]
    return [_tidy(every[number * step % count]) for number in range(min(limit, count))]


def _tidy(question: str) -> str:
    """Without the gaps that empty words leave, and with a capital letter."""
    question = re.sub(r" (?=[?.!,])", "", " ".join(question.split()))
    return question[0].upper() + question[1:]


def sample_question(kind: Kind, language: Language, rng: np.random.Generator, split: Split = "train") -> str:
    """A random paraphrase: augmented for training, as it is for validation."""
    if split == "val":
        return choose(paraphrases(kind, language, split), rng)
    source = handwritten if rng.random() < HANDWRITTEN_SHARE else paraphrases
    return augment(choose(source(kind, language), rng), language, rng)


def augment(question: str, language: Language, rng: np.random.Generator) -> str:
    """Text augmentation after how people type: polite, with fillers, in lower case, without the final mark, with two
    letters swapped."""
    polite, lower, bare, typo, opened, closed = rng.random(6) < (0.1, 0.4, 0.3, 0.1, 0.15, 0.08)
    gap = " " if language == "en" else ""
    if opened and not polite:
        question = choose(fillers(language, "openers"), rng) + gap + question
    if closed:
        question = question + gap + choose(fillers(language, "closers"), rng)
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
    positions = [match.start() for match in re.finditer(r"(?=([a-z])(?!\1)[a-z])", question)]
    if typo and positions:
        at = choose(positions, rng)
        question = question[:at] + question[at + 1] + question[at] + question[at + 2 :]
    return question
