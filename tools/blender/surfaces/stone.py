"""Procedural stone: granite, marble, sandstone, breccia, cobbles."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, by_name, triangle
from tools.blender.surfaces.patterns import coin_flip, stains, warped_coordinates

BREAK = (("#e9d9c0", "#a8503a", "#7b2f26", "#f0e9de"), ("#e8e6e2", "#8d9094", "#55585c", "#f4f3f0"),
         ("#2b2928", "#4a4540", "#161515", "#c9a55a"), ("#d8c6c9", "#7d4a5c", "#4f2d3e", "#f1e9e6"),
         ("#c9b38a", "#a37a45", "#6f4d2c", "#efe4cc"))  # fmt: skip
BANDS = (("#2e4a66", "#7c98b0", "#d9dfe2", "#3f6f93"), ("#7a2d1c", "#c4714a", "#f0dccb", "#4c1a12"),
         ("#3a3d42", "#8b8d90", "#e2e0dc", "#1f2124"), ("#2c5a47", "#6f9f86", "#dfe6da", "#173a2e"),
         ("#54355f", "#a68bb3", "#ece4ee", "#3a2244"))  # fmt: skip


def granite(g: ShaderGraph) -> Any:
    grain = g.fitted(0.0016, 0.006, 0.016)
    _, leaf = g.cells(grain)
    _, large = g.cells(2.6 * grain)
    tone = g.grey(leaf) * 0.45 + g.grey(large) * 0.25 + g.noise(0.8 * grain, 4, 0.75) * 0.35
    mineral = g.pick(["#b98a7c", "#8f8f92", "#c3bdb2", "#8c8478"])
    colour = g.ramp(tone, [(0.12, "#17171a"), (0.3, "#4b4b4e"), (0.36, mineral), (0.62, mineral), (0.75, "#dedad3")])
    rough = g.between(0.12, 0.75)
    return g.surface(colour, rough, g.noise(0.004, 3) * (0.0006 * rough))


def marble(g: ShaderGraph) -> Any:
    wide = (g.noise(0.5 * g.size, 7, 0.62, warp=g.between(0.6, 1.8)) - 0.5).abs()
    fine = (g.noise(0.2 * g.size, 6, 0.6, warp=1.2) - 0.5).abs()
    vein = (wide.step(0.06, 0.0) * 0.85).max(fine.step(0.022, 0.0) * 0.5)
    dark = g.rng.random() < 0.25
    body = g.pick(["#1d2420", "#26232a"] if dark else ["#efece6", "#e7e4e0", "#e9dccb"])
    cloud = 0.82 + g.noise(0.4 * g.size, 5) * 0.3
    colour = g.mix(vein, g.tint(body, cloud), "#d8d3c6" if dark else g.pick(["#6b6a6c", "#8a7a63", "#565d66"]))
    return g.surface(colour, g.between(0.06, 0.3), None, 0.0, {"Subsurface Weight": 0.0, "Coat Weight": 0.3})


def sandstone(g: ShaderGraph) -> Any:
    bed = g.up + (g.noise(0.6 * g.size, 4) - 0.5) * (0.35 * g.size)
    band = g.noise(1.0, 5, 0.7, g.vector(bed * (1 / g.fitted(0.008, 0.05, 0.08)), 0.0, 0.0))
    grain = g.noise(0.0012, 2, 0.8)
    tone = band * 0.8 + grain * 0.25
    colour = g.ramp(tone, [(0.2, "#9a6a45"), (0.45, "#c99d6c"), (0.65, "#dcbc8f"), (0.85, "#b77f58")])
    return g.surface(colour, 0.93, grain * 0.0009 + band * 0.002 + g.noise(0.02, 4) * 0.002)


def slate(g: ShaderGraph) -> Any:
    layer = g.noise(0.05 * g.size, 7, 0.65, g.vector(g.axis_x * 0.3, g.axis_y * 0.3, g.axis_z * 3.0), 0.6)
    colour = g.ramp(layer, [(0.3, "#2a2f34"), (0.6, g.pick(["#444b52", "#4b4a4f", "#3f4a47"])), (0.8, "#6f6a63")])
    return g.surface(colour, 0.55, layer * 0.006)


def pebble(g: ShaderGraph) -> Any:
    speck = g.noise(0.003, 5, 0.8)
    vein = (g.noise(0.6 * g.size, 3, warp=0.6) - 0.5).abs().step(0.02, 0.004) * g.between(0, 1)
    base = g.tint(g.pick(["#84827e", "#6d6a66", "#9b8e7e", "#5b5f61", "#b1a896"]), 0.6 + speck * 0.8)
    return g.surface(g.mix(vein * 0.8, base, "#dcd8cf"), g.between(0.35, 0.7), speck * 0.0003)


def cobbles(g: ShaderGraph) -> Any:
    side = g.fitted(0.07, 0.16, 0.25)
    away, leaf = g.cells(side, "DISTANCE_TO_EDGE", irregular=0.8)
    _, leaf = g.cells(side, irregular=0.8)
    gap = (away + (g.noise(0.02, 4) - 0.5) * 0.06).step(0.08, 0.02)
    speck = g.noise(0.006, 6, 0.75)
    tone = g.tint(g.pick(["#857f78", "#77706a", "#8c8375"]), 0.45 + g.grey(leaf) * 0.5 + speck * 0.5)
    height = away.step(0.0, 0.3) * 0.012 + speck * 0.002
    return g.surface(g.mix(gap, tone, "#2d261e"), 0.8, height)


def travertine(g: ShaderGraph) -> Any:
    flat = g.vector(g.axis_x * 0.25, g.axis_y * 0.25, g.axis_z * 1.6)
    band, hole = g.noise(0.08 * g.size, 5, at=flat), g.noise(0.02, 4, 0.6, flat).step(0.64, 0.68)
    colour = g.ramp(band, [(0.3, "#c9b08c"), (0.55, "#e2d3b6"), (0.75, "#b99a72")])
    return g.surface(g.mix(hole * 0.8, colour, "#6b563c"), 0.6, hole * -0.003 + band * 0.001)


def _polished(g: ShaderGraph, colour: Any) -> Any:
    rough = g.between(0.06, 0.35) + g.noise(0.3 * g.size, 5).step(0.5, 0.8) * 0.12
    return g.surface(colour, rough, None, 0.0, {"Coat Weight": 0.4, "Coat Roughness": 0.05})


def green_marble(g: ShaderGraph) -> Any:
    wide, at = g.between(0.25, 0.55) * g.size, warped_coordinates(g, 0.2 * g.size, 0.7 * g.size)
    net, _ = g.cells(wide, "DISTANCE_TO_EDGE", at)
    thread = (g.noise(0.3 * g.size, 7, 0.65, warp=1.5) - 0.5).abs().step(0.03, 0.0)
    vein = (net.step(0.06, 0.0) * (0.3 + g.noise(0.1 * g.size, 3))).max(thread * 0.6)
    deep, pale = g.pick(["#0e2a20", "#16291c", "#10302f"]), g.pick(["#3f7a58", "#557a4a", "#3a7570", "#7a9560"])
    body = g.ramp(g.noise(0.22 * g.size, 7, 0.7, warp=0.8), [(0.3, deep), (0.68, pale)])
    return _polished(g, g.mix(vein * 0.9, body, g.pick(["#cfdcc9", "#e2e4d6", "#a9c4ab"])))


def breccia(g: ShaderGraph) -> Any:
    palette = BREAK[int(g.rng.integers(len(BREAK)))]
    width, at = g.between(0.12, 0.4) * g.size, warped_coordinates(g, 0.1 * g.size, 0.12 * g.size)
    (edge, _), (_, leaf) = g.cells(width, "DISTANCE_TO_EDGE", at), g.cells(width, at=at)
    (small, _), (_, chip) = g.cells(0.35 * width, "DISTANCE_TO_EDGE", at), g.cells(0.35 * width, at=at)
    broken = g.noise(1.5 * width, 3).step(0.5, 0.52)
    tone = g.grey(leaf) + (g.grey(chip) - g.grey(leaf)) * broken + (g.noise(0.3 * width, 6, 0.7) - 0.5) * 0.5
    seam = edge.step(0.07, 0.02).max(small.step(0.08, 0.02) * broken)
    colour = g.ramp(tone, [(0.1, palette[2]), (0.5, palette[1]), (0.9, palette[0])])
    return _polished(g, g.mix(seam * 0.85, colour, palette[3]))


def lava_stone(g: ShaderGraph) -> Any:
    width = g.fitted(0.004, 0.03, 0.06)
    (wide, leaf), (fine, _) = g.cells(width, at=warped_coordinates(g, width, 0.5 * width)), g.cells(0.35 * width)
    hole = (wide.step(0.42, 0.28) * g.grey(leaf).above(g.between(0.3, 0.65))).max(fine.step(0.3, 0.2) * 0.6)
    base = g.tint(g.pick(["#4a4746", "#3a3938", "#5a5450", "#6b4036", "#2d2c2d"]), 0.6 + g.noise(0.3 * width, 5) * 0.8)
    base = g.mix(stains(g) * coin_flip(g, 0.4), base, g.pick(["#7d4434", "#8f8a80"]))
    return g.surface(g.mix(hole * 0.85, base, "#0d0c0c"), 0.93, hole * (-0.25 * width) + g.noise(0.3 * width) * 0.002)


def chiselled_limestone(g: ShaderGraph) -> Any:
    pitch, lean = g.fitted(0.004, 0.03, 0.075), g.between(-0.8, 0.8)
    along = g.u + g.v * lean + (g.noise(4 * pitch, 3) - 0.5) * (1.2 * pitch)
    stroke = triangle(along / pitch + g.chance((g.v / (5 * pitch)).floor())).step(0.45, 0.1)
    stroke = stroke * g.noise(3 * pitch, 3).step(0.3, 0.55)
    tone = 0.55 + g.noise(0.3 * g.size, 6, 0.65) * 0.5 + stroke * 0.22 + (g.noise(0.25 * pitch, 3, 0.8) - 0.5) * 0.5
    base = g.tint(g.pick(["#d8d0bd", "#c9c5b8", "#dccdae", "#e3dfd4", "#bdb6a8"]), tone)
    colour = g.mix(stains(g) * coin_flip(g, 0.6), base, g.pick(["#4d4a44", "#6b6252", "#5d6150"]))
    return g.surface(colour, 0.92, stroke * (0.2 * pitch) + g.noise(0.3 * pitch, 4, 0.7) * (0.1 * pitch))


def gneiss(g: ShaderGraph) -> Any:
    width = g.fitted(0.005, 0.05, 0.09)
    bed = g.axis_z + g.axis_y * 0.4 + (g.noise(0.7 * g.size, 2, warp=0.5) - 0.5) * (g.between(0.3, 1.3) * g.size)
    grain = g.noise(0.14 * width, 3, 0.7)
    band = g.noise(1.0, 4, 0.65, g.vector(bed * (1 / width), g.axis_x * (0.08 / width), 0.0)) + (grain - 0.5) * 0.45
    dark, light = g.pick(["#1f1f22", "#2c2825", "#2a302c"]), g.pick(["#d8d4cc", "#c9a59a", "#cfc4b0", "#b4b6b8"])
    colour = g.ramp(band, [(0.3, dark), (0.47, "#5d5a59"), (0.53, light), (0.72, "#e3dfd8")])
    return g.surface(colour, g.between(0.15, 0.8), (grain + band * 2.0) * 0.0006)


def lichened_stone(g: ShaderGraph) -> Any:
    speck, base = g.noise(g.fitted(0.003, 0.02, 0.04), 6, 0.75), g.pick(["#77746e", "#8a837a", "#6a6b6d", "#93866f"])
    colour, crust = g.tint(base, 0.3 + speck * 0.9 + g.noise(0.5 * g.size) * 0.5), speck * 0.0
    for share in (g.between(0.25, 0.5), g.between(0.1, 0.25)):
        away, leaf = g.cells(share * g.size, at=warped_coordinates(g, 0.1 * g.size, 0.35 * g.size))
        spot = (away + (speck - 0.5) * 1.1).step(0.42, 0.32) * g.grey(leaf).above(0.45)
        tone = g.tint(g.pick(["#c9cdb8", "#b9bfa2", "#d39b2e", "#8f9a78", "#e1e0d2"]), 0.5 + speck)
        colour, crust = g.mix(spot * 0.85, colour, tone), crust.max(spot)
    moss = (g.noise(0.4 * g.size, 7, 0.7) + g.facing(2) * 0.08).step(0.56, 0.62) * coin_flip(g, 0.4)
    colour = g.mix(moss, colour, g.tint("#566328", 0.5 + speck))
    return g.surface(colour, 0.92, speck * 0.004 + (crust + moss * 2.0) * (0.001 + 0.002 * min(g.size, 0.3)))


def agate(g: ShaderGraph) -> Any:
    palette, wild = BANDS[int(g.rng.integers(len(BANDS)))], g.between(0.2, 0.8)
    field = g.noise(g.between(0.6, 1.1) * g.size, 1, 0.4, warp=wild) + (g.noise(0.1 * g.size) - 0.5) * 0.03
    ring = g.noise(1.0, 3, 0.75, g.vector(field * g.between(16, 34), 0.0, 0.0))
    colour = g.ramp(ring, [(0.3, palette[3]), (0.42, palette[0]), (0.54, palette[1]), (0.68, palette[2])])
    return _polished(g, g.mix(field.step(0.66, 0.7) * 0.8, colour, "#e9e6e2"))


BASIC = by_name(granite, marble, sandstone, slate, pebble, travertine)
EXTRA = by_name(green_marble, breccia, lava_stone, chiselled_limestone, gneiss, lichened_stone, agate)
