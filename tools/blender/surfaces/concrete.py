"""Procedural concrete: cast, stained, cracked, blocks, painted."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import coin_flip, stains, warped_coordinates

GREYS = ("#8f8e8a", "#9c9a94", "#85878a", "#a39d92", "#b4b1a8")


def _concrete(g: ShaderGraph) -> tuple[Any, ShaderValue]:
    cloud, fine = g.noise(0.5 * g.size, 8, 0.62), g.noise(0.004, 4, 0.75)
    tone = cloud * 0.75 + fine * 0.3
    cool = g.pick(["#8f8e8a", "#9c9a94", "#85878a", "#a39d92"])
    colour = g.ramp(tone, [(0.28, "#5f5e5b"), (0.52, cool), (0.8, "#c4c1ba")])
    away, leaf = g.cells(g.fitted(0.012, 0.05, 0.1))
    pit = away.step(0.14, 0.1) * g.grey(leaf).above(0.45)
    return g.mix(pit * 0.75, colour, "#33322f"), fine * 0.0009 + g.noise(0.02, 5, 0.7) * 0.0015 - pit * 0.003


def rough_concrete(g: ShaderGraph) -> Any:
    colour, height = _concrete(g)
    return g.surface(colour, 0.92, height * 1.8)


def stained_concrete(g: ShaderGraph) -> Any:
    colour, height = _concrete(g)
    down = g.vector(g.axis_x * 3.0, g.axis_y * 3.0, g.up * 0.5)
    stain = g.noise(0.4 * g.size, 7, 0.65, down).step(0.5, 0.68)
    return g.surface(g.mix(stain * 0.75, colour, g.pick(["#3b372f", "#5b4630", "#454b3a"])), 0.85, height)


def formwork(g: ShaderGraph) -> Any:
    """Cast against boards: seams and wood grain remain visible."""
    colour, height = _concrete(g)
    width = g.fitted(0.05, 0.15, 0.2)
    seam = triangle(g.axis_y / width).step(0.46, 0.5)
    grain = g.streaks(0.1, 0.003)
    tone = 0.85 + g.chance((g.axis_y / width).floor()) * 0.3
    return g.surface(g.tint(g.mix(seam * 0.6, colour, "#4c4a46"), tone), 0.85, height + grain * 0.0012 - seam * 0.003)


def cracked_concrete(g: ShaderGraph) -> Any:
    colour, height = _concrete(g)
    warped = g.vector(*[a + (g.noise(0.2 * g.size, 5) - 0.5) * (0.5 * g.size) for a in (g.axis_x, g.axis_y, g.axis_z)])
    line, _ = g.cells(0.7 * g.size, "DISTANCE_TO_EDGE", warped)
    crack = line.step(0.012, 0.003)
    return g.surface(g.mix(crack * 0.9, colour, "#1c1b19"), 0.9, height - crack * 0.004)


def aggregate(g: ShaderGraph) -> Any:
    away, leaf = g.cells(g.fitted(0.008, 0.025, 0.06))
    stone = away.step(0.48, 0.42)
    tone = g.ramp(g.grey(leaf), [(0.1, "#4d4a46"), (0.4, "#8c7f6e"), (0.7, "#b6a892"), (0.95, "#d7d2c8")])
    paste = g.tint("#98958e", 0.7 + g.noise(0.004, 4, 0.7) * 0.5)
    return g.surface(g.mix(stone, paste, tone), 0.8, away.step(0.6, 0.1) * 0.004 + g.noise(0.004, 3) * 0.0006)


def _cement(g: ShaderGraph, colour: Any, holes: float = 0.5) -> tuple[Any, ShaderValue]:
    """Cloudy, sandy colour with a share of blow-holes, and its relief."""
    cloud, fine = g.noise(0.45 * g.size, 7, 0.62), g.noise(g.fitted(0.002, 0.008, 0.02), 4, 0.75)
    away, leaf = g.cells(g.fitted(0.008, 0.05, 0.09))
    pit = away.step(0.24, 0.15) * g.grey(leaf).above(1.0 - holes)
    tone = g.tint(colour, 0.4 + cloud * 0.8 + fine * 0.4)
    return g.mix(pit * 0.8, tone, "#2b2a27"), fine * 0.0015 + cloud * 0.001 - pit * 0.003


def polished_concrete(g: ShaderGraph) -> Any:
    colour, _ = _cement(g, g.pick([*GREYS, "#5f6063", "#7a7974"]), 0.0)
    swirl, side = g.noise(0.3 * g.size, 6, 0.6, warp=2.5), g.between(0.5, 0.9) * g.size
    line, _ = g.cells(0.8 * g.size, "DISTANCE_TO_EDGE", warped_coordinates(g, 0.2 * g.size, 0.6 * g.size))
    joint = triangle(g.u / side).max(triangle(g.v / side)).step(0.485, 0.492) * coin_flip(g, 0.5)
    crack = joint.max(line.step(0.012, 0.003) * coin_flip(g, 0.6))
    colour = g.mix(crack * 0.8, g.tint(colour, 0.6 + swirl * 0.8), "#33312e")
    return g.surface(colour, g.between(0.16, 0.36) + swirl * 0.15, crack * -0.002 + g.noise(0.3 * g.size, 2) * 0.001)


def pigmented_concrete(g: ShaderGraph) -> Any:
    colour, height = _cement(g, g.pick(["#8f5f52", "#a8986f", "#4a4a4c", "#6f7a68", "#a08a84", "#66727c"]), 0.8)
    return g.surface(g.mix(stains(g), colour, "#cfcbc3"), 0.92, height * 1.8)  # efflorescence


def concrete_blocks(g: ShaderGraph) -> Any:
    tall = g.fitted(0.05, 0.2, 0.32)
    row = (g.v / tall).floor()
    column = g.u / (2.0 * tall) + row * 0.5
    edge = ((0.5 - triangle(column)) * 2.0).min(0.5 - triangle(g.v / tall)) + (g.noise(0.1 * tall, 3) - 0.5) * 0.02
    mortar, crumb = edge.step(0.06, 0.045), g.cells(0.07 * tall, at=warped_coordinates(g, 0.05 * tall, 0.05 * tall))[0]
    hole = crumb.step(0.32, 0.15) * g.noise(0.1 * tall, 3).step(0.42, 0.55)
    colour, height = _cement(g, g.pick(GREYS), 0.0)
    colour = g.tint(g.mix(hole * 0.75, colour, "#3a3936"), 0.75 + g.chance(row, column.floor()) * 0.4)
    colour = g.mix(mortar * 0.8, colour, g.pick(["#c4c0b6", "#6f6c67"]))
    colour = g.mix(stains(g) * coin_flip(g, 0.35), colour, g.pick(["#4f5a35", "#3d3f37"]))
    return g.surface(colour, 0.95, height + (mortar * -0.04 - hole * 0.02) * tall)


def broomed_concrete(g: ShaderGraph) -> Any:
    pitch, turn = g.fitted(0.003, 0.015, 0.055), g.between(-0.3, 0.3)
    across = g.u + g.v * turn + (g.noise(0.5 * g.size, 2) - 0.5) * (3 * pitch)
    broom = g.noise(1.0, 3, 0.7, g.vector(across / pitch, (g.v - g.u * turn) * (0.03 / pitch), 0.0))
    colour, height = _cement(g, g.pick(GREYS), 0.15)
    wet = g.noise(0.5 * g.size, 5, 0.6).step(0.52, 0.56) * coin_flip(g, 0.35)
    colour = g.tint(colour, (0.2 + broom * 1.6) * (1.0 - wet * 0.5))
    return g.surface(colour, 0.92 - wet * 0.45, height + broom * (0.45 * pitch))


def panel_concrete(g: ShaderGraph) -> Any:
    """Cast against panels: joints and tie holes, some with stains below."""
    side = g.between(0.55, 1.1) * g.size
    a, b = triangle(g.u / side), triangle(g.v / (0.8 * side))
    joint, radius = a.max(b).step(0.483, 0.493), ((a - 0.3) * (a - 0.3) + (b - 0.27) * (b - 0.27)) ** 0.5
    tie, rim = radius.step(0.045, 0.038), radius.step(0.075, 0.045)
    below = (a - 0.3).abs().step(0.06, 0.0) * g.noise(0.15 * side, 4).step(0.45, 0.6) * coin_flip(g, 0.6)
    colour, height = _cement(g, g.pick(["#a9a8a4", "#b9b6ae", "#96989a", "#c2beb4"]), 0.3)
    colour = g.mix(below * 0.5, colour, g.pick(["#5d5a53", "#8a5f3c"]))
    colour = g.mix((joint * 0.65).max(tie * 0.85).max(rim * 0.2), colour, "#2f2e2b")
    return g.surface(colour, g.between(0.55, 0.8), height * 0.7 - (joint * 0.3 + tie) * 0.006)


def painted_concrete(g: ShaderGraph) -> Any:
    """Kerbs, garage floors and pillars: worn paint in stripes or in one colour."""
    colour, height = _cement(g, g.pick(GREYS), 0.7)
    stripe = ((g.u + g.v * g.between(-1, 1)) / (g.between(0.3, 0.7) * g.size)).fract().above(0.5)
    paint = g.pick(["#d9b21b", "#e8e4da", "#b5382c", "#4b6f8f", "#5f8a6a"])
    paint = g.mix(stripe * coin_flip(g, 0.5), paint, g.pick(["#26262a", "#e4e1d8", "#8a8d90"]))
    on = (g.noise(0.35 * g.size, 9, 0.8) + (g.noise(0.04 * g.size, 5, 0.7) - 0.5) * 0.3).step(0.54, 0.5)
    paint = g.tint(paint, 0.5 + g.noise(0.2 * g.size, 8, 0.75) * 0.85)
    return g.surface(g.mix(on * 0.9, colour, paint), 0.93 - on * 0.18, height * 1.8 + on * 0.0005)


BASIC = by_name(rough_concrete, stained_concrete, formwork, cracked_concrete, aggregate)
EXTRA = by_name(
    polished_concrete, pigmented_concrete, concrete_blocks, broomed_concrete, panel_concrete, painted_concrete
)
