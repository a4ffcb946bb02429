"""Closed vocabularies of requests, models and the page: names of materials, shapes, mallets, test sounds and rooms."""

from __future__ import annotations

from typing import Literal, get_args

MaterialName = Literal[
    "wood", "metal", "glass", "ceramic", "stone", "concrete", "plastic", "rubber", "cardboard", "paper", "fabric",
    "leather", "liquid",
]  # fmt: skip
MATERIALS: tuple[MaterialName, ...] = get_args(MaterialName)

ShapeName = Literal["solid", "hollow", "plate", "bar", "bowl", "bottle", "tube"]
SHAPES: tuple[ShapeName, ...] = get_args(ShapeName)

MalletName = Literal["finger", "wood", "metal"]
MALLETS: tuple[MalletName, ...] = get_args(MalletName)

DEMO_SOUNDS = ("dog", "bird", "rain", "clock", "babble", "ball", "noise", "clicks")  # see binaural.demo_clips
ROOMS = ("none", "small", "large")
