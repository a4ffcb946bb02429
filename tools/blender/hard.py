"""How wood, metal and glass look, each in several variants: a function draws one with its graph's seed."""

from __future__ import annotations

from typing import Any

from tools.blender.nodes import Colour, Graph, Value, off

STEEL, ALUMINIUM, IRON = (0.56, 0.57, 0.58), (0.88, 0.89, 0.90), (0.30, 0.29, 0.28)
COPPER, BRASS = (0.93, 0.55, 0.42), (0.86, 0.68, 0.30)
PAINTS = ("#b02a24", "#1f5d99", "#2f7d46", "#d9a21b", "#e8e4da", "#3a4750", "#c9642a", "#6fa3a8", "#1c1c1e", "#8a3b5e")
GLAZES = ("#f3f0e8", "#2a5f8f", "#7b9c7e", "#8c3b2a", "#d8b25a", "#34383d", "#c98f8f", "#4f8a8b", "#e5dcc8", "#6a4a8c")


def _wood(g: Graph, light: Colour, dark: Colour, rough: float, coat: float = 0.0, knots: bool = False,
          contrast: float = 1.0) -> tuple[Any, Any, Value]:  # fmt: skip
    """Colour, roughness and relief of sawn wood: rings about a pith beside the thing, fibres along it."""
    ring = g.fitted(0.002, 0.018, 0.045)
    y, z = g.axis_y + g.size * g.between(0.15, 0.9), g.axis_z + g.size * g.between(0.1, 0.6)
    radius = (y * y + z * z) ** 0.5 + (g.streaks(30 * ring, 6 * ring, 2) - 0.5) * (ring * g.between(2, 6))
    spot: Value | None = None
    if knots:
        at = g.vector(g.axis_x * 0.4, g.axis_y, g.axis_z * 0.3)
        away, _ = g.cells(max(0.05, 0.35 * g.size), at=at)
        spot = away.step(0.16, 0.05)
        radius = radius + away.step(0.5, 0.0) * (6 * ring)
    late = (radius / ring).fract()
    late = late.step(0.25, 1.0) * (1.0 - late.step(0.94, 1.0))
    fibre = g.streaks(0.05, 0.0011, 2)
    tone = late * (0.5 * contrast) + (fibre - 0.5) * 0.75 + (g.streaks(0.4, 0.05, 2) - 0.5) * 0.8 + 0.2
    colour = g.ramp(tone, [(0.0, light), (1.0, dark)])
    pores = g.streaks(0.02, 0.0007, 1).step(0.62, 0.7)
    colour = g.mix(pores * 0.35, colour, dark, "MULTIPLY")
    if spot is not None:
        colour = g.mix(spot * 0.85, colour, "#3a2010")
    return colour, rough + (fibre - 0.5) * 0.25, (fibre * 0.5 - late * 0.5) * (0.00035 * (1 - 0.8 * coat))


def _sawn(g: Graph, light: Colour, dark: Colour, rough: float, coat: float, knots: bool, contrast: float) -> Any:
    colour, roughness, height = _wood(g, light, dark, rough, coat, knots, contrast)
    return g.surface(colour, roughness, height, more={"Coat Weight": coat, "Coat Roughness": 0.12})


def oak(g: Graph) -> Any:
    return _sawn(g, g.pick(["#c79a63", "#b98a55", "#d3ab78"]), "#7d5028", 0.5, g.between(0, 0.5), False, 1.0)


def walnut(g: Graph) -> Any:
    return _sawn(g, g.pick(["#7a5336", "#6b4930"]), "#2e1a0f", 0.42, g.between(0, 0.7), False, 1.0)


def pine(g: Graph) -> Any:
    return _sawn(g, g.pick(["#e0bd85", "#d8ae72"]), "#a86f35", 0.55, 0.0, True, 1.2)


def beech(g: Graph) -> Any:
    return _sawn(g, g.pick(["#d9b48c", "#cfa57b"]), "#b07f52", 0.45, g.between(0, 0.3), False, 0.5)


def mahogany(g: Graph) -> Any:
    return _sawn(g, g.pick(["#96512f", "#84432a"]), "#451b10", 0.3, 1.0, False, 0.8)


def weathered(g: Graph) -> Any:
    colour, rough, height = _wood(g, "#a39b8e", "#5b544b", 0.85, 0.0, True, 1.4)
    return g.surface(colour, rough, height * 4.0)


def painted_wood(g: Graph) -> Any:
    colour, _, height = _wood(g, "#b98f5e", "#6e4726", 0.7, 0.0, False, 1.0)
    worn = (g.noise(0.3 * g.size, 6, 0.62) + (g.streaks(0.1, 0.006) - 0.5) * 0.5).step(0.6, 0.64)
    paint = g.tint(g.pick(PAINTS), 0.85 + g.streaks(0.08, 0.004) * 0.3)
    return g.surface(g.mix(worn, paint, colour), 0.45 + worn * 0.3, height * (0.3 + worn) - worn * 0.0006)


def planks(g: Graph) -> Any:
    width = g.fitted(0.05, 0.16, 0.2)
    board = (g.axis_y / width).floor()
    seam = off(g.axis_y / width).step(0.475, 0.5)
    g.axis_x = g.axis_x + board * 3.7
    colour, rough, height = _wood(
        g, g.pick(["#b98d5c", "#8a6440", "#c9a87c", "#6f4d31"]), "#54341c", 0.5, 0.2, False, 1
    )
    colour = g.mix(seam * 0.9, g.tint(colour, 0.7 + g.chance(board) * 0.6), "#120c07")
    return g.surface(colour, rough, height - seam * 0.002)


def pencil_paint(g: Graph) -> Any:
    point, lead = g.axis_x.above(0.365 * 0.177), g.axis_x.above(0.47 * 0.177)
    body = g.mix(point, g.pick(["#e0a81e", "#b5302a", "#2c6e49", "#27509b"]), "#d9b380")
    return g.surface(g.mix(lead, body, "#222222"), 0.3 + point * 0.4)


def _metal(g: Graph, colour: Any, rough: Any, height: Value | None = None, brushed: float = 0.0) -> Any:
    return g.surface(colour, rough, height, 1.0, {"Anisotropic": brushed})


def steel(g: Graph) -> Any:
    smudge = g.noise(0.25 * g.size, 5, 0.65)
    return _metal(g, g.pick(["#c6c8ca", "#b8babd"]), 0.05 + smudge.step(0.3, 0.8) * g.between(0.1, 0.3))


def brushed(g: Graph) -> Any:
    line = g.streaks(0.15, 0.0009, 3)
    base = g.tint(g.pick(["#bfc1c3", "#a9abad", "#cfcdc8"]), 0.75 + line * 0.5)
    return _metal(g, base, 0.22 + line * 0.25, line * 0.00012, 0.6)


def aluminium(g: Graph) -> Any:
    return _metal(
        g, g.tint(ALUMINIUM, 0.85 + g.noise(0.004, 3) * 0.2), g.between(0.3, 0.48), g.noise(0.0012, 2) * 0.00006
    )


def brass(g: Graph) -> Any:
    old = g.noise(0.3 * g.size, 6, 0.65).step(0.45, 0.75)
    return _metal(g, g.mix(old * g.between(0.2, 0.8), BRASS, "#6a4a1c"), 0.12 + old * 0.35, g.noise(0.02, 3) * 0.0002)


def copper(g: Graph) -> Any:
    old = g.noise(0.35 * g.size, 7, 0.65).step(0.5, 0.72)
    green = g.mix(old, COPPER, g.pick(["#5a2f20", "#4f9a83", "#6e3a26"]))
    return g.surface(green, 0.14 + old * 0.45, g.noise(0.02, 3) * 0.0002, 1.0 - old * 0.6)


def rusted(g: Graph) -> Any:
    fine, wide = g.noise(0.02, 8, 0.7), g.noise(0.35 * g.size, 7, 0.65)
    rust = (wide + (fine - 0.5) * 0.5).step(g.between(0.3, 0.5), 0.56)
    red = g.ramp(fine * 0.7 + wide * 0.3, [(0.25, "#2c130b"), (0.45, "#6b2c12"), (0.6, "#a4501c"), (0.75, "#c77a35")])
    return g.surface(g.mix(rust, IRON, red), 0.35 + rust * 0.5, fine * rust * 0.0025, 1.0 - rust)


def painted_metal(g: Graph) -> Any:
    fine = g.noise(0.3 * g.size, 8, 0.7)
    edge = Value(g, g.node("NewGeometry").outputs["Pointiness"]).step(0.52, 0.6)
    chip = (fine + edge * 0.2).step(0.63, 0.645)
    rim = (fine + edge * 0.2).step(0.6, 0.64) - chip
    bare = g.mix(g.noise(0.01, 4).step(0.45, 0.55), STEEL, "#7a3a1a")
    colour = g.mix(chip, g.mix(rim * 0.7, g.pick(PAINTS), "#5a2a14"), bare)
    return g.surface(colour, 0.25 + chip * 0.2, chip * -0.0006 + g.noise(0.03, 2) * 0.0003, chip,
                     {"Coat Weight": (1.0 - chip) * 0.6, "Coat Roughness": 0.1})  # fmt: skip


def hammered(g: Graph) -> Any:
    dent, _ = g.cells(g.fitted(0.007, 0.03, 0.07), "SMOOTH_F1")
    base = [COPPER, STEEL, BRASS, (0.75, 0.75, 0.76)][int(g.rng.integers(4))]
    return _metal(g, base, 0.16 + g.noise(0.05, 4) * 0.15, dent * dent * (0.006 + 0.02 * min(g.size, 0.3)))


def cast_iron(g: Graph) -> Any:
    grain, rust = g.noise(0.004, 4, 0.75), g.noise(0.25 * g.size, 8, 0.7).step(0.58, 0.7)
    colour = g.mix(rust * 0.7, g.tint((0.05, 0.048, 0.047), 0.5 + grain), "#5a2f1a")
    return g.surface(colour, 0.42 + grain * 0.2 + rust * 0.3, grain * 0.0016, 0.8 - rust * 0.7)


def printed_can(g: Graph) -> Any:
    band = (g.up / g.size).step(0.16, 0.165) * (g.up / g.size).step(0.86, 0.855) * (1.0 - g.facing(2).step(0.6, 0.7))
    blob = g.noise(0.4 * g.size, 1, at=g.vector(g.u * 2.0, g.v * 1.0)).step(0.5, 0.51)
    stripe = ((g.up / g.size) - 0.5).abs().step(0.1, 0.098)
    print_ = g.mix(stripe, g.mix(blob, g.pick(PAINTS), g.pick(PAINTS)), g.pick(["#f2eee2", "#e8c54a", "#1d1d1f"]))
    return g.surface(g.mix(band, ALUMINIUM, print_), 0.22, None, 1.0 - band * 0.55, {"Anisotropic": 0.4})


def galvanised(g: Graph) -> Any:
    _, leaf = g.cells(g.fitted(0.008, 0.03, 0.06), at=g.map(g.point, scale=(1, 1.6, 1)))
    tone = g.grey(leaf)
    return _metal(g, g.tint((0.62, 0.65, 0.68), 0.6 + tone * 0.75), 0.3 + tone * 0.25)


def glass(g: Graph, colour: Colour, rough: Any = 0.0, height: Value | None = None, clear: Any = 1.0) -> Any:
    """clear: share of the light that goes in."""
    more = {"Transmission Weight": clear, "IOR": 1.5}
    return g.clear_shadow(g.surface(colour, rough, height, 0.0, more), colour)


def clear_glass(g: Graph) -> Any:
    return glass(g, g.pick(["#f4faf7", "#eef7f4", "#f8fafa"]), 0.0, g.noise(0.5 * g.size, 1) * (0.01 * g.size))


def green_glass(g: Graph) -> Any:
    return glass(g, g.pick(["#8fcf9b", "#a8dcb2", "#6cb985"]), 0.0, g.noise(0.04, 2) * 0.0004)


def amber_glass(g: Graph) -> Any:
    return glass(g, g.pick(["#e0a050", "#e8b878", "#cf8440"]), 0.0, g.noise(0.04, 2) * 0.0004)


def blue_glass(g: Graph) -> Any:
    return glass(g, g.pick(["#7fa0e6", "#a5d3ee", "#b596dc", "#e58aa0"]), 0.0, g.noise(0.04, 2) * 0.0004)


def frosted_glass(g: Graph) -> Any:
    return glass(g, g.pick(["#eaf3f1", "#d7ebe6", "#e6e9f2"]), g.between(0.25, 0.45), g.noise(0.0015, 2) * 0.0001)


def ribbed_glass(g: Graph) -> Any:
    period = g.fitted(0.006, 0.03, 0.07)
    return glass(g, g.pick(["#eef7f4", "#dcefe6", "#f1e6d2"]), 0.0, (g.u * (6.2832 / period)).sin() * (0.12 * period))


def bubbly_glass(g: Graph) -> Any:
    away, _ = g.cells(g.fitted(0.008, 0.03, 0.06))
    return glass(g, g.pick(["#cfe9df", "#c4dfe8"]), 0.0, away.step(0.25, 0.1) * 0.0015 + g.noise(0.03, 2) * 0.001)
