"""How ceramic, stone and concrete look, each in several variants."""

from __future__ import annotations

from typing import Any

from tools.blender.hard import GLAZES
from tools.blender.nodes import Graph, Value, off


def _glaze(g: Graph, colour: Any, height: Value | None = None, rough: Any = 0.12) -> Any:
    soft = g.noise(0.25 * g.size, 2) * (0.006 * min(g.size, 0.4))
    more = {"Coat Weight": 0.7, "Coat Roughness": 0.04}
    return g.surface(colour, rough, soft if height is None else height + soft, 0.0, more)


def white_glazed(g: Graph) -> Any:
    return _glaze(g, g.tint(g.pick(["#f4f1ea", "#efeee9", "#f6f3e3"]), 0.95 + g.noise(0.05, 2) * 0.08))


def coloured_glaze(g: Graph) -> Any:
    """The glaze runs down to an uneven edge above a bare foot and pools darker."""
    line = g.up / g.size + (g.noise(0.15 * g.size, 2) - 0.5) * 0.12
    low = g.between(0.05, 0.16) * float(g.rng.integers(0, 2))
    bare = line.step(low, low - 0.01)
    second = line.step(0.62, 0.6) if g.rng.random() < 0.5 else bare
    top, foot = g.pick(GLAZES), g.pick(GLAZES)
    tone = 0.7 + g.noise(0.04, 5, 0.65) * 0.6
    colour = g.mix(bare, g.tint(g.mix(second, top, foot), tone), g.pick(["#b98d67", "#8d6a50", "#d3bfa3"]))
    return _glaze(g, colour, bare * -0.0005, 0.12 + bare * 0.6)


def stoneware(g: Graph) -> Any:
    """Matt, speckled with iron spots, turning rings."""
    spots, _ = g.cells(g.fitted(0.004, 0.012, 0.03))
    speck = (spots + g.noise(0.006, 3) * 0.3).step(0.27, 0.2)
    rings = (g.up * (6.2832 / g.fitted(0.003, 0.012, 0.03)) + g.noise(0.05, 2) * 3.0).sin()
    colour = g.mix(speck * 0.8, g.tint(g.pick(["#cbbfa8", "#a7a394", "#8f9a97", "#d8cdbb", "#6e6a66"]),
                   0.85 + g.noise(0.06, 4) * 0.3), "#3a2a1e")  # fmt: skip
    return g.surface(colour, 0.5, rings * 0.00022)


def terracotta(g: Graph) -> Any:
    bloom = g.noise(0.3 * g.size, 7, 0.68).step(0.52, 0.75)
    rings = (g.up * (6.2832 / g.fitted(0.004, 0.015, 0.03)) + g.noise(0.08, 2) * 3.0).sin()
    base = g.tint(g.pick(["#b9633c", "#a85433", "#c97a4e"]), 0.75 + g.noise(0.05, 5, 0.65) * 0.5)
    colour = g.mix(bloom * g.between(0.1, 0.6), base, "#d9c3b0")
    return g.surface(colour, 0.88, rings * 0.0002 + g.noise(0.002, 3) * 0.0003)


def decorated(g: Graph) -> Any:
    """Painted under the glaze: rows of flowers on a vine between bands."""
    pitch = g.fitted(0.012, 0.08, 0.22)
    ink, second = (
        g.pick(["#1f3f8f", "#1f3f8f", "#a03325", "#2f6b4a"]),
        g.pick(["#1f3f8f", "#c9962a", "#a03325", "#2f6b4a"]),
    )
    u, v = g.u / pitch, g.v / pitch
    row = (v * 0.5).fract() * 2.0  # flowers in every other row
    a, b = u.fract() - 0.5, row - 0.5
    radius = (a * a + b * b) ** 0.5
    petal = (Value(g, g.node("Math", [a, b], {"operation": "ARCTAN2"}).outputs[0]) * 2.5).sin().abs()
    flower = (radius - petal * 0.22).step(0.17, 0.15)
    heart = radius.step(0.09, 0.07)
    vine = (b - (u * 6.2832).sin() * 0.22).abs().step(0.045, 0.03)
    band = ((row - 1.25).abs().step(0.09, 0.08)).max((row - 1.55).abs().step(0.04, 0.03))
    wash = 0.7 + g.noise(0.012, 3) * 0.4
    colour = g.mix((flower.max(vine).max(band) * wash).min(1.0), g.pick(["#f3f0e6", "#efe9da"]), ink)
    return _glaze(g, g.mix(heart * 0.9, colour, second))


def tiles(g: Graph) -> Any:
    side = g.fitted(0.05, 0.3, 0.3)
    column, row = g.u / side, g.v / side
    edge = off(column).max(off(row))
    grout = edge.step(0.47, 0.485)
    one, other = g.pick(GLAZES), g.pick(GLAZES)
    shift = g.chance(column.floor(), row.floor())
    chess = ((column.floor() + row.floor()) * 0.5).fract().above(0.25) * float(g.rng.integers(0, 2))
    colour = g.tint(g.mix(chess, one, other), 0.85 + shift * 0.25)
    colour = g.mix(grout, colour, g.pick(["#b9b2a6", "#6c6862"]))
    pillow = edge.step(0.47, 0.3) * 0.0015
    return _glaze(g, colour, pillow - grout * 0.002, 0.1 + grout * 0.8)


def bricks(g: Graph) -> Any:
    row = (g.v / 0.075).floor()
    column = g.u / 0.225 + row * 0.5
    edge_u, edge_v = (off(column) * 0.225), (off(g.v / 0.075) * 0.075)
    rough = (g.noise(0.02, 4) - 0.5) * 0.006
    mortar = (edge_u + rough).step(0.105, 0.1085).max((edge_v + rough).step(0.030, 0.0335))
    tone = g.chance(row, column.floor())
    red = g.ramp(tone * 0.6 + g.noise(0.03, 6, 0.7) * 0.5, [(0.1, "#5d2f24"), (0.5, "#99513a"), (0.9, "#c07f5d")])
    colour = g.mix(mortar, red, g.tint("#b0a899", 0.7 + g.noise(0.01, 4) * 0.5))
    return g.surface(colour, 0.9, g.noise(0.006, 5, 0.7) * 0.002 - mortar * 0.006)


def crackle(g: Graph) -> Any:
    line, _ = g.cells(g.fitted(0.008, 0.035, 0.08), "DISTANCE_TO_EDGE", g.vector(*[
        axis + (g.noise(0.03, 2) - 0.5) * 0.01 for axis in (g.axis_x, g.axis_y, g.axis_z)]))  # fmt: skip
    cracks = line.step(0.03, 0.008)
    base = g.tint(g.pick(["#a9c3ad", "#b9cbbf", "#cfd2bd", "#9dbcc0"]), 0.9 + g.noise(0.08, 3) * 0.2)
    return _glaze(g, g.mix(cracks * 0.75, base, "#4b4338"))


def granite(g: Graph) -> Any:
    grain = g.fitted(0.0016, 0.006, 0.016)
    _, leaf = g.cells(grain)
    _, large = g.cells(2.6 * grain)
    tone = g.grey(leaf) * 0.45 + g.grey(large) * 0.25 + g.noise(0.8 * grain, 4, 0.75) * 0.35
    mineral = g.pick(["#b98a7c", "#8f8f92", "#c3bdb2", "#8c8478"])
    colour = g.ramp(tone, [(0.12, "#17171a"), (0.3, "#4b4b4e"), (0.36, mineral), (0.62, mineral), (0.75, "#dedad3")])
    rough = g.between(0.12, 0.75)
    return g.surface(colour, rough, g.noise(0.004, 3) * (0.0006 * rough))


def marble(g: Graph) -> Any:
    wide = (g.noise(0.5 * g.size, 7, 0.62, warp=g.between(0.6, 1.8)) - 0.5).abs()
    fine = (g.noise(0.2 * g.size, 6, 0.6, warp=1.2) - 0.5).abs()
    vein = (wide.step(0.06, 0.0) * 0.85).max(fine.step(0.022, 0.0) * 0.5)
    dark = g.rng.random() < 0.25
    body = g.pick(["#1d2420", "#26232a"] if dark else ["#efece6", "#e7e4e0", "#e9dccb"])
    cloud = 0.82 + g.noise(0.4 * g.size, 5) * 0.3
    colour = g.mix(vein, g.tint(body, cloud), "#d8d3c6" if dark else g.pick(["#6b6a6c", "#8a7a63", "#565d66"]))
    return g.surface(colour, g.between(0.06, 0.3), None, 0.0, {"Subsurface Weight": 0.0, "Coat Weight": 0.3})


def sandstone(g: Graph) -> Any:
    bed = g.up + (g.noise(0.6 * g.size, 4) - 0.5) * (0.35 * g.size)
    band = g.noise(1.0, 5, 0.7, g.vector(bed * (1 / g.fitted(0.008, 0.05, 0.08)), 0.0, 0.0))
    grain = g.noise(0.0012, 2, 0.8)
    colour = g.ramp(
        band * 0.8 + grain * 0.25, [(0.2, "#9a6a45"), (0.45, "#c99d6c"), (0.65, "#dcbc8f"), (0.85, "#b77f58")]
    )
    return g.surface(colour, 0.93, grain * 0.0009 + band * 0.002 + g.noise(0.02, 4) * 0.002)


def slate(g: Graph) -> Any:
    layer = g.noise(0.05 * g.size, 7, 0.65, g.vector(g.axis_x * 0.3, g.axis_y * 0.3, g.axis_z * 3.0), 0.6)
    colour = g.ramp(layer, [(0.3, "#2a2f34"), (0.6, g.pick(["#444b52", "#4b4a4f", "#3f4a47"])), (0.8, "#6f6a63")])
    return g.surface(colour, 0.55, layer * 0.006)


def pebble(g: Graph) -> Any:
    speck = g.noise(0.003, 5, 0.8)
    vein = (g.noise(0.6 * g.size, 3, warp=0.6) - 0.5).abs().step(0.02, 0.004) * g.between(0, 1)
    base = g.tint(g.pick(["#84827e", "#6d6a66", "#9b8e7e", "#5b5f61", "#b1a896"]), 0.6 + speck * 0.8)
    return g.surface(g.mix(vein * 0.8, base, "#dcd8cf"), g.between(0.35, 0.7), speck * 0.0003)


def cobbles(g: Graph) -> Any:
    side = g.fitted(0.07, 0.16, 0.25)
    away, leaf = g.cells(side, "DISTANCE_TO_EDGE", irregular=0.8)
    _, leaf = g.cells(side, irregular=0.8)
    gap = (away + (g.noise(0.02, 4) - 0.5) * 0.06).step(0.08, 0.02)
    speck = g.noise(0.006, 6, 0.75)
    tone = g.tint(g.pick(["#857f78", "#77706a", "#8c8375"]), 0.45 + g.grey(leaf) * 0.5 + speck * 0.5)
    height = away.step(0.0, 0.3) * 0.012 + speck * 0.002
    return g.surface(g.mix(gap, tone, "#2d261e"), 0.8, height)


def travertine(g: Graph) -> Any:
    flat = g.vector(g.axis_x * 0.25, g.axis_y * 0.25, g.axis_z * 1.6)
    band, hole = g.noise(0.08 * g.size, 5, at=flat), g.noise(0.02, 4, 0.6, flat).step(0.64, 0.68)
    colour = g.ramp(band, [(0.3, "#c9b08c"), (0.55, "#e2d3b6"), (0.75, "#b99a72")])
    return g.surface(g.mix(hole * 0.8, colour, "#6b563c"), 0.6, hole * -0.003 + band * 0.001)


def _concrete(g: Graph) -> tuple[Any, Value]:
    cloud, fine = g.noise(0.5 * g.size, 8, 0.62), g.noise(0.004, 4, 0.75)
    tone = cloud * 0.75 + fine * 0.3
    cool = g.pick(["#8f8e8a", "#9c9a94", "#85878a", "#a39d92"])
    colour = g.ramp(tone, [(0.28, "#5f5e5b"), (0.52, cool), (0.8, "#c4c1ba")])
    away, leaf = g.cells(g.fitted(0.012, 0.05, 0.1))
    pit = away.step(0.14, 0.1) * g.grey(leaf).above(0.45)
    return g.mix(pit * 0.75, colour, "#33322f"), fine * 0.0009 + g.noise(0.02, 5, 0.7) * 0.0015 - pit * 0.003


def rough_concrete(g: Graph) -> Any:
    colour, height = _concrete(g)
    return g.surface(colour, 0.92, height * 1.8)


def stained_concrete(g: Graph) -> Any:
    colour, height = _concrete(g)
    down = g.vector(g.axis_x * 3.0, g.axis_y * 3.0, g.up * 0.5)
    stain = g.noise(0.4 * g.size, 7, 0.65, down).step(0.5, 0.68)
    return g.surface(g.mix(stain * 0.75, colour, g.pick(["#3b372f", "#5b4630", "#454b3a"])), 0.85, height)


def formwork(g: Graph) -> Any:
    """Cast against boards: their seams and a grain stay in the face."""
    colour, height = _concrete(g)
    width = g.fitted(0.05, 0.15, 0.2)
    seam = off(g.axis_y / width).step(0.46, 0.5)
    grain = g.streaks(0.1, 0.003)
    tone = 0.85 + g.chance((g.axis_y / width).floor()) * 0.3
    return g.surface(g.tint(g.mix(seam * 0.6, colour, "#4c4a46"), tone), 0.85, height + grain * 0.0012 - seam * 0.003)


def cracked_concrete(g: Graph) -> Any:
    colour, height = _concrete(g)
    warped = g.vector(*[a + (g.noise(0.2 * g.size, 5) - 0.5) * (0.5 * g.size) for a in (g.axis_x, g.axis_y, g.axis_z)])
    line, _ = g.cells(0.7 * g.size, "DISTANCE_TO_EDGE", warped)
    crack = line.step(0.012, 0.003)
    return g.surface(g.mix(crack * 0.9, colour, "#1c1b19"), 0.9, height - crack * 0.004)


def aggregate(g: Graph) -> Any:
    away, leaf = g.cells(g.fitted(0.008, 0.025, 0.06))
    stone = away.step(0.48, 0.42)
    tone = g.ramp(g.grey(leaf), [(0.1, "#4d4a46"), (0.4, "#8c7f6e"), (0.7, "#b6a892"), (0.95, "#d7d2c8")])
    paste = g.tint("#98958e", 0.7 + g.noise(0.004, 4, 0.7) * 0.5)
    return g.surface(g.mix(stone, paste, tone), 0.8, away.step(0.6, 0.1) * 0.004 + g.noise(0.004, 3) * 0.0006)
