"""How fabric, leather and liquids look, and the grounds that are none of the materials (grass, soil, plaster)."""

from __future__ import annotations

from typing import Any

from tools.blender.nodes import Graph, Value, off

DYES = ("#a33a32", "#2c4a78", "#3f6b4c", "#c98f35", "#d9d2c2", "#4a4a50", "#7c4a72", "#b5a48a", "#29808a", "#e3dcd0")


def _cloth(g: Graph, colour: Any, height: Value, sheen: float = 0.35) -> Any:
    fold = g.noise(0.5 * g.size, 3, 0.5, warp=0.4) * (0.03 * min(g.size, 0.6))
    more = {"Sheen Weight": sheen, "Sheen Roughness": 0.4, "Specular IOR Level": 0.1}
    return g.surface(colour, 0.95, height + fold, 0.0, more)


def _weave(g: Graph, pitch: float) -> tuple[Value, Value]:
    """Height (0 to 1) of a plain weave, and 1 where the warp lies on top."""
    u = g.u / pitch + (g.noise(8 * pitch, 2) - 0.5) * 0.8
    v = g.v / pitch + (g.noise(9 * pitch, 2) - 0.5) * 0.8
    warp = ((u.floor() + v.floor()) * 0.5).fract().above(0.25)
    over, under = (u * 3.14159).sin().abs(), (v * 3.14159).sin().abs()
    return (warp * over + (1.0 - warp) * under) ** 0.6, warp


def canvas(g: Graph) -> Any:
    pitch = g.fitted(0.0012, 0.005, 0.02)
    height, warp = _weave(g, pitch)
    base = g.pick([*DYES, "#b59a6c", "#c7b08a"])
    tone = 0.5 + height * 0.45 + warp * 0.12 + (g.noise(0.06 * g.size, 4) - 0.5) * 0.3
    return _cloth(g, g.tint(base, tone), height * (0.35 * pitch))


def knit(g: Graph) -> Any:
    """Columns of V-shaped stitches."""
    wide = g.fitted(0.004, 0.014, 0.04)
    u, v = g.u / wide, g.v / (0.75 * wide)
    across = off(u)
    stitch = (v + across * 1.4 + (g.noise(0.5 * wide, 2) - 0.5) * 0.25).fract()
    yarn = ((stitch - 0.5).abs().step(0.5, 0.1)) * across.step(0.5, 0.36) * across.step(0.0, 0.1)
    stripe = ((g.v / (14 * wide)).fract()).above(0.5) * float(g.rng.random() < 0.35)
    base = g.mix(stripe, g.pick(DYES), g.pick(DYES))
    fuzz = g.noise(0.0012, 3, 0.8)
    return _cloth(g, g.tint(base, 0.3 + yarn * 0.65 + fuzz * 0.2), yarn * (0.3 * wide) + fuzz * 0.0004, 0.6)


def denim(g: Graph) -> Any:
    pitch = g.fitted(0.001, 0.003, 0.012)
    twill = off((g.u + g.v) / pitch)
    white = (twill + (g.noise(2 * pitch, 2) - 0.5) * 0.5).step(0.36, 0.44)
    fade = g.noise(0.4 * g.size, 5, 0.6).step(0.42, 0.75)
    seam = (g.axis_y.abs() - 0.012).abs().step(0.0016, 0.001) * off(g.axis_x / 0.006).step(0.35, 0.3)
    blue = g.mix(fade * 0.6, g.pick(["#1d2c4d", "#263a5e", "#1a2236"]), "#5f7a9c")
    colour = g.mix(seam, g.mix(white * 0.3, blue, "#b9c4cf"), "#c98a3a")
    return _cloth(g, colour, twill * (0.2 * pitch) + seam * 0.001 - g.axis_y.abs().step(0.003, 0.0) * 0.002)


def striped(g: Graph) -> Any:
    height, _ = _weave(g, g.fitted(0.001, 0.003, 0.012))
    period = g.fitted(0.01, 0.08, 0.16)
    t = (g.u / period).fract()
    colour = g.mix(t.above(0.5), g.pick(DYES), g.pick(["#ece6d8", "#f0ece2", *DYES]))
    colour = g.mix((t - 0.25).abs().step(0.05, 0.045), colour, g.pick(DYES))
    return _cloth(g, g.tint(colour, 0.72 + height * 0.35), height * 0.0006)


def dotted(g: Graph) -> Any:
    height, _ = _weave(g, g.fitted(0.001, 0.003, 0.012))
    pitch = g.fitted(0.015, 0.09, 0.16)
    row = (g.v / pitch).floor()
    u, v = (g.u / pitch + row * 0.5).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dot = ((u * u + v * v) ** 0.5 + (g.noise(0.01, 2) - 0.5) * 0.04).step(0.27, 0.25)
    return _cloth(
        g, g.tint(g.mix(dot, g.pick(DYES), g.pick(["#ece6d8", *DYES])), 0.72 + height * 0.35), height * 0.0006
    )


def plaid(g: Graph) -> Any:
    height, warp = _weave(g, g.fitted(0.001, 0.003, 0.012))
    period = g.fitted(0.03, 0.12, 0.25)
    a, b = (g.u / period).fract(), (g.v / period).fract()
    wide = a.above(0.5) * 0.5 + b.above(0.5) * 0.5
    thin = (a - 0.25).abs().step(0.03, 0.025).max((b - 0.25).abs().step(0.03, 0.025))
    colour = g.mix(thin * 0.8, g.mix(wide, g.pick(DYES), g.pick(DYES)), g.pick(["#ece6d8", "#d9a832"]))
    return _cloth(g, g.tint(colour, 0.65 + height * 0.3 + warp * 0.1), height * 0.0006)


def towel(g: Graph) -> Any:
    away, _ = g.cells(g.fitted(0.002, 0.005, 0.015))
    band = off(g.v / g.fitted(0.1, 0.5, 0.8)).step(0.44, 0.45)
    pile = g.noise(0.003, 4, 0.8)
    tone = 0.45 + (1.0 - away) * 0.4 * (1.0 - band) + band * 0.35 + pile * 0.25
    return _cloth(g, g.tint(g.pick(DYES), tone), (1.0 - away) * (1.0 - band) * 0.0028 + pile * 0.001, 0.8)


def velvet(g: Graph) -> Any:
    pile = g.noise(0.15 * g.size, 5, 0.6, warp=0.8)
    colour = g.tint(g.pick(["#6d1f2c", "#1f3a5c", "#24503a", "#4a2a5c", "#8a6a2a", "#3a3a40"]), 0.55 + pile * 0.7)
    return _cloth(g, colour, g.noise(0.0015, 2) * 0.0003, 1.0)


def quilted(g: Graph) -> Any:
    pitch = g.fitted(0.03, 0.12, 0.2)
    a, b = ((g.u + g.v) / pitch).fract() - 0.5, ((g.u - g.v) / pitch).fract() - 0.5
    seam = a.abs().max(b.abs())
    puff = (1.0 - seam * 2.0).max(0.0) ** 0.45
    height, _ = _weave(g, g.fitted(0.001, 0.002, 0.008))
    stitch = seam.step(0.488, 0.492)
    colour = g.tint(g.pick(DYES), 0.8 + height * 0.2)
    return _cloth(g, g.mix(stitch * 0.5, colour, "#2a2622"), puff * (0.14 * pitch) + height * 0.0003)


def felt(g: Graph) -> Any:
    fibre = g.noise(0.004, 6, 0.8, warp=2.5)
    return _cloth(g, g.tint(g.pick([*DYES, "#8f8f90", "#c9d94a"]), 0.55 + fibre * 0.9), fibre * 0.0015, 0.7)


def _leather(g: Graph, colour: Any, rough: float, height: Value | None = None) -> Any:
    away, _ = g.cells(g.fitted(0.0012, 0.005, 0.013), "DISTANCE_TO_EDGE")
    grain = away.step(0.0, 0.18)
    wrinkle = (g.noise(0.2 * g.size, 5, 0.6, warp=1.2) - 0.5).abs().step(0.0, 0.05)
    worn = g.noise(0.3 * g.size, 6, 0.65)
    tone = 0.55 + grain * 0.25 + wrinkle * 0.15 + (worn - 0.5) * 0.7
    relief = (
        grain * 0.00025 + wrinkle * (0.003 * min(g.size, 0.3)) + g.noise(0.3 * g.size, 2) * (0.012 * min(g.size, 0.5))
    )
    return g.surface(g.tint(colour, tone), rough + (1.0 - grain) * 0.2, relief if height is None else relief + height)


def brown_leather(g: Graph) -> Any:
    return _leather(g, g.pick(["#7a4524", "#8f5530", "#5c331c", "#a86b3c"]), 0.36)


def black_leather(g: Graph) -> Any:
    return _leather(g, g.pick(["#262423", "#2f2b29"]), 0.32)


def red_leather(g: Graph) -> Any:
    return _leather(g, g.pick(["#7a2323", "#8f3a26", "#33523f", "#2f3f5c", "#c9b491"]), 0.38)


def stitched_leather(g: Graph) -> Any:
    """A seam with a row of stitches on either side."""
    at = g.axis_y / g.size
    seam = at.abs().step(0.012, 0.0)
    row = (at.abs() - 0.035).abs().step(0.009, 0.006)
    stitch = row * off(g.axis_x / (0.05 * g.size)).step(0.34, 0.3)
    colour = g.mix(stitch, g.pick(["#8f5530", "#b07a45", "#3a2a22", "#6b3f22"]), "#e2d3b0")
    return _leather(g, colour, 0.42, stitch * 0.0015 - seam * 0.004)


def panelled_leather(g: Graph) -> Any:
    """Sewn from patches, as a ball is."""
    width = 0.45 * g.size
    edge, _ = g.cells(width, "DISTANCE_TO_EDGE", irregular=0.7)
    _, leaf = g.cells(width, irregular=0.7)
    seam = edge.step(0.035, 0.0)
    stitch = (edge - 0.09).abs().step(0.018, 0.01) * g.noise(0.05 * g.size, 1).step(0.46, 0.5)
    colour = g.tint(g.pick(["#a8713a", "#8a5530", "#c9b491", "#5c331c"]), 0.82 + g.grey(leaf) * 0.3)
    colour = g.mix(stitch * 0.8, g.mix(seam * 0.75, colour, "#1f1610"), "#e2d3b0")
    return _leather(g, colour, 0.4, seam * (-0.02 * min(g.size, 0.3)))


def suede(g: Graph) -> Any:
    nap = g.noise(0.12 * g.size, 6, 0.65, warp=0.6)
    fine = g.noise(0.0012, 3, 0.8)
    colour = g.tint(g.pick(["#a9825a", "#8a6244", "#6e6258", "#44505c"]), 0.5 + nap * 0.6 + fine * 0.35)
    return g.surface(colour, 0.95, fine * 0.0005, 0.0, {"Sheen Weight": 0.6, "Specular IOR Level": 0.15})


def _ripples(g: Graph) -> Value:
    wave = g.fitted(0.02, 0.3, 0.25)
    return g.noise(wave, 3, 0.45, warp=0.4) * (wave * g.between(0.03, 0.12))


def water(g: Graph) -> Any:
    colour = g.pick(["#f0f8fa", "#e2f2f5", "#d6ecef"])
    body = g.surface(colour, 0.0, _ripples(g), 0.0, {"Transmission Weight": 1.0, "IOR": 1.33})
    return g.clear_shadow(body, colour, 0.9)


def deep_water(g: Graph) -> Any:
    colour = g.tint(g.pick(["#123a44", "#1d4a4a", "#0f2f45", "#3a4a38"]), 0.7 + g.noise(0.6 * g.size, 3) * 0.6)
    return g.surface(
        colour, 0.03, _ripples(g) * 2.0 + g.noise(0.03, 3) * 0.002, 0.0, {"IOR": 1.33, "Specular IOR Level": 0.8}
    )


def _opaque(g: Graph, colour: Any, foam: Value, froth: str, rough: float = 0.06) -> Any:
    more = {"Subsurface Weight": 0.3, "Subsurface Scale": 0.01, "IOR": 1.34, "Coat Weight": 0.6, "Coat Roughness": 0.02}
    return g.surface(g.mix(foam, colour, froth), rough + foam * 0.35, _ripples(g) * 0.3 + foam * 0.0012, 0.0, more)


def _bubbles(g: Graph, amount: float) -> Value:
    away, leaf = g.cells(g.fitted(0.003, 0.008, 0.04))
    ring = away.step(0.42, 0.36) * (0.45 + away.step(0.2, 0.36) * 0.55)
    return ring * (g.noise(0.3 * g.size, 4, 0.6) + g.grey(leaf) * 0.1).step(1 - amount, 1.05 - amount)


def milk(g: Graph) -> Any:
    return _opaque(g, g.pick(["#f4f1e8", "#f3ecdc"]), _bubbles(g, 0.45) * 0.6, "#fbfaf6")


def coffee(g: Graph) -> Any:
    crema = g.noise(0.35 * g.size, 6, 0.6, warp=1.6).step(0.45, 0.7) * g.between(0, 1)
    dark = g.mix(crema, g.pick(["#1d0f08", "#2b160b", "#5c3a20"]), "#8a5a30")
    return _opaque(g, dark, _bubbles(g, 0.5) * 0.8, "#b98a56")


def juice(g: Graph) -> Any:
    pulp = 0.85 + g.noise(0.006, 4, 0.7) * 0.3
    return _opaque(
        g, g.tint(g.pick(["#e8921a", "#d23a26", "#e0b81e", "#8a1c3c", "#6fae2c"]), pulp), _bubbles(g, 0.48), "#f3dca8"
    )


def tea(g: Graph) -> Any:
    colour = g.pick(["#c4702a", "#a8521c", "#d99a3c"])
    return g.clear_shadow(
        g.surface(colour, 0.0, _ripples(g), 0.0, {"Transmission Weight": 0.9, "IOR": 1.33}), colour, 0.8
    )


def grass(g: Graph) -> Any:
    blade = g.noise(0.006, 5, 0.8, g.map(g.point, scale=(1, 2.5, 1)), 1.5)
    patch = g.noise(0.15, 5, 0.65)
    colour = g.ramp(
        blade * 0.75 + patch * 0.3, [(0.3, "#1a2a0e"), (0.5, "#3f5c1f"), (0.65, "#6f8a35"), (0.8, "#a8a45a")]
    )
    return g.surface(colour, 0.9, blade * 0.015 + patch * 0.02)


def soil(g: Graph) -> Any:
    clod = g.noise(0.05, 9, 0.72)
    colour = g.ramp(clod, [(0.3, "#2a1d12"), (0.52, g.pick(["#5c4328", "#7a6040", "#b59a6e"])), (0.75, "#a88f68")])
    return g.surface(colour, 0.95, clod * 0.03)


def plaster(g: Graph) -> Any:
    base = g.pick(["#e8e4da", "#d9d2c0", "#c7d0d0", "#b9c4a9", "#d8b9a0", "#9fb0bf", "#efe9dd", "#8a8f96"])
    return g.surface(g.tint(base, 0.92 + g.noise(0.3, 6, 0.6) * 0.16), 0.85, g.noise(0.006, 3) * 0.0003)
