"""Procedural rubber: plain, treaded, studded, perished."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import coin_flip, stains, text_lines, warped_coordinates


def _rubber(g: ShaderGraph, colour: Any, height: ShaderValue | None = None, dusty: float = 0.3) -> Any:
    dust = g.noise(0.25 * g.size, 7, 0.68).step(0.45, 0.8) * dusty
    grain = g.noise(0.0015, 3) * 0.0002
    more = {"Sheen Weight": 0.25, "Sheen Roughness": 0.5, "Specular IOR Level": 0.3}
    height = grain if height is None else height + grain
    return g.surface(g.mix(dust, colour, "#a19a8e"), 0.62 + dust * 0.3, height, 0.0, more)


def black_rubber(g: ShaderGraph) -> Any:
    return _rubber(g, g.pick(["#1c1c1d", "#232222", "#2a2a2c"]), None, g.between(0.05, 0.35))


def coloured_rubber(g: ShaderGraph) -> Any:
    period = g.fitted(0.01, 0.06, 0.12)
    rib = triangle(g.up / period).step(0.4, 0.45) * float(g.rng.integers(0, 2))
    pitch = g.fitted(0.003, 0.01, 0.025)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dimple = ((a * a + b * b) ** 0.5).step(0.4, 0.2) * float(g.rng.integers(0, 2))
    colour = g.pick(["#8f3a30", "#3a5a85", "#476b48", "#a87c35", "#9a5a3c", "#6f7175", "#b56a70"])
    return _rubber(g, colour, rib * -0.0015 - dimple * (0.1 * pitch), 0.4)


def treaded_rubber(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.01, 0.035, 0.09)
    slant = (g.axis_z * 0.8).abs() + g.u
    block = triangle(slant / pitch).step(0.3, 0.36)
    row = triangle(g.v / (1.3 * pitch)).step(0.38, 0.43)
    groove = block.max(row)
    return _rubber(g, g.mix(groove * 0.7, "#252526", "#0a0a0a"), groove * (-0.3 * pitch), 0.3)


def studded_rubber(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.008, 0.03, 0.07)
    u, v = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    stud = ((u * u + v * v) ** 0.5).step(0.34, 0.26)
    colour = g.mix(stud * 0.35, g.pick(["#1b1b1c", "#3a3d40", "#24364a"]), "#5a5a5a")
    return _rubber(g, colour, stud * (0.2 * pitch), 0.2)


def eraser(g: ShaderGraph) -> Any:
    half = g.axis_x.above(g.between(-0.1, 0.1) * g.size)
    smear = g.noise(0.15 * g.size, 8, 0.75, g.vector(g.axis_x, g.axis_y * 3.0, g.axis_z * 3.0)).step(0.52, 0.68) * 0.55
    colour = g.mix(half, g.pick(["#d98a8a", "#e3e0d6"]), g.pick(["#5f7fa8", "#d98a8a", "#e3e0d6"]))
    return _rubber(g, g.mix(smear, colour, "#4b4b4e"), g.noise(0.02, 5) * 0.0012, 0.0)


def speckled_rubber(g: ShaderGraph) -> Any:
    away, leaf = g.cells(g.fitted(0.003, 0.008, 0.02))
    fleck = away.step(0.4, 0.3) * g.grey(leaf).above(0.72)
    return _rubber(g, g.mix(fleck, "#1d1d1e", g.pick(["#3f7fc4", "#c44a3a", "#c9c9c4"])), away * -0.0012, 0.1)


def _elastic(
    g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue, dusty: float = 0.2, soft: float = 0.0
) -> Any:
    dust = g.noise(0.25 * g.size, 7, 0.68).step(0.48, 0.8) * dusty
    more = {"Sheen Weight": 0.25, "Specular IOR Level": 0.35, "Subsurface Weight": soft, "Subsurface Scale": 0.02}
    return g.surface(g.mix(dust, colour, "#a19a8e"), dust * 0.3 + rough, height, 0.0, more)


def gum_rubber(g: ShaderGraph) -> Any:
    width = g.fitted(0.004, 0.04, 0.1)
    crepe = (g.noise(1.3 * width, 2, 0.5, warp=1.2) - 0.5).abs().step(0.0, 0.14)
    relief = (crepe if g.rng.random() < 0.35 else triangle(g.v / width).step(0.15, 0.35)) * 0.12
    base = g.tint(g.pick(["#d39a36", "#c8862c", "#dcae52", "#bb7a2a"]), 0.88 + relief)
    colour = g.mix(stains(g) * 0.25, base, "#6a4a26")
    return _elastic(g, colour, g.between(0.22, 0.36), relief * width, 0.05, 0.6)


def perished_rubber(g: ShaderGraph) -> Any:
    width = g.fitted(0.008, 0.08, 0.22)
    line, _ = g.cells(width, "DISTANCE_TO_EDGE", warped_coordinates(g, width, 0.5 * width))
    crack = line.step(0.045, 0.015) * g.noise(1.5 * width, 3).step(0.4, 0.5)
    colour = g.mix(stains(g) * 0.6, g.pick(["#1d1d1e", "#242223", "#2a2220"]), g.pick(["#4a4846", "#4d4640"]))
    return _elastic(g, g.mix(crack * 0.95, colour, "#030303"), g.between(0.38, 0.5), crack * (-0.08 * width), 0.25)


def honeycomb_mat(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.012, 0.05, 0.14)
    u, v = g.u / pitch, g.v / (1.732 * pitch)
    a, b, c, d = triangle(u), triangle(v) * 1.732, triangle(u + 0.5), triangle(v + 0.5) * 1.732
    radius = (a * a + b * b).min(c * c + d * d) ** 0.5
    hole, rim = radius.step(0.36, 0.33), (radius - 0.41).abs().step(0.07, 0.02)
    colour = g.pick(["#1d1d1e", "#26262a", "#1d1d1e", "#5a2f26", "#2f4a3a", "#2f3f58"])
    colour = g.mix(hole * 0.9, g.mix(rim * g.between(0.1, 0.4), colour, "#8a857c"), "#050505")
    return _elastic(g, colour, 0.6, rim * (0.1 * pitch) - hole * (0.3 * pitch), 0.4)


def silicone_rubber(g: ShaderGraph) -> Any:
    period = g.fitted(0.01, 0.06, 0.2)
    rib = (g.v * (6.2832 / period)).sin() * coin_flip(g, 0.5)
    base = g.pick(["#d8453c", "#e58f9a", "#7fbfb0", "#6f9fd0", "#3fa8a8", "#a8c86a", "#cfc8bf", "#9a86b8", "#55606a"])
    lint, leaf = g.cells(g.fitted(0.004, 0.02, 0.03))
    colour = g.mix(lint.step(0.12, 0.08) * g.grey(leaf).above(0.75) * 0.5, g.tint(base, 0.97 + rib * 0.03), "#e6e2da")
    height = rib * (0.025 * period) + g.noise(0.3 * g.size, 1) * 0.002
    return _elastic(g, colour, g.between(0.42, 0.58), height, 0.12, 0.45)


def boot_rubber(g: ShaderGraph) -> Any:
    """A rubber boot: glossy above a ribbed matt sole and a stripe, sometimes muddy."""
    tall, line, deep = g.up / g.size, g.between(0.15, 0.42), 0.015 * min(g.size, 0.3)
    sole, rib = tall.step(line + 0.01, line), triangle(g.u / g.fitted(0.006, 0.03, 0.08)).step(0.2, 0.3)
    trim = sole.max((tall - line - 0.14).abs().step(0.04, 0.035))
    colour = g.pick(["#2f4a32", "#c99a1a", "#a82a26", "#22304f", "#1d1d1f", "#4a5a3a", "#b04a6a"])
    colour = g.mix(trim, colour, g.tint(g.pick(["#1b1b1c", "#a07a4a", "#cfc6b0", "#a82a26"]), 0.6 + rib * 0.4))
    mud = (g.noise(0.25 * g.size, 8, 0.75) - tall * 0.2).step(0.46, 0.51) * coin_flip(g, 0.5)
    height = (g.noise(0.5 * g.size, 1, warp=0.5) - 0.5).abs() * (4 * deep) + trim * (sole * rib + 0.5) * deep
    rough = sole * 0.3 + mud * 0.4 + g.between(0.26, 0.36)
    return _elastic(g, g.mix(mud * 0.85, colour, "#6b5740"), rough, height + mud * 0.0006, 0.08)


def tyre_wall(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.02, 0.3, 0.75)
    lane = (g.v / pitch).fract()
    ridge = triangle(lane * 18.0).step(0.2, 0.35) * lane.step(0.4, 0.41)
    letters = text_lines(g, g.u, g.v, 0.28 * pitch, 0.9) * lane.step(0.43, 0.44) * lane.step(0.87, 0.86)
    band = (lane - 0.92).abs().step(0.04, 0.035) * coin_flip(g, 0.35)
    colour = g.mix(letters * g.between(0.1, 0.8), g.pick(["#1b1b1c", "#232323", "#2b2a29"]), "#c9c6be")
    colour = g.mix(band, colour, g.pick(["#d9d5ca", "#b08a58"]))
    return _elastic(g, colour, 0.55, (letters * 0.03 + ridge * 0.02 + band * 0.012) * pitch, g.between(0.2, 0.6))


BASIC = by_name(black_rubber, coloured_rubber, treaded_rubber, studded_rubber, eraser, speckled_rubber)
EXTRA = by_name(gum_rubber, perished_rubber, honeycomb_mat, silicone_rubber, boot_rubber, tyre_wall)
