"""More kinds of wood, metal, glass and ceramic, further from one another than those of `render_hard`."""

from __future__ import annotations

from typing import Any

from tools.blender.hard import ALUMINIUM, BRASS, COPPER, IRON, STEEL, glass
from tools.blender.nodes import Colour, Graph, Value, off

SILVER, GOLD = (0.95, 0.93, 0.88), (0.95, 0.70, 0.28)
HUES = ("#d42f2f", "#e8b02a", "#2f62d0", "#2fa060", "#eef0e8", "#e87a2a", "#8a48c0", "#5fc0d0", "#f0d8a0", "#18283a")


def _palette(g: Graph, *choices: str) -> list[Any]:
    """One of several palettes, its colours written '#rrggbb #rrggbb', each a little off."""
    return [g.pick([colour]) for colour in choices[int(g.rng.integers(len(choices)))].split()]


def _patch(g: Graph, low: float, high: float, share: float = 0.3) -> Value:
    return g.noise(share * g.size, 7, 0.68).step(low, high)


def _panes(g: Graph, wide: float, at: Any = None) -> tuple[Value, Any]:
    return g.cells(wide, "DISTANCE_TO_EDGE", at)[0], g.cells(wide, at=at)[1]


def _flower(g: Graph, a: Value, b: Value, petals: int, deep: float) -> tuple[Value, Value]:
    """Distance from the middle, and the same drawn in between the petals."""
    radius = (a * a + b * b) ** 0.5
    angle = Value(g, g.node("Math", [a, b], {"operation": "ARCTAN2"}).outputs[0])
    return radius, radius - (angle * (petals / 2)).sin().abs() * deep


def _grain(g: Graph, light: Colour, dark: Colour, ring: float, contrast: float, wavy: float) -> tuple[Any, Value]:
    """Colour and relief (metres) of sawn wood, its rings about a pith beside the thing."""
    y, z = g.axis_y + g.size * g.between(0.2, 0.8), g.axis_z + g.size * g.between(0.1, 0.6)
    late = (((y * y + z * z) ** 0.5 + (g.streaks(25 * ring, 7 * ring, 2) - 0.5) * (ring * wavy)) / ring).fract()
    late = late.step(0.2, 1.0) * (1.0 - late.step(0.93, 1.0))
    fibre = g.streaks(0.25 * g.size + 0.02, 0.006 * g.size + 0.0008, 3)
    tone = late * contrast + (fibre - 0.5) * 1.1 + (g.streaks(0.6 * g.size, 0.12 * g.size, 2) - 0.5) * 0.7 + 0.2
    return g.ramp(tone, [(0.0, light), (1.0, dark)]), fibre * 0.0002 - late * 0.0001


def _coated(g: Graph, colour: Any, rough: Any, height: Value, coat: Any, metal: Any = 0.0) -> Any:
    return g.surface(colour, rough, height, metal, {"Coat Weight": coat, "Coat Roughness": 0.06})


def log_bark(g: Graph) -> Any:
    birch, end = g.rng.random() < 0.3, g.facing(int(g.rng.choice([0, 2]))).step(0.8, 0.9)
    radius = (g.axis_y * g.axis_y + g.axis_z * g.axis_z) ** 0.5 + (g.noise(0.25 * g.size, 2) - 0.5) * (0.06 * g.size)
    heart = g.mix(radius.step(0.3 * g.size, 0.15 * g.size), "#dcb981", g.pick(["#b07a48", "#c99a62", "#9c5f38"]))
    cut = g.tint(heart, 1.0 - (radius / g.fitted(0.001, 0.02, 0.05)).fract() * 0.5)
    mark = g.noise(0.1 * g.size, 3, at=g.vector(g.axis_x * 2.5, g.axis_y * 0.3, g.axis_z * 0.3)).step(0.64, 0.58)
    raised = mark if birch else (g.streaks(0.4 * g.size, 0.08 * g.size, 5) - 0.5).abs().step(0.0, 0.12)
    outer, rough = g.pick(["#e4ddd0"] if birch else ["#7d604a", "#6b4f3a", "#8a5f42"]), g.noise(0.06 * g.size, 5)
    bark = g.ramp(raised * 0.75 + rough * 0.35, [(0.1, "#1c120b"), (0.75, outer)])
    bark = g.mix(_patch(g, 0.58, 0.7) * g.between(0, 0.6), bark, "#6f7d3a")
    return g.surface(g.mix(end, bark, cut), 0.88, (raised * 0.035 + rough * 0.02) * (1.0 - end) * g.size)


def plywood(g: Graph) -> Any:
    layer, flat = g.up / g.fitted(0.0012, 0.012, 0.05) + 0.3, g.facing(2)
    across = (layer * 0.5).fract().above(0.5) * flat.step(0.95, 0.8)
    light, glue = g.pick(["#e3c596", "#dcb988", "#d2a070"]), off(layer).step(0.4, 0.48) * flat.step(0.98, 0.9)
    colour, height = _grain(g, light, "#a87644", g.fitted(0.006, 0.05, 0.12), 0.45, 9.0)
    colour = g.mix(glue * 0.75, g.tint(colour, 1.0 - across * g.between(0.3, 0.55)), "#3d2312")
    return _coated(g, colour, 0.5, height - across * 0.0003, g.between(0, 0.4))


def glued_strips(g: Graph) -> Any:
    wide, end = g.fitted(0.012, 0.07, 0.17), g.rng.random() < 0.45  # end: a block that shows its end grain
    tones = _palette(g, "#6b3f20 #c08a50 #e0b878", "#b07a48 #d3a468 #e3c08c", "#3f2718 #54341f #dcb47c")
    row, b = (g.v / wide).floor(), (g.v / wide).fract()
    along = g.u / (wide * (1.2 if end else g.between(5, 9))) + g.chance(row) * 7.0
    own, a = g.chance(row, along.floor()), along.fract()
    seam = (b - 0.5).abs().step(0.46, 0.495).max((a - 0.5).abs().step(0.46 if end else 0.49, 0.497))
    arc = ((a - own * 2.0 + 0.5) ** 2.0 + (b + 0.3 + (own * 17.0).fract()) ** 2.0) ** 0.5 * 9.0
    long = g.noise(1.0, 3, 0.6, g.vector(g.u / (7 * wide) + own * 50.0, g.v * (2.2 / wide), own * 40.0)) * 7.0
    fibre = g.noise(0.03 * g.size, 4, 0.7, None if end else g.vector(g.u * 0.06, g.v * 1.5, own))
    tone = 0.9 - (arc if end else long).fract() * 0.4 + fibre * 0.5
    wood = g.tint(g.ramp(own, [(0.5 * k, stave) for k, stave in enumerate(tones)]), tone)
    return _coated(g, g.mix(seam * 0.6, wood, "#2a170b"), 0.42, fibre * 0.0002 - seam * 0.0005, g.between(0, 0.6))


def charred_wood(g: Graph) -> Any:
    fire, line = g.noise(0.5 * g.size, 5).step(0.34, g.between(0.44, 0.6)), g.streaks(0.3 * g.size, 0.012 * g.size, 4)
    wood, height = _grain(g, "#b9804a", "#4f2c14", g.fitted(0.003, 0.02, 0.06), 0.9, 3.0)
    edge, _ = _panes(g, g.fitted(0.008, 0.06, 0.16), g.vector(g.axis_x * 0.55, g.axis_y, g.axis_z))
    crack = (edge + (g.noise(0.02 * g.size, 3) - 0.5) * 0.05).step(0.09, 0.01) * fire
    colour = g.mix(fire, wood, g.ramp(line, [(0.35, "#0b0a0a"), (0.55, "#262322"), (0.75, "#4a4341")]))
    height = height + (edge.step(0.0, 0.3) * fire * 0.02 + line * 0.008) * g.size
    return g.surface(g.mix(crack, colour, "#030303"), 0.7 - fire * g.between(0.1, 0.3), height)


def strand_board(g: Graph) -> Any:
    wide, dark = g.fitted(0.005, 0.025, 0.07), g.pick(["#a87438", "#99642e", "#b98848"])
    light, height = g.pick(["#e2c084", "#dcb878", "#e8cf9c"]), g.noise(wide, 3) * 0.0004
    colour: Any = dark
    for k in range(5):  # one layer of flakes over another, each its own way
        x, y, _ = g.split(g.map(g.vector(g.u, g.v), rotation=(0, 0, 0.7 * k + g.between(0, 0.6))))
        away, leaf = _panes(g, wide, g.vector(x * 0.28, y, 7.0 * k))
        red, own, _ = g.split(leaf)
        tone = own + (g.noise(0.25 * wide, 3, 0.6, g.vector(x * 0.06, y, own * 5.0)) - 0.5) * 0.8
        flake = g.tint(g.ramp(tone, [(0.1, dark), (0.5, light), (0.95, "#f0dcb0")]), 0.5 + away.step(0.0, 0.1) * 0.5)
        colour, raised = g.mix(red.above(0.5), colour, flake), (away.step(0.0, 0.2) + own) * (0.06 * wide)
        height = height * (1.0 - red.above(0.5)) + raised * red.above(0.5)
    return g.surface(colour, 0.62, height)


def striped_exotic(g: Graph) -> Any:
    light, dark = _palette(g, "#c9985c #38200f", "#96502c #1d0c08", "#d0a458 #6e4318", "#b4643a #45160f")
    colour, height = _grain(g, light, dark, g.fitted(0.004, 0.03, 0.075), 1.5, g.between(3, 12))
    vein = (g.streaks(0.7 * g.size, 0.09 * g.size, 3) - 0.5).abs().step(0.03, 0.01)
    return _coated(g, g.mix(vein * 0.7, colour, dark), 0.4, height, g.between(0.2, 1.0))


def stained_wood(g: Graph) -> Any:
    light, dark = _palette(g, "#3f7fae #0f2c4a", "#4f9a76 #123a2a", "#c24a30 #4a0f0a", "#4a3a30 #0d0907")
    colour, height = _grain(g, light, dark, g.fitted(0.004, 0.03, 0.08), 0.7, 5.0)
    pore = g.streaks(0.12 * g.size, 0.007 * g.size, 2).step(0.56, 0.64)
    colour = g.mix(pore * 0.55, colour, "#e9e2d4" if g.rng.random() < 0.35 else dark)  # limed or not
    worn = _patch(g, 0.62, 0.7) * g.between(0, 0.8)
    return _coated(g, g.mix(worn, colour, "#b98f5e"), 0.45, height - pore * 0.0003, g.between(0, 0.7) * (1.0 - worn))


def bronze_statue(g: Graph) -> Any:
    form, fine = g.noise(g.fitted(0.01, 0.25, 0.45), 2, 0.35, warp=0.5), g.noise(0.05 * g.size, 5, 0.7)
    high, low = form.step(0.48, 0.68) * g.between(0.3, 1.0), (form + (fine - 0.5) * 0.4).step(0.45, 0.3)
    base = g.mix(high, g.pick(["#6a4526", "#5a3a1e", "#7a5430"]), g.pick(["#d09a50", "#c08840"]))
    colour = g.mix(low * g.between(0.3, 1.0), base, g.pick(["#5fa08a", "#4f8f80", "#7ab09c", "#1c1712"]))
    return g.surface(colour, 0.3 - high * 0.1 + low * 0.4, form * (0.16 * min(g.size, 0.5)), 1.0 - low * 0.8)


def tread_plate(g: Graph) -> Any:
    pitch = g.fitted(0.01, 0.07, 0.22)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    lean = (((g.u / pitch).floor() + (g.v / pitch).floor()) * 0.5).fract() * 4.0 - 1.0  # crosswise by turns
    bar = ((a + b * lean).abs() * 1.4 + (a - b * lean).abs() * 3.0).step(1.0, 0.65)
    dirt = _patch(g, 0.4, 0.7) * (1.0 - bar) * g.between(0.2, 0.9)
    base, grit = g.pick(["#c4c5c6", "#e8e9ea", "#d6d4d0"]), g.pick(["#4a4038", "#6b4128", "#3a3a3c"])
    colour = g.mix(dirt, g.tint(base, 0.5 + bar * 0.5), grit)
    return g.surface(colour, 0.34 - bar * 0.14 + dirt * 0.3, bar * (0.06 * pitch), 1.0 - dirt * 0.6)


def anodised(g: Graph) -> Any:
    dye = g.pick(["#c01f2c", "#1d55c4", "#1f8f5a", "#d98a14", "#7a2fa8", "#d04a8a", "#2f8fb0", "#26282c"])
    line, edge = g.streaks(0.3 * g.size, 0.01 * g.size, 2), g.node("NewGeometry").outputs["Pointiness"]
    groove = off(g.v / g.fitted(0.003, 0.04, 0.1)).step(0.34, 0.42) * float(g.rng.random() < 0.4)
    bare = Value(g, edge).step(0.54, 0.62).max(line.step(0.68, 0.7) * g.between(0, 0.5)).max(groove * 0.5)
    colour = g.mix(bare, g.tint(dye, 0.85 + line * 0.3), ALUMINIUM)  # machined bright
    return g.surface(colour, g.between(0.15, 0.34) + (line - 0.5) * 0.1, groove * (-0.01 * g.size), 1.0)


def scratched_steel(g: Graph) -> Any:
    score = g.streaks(0.7 * g.size, 0.05 * g.size, 2).step(0.68, 0.7)
    for _ in range(4):
        at = g.map(g.point, rotation=(g.between(0, 3), g.between(0, 3), g.between(0, 3)), scale=(0.03, 1.0, 1.0))
        score = score.max(g.noise(g.between(0.03, 0.06) * g.size, 1, 0.6, at).step(0.67, 0.69))
    oil, tone = _patch(g, 0.5, 0.62, 0.4) * g.between(0.2, 0.8), 0.6 + g.noise(0.15 * g.size, 6, 0.7) * 0.6
    colour = g.mix(score * 0.8, g.tint(g.pick(["#8f9194", "#7b7d80", "#9a958c"]), tone), "#f2f3f4")
    colour = g.mix(oil * (1.0 - score * 0.5), colour, g.pick(["#4f3a24", "#3a2c22", "#2a2a2c"]))
    return g.surface(colour, 0.34 + score * 0.12 - oil * 0.1, score * (-0.004 * g.size), 1.0)


def heat_tinted(g: Graph) -> Any:
    heat = g.noise(g.between(0.7, 1.3) * g.size, 3, 0.5) * 1.6 + g.axis_x * (g.between(-1, 1) / g.size)
    tint = g.ramp((heat + g.between(0, 1)).fract(), [(0.0, "#b9b9b8"), (0.18, "#d8b86a"), (0.36, "#a8642c"),
                  (0.5, "#7a3470"), (0.64, "#2c48a8"), (0.8, "#5fa8c8"), (1.0, "#b9b9b8")])  # fmt: skip
    colour = g.tint(g.mix(g.between(0.6, 1.0), STEEL, tint), 0.85 + g.streaks(0.3 * g.size, 0.01 * g.size) * 0.3)
    return g.surface(colour, g.between(0.1, 0.3), None, 1.0)


def tarnished_silver(g: Graph) -> Any:
    pitch, grime = g.fitted(0.01, 0.12, 0.3), g.noise(0.3 * g.size, 6, 0.66)
    row = (g.v * (0.6 / pitch)).fract() * 1.6667  # rosettes to 1, beads at 1.3
    radius, drawn = _flower(g, (g.u / pitch).fract() - 0.5, row - 0.5, int(g.rng.integers(4, 9)), 0.2)
    bead = ((g.u * (4 / pitch)).fract() - 0.5) ** 2.0 + ((row - 1.3) * 4.0) ** 2.0
    relief = (drawn.step(0.3, 0.12) * radius.step(0.03, 0.1)).max(bead.step(0.2, 0.02)).max(radius.step(0.08, 0.03))
    low = (1.0 - relief) * grime.step(0.2, 0.55) * g.between(0.5, 0.9)
    metal = g.mix(grime.step(0.5, 0.75) * 0.6, SILVER if g.rng.random() < 0.7 else GOLD, g.pick(["#7a6238", "#5a5a66"]))
    return g.surface(g.mix(low, metal, "#15120f"), 0.12 + low * 0.35, relief * (0.08 * pitch), 1.0)


def foil(g: Graph) -> Any:
    wide = g.fitted(0.008, 0.15, 0.22)
    large, small = g.split(g.cells(wide)[1]), g.split(g.cells(0.45 * wide)[1])
    height = g.noise(wide, 2, warp=0.6) * (0.15 * wide)
    for k, axis in enumerate((g.axis_x, g.axis_y, g.axis_z)):  # each facet leans its own way
        height = height + axis * ((large[k] - 0.5) * 1.1 + (small[k] - 0.5) * 0.5)
    tint = g.pick(["#d9a032", "#b3202c", "#2456b0", "#2f8a4c", "#c9702c"]) if g.rng.random() < 0.35 else ALUMINIUM
    return g.surface(tint, g.between(0.12, 0.26), height, 1.0)


def riveted_plates(g: Graph) -> Any:
    wide = g.fitted(0.025, 0.5, 0.6)
    u, v = g.u / wide + (g.v / wide).floor() * 0.5, g.v / wide
    border, away = off(u).max(off(v)), (off(u * 6.0) ** 2.0 + off(v * 6.0) ** 2.0) ** 0.5
    rim, seam, grime = border.above(0.5 - 1 / 6), border.step(0.48, 0.492), _patch(g, 0.48, 0.7) * g.between(0.1, 0.7)
    dome, ring = away.step(0.36, 0.1) * rim, (away - 0.4).abs().step(0.14, 0.06) * rim
    base, dark = (STEEL, ALUMINIUM, IRON, COPPER, BRASS)[int(g.rng.integers(5))], seam.max(ring * 0.7).max(grime) * 0.85
    colour = g.mix(dark, g.tint(base, 0.65 + g.chance(v.floor(), u.floor()) * 0.5), g.pick(["#2a221c", "#5a2f18"]))
    height = (dome * 0.04 + g.noise(0.5 * wide, 2) * 0.012 - seam * 0.01) * wide
    return g.surface(colour, g.between(0.16, 0.34) + grime * 0.2, height, 1.0 - grime * 0.3)


def cut_crystal(g: Graph) -> Any:
    pitch, slant = g.fitted(0.008, 0.06, 0.18), g.between(0.6, 1.1)
    p, q = off((g.u + g.v * slant) / pitch), off((g.u - g.v * slant) / pitch)
    cut = 1.0 - (g.v / (5 * pitch)).fract().step(0.74, 0.78) * float(g.rng.random() < 0.6)
    groove = p.max(q).step(0.34, 0.44) * cut  # a coloured skin is cut through to clear glass
    skin = g.pick(["#f4f8f8", "#f4f8f8", "#c82a3c", "#2a4fc0", "#2f9a60", "#e0a03c", "#8a4ab0"])
    return glass(g, g.mix(groove, skin, "#f6fafa"), 0.0, (p + q) * (-0.22 * pitch) * cut)


def deep_glass(g: Graph) -> Any:
    colour = g.pick(["#3454d0", "#c8283a", "#3f8f54", "#85858c", "#9a683a", "#7644b4", "#2294a2", "#66803c"])
    dent, _ = g.cells(g.fitted(0.008, 0.05, 0.16), "SMOOTH_F1")
    height = dent * 0.05 if g.rng.random() < 0.45 else g.noise(0.5 * g.size, 1) * 0.02  # pebbled or smooth
    dust = _patch(g, 0.5, 0.8) * (0.5 * float(g.rng.random() < 0.4))
    return glass(g, g.mix(dust, colour, "#b0a898"), dust * 0.7, height * min(g.size, 0.5), 1.0 - dust * 0.7)


def leaded_glass(g: Graph) -> Any:
    wide = g.fitted(0.012, 0.1, 0.26)
    edge, leaf = _panes(g, wide)
    p, q, slanted = (g.u + g.v) / wide, (g.u - g.v) / wide, g.rng.random() < 0.4
    lead = off(p).max(off(q)).step(0.44, 0.46) if slanted else edge.step(0.07, 0.045)
    own = g.chance(p.floor(), q.floor()) if slanted else g.grey(leaf)
    pane = g.ramp((own * 5.0).floor() * 0.25, [(0.25 * k, g.pick(HUES)) for k in range(5)])
    colour = g.mix(lead, g.tint(pane, 0.8 + g.noise(0.4 * wide, 3) * 0.4), "#2a2b2d")
    return glass(g, colour, lead * 0.45, (g.noise(0.25 * wide, 2) * 0.03 + lead * 0.05) * wide, 1.0 - lead)


def etched_glass(g: Graph) -> Any:
    pitch = g.fitted(0.012, 0.15, 0.38)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    radius, drawn = _flower(g, a, b, int(g.rng.integers(4, 9)), 0.22)
    star = drawn.step(0.2, 0.18).max(radius.step(0.46, 0.47))
    matt = (star, b.abs().step(0.25, 0.24), (a + b).abs().step(0.22, 0.2))[int(g.rng.integers(3))]
    colour = g.mix(matt * 0.6, g.pick(["#f2f8f6", "#f2f8f6", "#cfe8d8", "#cfe0f0", "#f0dcc0"]), "#ffffff")
    return glass(g, colour, matt * g.between(0.4, 0.6), g.noise(0.4 * g.size, 1) * (0.01 * g.size), 1.0 - matt * 0.35)


def swirled_glass(g: Graph) -> Any:
    fold = g.noise(0.8 * g.size, 3, 0.5, warp=g.between(0.3, 1.4))
    thread = off((g.u + g.v * g.between(-1.5, 1.5)) * (g.between(0.5, 2.0) / g.size) + fold * g.between(2, 5))
    one, other = thread.step(0.16, 0.12), thread.step(0.4, 0.46)
    base = g.mix(one, g.pick(["#eef6f4", "#eef6f4", "#9fd0e8", "#f0c890", "#d8b0d8"]), g.pick(HUES))
    return glass(g, g.mix(other, base, g.pick(HUES)), 0.02, fold * (0.03 * g.size), 1.0 - one.max(other) * 0.4)


def reactive_glaze(g: Graph) -> Any:
    down, (spot, _) = g.vector(g.axis_x * 2.2, g.axis_y * 2.2, g.axis_z * 0.7), g.cells(g.fitted(0.004, 0.025, 0.06))
    run, fine = g.noise(0.4 * g.size, 5, 0.62, down), g.noise(0.05 * g.size, 5, 0.7, down)
    ring = (g.up * (6.2832 / g.fitted(0.004, 0.05, 0.08)) + g.noise(0.3 * g.size, 2) * 4.0).sin()
    a, b, c = _palette(g, "#120d0c #3a1c10 #a8561f", "#7a3f1c #2a4f7a #9fc0d8", "#6b1018 #a02a26 #7fa8a0",
                       "#1f3a34 #3f7a68 #c9b888", "#c8b890 #8a6a3c #3a2a1c", "#14203f #27549a #d8d0b8")  # fmt: skip
    colour = g.ramp(run * 1.1 + fine * 0.6 + ring * 0.06 - 0.35, [(0.28, a), (0.5, b), (0.72, c)])
    colour = g.mix(spot.step(0.42, 0.3) * 0.7 * float(g.rng.random() < 0.4), colour, c)
    return _coated(g, colour, 0.12, (ring * 0.0016 + run * 0.006) * min(g.size, 0.4), 0.8)


def carved_celadon(g: Graph) -> Any:
    pitch, lean, scaled = g.fitted(0.008, 0.08, 0.18), g.between(-0.7, 0.7), g.rng.random() < 0.5
    b, flute = (g.v / pitch).fract(), off((g.u + g.v * lean) / pitch)
    radius = (off(g.u / pitch + (g.v / pitch).floor() * 0.5) ** 2.0 * 1.6 + b * b * 0.8) ** 0.5
    high = radius.step(0.9, 0.1) * 0.55 + radius.step(0.72, 0.66) * 0.45 if scaled else flute.step(0.5, 0.25)
    base = g.pick(["#a9c6a8", "#8fb89c", "#b8d0d0", "#c9a24a", "#5fb0b0", "#eeeae0", "#3f6f9a"])
    pool = (1.0 - high) * 0.75 + (g.noise(0.2 * g.size, 4) - 0.5) * 0.4  # the glaze lies deep in the cuts
    return _coated(g, g.mix(pool, base, g.tint(base, 0.38)), 0.12, high * (0.09 * pitch), 0.8)


def slipware(g: Graph) -> Any:
    pitch, swap = g.fitted(0.01, 0.1, 0.22), float(g.rng.random() < 0.3)
    u, v = g.u / pitch, g.v / pitch + (g.noise(0.7 * pitch, 3) - 0.5) * 0.3
    comb, dot = off(v * 2.2 - off(u) * 1.6), off(u * 2.0) ** 2.0 + (off(v * 0.5 + 0.5) * 4.0) ** 2.0
    wave = ((v * 0.5).fract() - 0.5 + (u * 4.5 + g.noise(pitch, 2) * 1.5).sin() * 0.13).abs().step(0.07, 0.045)
    slip = (comb.step(0.27, 0.22) if g.rng.random() < 0.5 else wave.max(dot.step(0.1, 0.06))) - swap
    clay, cream = g.pick(["#7a3a1c", "#5a2a16", "#94501f", "#3a2016"]), g.pick(["#e3bf78", "#ecd6a0", "#d9a850"])
    colour = g.tint(g.mix(slip.abs(), clay, cream), 0.75 + g.noise(0.2 * g.size, 6, 0.68) * 0.5)
    return _coated(g, colour, 0.2, slip.abs() * (0.02 * pitch), 0.8)


def mosaic(g: Graph) -> Any:
    wide, squares = g.fitted(0.006, 0.04, 0.1), g.rng.random() < 0.55  # else broken tiles
    (away, leaf), u, v = _panes(g, 1.6 * wide), g.u / wide, g.v / wide
    edge = 0.5 - off(u).max(off(v)) + (g.noise(0.4 * wide, 2) - 0.5) * 0.06 if squares else away
    own = g.chance(u.floor(), v.floor()) if squares else g.grey(leaf)
    hues = _palette(g, "#1f4f9a #2f8fc0 #f0ece0 #7fc0c8", "#b8321f #e8a82a #f0e8d4 #2f6a4a",
                    "#f2efe6 #e4e0d4 #1f2226 #f4f2ea", "#2f7a6a #6fb08a #d8c88a #184a4a")  # fmt: skip
    piece = g.ramp((own * 4.0).floor() * 0.3333, [(k / 3, hue) for k, hue in enumerate(hues)])
    grout, tone = edge.step(0.07, 0.04), 0.75 + (own * 37.0).fract() * 0.4
    colour = g.mix(grout, g.tint(piece, tone), g.pick(["#c9c2b4", "#7a756c", "#e4dfd4", "#4a4642"]))
    return _coated(g, colour, 0.1 + grout * 0.8, edge.step(0.0, 0.16) * (0.1 * wide), (1.0 - grout) * 0.8)


def gilt_porcelain(g: Graph) -> Any:
    v, wide = off(g.v / g.fitted(0.02, 0.3, 0.45)), g.between(0.05, 0.2)
    band, gold = v.step(wide + 0.004, wide), ((v - wide - 0.055).abs() - 0.028).abs().step(0.018, 0.013)
    petal = g.cells(g.fitted(0.012, 0.08, 0.2), irregular=0.6)[0] + (g.noise(0.03 * g.size, 3) - 0.5) * 0.25
    petal = petal + band + float(g.rng.random() < 0.35)  # none on the band; some pots have no flowers
    leaf = (petal - 0.3).abs().step(0.07, 0.04) * g.noise(0.05 * g.size, 2).step(0.48, 0.52)
    dyes = ["#1c2f7a", "#8a1424", "#0f5a44", "#e8a8b0", "#7fb8c8", "#f6f3ec", "#1c1c1e"]
    colour = g.mix(leaf, g.mix(band, g.pick(["#f6f3ec", "#f4f1e6"]), g.pick(dyes)), "#4f8a4a")
    colour = g.mix(petal.step(0.22, 0.18), colour, g.pick(["#d0405c", "#e08a3a", "#4a62c0"]))
    colour = g.mix(gold, g.mix(petal.step(0.1, 0.03), colour, "#f4d0d0"), GOLD)
    return _coated(g, colour, 0.1 + gold * 0.08, gold * 0.0002, 0.8 - gold * 0.8, gold)


def black_figure(g: Graph) -> Any:
    pitch, swap = g.fitted(0.008, 0.08, 0.17), float(g.rng.random() < 0.35)
    a, v = off(g.u / pitch), g.v * (0.5 / pitch) + 0.25
    b, kind = v.fract() * 2.0, g.chance(v.floor())
    box, first, last = a.max((b - 0.75).abs()), kind.step(0.34, 0.33), kind.step(0.59, 0.6)
    key = box.step(0.46, 0.43) - box.step(0.34, 0.31) + box.step(0.2, 0.17)
    ray, figure = (a * 2.4 + b * 0.8).step(1.1, 1.04), g.noise(1.1 * pitch, 2, 0.45, warp=0.5).step(0.47, 0.485)
    line = (b - 1.6).abs().step(0.36, 0.34) - (b - 1.6).abs().step(0.1, 0.07)
    art = (key * first + figure * last + ray * (1.0 - first - last)).max(line).min(1.0)
    black = (art - swap).abs() * (1.0 - _patch(g, 0.58, 0.68) * g.between(0.1, 0.7))
    clay = g.tint(g.pick(["#c8703a", "#b85f30", "#d0844a"]), 0.75 + g.noise(0.1 * g.size, 5, 0.65) * 0.5)
    return _coated(g, g.mix(black, clay, "#161312"), 0.6 - black * 0.35, g.noise(0.3 * g.size, 2) * 0.001, black * 0.5)
