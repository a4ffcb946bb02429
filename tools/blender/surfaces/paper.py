"""Procedural paper: white, lined, newsprint, crumpled, maps."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import Colour, ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import BRIGHT, DYES, MATT, PAINTS, text_lines


def _paper(g: ShaderGraph, colour: Any) -> Any:
    fibre = g.noise(0.002, 4, 0.7)
    crease = (g.noise(0.35 * g.size, 2, warp=0.8) - 0.5).abs().step(0.02, 0.0)
    height = fibre * 0.00006 + crease * (0.0012 * min(g.size, 0.15))
    return g.surface(g.tint(colour, 0.96 + fibre * 0.08), 0.9, height, 0.0, MATT)


def white_paper(g: ShaderGraph) -> Any:
    """A stack: the sheets show at the edges."""
    sheet = g.noise(1.0, 2, 0.9, g.vector(g.axis_z * 900.0, g.axis_x * 3.0, g.axis_y * 3.0))
    edge = g.facing(2).step(0.5, 0.3)
    return _paper(g, g.tint(g.pick(["#f3f2ee", "#f4f0e2", "#eceef0"]), 1.0 - edge * (0.45 - sheet * 0.5)))


def lined_paper(g: ShaderGraph) -> Any:
    blue = triangle(g.v / 0.008).step(0.45, 0.47)
    red = ((g.u / 0.21).fract() - 0.15).abs().step(0.004, 0.0025)
    pen = text_lines(g, g.u, g.v + 0.002, 0.008, 0.4) * g.noise(0.12, 1).step(0.48, 0.5) * 0.8
    colour = g.mix(blue * 0.55, "#f4f2ea", "#5b83c4")
    return _paper(g, g.mix(pen * 0.85, g.mix(red * 0.7, colour, "#d0454a"), "#1d2a5c"))


def crumpled_paper(g: ShaderGraph) -> Any:
    colour = g.pick(["#f0efea", "#f0efea", "#e9dfc8", "#c9a877", "#d7e3ea", "#eac6c0"])
    fold = (g.noise(0.25 * g.size, 3, warp=0.4) - 0.5).abs().min((g.noise(0.2 * g.size, 2) - 0.5).abs())
    return g.surface(colour, 0.88, fold.step(0.0, 0.12) * (0.05 * min(g.size, 0.4)), 0.0, MATT)


def newsprint(g: ShaderGraph) -> Any:
    line = g.fitted(0.0035, 0.008, 0.02)
    column, row = g.u / (16 * line), g.v / (22 * line)
    gutter = triangle(column).step(0.47, 0.46)
    kind = g.chance(column.floor(), row.floor())
    photo = kind.above(0.72) * (triangle(row).step(0.44, 0.43))
    grey = g.noise(5 * line, 4, 0.6)
    text = text_lines(g, g.u, g.v, line, 0.72) * gutter * (1.0 - photo)
    head = text_lines(g, g.u, g.v, 4 * line, 0.66) * kind.above(0.45) * (row.fract() - 0.08).abs().step(0.1, 0.09)
    ink = (text * 0.75).max(head * 0.9).max(photo * gutter * (0.2 + grey.step(0.35, 0.65) * 0.6))
    return _paper(g, g.mix(ink, g.pick(["#dad6c8", "#e2ded2"]), "#1f1f20"))


def wrapping_paper(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.012, 0.06, 0.14)
    u, v = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dots = ((u * u + v * v) ** 0.5).step(0.27, 0.25)
    bars = u.abs().step(0.25, 0.24)
    return _paper(g, g.mix(dots if g.rng.random() < 0.5 else bars, g.pick(PAINTS), g.pick(PAINTS)))


def graph_paper(g: ShaderGraph) -> Any:
    def grid(pitch: float, wide: float) -> ShaderValue:
        a, b = triangle(g.u / pitch), triangle(g.v / pitch)
        return a.max(b).step(0.5 - wide, 0.5 - wide / 2)

    ink: Colour = g.pick(["#4f8fb0", "#4fa07a", "#c98a5a"])
    lines = (grid(0.005, 0.12) * 0.45).max(grid(0.025, 0.05) * 0.8)
    return _paper(g, g.mix(lines, "#f2f3ee", ink))


def _sheet(g: ShaderGraph, colour: Any, relief: Any = 0.0, folds: bool = False) -> Any:
    """Slightly uneven paper; folds: with creases from having been folded."""
    p, fibre = g.fitted(0.02, 0.4, 1.0), g.noise(0.002, 4, 0.7)
    a, b = triangle(g.u / p), triangle(g.v / (1.3 * p))
    rubbed = a.max(b).step(0.485, 0.5).max(a.min(b).step(0.015, 0.0)) * g.noise(0.03, 4).step(0.4, 0.65) * 0.22
    colour = g.tint(g.mix(rubbed * folds, colour, "#e4ded0"), 0.89 + fibre * 0.08 + g.noise(0.3 * g.size, 3) * 0.08)
    return g.surface(colour, 0.9, relief + fibre * 0.00006 + (a * 0.12 + b * 0.08) * (p * folds), 0, MATT)


def kraft_paper(g: ShaderGraph) -> Any:
    rib = g.noise(0.003, 2, 0.6, g.vector(g.u, g.v * 0.03))
    ridge = (g.noise(0.4 * g.size, 2, 0.4, warp=0.5) - 0.5).abs().min((g.noise(0.3 * g.size, 2) - 0.5).abs())
    base = g.tint(g.pick(["#b98f62", "#c49f74", "#a87c50", "#cdb08a"]), 0.85 + rib * 0.2 + ridge.step(0.02, 0) * 0.16)
    stamp = text_lines(g, g.u, g.v, g.fitted(0.008, 0.1, 0.25), 0.5) * (g.rng.random() < 0.3)
    colour = g.mix(stamp * 0.8, base, g.pick(["#2a2422", "#8d2c28", "#2f4a6b", "#3d5a3a"]))
    return _sheet(g, colour, ridge.step(0.0, 0.12) * (0.02 * min(g.size, 0.4)), g.rng.random() < 0.5)


def construction_paper(g: ShaderGraph) -> Any:
    wide, flat = g.fitted(0.02, 0.3, 0.6), g.rng.random() < 0.5
    at = g.vector(g.u + g.noise(0.2 * wide, 6, 0.7) * (0.6 * wide), g.v + g.noise(0.3 * wide, 6, 0.7) * (0.6 * wide))
    edge, leaf = g.cells(wide, "DISTANCE_TO_EDGE", at)[0], g.grey(g.cells(wide, at=at)[1])
    tones = [g.pick([*BRIGHT[:6], *DYES[:4]]) for _ in range(4)]
    pieces = g.mix(edge.step(0.022, 0.012), g.ramp(leaf, [(0.3 * k, tones[k]) for k in range(4)]), "#eeeae0")
    colour = g.mix(g.noise(0.0025, 3, 0.8).step(0.6, 0.72) * 0.3, tones[0] if flat else pieces, "#e8e0d0")
    return _sheet(g, colour, 0.0 if flat else leaf * 0.0006, flat)


def map_paper(g: ShaderGraph) -> Any:
    p = g.fitted(0.02, 0.4, 0.4)
    high, wood = g.noise(p, 4, 0.5, g.vector(g.u, g.v)), g.noise(0.5 * p, 4, 0.6, g.vector(g.u + 7.0, g.v))
    road = (g.noise(0.9 * p, 2, 0.4, g.vector(g.u, g.v + 5.0)) - 0.5).abs().step(0.014, 0.009)
    lane = (g.noise(0.35 * p, 2, 0.4, g.vector(g.u + 3.0, g.v)) - 0.5).abs().step(0.016, 0.008)
    land = g.mix(wood.step(0.55, 0.57) * 0.8, g.pick(["#efe9d2", "#e9e4dc", "#e6e2bd"]), "#b5cf9c")
    land = g.mix(triangle(high * 22.0).step(0.42, 0.46) * 0.4, land, "#a8753f")
    land = g.mix(lane * 0.7, land, g.pick(["#8f8a84", "#fdfbf2", "#d9a84a"]))
    sea = g.mix(high.step(0.43, 0.425), land, g.pick(["#8fbfd9", "#a3cbe0", "#6fa8cc"]))
    colour = g.mix(road, sea, g.pick(["#d0452f", "#e0a21f"]))
    return _sheet(g, g.mix(text_lines(g, g.u, g.v, 0.07 * p, 0.25) * 0.7, colour, "#26262b"), 0.0, True)


def foxed_paper(g: ShaderGraph) -> Any:
    blot, line = g.noise(0.4 * g.size, 6, 0.65), g.fitted(0.003, 0.012, 0.045)
    spot = g.cells(0.2 * g.size)[0].step(0.22, 0.08).max(g.noise(0.03 * g.size, 4, 0.7).step(0.66, 0.76))
    colour = g.mix(blot.step(0.4, 0.7) * 0.6, g.pick(["#e2cf9f", "#d9c090", "#e6d9b8"]), "#a87c44")
    colour = g.mix(spot * blot.step(0.4, 0.55) * 0.5, colour, "#7a4f24")
    script = text_lines(g, g.u + g.v * 0.4, g.v + g.noise(9 * line, 2) * line, line, 0.5) * (g.rng.random() < 0.4)
    crease = (g.noise(0.4 * g.size, 4, 0.5, warp=0.6) - 0.5).abs().step(0.04, 0.0) * (0.004 * min(g.size, 0.3))
    return _sheet(g, g.mix(script * 0.65, colour, g.pick(["#3a2414", "#23243a"])), crease, g.rng.random() < 0.6)


def crepe_paper(g: ShaderGraph) -> Any:
    p = g.fitted(0.0025, 0.01, 0.045)
    wrinkle = g.noise(p, 2, 0.5, g.vector(g.u, g.v * 0.12), 0.3)
    base = g.pick(["#d93a4a", "#f0a030", "#3f9a5a", "#3f7fc4", "#e88ab0", "#8a5ab0", "#f2e6c0", "#efefef", "#e8d23a"])
    return _sheet(g, g.tint(base, 0.45 + wrinkle * 1.05), wrinkle * (0.8 * p))


def paper_towel(g: ShaderGraph) -> Any:
    p = g.fitted(0.006, 0.03, 0.09)
    a, b = triangle(g.u / p), triangle(g.v / p + (g.u / p).floor() * 0.5)
    dimple = (a * a + b * b).step(0.13, 0.03) if g.rng.random() < 0.5 else a.max(b).step(0.3, 0.5)
    crumple = g.noise(0.25 * g.size, 3, 0.5, warp=0.5) * (0.03 * min(g.size, 0.4))
    border = triangle(g.v / (6 * p)).above(0.4) * (a * a + b * b).step(0.2, 0.08) * 0.6 * (g.rng.random() < 0.5)
    base = g.tint(g.pick(["#f2f1ec", "#efece2", "#e6dcc4", "#cfd9c4", "#e8c9c4"]), 1.0 - dimple * 0.14)
    return _sheet(g, g.mix(border, base, g.pick(["#5f8fc4", "#c46a6a", "#6aa86a"])), crumple - dimple * (0.12 * p))


BASIC = by_name(white_paper, lined_paper, crumpled_paper, newsprint, wrapping_paper, graph_paper)
EXTRA = by_name(kraft_paper, construction_paper, map_paper, foxed_paper, crepe_paper, paper_towel)
