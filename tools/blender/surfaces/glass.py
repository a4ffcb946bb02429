"""Procedural glass: clear, tinted, frosted, cut, leaded."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import Colour, ShaderGraph, ShaderValue, Surface, by_name, triangle
from tools.blender.surfaces.patterns import patches, rosette, see_through, voronoi_edges

HUES = ("#d42f2f", "#e8b02a", "#2f62d0", "#2fa060", "#eef0e8", "#e87a2a", "#8a48c0", "#5fc0d0", "#f0d8a0", "#18283a")


def _glass(
    g: ShaderGraph, colour: Colour, rough: Any = 0.0, height: ShaderValue | None = None, clear: Any = 1.0
) -> Any:
    """clear: transmitted share of the light."""
    return see_through(g, colour, rough, height, 1.5, clear)


def clear_glass(g: ShaderGraph) -> Any:
    return _glass(g, g.pick(["#f4faf7", "#eef7f4", "#f8fafa"]), 0.0, g.noise(0.5 * g.size, 1) * (0.01 * g.size))


def _bottle_glass(g: ShaderGraph, *hues: str) -> Any:
    return _glass(g, g.pick(hues), 0.0, g.noise(0.04, 2) * 0.0004)


BOTTLE_GLASS: dict[str, Surface] = {
    "green_glass": lambda g: _bottle_glass(g, "#8fcf9b", "#a8dcb2", "#6cb985"),
    "amber_glass": lambda g: _bottle_glass(g, "#e0a050", "#e8b878", "#cf8440"),
    "blue_glass": lambda g: _bottle_glass(g, "#7fa0e6", "#a5d3ee", "#b596dc", "#e58aa0"),
}


def frosted_glass(g: ShaderGraph) -> Any:
    return _glass(g, g.pick(["#eaf3f1", "#d7ebe6", "#e6e9f2"]), g.between(0.25, 0.45), g.noise(0.0015, 2) * 0.0001)


def ribbed_glass(g: ShaderGraph) -> Any:
    period = g.fitted(0.006, 0.03, 0.07)
    return _glass(g, g.pick(["#eef7f4", "#dcefe6", "#f1e6d2"]), 0.0, (g.u * (6.2832 / period)).sin() * (0.12 * period))


def bubbly_glass(g: ShaderGraph) -> Any:
    away, _ = g.cells(g.fitted(0.008, 0.03, 0.06))
    return _glass(g, g.pick(["#cfe9df", "#c4dfe8"]), 0.0, away.step(0.25, 0.1) * 0.0015 + g.noise(0.03, 2) * 0.001)


def cut_crystal(g: ShaderGraph) -> Any:
    pitch, slant = g.fitted(0.008, 0.06, 0.18), g.between(0.6, 1.1)
    p, q = triangle((g.u + g.v * slant) / pitch), triangle((g.u - g.v * slant) / pitch)
    cut = 1.0 - (g.v / (5 * pitch)).fract().step(0.74, 0.78) * float(g.rng.random() < 0.6)
    groove = p.max(q).step(0.34, 0.44) * cut  # a coloured skin is cut through to clear glass
    skin = g.pick(["#f4f8f8", "#f4f8f8", "#c82a3c", "#2a4fc0", "#2f9a60", "#e0a03c", "#8a4ab0"])
    return _glass(g, g.mix(groove, skin, "#f6fafa"), 0.0, (p + q) * (-0.22 * pitch) * cut)


def deep_glass(g: ShaderGraph) -> Any:
    colour = g.pick(["#3454d0", "#c8283a", "#3f8f54", "#85858c", "#9a683a", "#7644b4", "#2294a2", "#66803c"])
    dent, _ = g.cells(g.fitted(0.008, 0.05, 0.16), "SMOOTH_F1")
    height = dent * 0.05 if g.rng.random() < 0.45 else g.noise(0.5 * g.size, 1) * 0.02  # pebbled or smooth
    dust = patches(g, 0.5, 0.8) * (0.5 * float(g.rng.random() < 0.4))
    return _glass(g, g.mix(dust, colour, "#b0a898"), dust * 0.7, height * min(g.size, 0.5), 1.0 - dust * 0.7)


def leaded_glass(g: ShaderGraph) -> Any:
    wide = g.fitted(0.012, 0.1, 0.26)
    edge, leaf = voronoi_edges(g, wide)
    p, q, slanted = (g.u + g.v) / wide, (g.u - g.v) / wide, g.rng.random() < 0.4
    lead = triangle(p).max(triangle(q)).step(0.44, 0.46) if slanted else edge.step(0.07, 0.045)
    own = g.chance(p.floor(), q.floor()) if slanted else g.grey(leaf)
    pane = g.ramp((own * 5.0).floor() * 0.25, [(0.25 * k, g.pick(HUES)) for k in range(5)])
    colour = g.mix(lead, g.tint(pane, 0.8 + g.noise(0.4 * wide, 3) * 0.4), "#2a2b2d")
    return _glass(g, colour, lead * 0.45, (g.noise(0.25 * wide, 2) * 0.03 + lead * 0.05) * wide, 1.0 - lead)


def etched_glass(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.012, 0.15, 0.38)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    radius, drawn = rosette(a, b, int(g.rng.integers(4, 9)), 0.22)
    star = drawn.step(0.2, 0.18).max(radius.step(0.46, 0.47))
    matt = (star, b.abs().step(0.25, 0.24), (a + b).abs().step(0.22, 0.2))[int(g.rng.integers(3))]
    colour = g.mix(matt * 0.6, g.pick(["#f2f8f6", "#f2f8f6", "#cfe8d8", "#cfe0f0", "#f0dcc0"]), "#ffffff")
    return _glass(g, colour, matt * g.between(0.4, 0.6), g.noise(0.4 * g.size, 1) * (0.01 * g.size), 1.0 - matt * 0.35)


def swirled_glass(g: ShaderGraph) -> Any:
    fold = g.noise(0.8 * g.size, 3, 0.5, warp=g.between(0.3, 1.4))
    thread = triangle((g.u + g.v * g.between(-1.5, 1.5)) * (g.between(0.5, 2.0) / g.size) + fold * g.between(2, 5))
    one, other = thread.step(0.16, 0.12), thread.step(0.4, 0.46)
    base = g.mix(one, g.pick(["#eef6f4", "#eef6f4", "#9fd0e8", "#f0c890", "#d8b0d8"]), g.pick(HUES))
    return _glass(g, g.mix(other, base, g.pick(HUES)), 0.02, fold * (0.03 * g.size), 1.0 - one.max(other) * 0.4)


BASIC = {**by_name(clear_glass), **BOTTLE_GLASS, **by_name(frosted_glass, ribbed_glass, bubbly_glass)}
EXTRA = by_name(cut_crystal, deep_glass, leaded_glass, etched_glass, swirled_glass)
