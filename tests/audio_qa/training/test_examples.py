"""Question-answer examples: parsed answers give the ground truth, splits are disjoint, names are unambiguous."""

from __future__ import annotations

import hashlib
import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from synesthesia.binaural.geometry import OCTANTS, octant
from training.audio_qa.answer_parsing import (
    parse_count,
    parse_front,
    parse_labels,
    parse_octant,
    parse_relation,
    parse_side,
)
from training.audio_qa.answer_templates import KINDS, LANGUAGES, SOUND_NAMES, Language
from training.audio_qa.examples import (
    SceneAnnotation,
    askable_kinds,
    corpus,
    direction_notes,
    make_example,
    random_annotation,
    round_azimuth,
)
from training.audio_qa.question_bank import (
    EXPANSIONS_PER_PATTERN,
    expand_pattern,
    expanded,
    fillers,
    handwritten,
    normalize,
    paraphrases,
)

TAGGER = Path(__file__).resolve().parents[3] / "checkpoints" / "audio_tower" / "config.json"
NOTE_WORDS = {
    "one",
    "two",
    "sound",
    "sounds",
    "main",
    "other",
    "of",
    "no",
    "direction",
    "side",
    "depth",
    "middle",
    "ahead",
    "behind",
    ";",
}
NOTE_WORDS |= {word for name in OCTANTS for word in name.split()} | {str(deg) for deg in range(0, 181, 10)}


def answer(scene: SceneAnnotation, kind, language: Language) -> str:
    return make_example(scene, kind, language, np.random.default_rng(0)).answer


@pytest.fixture(scope="module")
def scenes() -> list[SceneAnnotation]:
    rng = np.random.default_rng(3)
    return [random_annotation(rng) for _ in range(500)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_parsed_answers_give_the_ground_truth(scenes: list[SceneAnnotation], language: Language) -> None:
    for scene in scenes:
        answers = {kind: answer(scene, kind, language) for kind in askable_kinds(scene)}
        main = scene.azimuths_deg[0] if scene.azimuths_deg else None
        where = None if main is None else octant(main)
        assert parse_labels(answers["describe"]) == parse_labels(answers["what"]) == scene.labels
        assert parse_octant(answers["describe"]) == parse_octant(answers["where"]) == where
        assert parse_count(answers["count"]) == len(scene.labels)
        side = front = None
        if main is not None:
            side = (
                "middle"
                if abs(np.sin(np.radians(main))) <= np.sin(np.radians(7.5))
                else "right"
                if main > 0
                else "left"
            )
            front = "front" if abs(main) <= 80 else "back" if abs(main) >= 100 else "side"
        assert parse_side(answers["side"]) == side and parse_front(answers["front"]) == front
        if "relation" in answers:
            main_deg, other_deg = scene.azimuths_deg
            right = np.sin(np.radians(main_deg - other_deg)) > 0
            assert parse_relation(answers["relation"]) == ("right" if right else "left")
        for kind in set(answers) - {"describe", "what"}:
            assert parse_labels(answers[kind]) == ()
        for kind in ("what", "count", "relation", "other"):
            text = answers.get(kind, "")
            assert parse_octant(text) is parse_side(text) is parse_front(text) is None
            assert kind == "count" or parse_count(text) is None
            assert kind == "relation" or parse_relation(text) is None


def test_both_directions_are_described_in_order() -> None:
    scene = SceneAnnotation(("dog", "church_bells"), (62.0, -91.0))
    assert answer(scene, "describe", "en") == (
        "A dog barking, from the front right, about 60 degrees to the right; "
        "and church bells, from the left, about 90 degrees to the left."
    )
    assert answer(scene, "describe", "zh") == "狗叫声，从右前方传来，向右约60度；还有教堂钟声，从左边传来，向左约90度。"
    assert answer(scene, "what", "en") == "A dog barking and church bells."


@pytest.mark.parametrize(
    ("azimuth_deg", "english", "chinese"),
    [
        (-3.0, "From the front, straight ahead.", "从正前方传来，正对着你。"),
        (-177.0, "From behind, straight behind you.", "从正后方传来，在你正背后。"),
        (180.0, "From behind, straight behind you.", "从正后方传来，在你正背后。"),
        (170.0, "From behind, about 170 degrees to the right.", "从正后方传来，向右约170度。"),
        (-18.0, "From the front, about 20 degrees to the left.", "从正前方传来，向左约20度。"),
    ],
)
def test_where_has_one_form(azimuth_deg: float, english: str, chinese: str) -> None:
    scene = SceneAnnotation(("rain",), (azimuth_deg,))
    assert (answer(scene, "where", "en"), answer(scene, "where", "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("azimuth_deg", "side", "front"),
    [
        (7.5, "middle", "front"), (7.6, "right", "front"), (-7.6, "left", "front"), (-172.5, "middle", "back"),
        (172.4, "right", "back"), (80.0, "right", "front"), (80.1, "right", "side"), (-99.9, "left", "side"),
        (-100.0, "left", "back"), (90.0, "right", "side"),
    ],
)  # fmt: skip
def test_the_borders_of_side_and_front(azimuth_deg: float, side: str, front: str) -> None:
    scene = SceneAnnotation(("rain",), (azimuth_deg,))
    for language in LANGUAGES:
        assert parse_side(answer(scene, "side", language)) == side
        assert parse_front(answer(scene, "front", language)) == front


@pytest.mark.parametrize("azimuths_deg", [(40.0, 40.0), (40.0, 44.0), (90.0, -90.0), (-178.0, 179.0)])
def test_no_relation_between_one_direction_or_opposite_ones(azimuths_deg: tuple[float, float]) -> None:
    scene = SceneAnnotation(("rain", "dog"), azimuths_deg)
    assert "relation" not in askable_kinds(scene)
    with pytest.raises(ValueError, match="relation"):
        answer(scene, "relation", "en")


def test_relation_turns_the_short_way_around_the_back() -> None:
    assert parse_relation(answer(SceneAnnotation(("rain", "dog"), (170.0, -150.0)), "relation", "en")) == "left"
    assert parse_relation(answer(SceneAnnotation(("rain", "dog"), (-150.0, 170.0)), "relation", "zh")) == "right"


def test_without_a_direction_only_places_are_unknown() -> None:
    scene = SceneAnnotation(("rain", "dog"), ())
    assert askable_kinds(scene) == tuple(kind for kind in KINDS if kind != "relation")
    for language in LANGUAGES:
        unknown = {answer(scene, kind, language) for kind in ("where", "side", "front")}
        assert len(unknown) == 1 and unknown != {answer(scene, "other", language)}


def test_parsers_accept_a_missing_mark_and_reject_nonsense() -> None:
    assert parse_octant("a dog barking, from the front right") == 1 and parse_side("from the left") == "left"
    assert parse_count("two sounds") == 2 and parse_relation("to the right of the other one") == "right"
    for text in ("", "about 60 degrees to the right", "a trainload of windows", "向右约60度"):
        assert (
            parse_octant(text)
            is parse_side(text)
            is parse_front(text)
            is parse_count(text)
            is parse_relation(text)
            is None
        )
        assert parse_labels(text) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_of_the_tagger_has_its_own_name(language: Language) -> None:
    assert set(json.loads(TAGGER.read_text(encoding="utf-8"))["labels"]) <= set(SOUND_NAMES)
    names = [name[language].lower() for name in SOUND_NAMES.values()]
    assert len(set(names)) == len(names) and all(name == name.strip() for name in names)
    assert [(a, b) for a, b in permutations(names, 2) if a in b] == []
    assert all(name.isascii() == (language == "en") for name in names)


def test_paraphrases_are_many_and_splits_disjoint() -> None:
    train: list[str] = []
    val: list[str] = []
    for language in LANGUAGES:
        for kind in KINDS:
            here, held_out = paraphrases(kind, language, "train"), paraphrases(kind, language, "val")
            assert len(here) >= (300 if kind == "other" else 120)
            assert 15 <= len(held_out) <= 25
            assert {normalize(q) for q in handwritten(kind, language)} <= set(map(normalize, here))
            for question in here + held_out:
                assert question.isascii() == (language == "en") and question[-1] in "?.!？。！"
                assert question == question.strip() and "{" not in question and "  " not in question
            assert not any(question.lower().startswith(("please", "请")) for question in here)  # added at random
            train += map(normalize, here)
            val += map(normalize, held_out)
    assert len(set(train + val)) == len(train + val)  # nor does one question belong to two kinds


def test_the_validation_questions_are_the_ones_that_figures_were_taken_with() -> None:
    held_out = "\n".join(q for language in LANGUAGES for kind in KINDS for q in paraphrases(kind, language, "val"))
    assert hashlib.sha256(held_out.encode()).hexdigest()[:16] == "847623b316bda4a6"


def test_expansions_of_a_pattern_are_different_and_spread_over_its_slots() -> None:
    assert sorted(expand_pattern("is {it} {here|}?", {"it": ["this", "that"]})) == [
        "Is that here?", "Is that?", "Is this here?", "Is this?",
    ]  # fmt: skip
    assert expand_pattern("No slot.", {}) == ["No slot."]
    words = [f"w{number}" for number in range(12)]
    some = expand_pattern("{word} {word} {a|b}", {"word": words})
    assert len(set(some)) == len(some) == EXPANSIONS_PER_PATTERN
    assert all(len({question.split()[place] for question in some}) >= 8 for place in (0, 1))
    assert {question.split()[2] for question in some} == {"a", "b"}
    with pytest.raises(KeyError):
        expand_pattern("{unknown}", {})


@pytest.mark.parametrize(
    ("kind", "language", "words"),
    [
        ("side", "en", ("left-hand", "right-hand", "ear", "leftwards", "middle")),
        ("side", "zh", ("左侧", "右侧", "左手边", "右手边", "哪只耳朵", "中间")),
        ("front", "en", ("ahead", "in front of me", "behind me", "at my back", "rear", "turn around")),
        ("front", "zh", ("身后", "背后", "前头", "后头", "前方", "转身")),
        ("count", "en", ("how many", "number", "count", "one or two", "more than one", "anything else")),
        ("count", "zh", ("单独", "几个", "多少种", "不止", "别的", "数目")),
    ],
)
def test_training_questions_use_many_words(kind, language: Language, words: tuple[str, ...]) -> None:
    asked = [question.lower() for question in expanded(kind, language)]
    for word in words:
        assert sum(word in question for question in asked) >= 3, word


def test_augmentation_keeps_the_splits_disjoint_and_validation_as_it_is() -> None:
    rng = np.random.default_rng(5)
    scene = SceneAnnotation(("rain", "dog"), (20.0, 80.0))
    for language in LANGUAGES:
        held_out = {question for kind in KINDS for question in paraphrases(kind, language, "val")}
        bases = {question for kind in KINDS for question in paraphrases(kind, language, "train")}
        asked = [make_example(scene, kind, language, rng).question for kind in KINDS for _ in range(400)]
        assert not {normalize(question) for question in held_out} & {normalize(question) for question in asked}
        assert any(question in bases for question in asked) and any(
            question[-1] not in "?.!？。！" for question in asked
        )
        assert any(question.lower().startswith(("please ", "请")) for question in asked)
        assert {
            make_example(scene, kind, language, rng, "val").question for kind in KINDS for _ in range(200)
        } == held_out
        known = {normalize(question) for question in bases}
        before = {normalize(opener) for opener in fillers(language, "openers")} | {"please", "请", "请问", ""}
        after = {normalize(closer) for closer in fillers(language, "closers")} | {""}

        def inside(question: str, before=before, after=after, known=known) -> bool:
            bare = normalize(question)
            starts = [bare.removeprefix(word) for word in before]
            return any(start.removesuffix(word) in known for start in starts for word in after)

        typos = [question for question in asked if not inside(question)]
        assert 0.04 < len(typos) / len(asked) < 0.15 if language == "en" else not typos


def test_notes_hold_everything_but_the_labels(scenes: list[SceneAnnotation]) -> None:
    rng = np.random.default_rng(7)
    by_notes: dict[tuple[str, ...], dict[str, str]] = {}
    for scene in scenes:
        text = direction_notes(scene, rng)
        assert set(text.split()) <= NOTE_WORDS and len(text.split()) < 25 and parse_labels(text) == ()
        known = by_notes.setdefault(tuple(sorted(text.split(" ; "))), {})
        for kind in set(askable_kinds(scene)) - {"describe", "what"}:
            text = answer(scene, kind, "en")
            assert known.setdefault(kind, text) == text  # the same notes, the same answer
    assert len({direction_notes(scenes[0], rng) for _ in range(50)}) > 1


def test_notes_do_not_depend_on_the_labels() -> None:
    first, second = (direction_notes(SceneAnnotation(labels, (20.0, 80.0)), np.random.default_rng(1)) for labels in
                     (("rain", "dog"), ("violin", "siren")))  # fmt: skip
    assert first == second
    assert sorted(first.split(" ; ")) == [
        "depth front", "left of other", "main front 20 right", "other right 80 right", "side right", "two sounds",
    ]  # fmt: skip


@pytest.mark.parametrize(("azimuth_deg", "expected"), [(0.0, 0), (4.9, 0), (5.0, 10), (-64.9, 60), (175.0, 180)])
def test_degrees_are_rounded_to_tens(azimuth_deg: float, expected: int) -> None:
    assert round_azimuth(azimuth_deg)[0] == expected


@pytest.mark.parametrize(("labels", "azimuths_deg"), [((), ()), (("a", "a"), ()), (("a", "b"), (1.0,))])
def test_a_scene_is_whole(labels: tuple[str, ...], azimuths_deg: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        SceneAnnotation(labels, azimuths_deg)


def test_the_corpus_is_repeatable_and_holds_all_names() -> None:
    texts = list(corpus(np.random.default_rng(1), 6000))
    assert len(texts) == 6000 and texts[:50] == list(corpus(np.random.default_rng(1), 50))
    assert {label for text in texts for label in parse_labels(text)} == set(SOUND_NAMES)
    held_out = {question for language in LANGUAGES for kind in KINDS for question in paraphrases(kind, language, "val")}
    assert not held_out & set(texts)
