"""Question-answer examples about binaural clips with known ground truth, generated from templates.

Questions have many paraphrases; an answer has one fixed form per kind and language, so that a small model can learn it
and `answer_parsing` can read it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synesthesia.binaural.geometry import OCTANTS, angle_difference, is_front, octant, wrap
from training.audio_qa.answer_templates import (
    COUNT,
    FRONT,
    KINDS,
    LANGUAGES,
    NO_DIRECTION,
    OCTANT,
    OUT_OF_SCOPE,
    RELATION,
    SIDE,
    SOUND_NAMES,
    Front,
    Kind,
    Language,
    Relation,
    Side,
)
from training.audio_qa.question_bank import Split, choose, sample_question

MIDDLE_DEG = 7.5  # this near the median plane, a sound is neither left nor right
SIDEWAYS_DEG = 10.0  # this near the interaural axis, a sound is neither in front nor behind
NO_DIRECTION_SHARE = 0.1  # of random annotations


@dataclass(frozen=True)
class SceneAnnotation:
    """Ground truth of one clip.

    labels: one or two different ones, the louder first; azimuths_deg: as many, positive to the right, or none when the
    clip holds no direction (mono, panned).
    """

    labels: tuple[str, ...]
    azimuths_deg: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.labels) not in (1, 2) or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"a scene holds one label or two different ones, not {self.labels}")
        if len(self.azimuths_deg) not in (0, len(self.labels)):
            raise ValueError(f"{len(self.azimuths_deg)} directions for {len(self.labels)} labels")


@dataclass(frozen=True)
class QAExample:
    kind: Kind
    language: Language
    question: str
    answer: str


def askable_kinds(scene: SceneAnnotation) -> tuple[Kind, ...]:
    """All kinds but "relation", which needs two directions of which one is left of the other."""
    return tuple(kind for kind in KINDS if kind != "relation" or relation(scene))


def make_example(
    scene: SceneAnnotation, kind: Kind, language: Language, rng: np.random.Generator, split: Split = "train"
) -> QAExample:
    """A random paraphrase of the question with its answer."""
    if kind not in askable_kinds(scene):
        raise ValueError(f"'{kind}' cannot be asked of {scene}")
    return QAExample(kind, language, sample_question(kind, language, rng, split), answer(scene, kind, language))


def sample_example(
    scene: SceneAnnotation, rng: np.random.Generator, kinds: tuple[Kind, ...], split: Split = "train"
) -> QAExample:
    """An example of one of the kinds that this scene allows, in either language."""
    allowed = [kind for kind in kinds if kind in askable_kinds(scene)]
    kind = choose(allowed, rng)
    return make_example(scene, kind, choose(LANGUAGES, rng), rng, split)


def answer(scene: SceneAnnotation, kind: Kind, language: Language) -> str:
    """The one sentence that answers this kind of question."""
    names = [SOUND_NAMES[label][language] for label in scene.labels]
    joined = (" and " if language == "en" else "和").join(names)
    if kind == "other":
        return OUT_OF_SCOPE[language]
    if kind == "count":
        return COUNT[language][len(names)]
    if kind == "what":
        return _sentence(joined, language)
    if not scene.azimuths_deg:
        if kind == "describe":
            return _sentence(joined + ("; " if language == "en" else "；") + NO_DIRECTION[language], language)
        return _sentence(NO_DIRECTION[language], language)
    if kind == "describe":
        comma, more = (", ", "; and ") if language == "en" else ("，", "；还有")
        pairs = zip(names, scene.azimuths_deg, strict=True)
        return _sentence(more.join(name + comma + _direction(azimuth, language) for name, azimuth in pairs), language)
    main = scene.azimuths_deg[0]
    if kind == "where":
        return _sentence(_direction(main, language), language)
    if kind == "side":
        return _sentence(_from(SIDE[language][side(main)], language), language)
    if kind == "front":
        return _sentence(_from(FRONT[language][front_or_back(main)], language), language)
    where = relation(scene)
    assert where is not None
    return RELATION[language][where]


def side(azimuth_deg: float) -> Side:
    """Left, right, or in the median plane, in front of or behind the head."""
    if min(abs(wrap(azimuth_deg)), 180 - abs(wrap(azimuth_deg))) <= MIDDLE_DEG:
        return "middle"
    return "right" if wrap(azimuth_deg) > 0 else "left"


def front_or_back(azimuth_deg: float) -> Front:
    """In front, behind, or beside the head."""
    if abs(abs(wrap(azimuth_deg)) - 90) < SIDEWAYS_DEG:
        return "side"
    return "front" if is_front(azimuth_deg) else "back"


def relation(scene: SceneAnnotation) -> Relation | None:
    """On which side of the second sound the main one is, or None where neither is left of the other."""
    if len(scene.azimuths_deg) < 2:
        return None
    turn = angle_difference(scene.azimuths_deg[0], scene.azimuths_deg[1])
    if side(turn) == "middle":  # one direction, or opposite ones
        return None
    return "right" if turn > 0 else "left"


def round_azimuth(azimuth_deg: float) -> tuple[int, Relation]:
    """Degrees from the front, 0 to 180 in steps of 10, and the side."""
    azimuth = wrap(azimuth_deg)
    return int(np.floor(abs(azimuth) / 10 + 0.5)) * 10, "right" if azimuth > 0 else "left"


def _direction(azimuth_deg: float, language: Language) -> str:
    """The octant, then the angle: "from the front right, about 60 degrees to the right"."""
    degrees, hand = round_azimuth(azimuth_deg)
    octant_phrase = _from(OCTANT[language][octant(wrap(azimuth_deg))], language)
    if language == "en":
        straight = {0: "straight ahead", 180: "straight behind you"}
        return f"{octant_phrase}, {straight.get(degrees, f'about {degrees} degrees to the {hand}')}"
    straight = {0: "正对着你", 180: "在你正背后"}
    toward = "右" if hand == "right" else "左"
    return f"{octant_phrase}，{straight.get(degrees, f'向{toward}约{degrees}度')}"


def _from(direction: str, language: Language) -> str:
    return f"from {direction}" if language == "en" else f"从{direction}传来"


def _sentence(text: str, language: Language) -> str:
    return text[0].upper() + text[1:] + ("." if language == "en" else "。")


def direction_notes(scene: SceneAnnotation, rng: np.random.Generator) -> str:
    """The spatial annotation as text, in fewer than 25 words and in random order, without the labels.

    Stands in for the spatial token in pre-training: "one sound ; main front right 60 right ; side right ; depth front".
    """
    parts = ["one sound" if len(scene.labels) == 1 else "two sounds"]
    if not scene.azimuths_deg:
        parts.append("no direction")
    for source, azimuth in zip(("main", "other"), scene.azimuths_deg, strict=False):
        degrees, hand = round_azimuth(azimuth)
        parts.append(
            f"{source} {OCTANTS[octant(wrap(azimuth))]} {degrees} " + {0: "ahead", 180: "behind"}.get(degrees, hand)
        )
        if source == "main":
            parts += [f"side {side(azimuth)}", f"depth {front_or_back(azimuth)}"]
    if relation(scene):
        parts.append(f"{relation(scene)} of other")
    return " ; ".join(parts[index] for index in rng.permutation(len(parts)))


def random_annotation(rng: np.random.Generator) -> SceneAnnotation:
    """One or two of all named sounds, anywhere around the head or, one time in ten, without a direction."""
    labels = tuple(SOUND_NAMES)
    count = int(rng.integers(1, 3))
    chosen = tuple(labels[index] for index in rng.choice(len(labels), count, replace=False))
    if rng.random() < NO_DIRECTION_SHARE:
        return SceneAnnotation(chosen, ())
    return SceneAnnotation(chosen, tuple(float(deg) for deg in rng.uniform(-180, 180, count)))


def corpus(rng: np.random.Generator, count: int) -> Iterator[str]:
    """`count` texts to fit a tokenizer on: notes, training questions and answers of random scenes, in turn."""
    for index in range(count):
        scene = random_annotation(rng)
        language: Language = choose(LANGUAGES, rng)
        example = make_example(scene, choose(askable_kinds(scene), rng), language, rng)
        yield (direction_notes(scene, rng), example.question, example.answer)[index % 3]
