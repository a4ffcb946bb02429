"""Procedural fabric: weaves, knits, prints, pile."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import DYES, text_lines


def _cloth(g: ShaderGraph, colour: Any, height: ShaderValue, sheen: float = 0.35) -> Any:
    fold = g.noise(0.5 * g.size, 3, 0.5, warp=0.4) * (0.03 * min(g.size, 0.6))
    more = {"Sheen Weight": sheen, "Sheen Roughness": 0.4, "Specular IOR Level": 0.1}
    return g.surface(colour, 0.95, height + fold, 0.0, more)


def _weave(g: ShaderGraph, pitch: float) -> tuple[ShaderValue, ShaderValue]:
    """Height (0 to 1) of a plain weave, and 1 where the warp lies on top."""
    u = g.u / pitch + (g.noise(8 * pitch, 2) - 0.5) * 0.8
    v = g.v / pitch + (g.noise(9 * pitch, 2) - 0.5) * 0.8
    warp = ((u.floor() + v.floor()) * 0.5).fract().above(0.25)
    over, under = (u * 3.14159).sin().abs(), (v * 3.14159).sin().abs()
    return (warp * over + (1.0 - warp) * under) ** 0.6, warp


def canvas(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.0012, 0.005, 0.02)
    height, warp = _weave(g, pitch)
    base = g.pick([*DYES, "#b59a6c", "#c7b08a"])
    tone = 0.5 + height * 0.45 + warp * 0.12 + (g.noise(0.06 * g.size, 4) - 0.5) * 0.3
    return _cloth(g, g.tint(base, tone), height * (0.35 * pitch))


def knit(g: ShaderGraph) -> Any:
    """Columns of V-shaped stitches."""
    wide = g.fitted(0.004, 0.014, 0.04)
    u, v = g.u / wide, g.v / (0.75 * wide)
    across = triangle(u)
    stitch = (v + across * 1.4 + (g.noise(0.5 * wide, 2) - 0.5) * 0.25).fract()
    yarn = ((stitch - 0.5).abs().step(0.5, 0.1)) * across.step(0.5, 0.36) * across.step(0.0, 0.1)
    stripe = ((g.v / (14 * wide)).fract()).above(0.5) * float(g.rng.random() < 0.35)
    base = g.mix(stripe, g.pick(DYES), g.pick(DYES))
    fuzz = g.noise(0.0012, 3, 0.8)
    return _cloth(g, g.tint(base, 0.3 + yarn * 0.65 + fuzz * 0.2), yarn * (0.3 * wide) + fuzz * 0.0004, 0.6)


def denim(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.001, 0.003, 0.012)
    twill = triangle((g.u + g.v) / pitch)
    white = (twill + (g.noise(2 * pitch, 2) - 0.5) * 0.5).step(0.36, 0.44)
    fade = g.noise(0.4 * g.size, 5, 0.6).step(0.42, 0.75)
    seam = (g.axis_y.abs() - 0.012).abs().step(0.0016, 0.001) * triangle(g.axis_x / 0.006).step(0.35, 0.3)
    blue = g.mix(fade * 0.6, g.pick(["#1d2c4d", "#263a5e", "#1a2236"]), "#5f7a9c")
    colour = g.mix(seam, g.mix(white * 0.3, blue, "#b9c4cf"), "#c98a3a")
    return _cloth(g, colour, twill * (0.2 * pitch) + seam * 0.001 - g.axis_y.abs().step(0.003, 0.0) * 0.002)


def striped(g: ShaderGraph) -> Any:
    height, _ = _weave(g, g.fitted(0.001, 0.003, 0.012))
    period = g.fitted(0.01, 0.08, 0.16)
    t = (g.u / period).fract()
    colour = g.mix(t.above(0.5), g.pick(DYES), g.pick(["#ece6d8", "#f0ece2", *DYES]))
    colour = g.mix((t - 0.25).abs().step(0.05, 0.045), colour, g.pick(DYES))
    return _cloth(g, g.tint(colour, 0.72 + height * 0.35), height * 0.0006)


def dotted(g: ShaderGraph) -> Any:
    height, _ = _weave(g, g.fitted(0.001, 0.003, 0.012))
    pitch = g.fitted(0.015, 0.09, 0.16)
    row = (g.v / pitch).floor()
    u, v = (g.u / pitch + row * 0.5).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dot = ((u * u + v * v) ** 0.5 + (g.noise(0.01, 2) - 0.5) * 0.04).step(0.27, 0.25)
    colour = g.mix(dot, g.pick(DYES), g.pick(["#ece6d8", *DYES]))
    return _cloth(g, g.tint(colour, 0.72 + height * 0.35), height * 0.0006)


def plaid(g: ShaderGraph) -> Any:
    height, warp = _weave(g, g.fitted(0.001, 0.003, 0.012))
    period = g.fitted(0.03, 0.12, 0.25)
    a, b = (g.u / period).fract(), (g.v / period).fract()
    wide = a.above(0.5) * 0.5 + b.above(0.5) * 0.5
    thin = (a - 0.25).abs().step(0.03, 0.025).max((b - 0.25).abs().step(0.03, 0.025))
    colour = g.mix(thin * 0.8, g.mix(wide, g.pick(DYES), g.pick(DYES)), g.pick(["#ece6d8", "#d9a832"]))
    return _cloth(g, g.tint(colour, 0.65 + height * 0.3 + warp * 0.1), height * 0.0006)


def towel(g: ShaderGraph) -> Any:
    away, _ = g.cells(g.fitted(0.002, 0.005, 0.015))
    band = triangle(g.v / g.fitted(0.1, 0.5, 0.8)).step(0.44, 0.45)
    pile = g.noise(0.003, 4, 0.8)
    tone = 0.45 + (1.0 - away) * 0.4 * (1.0 - band) + band * 0.35 + pile * 0.25
    return _cloth(g, g.tint(g.pick(DYES), tone), (1.0 - away) * (1.0 - band) * 0.0028 + pile * 0.001, 0.8)


def velvet(g: ShaderGraph) -> Any:
    pile = g.noise(0.15 * g.size, 5, 0.6, warp=0.8)
    colour = g.tint(g.pick(["#6d1f2c", "#1f3a5c", "#24503a", "#4a2a5c", "#8a6a2a", "#3a3a40"]), 0.55 + pile * 0.7)
    return _cloth(g, colour, g.noise(0.0015, 2) * 0.0003, 1.0)


def quilted(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.03, 0.12, 0.2)
    a, b = ((g.u + g.v) / pitch).fract() - 0.5, ((g.u - g.v) / pitch).fract() - 0.5
    seam = a.abs().max(b.abs())
    puff = (1.0 - seam * 2.0).max(0.0) ** 0.45
    height, _ = _weave(g, g.fitted(0.001, 0.002, 0.008))
    stitch = seam.step(0.488, 0.492)
    colour = g.tint(g.pick(DYES), 0.8 + height * 0.2)
    return _cloth(g, g.mix(stitch * 0.5, colour, "#2a2622"), puff * (0.14 * pitch) + height * 0.0003)


def felt(g: ShaderGraph) -> Any:
    fibre = g.noise(0.004, 6, 0.8, warp=2.5)
    return _cloth(g, g.tint(g.pick([*DYES, "#8f8f90", "#c9d94a"]), 0.55 + fibre * 0.9), fibre * 0.0015, 0.7)


def _drape(g: ShaderGraph, colour: Any, height: ShaderValue, sheen: float = 0.35) -> Any:
    fold = g.noise(0.5 * g.size, 3, 0.5, warp=0.4) * (0.035 * min(g.size, 0.6))
    return g.surface(colour, 0.95, height + fold, 0, {"Sheen Weight": sheen, "Specular IOR Level": 0.1})


def floral_print(g: ShaderGraph) -> Any:
    p, wave, thread = g.fitted(0.012, 0.12, 0.22), g.noise(0.02 + 0.04 * g.size, 2) * 0.2 - 0.1, g.noise(0.002, 2, 0.8)
    row = (g.v / p).floor()
    x = g.u / p + row * 0.5
    u = (x.fract() - 0.65 + g.chance(x.floor(), row) * 0.3 + wave).abs()
    v = ((g.v / p).fract() - 0.65 + g.chance(row, x.floor()) * 0.3).abs()
    petal = ((u - 0.15) * (u - 0.15) + v * v).min(u * u + (v - 0.15) * (v - 0.15)).step(0.022, 0.02)
    leaf = ((u - 0.25) * (u - 0.25) + (v - 0.25) * (v - 0.25) + (u - v) * (u - v) * 2.0).step(0.017, 0.012)
    ground = g.pick(["#efe8d8", "#26304a", "#2c2a2c", "#dcc9c4", "#a9c4bf", "#7a2330", "#e2d9a8"])
    colour = g.mix(leaf, ground, g.pick(["#4f7a44", "#2f5c4a", "#8a9a4a"]))
    colour = g.mix(petal, colour, g.pick(["#c4384a", "#e28a9a", "#e8e0d8", "#d98a2a", "#5a6ab0"]))
    colour = g.mix((u * u + v * v).step(0.008, 0.006), colour, g.pick(["#e8c23a", "#5a2c1a"]))
    return _drape(g, g.tint(colour, 0.75 + thread * 0.4), thread * 0.0005)


def corduroy(g: ShaderGraph) -> Any:
    p, pile, rub = g.fitted(0.003, 0.014, 0.055), g.noise(0.0025, 3, 0.8), g.noise(0.3 * g.size, 6, 0.65)
    wale = 1.0 - triangle(g.u / p + g.noise(0.1 * g.size, 2) * 0.5) ** 2 * 4.0
    base = g.pick(["#8a5a2c", "#4a5a3a", "#2c3a5c", "#6b2430", "#c49a58", "#3a302a", "#b5632e", "#c9bda4", "#4f7a7a"])
    tone = 0.22 + wale * 0.6 + pile * 0.25 + rub.step(0.45, 0.75) * wale * 0.25
    return _drape(g, g.tint(base, tone), wale * (0.5 * p) + pile * 0.0006, 0.6)


def satin(g: ShaderGraph) -> Any:
    way = g.map(g.point, rotation=(0, 0, g.between(0, 3)), scale=(0.28, 1, 1))
    fold = g.noise(0.35 * g.size, 1, 0.4, way, 0.6)
    base = g.pick(["#b02a4a", "#e2d3b5", "#2f5a9a", "#d9a8b0", "#3a7a5c", "#5a2f7a", "#b87a5a", "#9ab0c4", "#3a2a4a"])
    more = {"Sheen Weight": 0.9, "Sheen Roughness": 0.25, "Anisotropic": 0.6, "Specular Tint": g.pick(["#e8d8d8"])}
    height = fold * (0.13 * min(g.size, 0.7))
    return g.surface(g.tint(base, 0.8 + fold * 0.35), g.between(0.36, 0.46), height, 0.08, more)


def burlap(g: ShaderGraph) -> Any:
    p = g.fitted(0.0028, 0.012, 0.05)
    u, v = g.u / p + g.noise(6 * p, 3) * 1.6, g.v / p + g.noise(7 * p, 3) * 1.6
    a, b, warp = triangle(u), triangle(v), triangle((u.floor() + v.floor()) * 0.5 + 0.5).above(0.25)
    thick, hole = 1.0 - (warp * a + (1.0 - warp) * b) * 1.7, a.min(b).step(0.3, 0.42)
    tone = (0.8 + thick * 0.5 - g.chance((u * warp + v * (1.0 - warp)).floor()) * 0.4) * (1.0 - hole * 0.8)
    ink = text_lines(g, g.u, g.v, g.fitted(0.03, 0.2, 0.5), 0.5) * (g.rng.random() < 0.3) * 0.7
    colour = g.mix(ink, g.pick(["#bf9f70", "#b08d5c", "#ccb48a", "#a0825a"]), g.pick(["#26221f", "#2f4a7a", "#8a2a24"]))
    return _drape(g, g.tint(colour, tone), thick * (0.4 * p) - hole * (0.3 * p), 0.2)


def herringbone(g: ShaderGraph) -> Any:
    p = g.fitted(0.004, 0.02, 0.065)
    slub, nep = g.noise(0.25 * p, 3, 0.8, warp=0.5), g.noise(0.8 * p, 2, 0.9).step(0.68, 0.74)
    twill = triangle(g.v / p + triangle(g.u / (5 * p)) * 5.0 + g.noise(0.5 * p, 2) * 0.35)
    light = g.mix(nep * 0.6, g.pick(["#c9bda4", "#a89a86", "#b5b5b0"]), g.pick(["#a8482a", "#3f5f8a", "#c9a23a"]))
    colour = g.mix(twill.step(0.2, 0.3), g.pick(["#3a342e", "#2c3038", "#4a3a2c", "#34402f"]), light)
    return _drape(g, g.tint(colour, 0.55 + slub * 0.8), twill * (0.15 * p) + slub * 0.0012, 0.5)


def tie_dye(g: ShaderGraph) -> Any:
    at, rib = g.vector(g.u, g.v), g.noise(0.0025, 3, 0.8)
    away, bleed = g.cells(g.fitted(0.025, 0.5, 0.6), at=at, irregular=0.8)[0], g.noise(0.08 * g.size, 5, 0.65, at, 1.0)
    pale, first = g.pick(["#ece8de", "#e8e4d4"]), g.pick([*DYES[:4], "#27408f", "#8a2f7a"])
    second = g.pick(["#e0b82a", "#d94f7a", "#2fa0a8", "#26304a", "#d9662a"])
    ring = (away * g.between(2.0, 3.5) + bleed * 1.1).fract()
    colour = g.ramp(ring, [(0.0, pale), (0.22, first), (0.5, pale), (0.75, second), (1.0, pale)])
    return _drape(g, g.tint(colour, 0.75 + rib * 0.4), rib * 0.0006 + bleed * (0.01 * min(g.size, 0.4)))


def boucle(g: ShaderGraph) -> Any:
    p, fuzz = g.fitted(0.003, 0.016, 0.06), g.noise(0.0025, 5, 0.85)
    away, leaf = g.cells(p, "SMOOTH_F1")
    tuft, curl = (1.0 - away * 1.2).max(0.0), triangle(away * 2.0 + g.noise(0.7 * p, 2) * 2.0)
    base = g.pick(["#e8e0d0", "#d9cdb8", "#a8a29a", "#b5633a", "#5a6a5c", "#d9a8a0", "#4a4a52", "#c9a24a"])
    tone = 0.25 + tuft * 0.35 + curl * 0.25 + fuzz * 0.5 + g.grey(leaf) * 0.12
    return _drape(g, g.tint(base, tone), tuft * (0.55 * p) + curl * (0.1 * p) + fuzz * 0.0025, 0.9)


BASIC = by_name(canvas, knit, denim, striped, dotted, plaid, towel, velvet, quilted, felt)
EXTRA = by_name(floral_print, corduroy, satin, burlap, herringbone, tie_dye, boucle)
