"""Many more questions to train on than the hand-written ones, unfolded from patterns with slots.

In a pattern "{left|right}" stands for one of the words and "{it}" for one of the words of the slot of that name. Of a
pattern with many fillings only some are taken, spread over all, so that no pattern drowns the others.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from math import gcd, prod

from training.audio_qa import chinese_questions, english_questions
from training.audio_qa.phrases import QUESTIONS, Kind, Language

PER_PATTERN = 24  # questions at most

_SLOT = re.compile(r"\{([^{}]*)\}")
_SLOTS: dict[Language, dict[str, str]] = {"en": english_questions.SLOTS, "zh": chinese_questions.SLOTS}
_PATTERNS: dict[Language, dict[Kind, str]] = {"en": english_questions.PATTERNS, "zh": chinese_questions.PATTERNS}


def plain(question: str) -> str:
    """Letters and digits alone, in lower case: two questions that agree in this are one."""
    return "".join(letter for letter in question.lower() if letter.isalnum())


def unfold(pattern: str, slots: dict[str, str], limit: int = PER_PATTERN) -> list[str]:
    """At most `limit` different fillings of a pattern, always the same ones."""
    parts = _SLOT.split(pattern)  # text and slots in turn
    choices = [
        (slots[part] if "|" not in part else part).split("|") if place % 2 else [part]
        for place, part in enumerate(parts)
    ]
    count = prod(map(len, choices))
    # A step without a common divisor visits every filling once; the golden section spreads the first ones evenly.
    step = max(1, round(count * 0.618))
    while gcd(step, count) > 1:
        step += 1
    every = ["".join(words) for words in product(*choices)]
    return [_tidy(every[number * step % count]) for number in range(min(limit, count))]


def _tidy(question: str) -> str:
    """Without the gaps that empty words leave, and with a capital letter."""
    question = re.sub(r" (?=[?.!,])", "", " ".join(question.split()))
    return question[0].upper() + question[1:]


@cache
def generated(kind: Kind, language: Language) -> tuple[str, ...]:
    """All questions of one kind that its patterns give and nobody wrote by hand, each once."""
    seen = {plain(question) for question in QUESTIONS[language][kind]}
    found: list[str] = []
    for pattern in _PATTERNS[language][kind].strip().splitlines():
        for question in unfold(pattern, _SLOTS[language]):
            if plain(question) not in seen:
                seen.add(plain(question))
                found.append(question)
    return tuple(found)
