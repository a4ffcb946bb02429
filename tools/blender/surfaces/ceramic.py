"""Procedural ceramic: glazes, terracotta, tiles, bricks, mosaic."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import GOLD, coated, patches, pick_palette, rosette, voronoi_edges

GLAZES = ("#f3f0e8", "#2a5f8f", "#7b9c7e", "#8c3b2a", "#d8b25a", "#34383d", "#c98f8f", "#4f8a8b", "#e5dcc8", "#6a4a8c")


def _glaze(g: ShaderGraph, colour: Any, height: ShaderValue | None = None, rough: Any = 0.12) -> Any:
    soft = g.noise(0.25 * g.size, 2) * (0.006 * min(g.size, 0.4))
    more = {"Coat Weight": 0.7, "Coat Roughness": 0.04}
    return g.surface(colour, rough, soft if height is None else height + soft, 0.0, more)


def white_glazed(g: ShaderGraph) -> Any:
    return _glaze(g, g.tint(g.pick(["#f4f1ea", "#efeee9", "#f6f3e3"]), 0.95 + g.noise(0.05, 2) * 0.08))


def coloured_glaze(g: ShaderGraph) -> Any:
    """The glaze runs down to an uneven edge above a bare foot and pools darker."""
    line = g.up / g.size + (g.noise(0.15 * g.size, 2) - 0.5) * 0.12
    low = g.between(0.05, 0.16) * float(g.rng.integers(0, 2))
    bare = line.step(low, low - 0.01)
    second = line.step(0.62, 0.6) if g.rng.random() < 0.5 else bare
    top, foot = g.pick(GLAZES), g.pick(GLAZES)
    tone = 0.7 + g.noise(0.04, 5, 0.65) * 0.6
    colour = g.mix(bare, g.tint(g.mix(second, top, foot), tone), g.pick(["#b98d67", "#8d6a50", "#d3bfa3"]))
    return _glaze(g, colour, bare * -0.0005, 0.12 + bare * 0.6)


def stoneware(g: ShaderGraph) -> Any:
    """Matt, with iron speckles and turning rings."""
    spots, _ = g.cells(g.fitted(0.004, 0.012, 0.03))
    speck = (spots + g.noise(0.006, 3) * 0.3).step(0.27, 0.2)
    rings = (g.up * (6.2832 / g.fitted(0.003, 0.012, 0.03)) + g.noise(0.05, 2) * 3.0).sin()
    colour = g.mix(speck * 0.8, g.tint(g.pick(["#cbbfa8", "#a7a394", "#8f9a97", "#d8cdbb", "#6e6a66"]),
                   0.85 + g.noise(0.06, 4) * 0.3), "#3a2a1e")  # fmt: skip
    return g.surface(colour, 0.5, rings * 0.00022)


def terracotta(g: ShaderGraph) -> Any:
    bloom = g.noise(0.3 * g.size, 7, 0.68).step(0.52, 0.75)
    rings = (g.up * (6.2832 / g.fitted(0.004, 0.015, 0.03)) + g.noise(0.08, 2) * 3.0).sin()
    base = g.tint(g.pick(["#b9633c", "#a85433", "#c97a4e"]), 0.75 + g.noise(0.05, 5, 0.65) * 0.5)
    colour = g.mix(bloom * g.between(0.1, 0.6), base, "#d9c3b0")
    return g.surface(colour, 0.88, rings * 0.0002 + g.noise(0.002, 3) * 0.0003)


def decorated(g: ShaderGraph) -> Any:
    """Painted under the glaze: rows of flowers on a vine between bands."""
    pitch = g.fitted(0.012, 0.08, 0.22)
    ink = g.pick(["#1f3f8f", "#1f3f8f", "#a03325", "#2f6b4a"])
    second = g.pick(["#1f3f8f", "#c9962a", "#a03325", "#2f6b4a"])
    u, v = g.u / pitch, g.v / pitch
    row = (v * 0.5).fract() * 2.0  # flowers in every other row
    a, b = u.fract() - 0.5, row - 0.5
    radius, drawn = rosette(a, b, 5, 0.22)
    flower, heart = drawn.step(0.17, 0.15), radius.step(0.09, 0.07)
    vine = (b - (u * 6.2832).sin() * 0.22).abs().step(0.045, 0.03)
    band = ((row - 1.25).abs().step(0.09, 0.08)).max((row - 1.55).abs().step(0.04, 0.03))
    wash = 0.7 + g.noise(0.012, 3) * 0.4
    colour = g.mix((flower.max(vine).max(band) * wash).min(1.0), g.pick(["#f3f0e6", "#efe9da"]), ink)
    return _glaze(g, g.mix(heart * 0.9, colour, second))


def tiles(g: ShaderGraph) -> Any:
    side = g.fitted(0.05, 0.3, 0.3)
    column, row = g.u / side, g.v / side
    edge = triangle(column).max(triangle(row))
    grout = edge.step(0.47, 0.485)
    one, other = g.pick(GLAZES), g.pick(GLAZES)
    shift = g.chance(column.floor(), row.floor())
    chess = ((column.floor() + row.floor()) * 0.5).fract().above(0.25) * float(g.rng.integers(0, 2))
    colour = g.tint(g.mix(chess, one, other), 0.85 + shift * 0.25)
    colour = g.mix(grout, colour, g.pick(["#b9b2a6", "#6c6862"]))
    pillow = edge.step(0.47, 0.3) * 0.0015
    return _glaze(g, colour, pillow - grout * 0.002, 0.1 + grout * 0.8)


def bricks(g: ShaderGraph) -> Any:
    row = (g.v / 0.075).floor()
    column = g.u / 0.225 + row * 0.5
    edge_u, edge_v = (triangle(column) * 0.225), (triangle(g.v / 0.075) * 0.075)
    rough = (g.noise(0.02, 4) - 0.5) * 0.006
    mortar = (edge_u + rough).step(0.105, 0.1085).max((edge_v + rough).step(0.030, 0.0335))
    tone = g.chance(row, column.floor())
    red = g.ramp(tone * 0.6 + g.noise(0.03, 6, 0.7) * 0.5, [(0.1, "#5d2f24"), (0.5, "#99513a"), (0.9, "#c07f5d")])
    colour = g.mix(mortar, red, g.tint("#b0a899", 0.7 + g.noise(0.01, 4) * 0.5))
    return g.surface(colour, 0.9, g.noise(0.006, 5, 0.7) * 0.002 - mortar * 0.006)


def crackle(g: ShaderGraph) -> Any:
    line, _ = g.cells(g.fitted(0.008, 0.035, 0.08), "DISTANCE_TO_EDGE", g.vector(*[
        axis + (g.noise(0.03, 2) - 0.5) * 0.01 for axis in (g.axis_x, g.axis_y, g.axis_z)]))  # fmt: skip
    cracks = line.step(0.03, 0.008)
    base = g.tint(g.pick(["#a9c3ad", "#b9cbbf", "#cfd2bd", "#9dbcc0"]), 0.9 + g.noise(0.08, 3) * 0.2)
    return _glaze(g, g.mix(cracks * 0.75, base, "#4b4338"))


def reactive_glaze(g: ShaderGraph) -> Any:
    down, (spot, _) = g.vector(g.axis_x * 2.2, g.axis_y * 2.2, g.axis_z * 0.7), g.cells(g.fitted(0.004, 0.025, 0.06))
    run, fine = g.noise(0.4 * g.size, 5, 0.62, down), g.noise(0.05 * g.size, 5, 0.7, down)
    ring = (g.up * (6.2832 / g.fitted(0.004, 0.05, 0.08)) + g.noise(0.3 * g.size, 2) * 4.0).sin()
    a, b, c = pick_palette(g, "#120d0c #3a1c10 #a8561f", "#7a3f1c #2a4f7a #9fc0d8", "#6b1018 #a02a26 #7fa8a0",
                       "#1f3a34 #3f7a68 #c9b888", "#c8b890 #8a6a3c #3a2a1c", "#14203f #27549a #d8d0b8")  # fmt: skip
    colour = g.ramp(run * 1.1 + fine * 0.6 + ring * 0.06 - 0.35, [(0.28, a), (0.5, b), (0.72, c)])
    colour = g.mix(spot.step(0.42, 0.3) * 0.7 * float(g.rng.random() < 0.4), colour, c)
    return coated(g, colour, 0.12, (ring * 0.0016 + run * 0.006) * min(g.size, 0.4), 0.8)


def carved_celadon(g: ShaderGraph) -> Any:
    pitch, lean, scaled = g.fitted(0.008, 0.08, 0.18), g.between(-0.7, 0.7), g.rng.random() < 0.5
    b, flute = (g.v / pitch).fract(), triangle((g.u + g.v * lean) / pitch)
    radius = (triangle(g.u / pitch + (g.v / pitch).floor() * 0.5) ** 2.0 * 1.6 + b * b * 0.8) ** 0.5
    high = radius.step(0.9, 0.1) * 0.55 + radius.step(0.72, 0.66) * 0.45 if scaled else flute.step(0.5, 0.25)
    base = g.pick(["#a9c6a8", "#8fb89c", "#b8d0d0", "#c9a24a", "#5fb0b0", "#eeeae0", "#3f6f9a"])
    pool = (1.0 - high) * 0.75 + (g.noise(0.2 * g.size, 4) - 0.5) * 0.4  # the glaze lies deep in the cuts
    return coated(g, g.mix(pool, base, g.tint(base, 0.38)), 0.12, high * (0.09 * pitch), 0.8)


def slipware(g: ShaderGraph) -> Any:
    pitch, swap = g.fitted(0.01, 0.1, 0.22), float(g.rng.random() < 0.3)
    u, v = g.u / pitch, g.v / pitch + (g.noise(0.7 * pitch, 3) - 0.5) * 0.3
    comb, dot = triangle(v * 2.2 - triangle(u) * 1.6), triangle(u * 2.0) ** 2.0 + (triangle(v * 0.5 + 0.5) * 4.0) ** 2.0
    wave = ((v * 0.5).fract() - 0.5 + (u * 4.5 + g.noise(pitch, 2) * 1.5).sin() * 0.13).abs().step(0.07, 0.045)
    slip = (comb.step(0.27, 0.22) if g.rng.random() < 0.5 else wave.max(dot.step(0.1, 0.06))) - swap
    clay, cream = g.pick(["#7a3a1c", "#5a2a16", "#94501f", "#3a2016"]), g.pick(["#e3bf78", "#ecd6a0", "#d9a850"])
    colour = g.tint(g.mix(slip.abs(), clay, cream), 0.75 + g.noise(0.2 * g.size, 6, 0.68) * 0.5)
    return coated(g, colour, 0.2, slip.abs() * (0.02 * pitch), 0.8)


def mosaic(g: ShaderGraph) -> Any:
    wide, squares = g.fitted(0.006, 0.04, 0.1), g.rng.random() < 0.55  # else broken tiles
    (away, leaf), u, v = voronoi_edges(g, 1.6 * wide), g.u / wide, g.v / wide
    edge = 0.5 - triangle(u).max(triangle(v)) + (g.noise(0.4 * wide, 2) - 0.5) * 0.06 if squares else away
    own = g.chance(u.floor(), v.floor()) if squares else g.grey(leaf)
    hues = pick_palette(g, "#1f4f9a #2f8fc0 #f0ece0 #7fc0c8", "#b8321f #e8a82a #f0e8d4 #2f6a4a",
                    "#f2efe6 #e4e0d4 #1f2226 #f4f2ea", "#2f7a6a #6fb08a #d8c88a #184a4a")  # fmt: skip
    piece = g.ramp((own * 4.0).floor() * 0.3333, [(k / 3, hue) for k, hue in enumerate(hues)])
    grout, tone = edge.step(0.07, 0.04), 0.75 + (own * 37.0).fract() * 0.4
    colour = g.mix(grout, g.tint(piece, tone), g.pick(["#c9c2b4", "#7a756c", "#e4dfd4", "#4a4642"]))
    return coated(g, colour, 0.1 + grout * 0.8, edge.step(0.0, 0.16) * (0.1 * wide), (1.0 - grout) * 0.8)


def gilt_porcelain(g: ShaderGraph) -> Any:
    v, wide = triangle(g.v / g.fitted(0.02, 0.3, 0.45)), g.between(0.05, 0.2)
    band, gold = v.step(wide + 0.004, wide), ((v - wide - 0.055).abs() - 0.028).abs().step(0.018, 0.013)
    petal = g.cells(g.fitted(0.012, 0.08, 0.2), irregular=0.6)[0] + (g.noise(0.03 * g.size, 3) - 0.5) * 0.25
    petal = petal + band + float(g.rng.random() < 0.35)  # none on the band; some pots have none
    leaf = (petal - 0.3).abs().step(0.07, 0.04) * g.noise(0.05 * g.size, 2).step(0.48, 0.52)
    dyes = ["#1c2f7a", "#8a1424", "#0f5a44", "#e8a8b0", "#7fb8c8", "#f6f3ec", "#1c1c1e"]
    colour = g.mix(leaf, g.mix(band, g.pick(["#f6f3ec", "#f4f1e6"]), g.pick(dyes)), "#4f8a4a")
    colour = g.mix(petal.step(0.22, 0.18), colour, g.pick(["#d0405c", "#e08a3a", "#4a62c0"]))
    colour = g.mix(gold, g.mix(petal.step(0.1, 0.03), colour, "#f4d0d0"), GOLD)
    return coated(g, colour, 0.1 + gold * 0.08, gold * 0.0002, 0.8 - gold * 0.8, gold)


def black_figure(g: ShaderGraph) -> Any:
    pitch, swap = g.fitted(0.008, 0.08, 0.17), float(g.rng.random() < 0.35)
    a, v = triangle(g.u / pitch), g.v * (0.5 / pitch) + 0.25
    b, kind = v.fract() * 2.0, g.chance(v.floor())
    box, first, last = a.max((b - 0.75).abs()), kind.step(0.34, 0.33), kind.step(0.59, 0.6)
    key = box.step(0.46, 0.43) - box.step(0.34, 0.31) + box.step(0.2, 0.17)
    ray, figure = (a * 2.4 + b * 0.8).step(1.1, 1.04), g.noise(1.1 * pitch, 2, 0.45, warp=0.5).step(0.47, 0.485)
    line = (b - 1.6).abs().step(0.36, 0.34) - (b - 1.6).abs().step(0.1, 0.07)
    art = (key * first + figure * last + ray * (1.0 - first - last)).max(line).min(1.0)
    black = (art - swap).abs() * (1.0 - patches(g, 0.58, 0.68) * g.between(0.1, 0.7))
    clay = g.tint(g.pick(["#c8703a", "#b85f30", "#d0844a"]), 0.75 + g.noise(0.1 * g.size, 5, 0.65) * 0.5)
    return coated(g, g.mix(black, clay, "#161312"), 0.6 - black * 0.35, g.noise(0.3 * g.size, 2) * 0.001, black * 0.5)


BASIC = by_name(white_glazed, coloured_glaze, stoneware, terracotta, decorated, crackle)
EXTRA = by_name(reactive_glaze, carved_celadon, slipware, mosaic, gilt_porcelain, black_figure)
