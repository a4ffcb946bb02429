"""Procedural metal: polished, brushed, rusted, painted, patterned."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import GOLD, PAINTS, SILVER, patches, rosette

STEEL, ALUMINIUM, IRON = (0.56, 0.57, 0.58), (0.88, 0.89, 0.90), (0.30, 0.29, 0.28)
COPPER, BRASS = (0.93, 0.55, 0.42), (0.86, 0.68, 0.30)


def _metal(g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue | None = None, brushed: float = 0.0) -> Any:
    return g.surface(colour, rough, height, 1.0, {"Anisotropic": brushed})


def steel(g: ShaderGraph) -> Any:
    smudge = g.noise(0.25 * g.size, 5, 0.65)
    return _metal(g, g.pick(["#c6c8ca", "#b8babd"]), 0.05 + smudge.step(0.3, 0.8) * g.between(0.1, 0.3))


def brushed(g: ShaderGraph) -> Any:
    line = g.streaks(0.15, 0.0009, 3)
    base = g.tint(g.pick(["#bfc1c3", "#a9abad", "#cfcdc8"]), 0.75 + line * 0.5)
    return _metal(g, base, 0.22 + line * 0.25, line * 0.00012, 0.6)


def aluminium(g: ShaderGraph) -> Any:
    colour = g.tint(ALUMINIUM, 0.85 + g.noise(0.004, 3) * 0.2)
    return _metal(g, colour, g.between(0.3, 0.48), g.noise(0.0012, 2) * 0.00006)


def brass(g: ShaderGraph) -> Any:
    old = g.noise(0.3 * g.size, 6, 0.65).step(0.45, 0.75)
    return _metal(g, g.mix(old * g.between(0.2, 0.8), BRASS, "#6a4a1c"), 0.12 + old * 0.35, g.noise(0.02, 3) * 0.0002)


def copper(g: ShaderGraph) -> Any:
    old = g.noise(0.35 * g.size, 7, 0.65).step(0.5, 0.72)
    green = g.mix(old, COPPER, g.pick(["#5a2f20", "#4f9a83", "#6e3a26"]))
    return g.surface(green, 0.14 + old * 0.45, g.noise(0.02, 3) * 0.0002, 1.0 - old * 0.6)


def rusted(g: ShaderGraph) -> Any:
    fine, wide = g.noise(0.02, 8, 0.7), g.noise(0.35 * g.size, 7, 0.65)
    rust = (wide + (fine - 0.5) * 0.5).step(g.between(0.3, 0.5), 0.56)
    red = g.ramp(fine * 0.7 + wide * 0.3, [(0.25, "#2c130b"), (0.45, "#6b2c12"), (0.6, "#a4501c"), (0.75, "#c77a35")])
    return g.surface(g.mix(rust, IRON, red), 0.35 + rust * 0.5, fine * rust * 0.0025, 1.0 - rust)


def painted_metal(g: ShaderGraph) -> Any:
    fine = g.noise(0.3 * g.size, 8, 0.7)
    edge = ShaderValue(g, g.node("NewGeometry").outputs["Pointiness"]).step(0.52, 0.6)
    chip = (fine + edge * 0.2).step(0.63, 0.645)
    rim = (fine + edge * 0.2).step(0.6, 0.64) - chip
    bare = g.mix(g.noise(0.01, 4).step(0.45, 0.55), STEEL, "#7a3a1a")
    colour = g.mix(chip, g.mix(rim * 0.7, g.pick(PAINTS), "#5a2a14"), bare)
    return g.surface(colour, 0.25 + chip * 0.2, chip * -0.0006 + g.noise(0.03, 2) * 0.0003, chip,
                     {"Coat Weight": (1.0 - chip) * 0.6, "Coat Roughness": 0.1})  # fmt: skip


def hammered(g: ShaderGraph) -> Any:
    dent, _ = g.cells(g.fitted(0.007, 0.03, 0.07), "SMOOTH_F1")
    base = [COPPER, STEEL, BRASS, (0.75, 0.75, 0.76)][int(g.rng.integers(4))]
    return _metal(g, base, 0.16 + g.noise(0.05, 4) * 0.15, dent * dent * (0.006 + 0.02 * min(g.size, 0.3)))


def cast_iron(g: ShaderGraph) -> Any:
    grain, rust = g.noise(0.004, 4, 0.75), g.noise(0.25 * g.size, 8, 0.7).step(0.58, 0.7)
    colour = g.mix(rust * 0.7, g.tint((0.05, 0.048, 0.047), 0.5 + grain), "#5a2f1a")
    return g.surface(colour, 0.42 + grain * 0.2 + rust * 0.3, grain * 0.0016, 0.8 - rust * 0.7)


def printed_can(g: ShaderGraph) -> Any:
    band = (g.up / g.size).step(0.16, 0.165) * (g.up / g.size).step(0.86, 0.855) * (1.0 - g.facing(2).step(0.6, 0.7))
    blob = g.noise(0.4 * g.size, 1, at=g.vector(g.u * 2.0, g.v * 1.0)).step(0.5, 0.51)
    stripe = ((g.up / g.size) - 0.5).abs().step(0.1, 0.098)
    print_ = g.mix(stripe, g.mix(blob, g.pick(PAINTS), g.pick(PAINTS)), g.pick(["#f2eee2", "#e8c54a", "#1d1d1f"]))
    return g.surface(g.mix(band, ALUMINIUM, print_), 0.22, None, 1.0 - band * 0.55, {"Anisotropic": 0.4})


def galvanised(g: ShaderGraph) -> Any:
    _, leaf = g.cells(g.fitted(0.008, 0.03, 0.06), at=g.map(g.point, scale=(1, 1.6, 1)))
    tone = g.grey(leaf)
    return _metal(g, g.tint((0.62, 0.65, 0.68), 0.6 + tone * 0.75), 0.3 + tone * 0.25)


def bronze_statue(g: ShaderGraph) -> Any:
    form, fine = g.noise(g.fitted(0.01, 0.25, 0.45), 2, 0.35, warp=0.5), g.noise(0.05 * g.size, 5, 0.7)
    high, low = form.step(0.48, 0.68) * g.between(0.3, 1.0), (form + (fine - 0.5) * 0.4).step(0.45, 0.3)
    base = g.mix(high, g.pick(["#6a4526", "#5a3a1e", "#7a5430"]), g.pick(["#d09a50", "#c08840"]))
    colour = g.mix(low * g.between(0.3, 1.0), base, g.pick(["#5fa08a", "#4f8f80", "#7ab09c", "#1c1712"]))
    return g.surface(colour, 0.3 - high * 0.1 + low * 0.4, form * (0.16 * min(g.size, 0.5)), 1.0 - low * 0.8)


def tread_plate(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.01, 0.07, 0.22)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    lean = (((g.u / pitch).floor() + (g.v / pitch).floor()) * 0.5).fract() * 4.0 - 1.0  # alternating directions
    bar = ((a + b * lean).abs() * 1.4 + (a - b * lean).abs() * 3.0).step(1.0, 0.65)
    dirt = patches(g, 0.4, 0.7) * (1.0 - bar) * g.between(0.2, 0.9)
    base, grit = g.pick(["#c4c5c6", "#e8e9ea", "#d6d4d0"]), g.pick(["#4a4038", "#6b4128", "#3a3a3c"])
    colour = g.mix(dirt, g.tint(base, 0.5 + bar * 0.5), grit)
    return g.surface(colour, 0.34 - bar * 0.14 + dirt * 0.3, bar * (0.06 * pitch), 1.0 - dirt * 0.6)


def anodised(g: ShaderGraph) -> Any:
    dye = g.pick(["#c01f2c", "#1d55c4", "#1f8f5a", "#d98a14", "#7a2fa8", "#d04a8a", "#2f8fb0", "#26282c"])
    line, edge = g.streaks(0.3 * g.size, 0.01 * g.size, 2), g.node("NewGeometry").outputs["Pointiness"]
    groove = triangle(g.v / g.fitted(0.003, 0.04, 0.1)).step(0.34, 0.42) * float(g.rng.random() < 0.4)
    bare = ShaderValue(g, edge).step(0.54, 0.62).max(line.step(0.68, 0.7) * g.between(0, 0.5)).max(groove * 0.5)
    colour = g.mix(bare, g.tint(dye, 0.85 + line * 0.3), ALUMINIUM)  # machined bright
    return g.surface(colour, g.between(0.15, 0.34) + (line - 0.5) * 0.1, groove * (-0.01 * g.size), 1.0)


def scratched_steel(g: ShaderGraph) -> Any:
    score = g.streaks(0.7 * g.size, 0.05 * g.size, 2).step(0.68, 0.7)
    for _ in range(4):
        at = g.map(g.point, rotation=(g.between(0, 3), g.between(0, 3), g.between(0, 3)), scale=(0.03, 1.0, 1.0))
        score = score.max(g.noise(g.between(0.03, 0.06) * g.size, 1, 0.6, at).step(0.67, 0.69))
    oil, tone = patches(g, 0.5, 0.62, 0.4) * g.between(0.2, 0.8), 0.6 + g.noise(0.15 * g.size, 6, 0.7) * 0.6
    colour = g.mix(score * 0.8, g.tint(g.pick(["#8f9194", "#7b7d80", "#9a958c"]), tone), "#f2f3f4")
    colour = g.mix(oil * (1.0 - score * 0.5), colour, g.pick(["#4f3a24", "#3a2c22", "#2a2a2c"]))
    return g.surface(colour, 0.34 + score * 0.12 - oil * 0.1, score * (-0.004 * g.size), 1.0)


def heat_tinted(g: ShaderGraph) -> Any:
    heat = g.noise(g.between(0.7, 1.3) * g.size, 3, 0.5) * 1.6 + g.axis_x * (g.between(-1, 1) / g.size)
    tint = g.ramp((heat + g.between(0, 1)).fract(), [(0.0, "#b9b9b8"), (0.18, "#d8b86a"), (0.36, "#a8642c"),
                  (0.5, "#7a3470"), (0.64, "#2c48a8"), (0.8, "#5fa8c8"), (1.0, "#b9b9b8")])  # fmt: skip
    colour = g.tint(g.mix(g.between(0.6, 1.0), STEEL, tint), 0.85 + g.streaks(0.3 * g.size, 0.01 * g.size) * 0.3)
    return g.surface(colour, g.between(0.1, 0.3), None, 1.0)


def tarnished_silver(g: ShaderGraph) -> Any:
    pitch, grime = g.fitted(0.01, 0.12, 0.3), g.noise(0.3 * g.size, 6, 0.66)
    row = (g.v * (0.6 / pitch)).fract() * 1.6667  # rosettes to 1, beads at 1.3
    radius, drawn = rosette((g.u / pitch).fract() - 0.5, row - 0.5, int(g.rng.integers(4, 9)), 0.2)
    bead = ((g.u * (4 / pitch)).fract() - 0.5) ** 2.0 + ((row - 1.3) * 4.0) ** 2.0
    relief = (drawn.step(0.3, 0.12) * radius.step(0.03, 0.1)).max(bead.step(0.2, 0.02)).max(radius.step(0.08, 0.03))
    low = (1.0 - relief) * grime.step(0.2, 0.55) * g.between(0.5, 0.9)
    metal = g.mix(grime.step(0.5, 0.75) * 0.6, SILVER if g.rng.random() < 0.7 else GOLD, g.pick(["#7a6238", "#5a5a66"]))
    return g.surface(g.mix(low, metal, "#15120f"), 0.12 + low * 0.35, relief * (0.08 * pitch), 1.0)


def foil(g: ShaderGraph) -> Any:
    wide = g.fitted(0.008, 0.15, 0.22)
    large, small = g.split(g.cells(wide)[1]), g.split(g.cells(0.45 * wide)[1])
    height = g.noise(wide, 2, warp=0.6) * (0.15 * wide)
    for k, axis in enumerate((g.axis_x, g.axis_y, g.axis_z)):  # each facet has its own slope
        height = height + axis * ((large[k] - 0.5) * 1.1 + (small[k] - 0.5) * 0.5)
    tint = g.pick(["#d9a032", "#b3202c", "#2456b0", "#2f8a4c", "#c9702c"]) if g.rng.random() < 0.35 else ALUMINIUM
    return g.surface(tint, g.between(0.12, 0.26), height, 1.0)


def riveted_plates(g: ShaderGraph) -> Any:
    wide = g.fitted(0.025, 0.5, 0.6)
    u, v = g.u / wide + (g.v / wide).floor() * 0.5, g.v / wide
    border, away = triangle(u).max(triangle(v)), (triangle(u * 6.0) ** 2.0 + triangle(v * 6.0) ** 2.0) ** 0.5
    rim, seam, grime = border.above(0.5 - 1 / 6), border.step(0.48, 0.492), patches(g, 0.48, 0.7) * g.between(0.1, 0.7)
    dome, ring = away.step(0.36, 0.1) * rim, (away - 0.4).abs().step(0.14, 0.06) * rim
    base, dark = (STEEL, ALUMINIUM, IRON, COPPER, BRASS)[int(g.rng.integers(5))], seam.max(ring * 0.7).max(grime) * 0.85
    colour = g.mix(dark, g.tint(base, 0.65 + g.chance(v.floor(), u.floor()) * 0.5), g.pick(["#2a221c", "#5a2f18"]))
    height = (dome * 0.04 + g.noise(0.5 * wide, 2) * 0.012 - seam * 0.01) * wide
    return g.surface(colour, g.between(0.16, 0.34) + grime * 0.2, height, 1.0 - grime * 0.3)


BASIC = by_name(steel, brushed, aluminium, brass, copper, rusted, painted_metal, hammered, cast_iron, galvanised)
EXTRA = by_name(
    bronze_statue, tread_plate, anodised, scratched_steel, heat_tinted, tarnished_silver, foil, riveted_plates
)
