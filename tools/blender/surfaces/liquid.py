"""Procedural liquids: water, milk, coffee, oil, paint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import BRIGHT, MATT, PAINTS, see_through


def _ripples(g: ShaderGraph) -> ShaderValue:
    wave = g.fitted(0.02, 0.3, 0.25)
    return g.noise(wave, 3, 0.45, warp=0.4) * (wave * g.between(0.03, 0.12))


def water(g: ShaderGraph) -> Any:
    return see_through(g, g.pick(["#f0f8fa", "#e2f2f5", "#d6ecef"]), 0.0, _ripples(g), 1.33, shadow=0.9)


def deep_water(g: ShaderGraph) -> Any:
    colour = g.tint(g.pick(["#123a44", "#1d4a4a", "#0f2f45", "#3a4a38"]), 0.7 + g.noise(0.6 * g.size, 3) * 0.6)
    height = _ripples(g) * 2.0 + g.noise(0.03, 3) * 0.002
    return g.surface(colour, 0.03, height, 0.0, {"IOR": 1.33, "Specular IOR Level": 0.8})


def _opaque(g: ShaderGraph, colour: Any, foam: ShaderValue, froth: str, rough: float = 0.06) -> Any:
    more = {"Subsurface Weight": 0.3, "Subsurface Scale": 0.01, "IOR": 1.34, "Coat Weight": 0.6, "Coat Roughness": 0.02}
    return g.surface(g.mix(foam, colour, froth), rough + foam * 0.35, _ripples(g) * 0.3 + foam * 0.0012, 0.0, more)


def _bubbles(g: ShaderGraph, amount: float) -> ShaderValue:
    away, leaf = g.cells(g.fitted(0.003, 0.008, 0.04))
    ring = away.step(0.42, 0.36) * (0.45 + away.step(0.2, 0.36) * 0.55)
    return ring * (g.noise(0.3 * g.size, 4, 0.6) + g.grey(leaf) * 0.1).step(1 - amount, 1.05 - amount)


def milk(g: ShaderGraph) -> Any:
    return _opaque(g, g.pick(["#f4f1e8", "#f3ecdc"]), _bubbles(g, 0.45) * 0.6, "#fbfaf6")


def coffee(g: ShaderGraph) -> Any:
    crema = g.noise(0.35 * g.size, 6, 0.6, warp=1.6).step(0.45, 0.7) * g.between(0, 1)
    dark = g.mix(crema, g.pick(["#1d0f08", "#2b160b", "#5c3a20"]), "#8a5a30")
    return _opaque(g, dark, _bubbles(g, 0.5) * 0.8, "#b98a56")


def juice(g: ShaderGraph) -> Any:
    pulp = 0.85 + g.noise(0.006, 4, 0.7) * 0.3
    colour = g.tint(g.pick(["#e8921a", "#d23a26", "#e0b81e", "#8a1c3c", "#6fae2c"]), pulp)
    return _opaque(g, colour, _bubbles(g, 0.48), "#f3dca8")


def tea(g: ShaderGraph) -> Any:
    colour = g.pick(["#c4702a", "#a8521c", "#d99a3c"])
    return see_through(g, colour, 0.0, _ripples(g), 1.33, clear=0.9, shadow=0.8)


def _pool(g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue, more: Mapping[str, Any] = MATT) -> Any:
    wave = g.fitted(0.02, 0.3, 0.3)
    flat = g.noise(wave, 2, 0.4, warp=0.4) * (wave * g.between(0.005, 0.03))
    return g.surface(colour, rough, flat + height, 0, {"IOR": 1.36, "Coat Weight": 0.7, "Coat Roughness": 0.01, **more})


def red_wine(g: ShaderGraph) -> Any:
    away, _ = g.cells(g.fitted(0.002, 0.009, 0.05))
    foam = (away - 0.38).abs().step(0.12, 0.0) * g.noise(0.3 * g.size, 3, 0.6).step(g.between(0.5, 0.7), 0.72) * 0.6
    dark = g.tint(g.pick(["#4a0714", "#5c0a1e", "#38061a", "#6b1024"]), 0.8 + g.noise(0.5 * g.size, 2) * 0.4)
    return _pool(g, g.mix(foam, dark, "#c46a86"), 0.03 + foam * 0.3, foam * 0.0008)


def cooking_oil(g: ShaderGraph) -> Any:
    away, leaf = g.cells(g.fitted(0.006, 0.03, 0.14))
    bubble = (away - 0.2).abs().step(0.05, 0.0) * g.grey(leaf).above(0.7)
    colour = g.pick(["#f2d040", "#ecc830", "#e8d850", "#f5e080", "#ccc848"])
    return g.clear_shadow(_pool(g, colour, 0.01, bubble * 0.0015, {"Transmission Weight": 0.6}), colour, 0.7)


def vegetable_soup(g: ShaderGraph) -> Any:
    lump, herb = g.noise(0.05 * g.size, 5, 0.7), g.noise(0.03 * g.size, 2, 0.6).step(0.64, 0.67)
    swirl = (g.noise(0.9 * g.size, 1, 0.4, warp=1.5) - 0.5).abs().step(0.035, 0.01) * (g.rng.random() < 0.5)
    eye = g.cells(g.fitted(0.006, 0.05, 0.22))[0].step(0.2, 0.17)
    base = g.tint(g.pick(["#7f9a3a", "#5f8a34", "#d98a2a", "#c4501f", "#a8a04a", "#c9a24a"]), 0.7 + lump * 0.6)
    colour = g.mix(swirl * 0.85, g.mix(eye * 0.4, base, "#e0a02a"), "#f0e8d4")
    relief = (lump + herb * 0.3) * (1.0 - eye * 0.8) * (0.03 * min(g.size, 0.3))
    return _pool(g, g.mix(herb * 0.85, colour, g.pick(["#2f4f1c", "#26391a", "#2a221a"])), 0.2 - eye * 0.15, relief)


def liquid_paint(g: ShaderGraph) -> Any:
    stir = g.noise(0.9 * g.size, 2, 0.4, warp=1.8)
    thread = triangle(stir * g.between(3, 7)).step(0.3, 0.45) * (g.rng.random() < 0.65)
    first, second = g.pick([*BRIGHT, *PAINTS, "#efeeea"]), g.pick([*BRIGHT, "#efeeea"])
    colour = g.mix(thread * 0.9, g.tint(first, 0.9 + stir * 0.2), second)
    return _pool(g, colour, 0.08, (stir * 40.0).sin() * (0.003 * min(g.size, 0.3)), {"IOR": 1.5, "Coat Weight": 1.0})


BASIC = by_name(water, milk, coffee, juice, tea)
EXTRA = by_name(red_wine, cooking_oil, vegetable_soup, liquid_paint)
