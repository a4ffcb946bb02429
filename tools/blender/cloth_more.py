"""More kinds of cardboard, paper, fabric, leather and liquid: everyday finishes beside those of the first files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.blender.boards import BRIGHT, KRAFT, writing
from tools.blender.cloth import DYES
from tools.blender.hard import PAINTS
from tools.blender.nodes import Graph, Value, off

MATT = {"Specular IOR Level": 0.2}


def _board(g: Graph, colours: Sequence[str] = KRAFT) -> tuple[Any, Value]:
    """Colour and relief of pulp pressed flat."""
    fibre, cloud = g.noise(0.003, 5, 0.75), g.noise(0.3 * g.size, 5)
    colour = g.tint(g.pick(colours), 0.68 + fibre * 0.3 + cloud * 0.35)
    return colour, fibre * 0.00018 + cloud * (0.008 * min(g.size, 0.4))


def moulded_pulp(g: Graph) -> Any:
    p = g.fitted(0.018, 0.07, 0.25)
    a, b, fibre = off(g.u / p), off(g.v / p), g.noise(0.006, 6, 0.8, warp=1.0)
    dome = (1.0 - (a * a + b * b) * 5.0).max(0.0)
    base = g.pick(["#9ba3a6", "#b5a78f", "#8f9a8c", "#a89a8e", "#7f8794", "#a88f72"])
    return g.surface(g.tint(base, 0.5 + dome * 0.35 + fibre * 0.35), 0.97, dome * (0.2 * p) + fibre * 0.0016, 0, MATT)


def fruit_crate(g: Graph) -> Any:
    (colour, height), p = _board(g), g.fitted(0.03, 0.3, 0.5)
    row = off(g.v / (2 * p)).step(0.26, 0.25)
    x, y = off(g.u / p), ((g.v / (2 * p)).fract() - 0.5) * 2.0
    field = g.pick(["#2f6b3a", "#27508f", "#a8282a", "#3a2d28", "#c9701f"])
    print_ = g.mix((x * x + y * y).step(0.13, 0.12) * row, field, g.pick(["#d98a1c", "#c43a2a", "#e2c23a", "#7f9a3c"]))
    ink = row.max(writing(g, g.u, g.v, 0.5 * p, 0.8)) * g.noise(0.2 * g.size, 8, 0.7).step(0.66, 0.54)
    return g.surface(g.mix(ink * 0.88, colour, print_), 0.8, height)


def soaked_cardboard(g: Graph) -> Any:
    (colour, height), wet = _board(g), g.noise(0.8 * g.size, 7, 0.6)
    inside, tide = wet.step(0.5, 0.525), (wet - 0.505).abs().step(0.02, 0.0)
    flute = (g.u * (6.2832 / g.fitted(0.005, 0.013, 0.05))).sin() * (0.3 + inside * 0.7)
    mould = g.noise(0.05 * g.size, 7, 0.75).step(0.58, 0.68) * wet.step(0.5, 0.6) * (g.rng.random() < 0.5) * 0.8
    colour = g.tint(colour, 1.0 - inside * g.between(0.35, 0.55) - tide * 0.25 + flute * 0.06)
    return g.surface(g.mix(mould, colour, "#2f3029"), 0.9 - inside * 0.25, height * 2.0 + flute * 0.0005)


def torn_cardboard(g: Graph) -> Any:
    (colour, height), rip = _board(g), g.noise(0.5 * g.size, 6, 0.6)
    gone, rim = rip.step(0.5, 0.515), (rip - 0.5).abs().step(0.03, 0.0)
    flute = (g.u * (6.2832 / g.fitted(0.005, 0.013, 0.05))).sin()
    colour = g.mix(gone, colour, g.tint(g.pick(["#b8946a", "#a8845a", "#c4a47c"]), 0.75 + flute * 0.35))
    return g.surface(g.mix(rim * 0.75, colour, "#dcc7a2"), 0.9, height + gone * (flute * 0.0012 - 0.0015))


def dyed_corrugated(g: Graph) -> Any:
    p = g.fitted(0.004, 0.014, 0.05)
    dye, height = _board(g, [*PAINTS[:4], "#c4562a", "#7a3b6e", "#d9b23a", "#35706a", "#2b2a2c"])
    wave = (g.u * (6.2832 / p)).sin()
    colour = g.mix((g.noise(0.25 * g.size, 7, 0.7) + wave * 0.06).step(0.56, 0.66) * 0.85, dye, g.pick(KRAFT))
    return g.surface(g.tint(colour, 0.72 + wave * 0.3), 0.93, height + wave * (0.16 * p), 0, MATT)


def shipping_carton(g: Graph) -> Any:
    (colour, height), p = _board(g), g.fitted(0.03, 0.5, 1.3)
    x, y = (g.u / p).fract() - 0.5, (g.v / p).fract() - 0.5
    label = (x.abs() * 0.7).max(y.abs()).step(0.22, 0.216) * g.chance((g.u / p).floor(), (g.v / p).floor()).above(0.2)
    bars = g.noise(0.04 * p, 1, 0.9, g.vector(g.u, 0.0)).above(0.5) * (y + 0.1).abs().step(0.08, 0.077)
    ink = bars.max(writing(g, g.u, g.v, 0.06 * p) * y.above(0.02)) * x.abs().step(0.27, 0.26)
    tape = y.abs().above(0.4) * (g.rng.random() < 0.7) * 0.7
    colour = g.mix(tape, colour, g.pick(["#b58a50", "#c9b78f", "#a8322a", "#6e4a28"]))
    paper = g.mix(ink * 0.9, g.pick(["#e6e4dc", "#e6e4dc", "#e0c860"]), "#1d1d1e")
    return g.surface(g.mix(label * 0.95, colour, paper), 0.87 - tape * 0.8, height + label * 0.0004)


def _sheet(g: Graph, colour: Any, relief: Any = 0.0, folds: bool = False) -> Any:
    """Paper with a faint cloud, and where asked the panels of having been folded."""
    p, fibre = g.fitted(0.02, 0.4, 1.0), g.noise(0.002, 4, 0.7)
    a, b = off(g.u / p), off(g.v / (1.3 * p))
    rubbed = a.max(b).step(0.485, 0.5).max(a.min(b).step(0.015, 0.0)) * g.noise(0.03, 4).step(0.4, 0.65) * 0.22
    colour = g.tint(g.mix(rubbed * folds, colour, "#e4ded0"), 0.89 + fibre * 0.08 + g.noise(0.3 * g.size, 3) * 0.08)
    return g.surface(colour, 0.9, relief + fibre * 0.00006 + (a * 0.12 + b * 0.08) * (p * folds), 0, MATT)


def kraft_paper(g: Graph) -> Any:
    rib = g.noise(0.003, 2, 0.6, g.vector(g.u, g.v * 0.03))
    ridge = (g.noise(0.4 * g.size, 2, 0.4, warp=0.5) - 0.5).abs().min((g.noise(0.3 * g.size, 2) - 0.5).abs())
    base = g.tint(g.pick(["#b98f62", "#c49f74", "#a87c50", "#cdb08a"]), 0.85 + rib * 0.2 + ridge.step(0.02, 0) * 0.16)
    stamp = writing(g, g.u, g.v, g.fitted(0.008, 0.1, 0.25), 0.5) * (g.rng.random() < 0.3)
    colour = g.mix(stamp * 0.8, base, g.pick(["#2a2422", "#8d2c28", "#2f4a6b", "#3d5a3a"]))
    return _sheet(g, colour, ridge.step(0.0, 0.12) * (0.02 * min(g.size, 0.4)), g.rng.random() < 0.5)


def construction_paper(g: Graph) -> Any:
    wide, flat = g.fitted(0.02, 0.3, 0.6), g.rng.random() < 0.5
    at = g.vector(g.u + g.noise(0.2 * wide, 6, 0.7) * (0.6 * wide), g.v + g.noise(0.3 * wide, 6, 0.7) * (0.6 * wide))
    edge, leaf = g.cells(wide, "DISTANCE_TO_EDGE", at)[0], g.grey(g.cells(wide, at=at)[1])
    tones = [g.pick([*BRIGHT[:6], *DYES[:4]]) for _ in range(4)]
    pieces = g.mix(edge.step(0.022, 0.012), g.ramp(leaf, [(0.3 * k, tones[k]) for k in range(4)]), "#eeeae0")
    colour = g.mix(g.noise(0.0025, 3, 0.8).step(0.6, 0.72) * 0.3, tones[0] if flat else pieces, "#e8e0d0")
    return _sheet(g, colour, 0.0 if flat else leaf * 0.0006, flat)


def map_paper(g: Graph) -> Any:
    p = g.fitted(0.02, 0.4, 0.4)
    high, wood = g.noise(p, 4, 0.5, g.vector(g.u, g.v)), g.noise(0.5 * p, 4, 0.6, g.vector(g.u + 7.0, g.v))
    road = (g.noise(0.9 * p, 2, 0.4, g.vector(g.u, g.v + 5.0)) - 0.5).abs().step(0.014, 0.009)
    lane = (g.noise(0.35 * p, 2, 0.4, g.vector(g.u + 3.0, g.v)) - 0.5).abs().step(0.016, 0.008)
    land = g.mix(wood.step(0.55, 0.57) * 0.8, g.pick(["#efe9d2", "#e9e4dc", "#e6e2bd"]), "#b5cf9c")
    land = g.mix(off(high * 22.0).step(0.42, 0.46) * 0.4, land, "#a8753f")
    land = g.mix(lane * 0.7, land, g.pick(["#8f8a84", "#fdfbf2", "#d9a84a"]))
    sea = g.mix(high.step(0.43, 0.425), land, g.pick(["#8fbfd9", "#a3cbe0", "#6fa8cc"]))
    colour = g.mix(road, sea, g.pick(["#d0452f", "#e0a21f"]))
    return _sheet(g, g.mix(writing(g, g.u, g.v, 0.07 * p, 0.25) * 0.7, colour, "#26262b"), 0.0, True)


def foxed_paper(g: Graph) -> Any:
    blot, line = g.noise(0.4 * g.size, 6, 0.65), g.fitted(0.003, 0.012, 0.045)
    spot = g.cells(0.2 * g.size)[0].step(0.22, 0.08).max(g.noise(0.03 * g.size, 4, 0.7).step(0.66, 0.76))
    colour = g.mix(blot.step(0.4, 0.7) * 0.6, g.pick(["#e2cf9f", "#d9c090", "#e6d9b8"]), "#a87c44")
    colour = g.mix(spot * blot.step(0.4, 0.55) * 0.5, colour, "#7a4f24")
    script = writing(g, g.u + g.v * 0.4, g.v + g.noise(9 * line, 2) * line, line, 0.5) * (g.rng.random() < 0.4)
    crease = (g.noise(0.4 * g.size, 4, 0.5, warp=0.6) - 0.5).abs().step(0.04, 0.0) * (0.004 * min(g.size, 0.3))
    return _sheet(g, g.mix(script * 0.65, colour, g.pick(["#3a2414", "#23243a"])), crease, g.rng.random() < 0.6)


def crepe_paper(g: Graph) -> Any:
    p = g.fitted(0.0025, 0.01, 0.045)
    wrinkle = g.noise(p, 2, 0.5, g.vector(g.u, g.v * 0.12), 0.3)
    base = g.pick(["#d93a4a", "#f0a030", "#3f9a5a", "#3f7fc4", "#e88ab0", "#8a5ab0", "#f2e6c0", "#efefef", "#e8d23a"])
    return _sheet(g, g.tint(base, 0.45 + wrinkle * 1.05), wrinkle * (0.8 * p))


def paper_towel(g: Graph) -> Any:
    p = g.fitted(0.006, 0.03, 0.09)
    a, b = off(g.u / p), off(g.v / p + (g.u / p).floor() * 0.5)
    dimple = (a * a + b * b).step(0.13, 0.03) if g.rng.random() < 0.5 else a.max(b).step(0.3, 0.5)
    crumple = g.noise(0.25 * g.size, 3, 0.5, warp=0.5) * (0.03 * min(g.size, 0.4))
    border = off(g.v / (6 * p)).above(0.4) * (a * a + b * b).step(0.2, 0.08) * 0.6 * (g.rng.random() < 0.5)
    base = g.tint(g.pick(["#f2f1ec", "#efece2", "#e6dcc4", "#cfd9c4", "#e8c9c4"]), 1.0 - dimple * 0.14)
    return _sheet(g, g.mix(border, base, g.pick(["#5f8fc4", "#c46a6a", "#6aa86a"])), crumple - dimple * (0.12 * p))


def _drape(g: Graph, colour: Any, height: Value, sheen: float = 0.35) -> Any:
    fold = g.noise(0.5 * g.size, 3, 0.5, warp=0.4) * (0.035 * min(g.size, 0.6))
    return g.surface(colour, 0.95, height + fold, 0, {"Sheen Weight": sheen, "Specular IOR Level": 0.1})


def floral_print(g: Graph) -> Any:
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


def corduroy(g: Graph) -> Any:
    p, pile, rub = g.fitted(0.003, 0.014, 0.055), g.noise(0.0025, 3, 0.8), g.noise(0.3 * g.size, 6, 0.65)
    wale = 1.0 - off(g.u / p + g.noise(0.1 * g.size, 2) * 0.5) ** 2 * 4.0
    base = g.pick(["#8a5a2c", "#4a5a3a", "#2c3a5c", "#6b2430", "#c49a58", "#3a302a", "#b5632e", "#c9bda4", "#4f7a7a"])
    tone = 0.22 + wale * 0.6 + pile * 0.25 + rub.step(0.45, 0.75) * wale * 0.25
    return _drape(g, g.tint(base, tone), wale * (0.5 * p) + pile * 0.0006, 0.6)


def satin(g: Graph) -> Any:
    way = g.map(g.point, rotation=(0, 0, g.between(0, 3)), scale=(0.28, 1, 1))
    fold = g.noise(0.35 * g.size, 1, 0.4, way, 0.6)
    base = g.pick(["#b02a4a", "#e2d3b5", "#2f5a9a", "#d9a8b0", "#3a7a5c", "#5a2f7a", "#b87a5a", "#9ab0c4", "#3a2a4a"])
    more = {"Sheen Weight": 0.9, "Sheen Roughness": 0.25, "Anisotropic": 0.6, "Specular Tint": g.pick(["#e8d8d8"])}
    height = fold * (0.13 * min(g.size, 0.7))
    return g.surface(g.tint(base, 0.8 + fold * 0.35), g.between(0.36, 0.46), height, 0.08, more)


def burlap(g: Graph) -> Any:
    p = g.fitted(0.0028, 0.012, 0.05)
    u, v = g.u / p + g.noise(6 * p, 3) * 1.6, g.v / p + g.noise(7 * p, 3) * 1.6
    a, b, warp = off(u), off(v), off((u.floor() + v.floor()) * 0.5 + 0.5).above(0.25)
    thick, hole = 1.0 - (warp * a + (1.0 - warp) * b) * 1.7, a.min(b).step(0.3, 0.42)
    tone = (0.8 + thick * 0.5 - g.chance((u * warp + v * (1.0 - warp)).floor()) * 0.4) * (1.0 - hole * 0.8)
    ink = writing(g, g.u, g.v, g.fitted(0.03, 0.2, 0.5), 0.5) * (g.rng.random() < 0.3) * 0.7
    colour = g.mix(ink, g.pick(["#bf9f70", "#b08d5c", "#ccb48a", "#a0825a"]), g.pick(["#26221f", "#2f4a7a", "#8a2a24"]))
    return _drape(g, g.tint(colour, tone), thick * (0.4 * p) - hole * (0.3 * p), 0.2)


def herringbone(g: Graph) -> Any:
    p = g.fitted(0.004, 0.02, 0.065)
    slub, nep = g.noise(0.25 * p, 3, 0.8, warp=0.5), g.noise(0.8 * p, 2, 0.9).step(0.68, 0.74)
    twill = off(g.v / p + off(g.u / (5 * p)) * 5.0 + g.noise(0.5 * p, 2) * 0.35)
    light = g.mix(nep * 0.6, g.pick(["#c9bda4", "#a89a86", "#b5b5b0"]), g.pick(["#a8482a", "#3f5f8a", "#c9a23a"]))
    colour = g.mix(twill.step(0.2, 0.3), g.pick(["#3a342e", "#2c3038", "#4a3a2c", "#34402f"]), light)
    return _drape(g, g.tint(colour, 0.55 + slub * 0.8), twill * (0.15 * p) + slub * 0.0012, 0.5)


def tie_dye(g: Graph) -> Any:
    at, rib = g.vector(g.u, g.v), g.noise(0.0025, 3, 0.8)
    away, bleed = g.cells(g.fitted(0.025, 0.5, 0.6), at=at, irregular=0.8)[0], g.noise(0.08 * g.size, 5, 0.65, at, 1.0)
    pale, first = g.pick(["#ece8de", "#e8e4d4"]), g.pick([*DYES[:4], "#27408f", "#8a2f7a"])
    second = g.pick(["#e0b82a", "#d94f7a", "#2fa0a8", "#26304a", "#d9662a"])
    ring = (away * g.between(2.0, 3.5) + bleed * 1.1).fract()
    colour = g.ramp(ring, [(0.0, pale), (0.22, first), (0.5, pale), (0.75, second), (1.0, pale)])
    return _drape(g, g.tint(colour, 0.75 + rib * 0.4), rib * 0.0006 + bleed * (0.01 * min(g.size, 0.4)))


def boucle(g: Graph) -> Any:
    p, fuzz = g.fitted(0.003, 0.016, 0.06), g.noise(0.0025, 5, 0.85)
    away, leaf = g.cells(p, "SMOOTH_F1")
    tuft, curl = (1.0 - away * 1.2).max(0.0), off(away * 2.0 + g.noise(0.7 * p, 2) * 2.0)
    base = g.pick(["#e8e0d0", "#d9cdb8", "#a8a29a", "#b5633a", "#5a6a5c", "#d9a8a0", "#4a4a52", "#c9a24a"])
    tone = 0.25 + tuft * 0.35 + curl * 0.25 + fuzz * 0.5 + g.grey(leaf) * 0.12
    return _drape(g, g.tint(base, tone), tuft * (0.55 * p) + curl * (0.1 * p) + fuzz * 0.0025, 0.9)


def _hide(g: Graph, colour: Any, rough: Any, height: Value) -> Any:
    pore = g.cells(g.fitted(0.0012, 0.004, 0.013), "DISTANCE_TO_EDGE")[0].step(0.18, 0.0)
    crease = (g.noise(0.22 * g.size, 5, 0.6, warp=1.2) - 0.5).abs().step(0.04, 0.0)
    soft = g.noise(0.3 * g.size, 2) * (0.014 * min(g.size, 0.5)) - crease * (0.002 * min(g.size, 0.3)) - pore * 0.0002
    tone = 0.75 - pore * 0.2 - crease * 0.18 + g.noise(0.3 * g.size, 6, 0.65) * 0.5
    return g.surface(g.tint(colour, tone), rough + pore * 0.15, height + soft)


def crocodile(g: Graph) -> Any:
    p = g.fitted(0.008, 0.035, 0.12)
    at = g.vector(g.u + g.noise(3 * p, 2) * p, g.v * g.between(1.3, 1.9) + g.noise(4 * p, 2) * p)
    edge, leaf = g.cells(p, "DISTANCE_TO_EDGE", at, 0.5)[0], g.grey(g.cells(p, at=at, irregular=0.5)[1])
    base, plate = g.pick(["#5a2c14", "#2a2320", "#2f3d26", "#6b1f22", "#8a5a2c", "#a8804a"]), edge.step(0, 0.14)
    tone = 0.25 + plate * (0.6 + leaf * 0.4)
    return _hide(g, g.tint(base, tone), 0.5 - plate * g.between(0.2, 0.34), (plate + edge) * (0.13 * p))


def cracked_leather(g: Graph) -> Any:
    p, dry, fine = g.fitted(0.005, 0.035, 0.13), g.noise(0.4 * g.size, 5, 0.6), g.noise(0.03 * g.size, 4, 0.7)
    edge, _ = g.cells(p, "DISTANCE_TO_EDGE", g.map(g.point, scale=(1, 1.7, 1)))
    crack = (edge + fine * 0.1).step(0.1, 0.05) * dry.step(0.36, 0.48) * 0.75
    rub, base = (dry + fine * 0.08).step(0.58, 0.8) * 0.35, g.pick(["#6b3a1e", "#4a2616", "#5c1f1c", "#39452f"])
    colour = g.mix(rub, base, g.pick(["#a87a50", "#b8946e", "#8f6238"]))
    return _hide(g, g.mix(crack, colour, g.pick(["#5c4028", "#1f140d"])), 0.38 + rub * 0.5, crack * (-0.1 * p))


def woven_leather(g: Graph) -> Any:
    p, lean = g.fitted(0.006, 0.035, 0.12), float(g.rng.random() < 0.6)
    u, v = (g.u + g.v * lean) / p, (g.v - g.u * lean) / p
    a, b, warp = off(u), off(v), off((u.floor() + v.floor()) * 0.5 + 0.5).above(0.25)
    across, along = warp * a + (1.0 - warp) * b, warp * b + (1.0 - warp) * a
    arch, gap = (1.0 - along * along * 3.2) * across.step(0.5, 0.36), across.step(0.43, 0.48)
    base = g.pick(["#7a4524", "#a8703c", "#2c2624", "#5c2018", "#c9a67a", "#39424f", "#d8ccb4"])
    tone = (0.4 + arch * 0.6) * (1.0 - gap * 0.8) * (0.85 + g.chance(u.floor(), v.floor()) * 0.3)
    return _hide(g, g.tint(base, tone), 0.36 + gap * 0.3, arch * (0.22 * p))


def perforated_leather(g: Graph) -> Any:
    p = g.fitted(0.004, 0.018, 0.075)
    a, b, at = off(g.u / p + (g.v / p).floor() * 0.5), off(g.v / p), off(g.u / (12 * p))
    hole, seam = (a * a + b * b).step(0.075, 0.05) * at.step(0.42, 0.41), at.step(0.49, 0.498)
    thread = (at - 0.46).abs().step(0.014, 0.009) * off(g.v / p).step(0.38, 0.33)
    base = g.pick(["#c9b898", "#3a3838", "#9a6238", "#8a2a24", "#6e6a66", "#d9d2c4", "#4a2c1c", "#3a4a66"])
    colour = g.mix(thread, g.mix(hole.max(seam) * 0.85, base, "#0f0c0a"), g.pick(["#e6dcc4", "#b0302a", "#d9a23a"]))
    return _hide(g, colour, 0.4, at.step(0.5, 0.38) * (0.6 * p) - hole * (0.12 * p) + thread * 0.001)


def pebbled_leather(g: Graph) -> Any:
    p, wide = g.fitted(0.003, 0.012, 0.048), g.fitted(0.05, 0.4, 0.8)
    bead = g.cells(p, "DISTANCE_TO_EDGE")[0].step(0.0, 0.35)
    row = (off(g.v / wide) * wide - p).abs().step(0.24 * p, 0.16 * p)
    thread = row * off(g.u / (1.2 * p)).step(0.38, 0.33) * (g.rng.random() < 0.6)
    base = g.pick(["#2f8a8f", "#d9a83a", "#c45a6e", "#e2dccb", "#34508a", "#8f8c88", "#b8743c", "#5a2a4a", "#a83228"])
    colour = g.mix(thread, g.tint(base, 0.5 + bead * 0.5), g.pick(["#efe6d2", "#3a2a20"]))
    return _hide(g, colour, 0.52 - bead * 0.16, bead * (0.17 * p) + thread * 0.001)


def tufted_leather(g: Graph) -> Any:
    p = g.fitted(0.02, 0.2, 0.34)
    a, b = 0.5 - off(g.u / p + g.v / (1.3 * p)), 0.5 - off(g.u / p - g.v / (1.3 * p))
    puff, button = (a * b * 4.0) ** 0.5, (a * a + b * b).step(0.017, 0.008)
    base = g.pick(["#5c1f1a", "#2c3d2c", "#6b3a1c", "#2a2422", "#94602f", "#b8a88a", "#2f3a52"])
    tone, height = 0.5 + puff * 0.6 + button * 0.35, puff * (0.24 * p) + button * (0.09 * p)
    return _hide(g, g.tint(base, tone), g.between(0.24, 0.4), height)


def _pool(g: Graph, colour: Any, rough: Any, height: Value, more: Mapping[str, Any] = MATT) -> Any:
    wave = g.fitted(0.02, 0.3, 0.3)
    flat = g.noise(wave, 2, 0.4, warp=0.4) * (wave * g.between(0.005, 0.03))
    return g.surface(colour, rough, flat + height, 0, {"IOR": 1.36, "Coat Weight": 0.7, "Coat Roughness": 0.01, **more})


def red_wine(g: Graph) -> Any:
    away, _ = g.cells(g.fitted(0.002, 0.009, 0.05))
    foam = (away - 0.38).abs().step(0.12, 0.0) * g.noise(0.3 * g.size, 3, 0.6).step(g.between(0.5, 0.7), 0.72) * 0.6
    dark = g.tint(g.pick(["#4a0714", "#5c0a1e", "#38061a", "#6b1024"]), 0.8 + g.noise(0.5 * g.size, 2) * 0.4)
    return _pool(g, g.mix(foam, dark, "#c46a86"), 0.03 + foam * 0.3, foam * 0.0008)


def cooking_oil(g: Graph) -> Any:
    away, leaf = g.cells(g.fitted(0.006, 0.03, 0.14))
    bubble = (away - 0.2).abs().step(0.05, 0.0) * g.grey(leaf).above(0.7)
    colour = g.pick(["#f2d040", "#ecc830", "#e8d850", "#f5e080", "#ccc848"])
    return g.clear_shadow(_pool(g, colour, 0.01, bubble * 0.0015, {"Transmission Weight": 0.6}), colour, 0.7)


def vegetable_soup(g: Graph) -> Any:
    lump, herb = g.noise(0.05 * g.size, 5, 0.7), g.noise(0.03 * g.size, 2, 0.6).step(0.64, 0.67)
    swirl = (g.noise(0.9 * g.size, 1, 0.4, warp=1.5) - 0.5).abs().step(0.035, 0.01) * (g.rng.random() < 0.5)
    eye = g.cells(g.fitted(0.006, 0.05, 0.22))[0].step(0.2, 0.17)
    base = g.tint(g.pick(["#7f9a3a", "#5f8a34", "#d98a2a", "#c4501f", "#a8a04a", "#c9a24a"]), 0.7 + lump * 0.6)
    colour = g.mix(swirl * 0.85, g.mix(eye * 0.4, base, "#e0a02a"), "#f0e8d4")
    relief = (lump + herb * 0.3) * (1.0 - eye * 0.8) * (0.03 * min(g.size, 0.3))
    return _pool(g, g.mix(herb * 0.85, colour, g.pick(["#2f4f1c", "#26391a", "#2a221a"])), 0.2 - eye * 0.15, relief)


def liquid_paint(g: Graph) -> Any:
    stir = g.noise(0.9 * g.size, 2, 0.4, warp=1.8)
    thread = off(stir * g.between(3, 7)).step(0.3, 0.45) * (g.rng.random() < 0.65)
    first, second = g.pick([*BRIGHT, *PAINTS, "#efeeea"]), g.pick([*BRIGHT, "#efeeea"])
    colour = g.mix(thread * 0.9, g.tint(first, 0.9 + stir * 0.2), second)
    return _pool(g, colour, 0.08, (stir * 40.0).sin() * (0.003 * min(g.size, 0.3)), {"IOR": 1.5, "Coat Weight": 1.0})
