"""Procedural leather: plain, stitched, woven, tufted."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, Surface, by_name, triangle


def _leather(g: ShaderGraph, colour: Any, rough: float, height: ShaderValue | None = None) -> Any:
    away, _ = g.cells(g.fitted(0.0012, 0.005, 0.013), "DISTANCE_TO_EDGE")
    grain = away.step(0.0, 0.18)
    wrinkle = (g.noise(0.2 * g.size, 5, 0.6, warp=1.2) - 0.5).abs().step(0.0, 0.05)
    worn = g.noise(0.3 * g.size, 6, 0.65)
    tone = 0.55 + grain * 0.25 + wrinkle * 0.15 + (worn - 0.5) * 0.7
    soft = g.noise(0.3 * g.size, 2) * (0.012 * min(g.size, 0.5))
    relief = grain * 0.00025 + wrinkle * (0.003 * min(g.size, 0.3)) + soft
    return g.surface(g.tint(colour, tone), rough + (1.0 - grain) * 0.2, relief if height is None else relief + height)


DYED: dict[str, Surface] = {
    "brown_leather": lambda g: _leather(g, g.pick(["#7a4524", "#8f5530", "#5c331c", "#a86b3c"]), 0.36),
    "black_leather": lambda g: _leather(g, g.pick(["#262423", "#2f2b29"]), 0.32),
    "red_leather": lambda g: _leather(g, g.pick(["#7a2323", "#8f3a26", "#33523f", "#2f3f5c", "#c9b491"]), 0.38),
}


def stitched_leather(g: ShaderGraph) -> Any:
    """A seam with a row of stitches on either side."""
    at = g.axis_y / g.size
    seam = at.abs().step(0.012, 0.0)
    row = (at.abs() - 0.035).abs().step(0.009, 0.006)
    stitch = row * triangle(g.axis_x / (0.05 * g.size)).step(0.34, 0.3)
    colour = g.mix(stitch, g.pick(["#8f5530", "#b07a45", "#3a2a22", "#6b3f22"]), "#e2d3b0")
    return _leather(g, colour, 0.42, stitch * 0.0015 - seam * 0.004)


def panelled_leather(g: ShaderGraph) -> Any:
    """Sewn from panels, as a football."""
    width = 0.45 * g.size
    edge, _ = g.cells(width, "DISTANCE_TO_EDGE", irregular=0.7)
    _, leaf = g.cells(width, irregular=0.7)
    seam = edge.step(0.035, 0.0)
    stitch = (edge - 0.09).abs().step(0.018, 0.01) * g.noise(0.05 * g.size, 1).step(0.46, 0.5)
    colour = g.tint(g.pick(["#a8713a", "#8a5530", "#c9b491", "#5c331c"]), 0.82 + g.grey(leaf) * 0.3)
    colour = g.mix(stitch * 0.8, g.mix(seam * 0.75, colour, "#1f1610"), "#e2d3b0")
    return _leather(g, colour, 0.4, seam * (-0.02 * min(g.size, 0.3)))


def suede(g: ShaderGraph) -> Any:
    nap = g.noise(0.12 * g.size, 6, 0.65, warp=0.6)
    fine = g.noise(0.0012, 3, 0.8)
    colour = g.tint(g.pick(["#a9825a", "#8a6244", "#6e6258", "#44505c"]), 0.5 + nap * 0.6 + fine * 0.35)
    return g.surface(colour, 0.95, fine * 0.0005, 0.0, {"Sheen Weight": 0.6, "Specular IOR Level": 0.15})


def _hide(g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue) -> Any:
    pore = g.cells(g.fitted(0.0012, 0.004, 0.013), "DISTANCE_TO_EDGE")[0].step(0.18, 0.0)
    crease = (g.noise(0.22 * g.size, 5, 0.6, warp=1.2) - 0.5).abs().step(0.04, 0.0)
    soft = g.noise(0.3 * g.size, 2) * (0.014 * min(g.size, 0.5)) - crease * (0.002 * min(g.size, 0.3)) - pore * 0.0002
    tone = 0.75 - pore * 0.2 - crease * 0.18 + g.noise(0.3 * g.size, 6, 0.65) * 0.5
    return g.surface(g.tint(colour, tone), rough + pore * 0.15, height + soft)


def crocodile(g: ShaderGraph) -> Any:
    p = g.fitted(0.008, 0.035, 0.12)
    at = g.vector(g.u + g.noise(3 * p, 2) * p, g.v * g.between(1.3, 1.9) + g.noise(4 * p, 2) * p)
    edge, leaf = g.cells(p, "DISTANCE_TO_EDGE", at, 0.5)[0], g.grey(g.cells(p, at=at, irregular=0.5)[1])
    base, plate = g.pick(["#5a2c14", "#2a2320", "#2f3d26", "#6b1f22", "#8a5a2c", "#a8804a"]), edge.step(0, 0.14)
    tone = 0.25 + plate * (0.6 + leaf * 0.4)
    return _hide(g, g.tint(base, tone), 0.5 - plate * g.between(0.2, 0.34), (plate + edge) * (0.13 * p))


def cracked_leather(g: ShaderGraph) -> Any:
    p, dry, fine = g.fitted(0.005, 0.035, 0.13), g.noise(0.4 * g.size, 5, 0.6), g.noise(0.03 * g.size, 4, 0.7)
    edge, _ = g.cells(p, "DISTANCE_TO_EDGE", g.map(g.point, scale=(1, 1.7, 1)))
    crack = (edge + fine * 0.1).step(0.1, 0.05) * dry.step(0.36, 0.48) * 0.75
    rub, base = (dry + fine * 0.08).step(0.58, 0.8) * 0.35, g.pick(["#6b3a1e", "#4a2616", "#5c1f1c", "#39452f"])
    colour = g.mix(rub, base, g.pick(["#a87a50", "#b8946e", "#8f6238"]))
    return _hide(g, g.mix(crack, colour, g.pick(["#5c4028", "#1f140d"])), 0.38 + rub * 0.5, crack * (-0.1 * p))


def woven_leather(g: ShaderGraph) -> Any:
    p, lean = g.fitted(0.006, 0.035, 0.12), float(g.rng.random() < 0.6)
    u, v = (g.u + g.v * lean) / p, (g.v - g.u * lean) / p
    a, b, warp = triangle(u), triangle(v), triangle((u.floor() + v.floor()) * 0.5 + 0.5).above(0.25)
    across, along = warp * a + (1.0 - warp) * b, warp * b + (1.0 - warp) * a
    arch, gap = (1.0 - along * along * 3.2) * across.step(0.5, 0.36), across.step(0.43, 0.48)
    base = g.pick(["#7a4524", "#a8703c", "#2c2624", "#5c2018", "#c9a67a", "#39424f", "#d8ccb4"])
    tone = (0.4 + arch * 0.6) * (1.0 - gap * 0.8) * (0.85 + g.chance(u.floor(), v.floor()) * 0.3)
    return _hide(g, g.tint(base, tone), 0.36 + gap * 0.3, arch * (0.22 * p))


def perforated_leather(g: ShaderGraph) -> Any:
    p = g.fitted(0.004, 0.018, 0.075)
    a, b, at = triangle(g.u / p + (g.v / p).floor() * 0.5), triangle(g.v / p), triangle(g.u / (12 * p))
    hole, seam = (a * a + b * b).step(0.075, 0.05) * at.step(0.42, 0.41), at.step(0.49, 0.498)
    thread = (at - 0.46).abs().step(0.014, 0.009) * triangle(g.v / p).step(0.38, 0.33)
    base = g.pick(["#c9b898", "#3a3838", "#9a6238", "#8a2a24", "#6e6a66", "#d9d2c4", "#4a2c1c", "#3a4a66"])
    colour = g.mix(thread, g.mix(hole.max(seam) * 0.85, base, "#0f0c0a"), g.pick(["#e6dcc4", "#b0302a", "#d9a23a"]))
    return _hide(g, colour, 0.4, at.step(0.5, 0.38) * (0.6 * p) - hole * (0.12 * p) + thread * 0.001)


def pebbled_leather(g: ShaderGraph) -> Any:
    p, wide = g.fitted(0.003, 0.012, 0.048), g.fitted(0.05, 0.4, 0.8)
    bead = g.cells(p, "DISTANCE_TO_EDGE")[0].step(0.0, 0.35)
    row = (triangle(g.v / wide) * wide - p).abs().step(0.24 * p, 0.16 * p)
    thread = row * triangle(g.u / (1.2 * p)).step(0.38, 0.33) * (g.rng.random() < 0.6)
    base = g.pick(["#2f8a8f", "#d9a83a", "#c45a6e", "#e2dccb", "#34508a", "#8f8c88", "#b8743c", "#5a2a4a", "#a83228"])
    colour = g.mix(thread, g.tint(base, 0.5 + bead * 0.5), g.pick(["#efe6d2", "#3a2a20"]))
    return _hide(g, colour, 0.52 - bead * 0.16, bead * (0.17 * p) + thread * 0.001)


def tufted_leather(g: ShaderGraph) -> Any:
    p = g.fitted(0.02, 0.2, 0.34)
    a, b = 0.5 - triangle(g.u / p + g.v / (1.3 * p)), 0.5 - triangle(g.u / p - g.v / (1.3 * p))
    puff, button = (a * b * 4.0) ** 0.5, (a * a + b * b).step(0.017, 0.008)
    base = g.pick(["#5c1f1a", "#2c3d2c", "#6b3a1c", "#2a2422", "#94602f", "#b8a88a", "#2f3a52"])
    tone, height = 0.5 + puff * 0.6 + button * 0.35, puff * (0.24 * p) + button * (0.09 * p)
    return _hide(g, g.tint(base, tone), g.between(0.24, 0.4), height)


BASIC = {**DYED, **by_name(stitched_leather, panelled_leather, suede)}
EXTRA = by_name(crocodile, cracked_leather, woven_leather, perforated_leather, pebbled_leather, tufted_leather)
