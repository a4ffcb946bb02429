"""Answer templates: the fixed phrases of answers about a binaural clip and the sounds' names, English and Chinese."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

Language = Literal["en", "zh"]
Kind = Literal["describe", "what", "where", "side", "front", "count", "relation", "other"]
Side = Literal["left", "right", "middle"]
Front = Literal["front", "back", "side"]
Relation = Literal["left", "right"]

DATA = Path(__file__).with_name("questions_data")
LANGUAGES: tuple[Language, ...] = get_args(Language)
KINDS: tuple[Kind, ...] = get_args(Kind)

# In the order of geometry.OCTANTS, as they stand after "from" and between 从 and 传来.
OCTANT: dict[Language, tuple[str, ...]] = {
    "en": (
        "the front", "the front right", "the right", "the back right", "behind", "the back left", "the left",
        "the front left",
    ),
    "zh": ("正前方", "右前方", "右边", "右后方", "正后方", "左后方", "左边", "左前方"),
}  # fmt: skip
SIDE: dict[Language, dict[Side, str]] = {
    "en": {"left": "the left", "right": "the right", "middle": "the middle"},
    "zh": {"left": "左边", "right": "右边", "middle": "中间"},
}
FRONT: dict[Language, dict[Front, str]] = {
    "en": {"front": "the front", "back": "behind", "side": "the side"},
    "zh": {"front": "前面", "back": "后面", "side": "侧面"},
}
COUNT: dict[Language, dict[int, str]] = {
    "en": {1: "One sound.", 2: "Two sounds."},
    "zh": {1: "一种声音。", 2: "两种声音。"},
}
RELATION: dict[Language, dict[Relation, str]] = {
    "en": {"left": "To the left of the other one.", "right": "To the right of the other one."},
    "zh": {"left": "在另一个声音的左边。", "right": "在另一个声音的右边。"},
}
NO_DIRECTION: dict[Language, str] = {
    "en": "the ears hear no difference in time, so I can't tell where",
    "zh": "两耳听到的时间没有差别，所以我说不出在哪里",
}
OUT_OF_SCOPE: dict[Language, str] = {
    "en": "I can only say what sounds and where it comes from.",
    "zh": "我只能说出是什么声音、从哪里来。",
}


def _sound_names() -> dict[str, dict[Language, str]]:
    header, *rows = (DATA / "sound_names.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "label\ten\tzh", header
    return {label: {"en": english, "zh": chinese} for label, english, chinese in (row.split("\t") for row in rows)}


# Label -> one short noun phrase per language, none part of another.
SOUND_NAMES: dict[str, dict[Language, str]] = _sound_names()
