"""Surface variants of each material: training and held-out splits, and where each variant may appear.

`HELD_OUT` names one variant per material that only validation scenes show, so that validation figures also cover
surfaces that were never trained on. `EXTRA_VARIANTS` were added later: scenes sample from them only on request, so
that scenes made before stay the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from synesthesia.core.vocabulary import MaterialName
from tools.blender.shader_graph import ShaderGraph, Surface, by_name
from tools.blender.surfaces import (
    cardboard,
    ceramic,
    concrete,
    fabric,
    glass,
    ground,
    leather,
    liquid,
    metal,
    paper,
    plastic,
    rubber,
    stone,
    wood,
)  # fmt: skip

MODULES: Mapping[MaterialName, ModuleType] = {
    "wood": wood, "metal": metal, "glass": glass, "ceramic": ceramic, "stone": stone, "concrete": concrete,
    "plastic": plastic, "rubber": rubber, "cardboard": cardboard, "paper": paper, "fabric": fabric,
    "leather": leather, "liquid": liquid,
}  # fmt: skip
VARIANTS: Mapping[MaterialName, Mapping[str, Surface]] = {name: module.BASIC for name, module in MODULES.items()}
EXTRA_VARIANTS: Mapping[MaterialName, Mapping[str, Surface]] = {name: module.EXTRA for name, module in MODULES.items()}
EXTRA_SHARE = 0.75  # of objects that take an extra variant, on request
HELD_OUT: frozenset[str] = frozenset(
    ("weathered", "galvanised", "bubbly_glass", "crackle", "travertine", "aggregate", "flecked_plastic",
     "speckled_rubber", "white_cardboard", "graph_paper", "plaid", "suede", "tea")
)  # fmt: skip

# Variants of grounds and walls alone (`BARE` are none of the materials), and of single kinds of object.
WIDE: Mapping[str, Surface] = by_name(wood.planks, ceramic.tiles, ceramic.bricks, stone.cobbles, liquid.deep_water)
BARE: Mapping[str, Surface] = by_name(ground.grass, ground.soil, ground.plaster)
SINGLE: Mapping[str, Surface] = by_name(metal.printed_can, wood.pencil_paint)
ONLY_ON: Mapping[str, tuple[MaterialName, str | None]] = {
    "can": ("metal", "printed_can"), "pencil": ("wood", "pencil_paint"), "brick": ("ceramic", "terracotta"),
    "coin": ("metal", None),
}  # fmt: skip

GROUNDS: tuple[tuple[MaterialName | None, str, float], ...] = (
    ("wood", "planks", 9), ("wood", "", 14), ("stone", "", 7), ("stone", "cobbles", 3), ("concrete", "", 9),
    ("ceramic", "tiles", 7), ("fabric", "", 11), ("metal", "", 5), ("glass", "frosted_glass", 1), ("plastic", "", 4),
    ("paper", "", 4), ("leather", "", 4), ("cardboard", "", 4), ("rubber", "", 4), ("liquid", "deep_water", 4),
    (None, "grass", 5), (None, "soil", 4), (None, "plaster", 6),
)  # fmt: skip
WALLS: tuple[tuple[MaterialName | None, str, float], ...] = (
    (None, "plaster", 10), ("wood", "planks", 4), ("ceramic", "bricks", 4), ("ceramic", "tiles", 3),
    ("concrete", "", 4), ("stone", "", 2), ("fabric", "", 2), ("metal", "painted_metal", 1),
)  # fmt: skip
FLOORS: tuple[tuple[MaterialName | None, str, float], ...] = (
    ("wood", "planks", 4), ("ceramic", "tiles", 2), ("concrete", "", 2), ("fabric", "", 2), (None, "plaster", 3),
    (None, "grass", 1),
)  # fmt: skip
# Not used on wide planes: patterns tied to an object's own height or middle.
NOT_WIDE = frozenset(("coloured_glaze", "two_tone_plastic", "eraser", "panelled_leather", "crumpled_paper",
                      "denim", "stitched_leather", "hammered", "clear_plastic", "translucent_plastic", "log_bark",
                      "bronze_statue", "tarnished_silver", "foil", "gilt_porcelain", "black_figure", "swirled_glass",
                      "cut_crystal", "etched_glass", "leaded_glass", "reactive_glaze", "moulded_pulp", "foxed_paper",
                      "cracked_leather"))  # fmt: skip

KINDS_OF: Mapping[MaterialName, tuple[str, ...]] = {
    "wood": ("block", "block", "box", "slab", "slab", "tray", "rod", "rod", "beam", "beam", "ruler", "bowl", "ball",
             "disc", "ring", "drum", "cup"),
    "metal": ("ball", "can", "can", "drum", "box", "slab", "disc", "tray", "rod", "beam", "ruler", "bowl", "pot", "pot",
              "cup", "jar", "vase", "pipe", "pipe", "ring", "bottle"),
    "glass": ("bottle", "bottle", "bottle", "jar", "jar", "vase", "vase", "tumbler", "tumbler", "bowl", "ball", "slab",
              "pipe", "disc", "egg"),
    "ceramic": ("bowl", "bowl", "cup", "cup", "vase", "vase", "jar", "bottle", "pot", "tray", "disc", "tile", "pipe",
                "egg", "tumbler"),
    "stone": ("rock", "rock", "rock", "block", "slab", "tile", "ball", "bowl", "beam", "disc", "egg", "vase"),
    "concrete": ("block", "block", "slab", "beam", "pipe", "pot", "rock", "ring", "tile", "cone", "ball"),
    "plastic": ("bottle", "bottle", "box", "bowl", "cup", "pot", "jar", "hollow_ball", "tray", "ruler", "pipe", "ring",
                "cone", "disc", "tumbler", "can"),
    "rubber": ("ring", "ring", "ring", "ball", "ball", "hollow_ball", "disc", "slab", "pipe", "block", "rod", "tile"),
    "cardboard": ("carton", "carton", "carton", "box", "box", "box", "slab", "sheet", "pipe", "roll", "can"),
    "paper": ("sheet", "sheet", "ball", "block", "slab", "roll", "cup", "folded", "cone", "box"),
    "fabric": ("cushion", "cushion", "cushion", "folded", "folded", "ball", "roll", "block", "box"),
    "leather": ("cushion", "ball", "folded", "box", "ruler", "slab", "bottle", "cushion", "cup"),
    "liquid": (),
}  # fmt: skip
# Pairs that appear in no training scene: the case study tests what the network predicts for them.
EXCLUDED = frozenset([*(("wood", kind) for kind in ("bottle", "jar", "vase")), ("glass", "carton"), ("glass", "box")])
VESSEL_MATERIALS: Mapping[str, tuple[MaterialName, ...]] = {
    "bowl": ("ceramic", "glass", "metal", "plastic", "wood", "stone"),
    "cup": ("ceramic", "metal", "plastic", "glass", "paper"),
    "tumbler": ("glass", "glass", "plastic", "paper", "metal"), "pot": ("metal", "metal", "ceramic", "plastic"),
}  # fmt: skip
LIDS: tuple[MaterialName, ...] = ("metal", "plastic", "wood", "ceramic", "glass")


def variant_names(material: MaterialName, held_out: bool) -> list[str]:
    """The variants that training may show, or the held-out ones."""
    return [name for name in VARIANTS[material] if (name in HELD_OUT) == held_out]


@dataclass(frozen=True)
class SurfaceSampler:
    """Samples surface variants for a scene. split: "train" or "val"; extra: also from `EXTRA_VARIANTS`."""

    split: str
    extra: bool = False

    def sample(self, rng: np.random.Generator, material: MaterialName) -> str:
        """A variant's name; validation takes a held-out variant for 4 of 10 objects."""
        if self.extra and rng.random() < EXTRA_SHARE:
            names = list(EXTRA_VARIANTS[material])
        else:
            names = variant_names(material, self.split == "val" and rng.random() < 0.4)
        return names[int(rng.integers(len(names)))]


def build_material(
    tree: Any, material: MaterialName | None, variant: str, seed: int, size_m: float, longest: int
) -> None:
    """Fills a Cycles node tree with the surface."""
    own = BARE if material is None else {**VARIANTS[material], **EXTRA_VARIANTS[material]}
    graph = ShaderGraph(tree, np.random.default_rng([seed, 2]), size_m, longest)
    shader = {**WIDE, **SINGLE, **own}[variant](graph)
    graph.node("OutputMaterial", {"Surface": shader})
