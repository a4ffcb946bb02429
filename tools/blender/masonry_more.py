"""More kinds of stone, concrete, plastic and rubber, so that a network meets the material and not the kind."""

from __future__ import annotations

from typing import Any

from tools.blender.boards import BRIGHT, writing
from tools.blender.nodes import Graph, Value, off

GREYS = ("#8f8e8a", "#9c9a94", "#85878a", "#a39d92", "#b4b1a8")
BREAK = (("#e9d9c0", "#a8503a", "#7b2f26", "#f0e9de"), ("#e8e6e2", "#8d9094", "#55585c", "#f4f3f0"),
         ("#2b2928", "#4a4540", "#161515", "#c9a55a"), ("#d8c6c9", "#7d4a5c", "#4f2d3e", "#f1e9e6"),
         ("#c9b38a", "#a37a45", "#6f4d2c", "#efe4cc"))  # fmt: skip
BANDS = (("#2e4a66", "#7c98b0", "#d9dfe2", "#3f6f93"), ("#7a2d1c", "#c4714a", "#f0dccb", "#4c1a12"),
         ("#3a3d42", "#8b8d90", "#e2e0dc", "#1f2124"), ("#2c5a47", "#6f9f86", "#dfe6da", "#173a2e"),
         ("#54355f", "#a68bb3", "#ece4ee", "#3a2244"))  # fmt: skip


def _patch(g: Graph) -> Value:
    return g.noise(0.35 * g.size, 8, 0.7).step(0.48, 0.72) * g.between(0.3, 0.8)


def _at_times(g: Graph, share: float) -> float:
    return float(g.rng.random() < share)


def _warped(g: Graph, wavelength: float, amount: float) -> Any:
    """The thing's own coordinates, shaken by up to half the amount, metres."""
    shake = [(g.noise(wavelength, 4, at=g.map(g.point, (7.0 * k, 0, 0))) - 0.5) * amount for k in range(3)]
    return g.vector(g.axis_x + shake[0], g.axis_y + shake[1], g.axis_z + shake[2])


def _polished(g: Graph, colour: Any) -> Any:
    rough = g.between(0.06, 0.35) + g.noise(0.3 * g.size, 5).step(0.5, 0.8) * 0.12
    return g.surface(colour, rough, None, 0.0, {"Coat Weight": 0.4, "Coat Roughness": 0.05})


def green_marble(g: Graph) -> Any:
    net, _ = g.cells(g.between(0.25, 0.55) * g.size, "DISTANCE_TO_EDGE", _warped(g, 0.2 * g.size, 0.7 * g.size))
    thread = (g.noise(0.3 * g.size, 7, 0.65, warp=1.5) - 0.5).abs().step(0.03, 0.0)
    vein = (net.step(0.06, 0.0) * (0.3 + g.noise(0.1 * g.size, 3))).max(thread * 0.6)
    deep, pale = g.pick(["#0e2a20", "#16291c", "#10302f"]), g.pick(["#3f7a58", "#557a4a", "#3a7570", "#7a9560"])
    body = g.ramp(g.noise(0.22 * g.size, 7, 0.7, warp=0.8), [(0.3, deep), (0.68, pale)])
    return _polished(g, g.mix(vein * 0.9, body, g.pick(["#cfdcc9", "#e2e4d6", "#a9c4ab"])))


def breccia(g: Graph) -> Any:
    palette = BREAK[int(g.rng.integers(len(BREAK)))]
    width, at = g.between(0.12, 0.4) * g.size, _warped(g, 0.1 * g.size, 0.12 * g.size)
    (edge, _), (_, leaf) = g.cells(width, "DISTANCE_TO_EDGE", at), g.cells(width, at=at)
    (small, _), (_, chip) = g.cells(0.35 * width, "DISTANCE_TO_EDGE", at), g.cells(0.35 * width, at=at)
    broken = g.noise(1.5 * width, 3).step(0.5, 0.52)
    tone = g.grey(leaf) + (g.grey(chip) - g.grey(leaf)) * broken + (g.noise(0.3 * width, 6, 0.7) - 0.5) * 0.5
    seam = edge.step(0.07, 0.02).max(small.step(0.08, 0.02) * broken)
    colour = g.ramp(tone, [(0.1, palette[2]), (0.5, palette[1]), (0.9, palette[0])])
    return _polished(g, g.mix(seam * 0.85, colour, palette[3]))


def lava_stone(g: Graph) -> Any:
    width = g.fitted(0.004, 0.03, 0.06)
    (wide, leaf), (fine, _) = g.cells(width, at=_warped(g, width, 0.5 * width)), g.cells(0.35 * width)
    hole = (wide.step(0.42, 0.28) * g.grey(leaf).above(g.between(0.3, 0.65))).max(fine.step(0.3, 0.2) * 0.6)
    base = g.tint(g.pick(["#4a4746", "#3a3938", "#5a5450", "#6b4036", "#2d2c2d"]), 0.6 + g.noise(0.3 * width, 5) * 0.8)
    base = g.mix(_patch(g) * _at_times(g, 0.4), base, g.pick(["#7d4434", "#8f8a80"]))
    return g.surface(g.mix(hole * 0.85, base, "#0d0c0c"), 0.93, hole * (-0.25 * width) + g.noise(0.3 * width) * 0.002)


def chiselled_limestone(g: Graph) -> Any:
    pitch, lean = g.fitted(0.004, 0.03, 0.075), g.between(-0.8, 0.8)
    along = g.u + g.v * lean + (g.noise(4 * pitch, 3) - 0.5) * (1.2 * pitch)
    stroke = off(along / pitch + g.chance((g.v / (5 * pitch)).floor())).step(0.45, 0.1) * g.noise(3 * pitch, 3).step(
        0.3, 0.55
    )
    tone = 0.55 + g.noise(0.3 * g.size, 6, 0.65) * 0.5 + stroke * 0.22 + (g.noise(0.25 * pitch, 3, 0.8) - 0.5) * 0.5
    base = g.tint(g.pick(["#d8d0bd", "#c9c5b8", "#dccdae", "#e3dfd4", "#bdb6a8"]), tone)
    colour = g.mix(_patch(g) * _at_times(g, 0.6), base, g.pick(["#4d4a44", "#6b6252", "#5d6150"]))
    return g.surface(colour, 0.92, stroke * (0.2 * pitch) + g.noise(0.3 * pitch, 4, 0.7) * (0.1 * pitch))


def gneiss(g: Graph) -> Any:
    width = g.fitted(0.005, 0.05, 0.09)
    bed = g.axis_z + g.axis_y * 0.4 + (g.noise(0.7 * g.size, 2, warp=0.5) - 0.5) * (g.between(0.3, 1.3) * g.size)
    grain = g.noise(0.14 * width, 3, 0.7)
    band = g.noise(1.0, 4, 0.65, g.vector(bed * (1 / width), g.axis_x * (0.08 / width), 0.0)) + (grain - 0.5) * 0.45
    dark, light = g.pick(["#1f1f22", "#2c2825", "#2a302c"]), g.pick(["#d8d4cc", "#c9a59a", "#cfc4b0", "#b4b6b8"])
    colour = g.ramp(band, [(0.3, dark), (0.47, "#5d5a59"), (0.53, light), (0.72, "#e3dfd8")])
    return g.surface(colour, g.between(0.15, 0.8), (grain + band * 2.0) * 0.0006)


def lichened_stone(g: Graph) -> Any:
    speck, base = g.noise(g.fitted(0.003, 0.02, 0.04), 6, 0.75), g.pick(["#77746e", "#8a837a", "#6a6b6d", "#93866f"])
    colour, crust = g.tint(base, 0.3 + speck * 0.9 + g.noise(0.5 * g.size) * 0.5), speck * 0.0
    for share in (g.between(0.25, 0.5), g.between(0.1, 0.25)):
        away, leaf = g.cells(share * g.size, at=_warped(g, 0.1 * g.size, 0.35 * g.size))
        spot = (away + (speck - 0.5) * 1.1).step(0.42, 0.32) * g.grey(leaf).above(0.45)
        tone = g.tint(g.pick(["#c9cdb8", "#b9bfa2", "#d39b2e", "#8f9a78", "#e1e0d2"]), 0.5 + speck)
        colour, crust = g.mix(spot * 0.85, colour, tone), crust.max(spot)
    moss = (g.noise(0.4 * g.size, 7, 0.7) + g.facing(2) * 0.08).step(0.56, 0.62) * _at_times(g, 0.4)
    colour = g.mix(moss, colour, g.tint("#566328", 0.5 + speck))
    return g.surface(colour, 0.92, speck * 0.004 + (crust + moss * 2.0) * (0.001 + 0.002 * min(g.size, 0.3)))


def agate(g: Graph) -> Any:
    palette, wild = BANDS[int(g.rng.integers(len(BANDS)))], g.between(0.2, 0.8)
    field = g.noise(g.between(0.6, 1.1) * g.size, 1, 0.4, warp=wild) + (g.noise(0.1 * g.size) - 0.5) * 0.03
    ring = g.noise(1.0, 3, 0.75, g.vector(field * g.between(16, 34), 0.0, 0.0))
    colour = g.ramp(ring, [(0.3, palette[3]), (0.42, palette[0]), (0.54, palette[1]), (0.68, palette[2])])
    return _polished(g, g.mix(field.step(0.66, 0.7) * 0.8, colour, "#e9e6e2"))


def _cement(g: Graph, colour: Any, holes: float = 0.5) -> tuple[Any, Value]:
    """The colour clouded and sandy, with blow-holes in that share of places; and its relief."""
    cloud, fine = g.noise(0.45 * g.size, 7, 0.62), g.noise(g.fitted(0.002, 0.008, 0.02), 4, 0.75)
    away, leaf = g.cells(g.fitted(0.008, 0.05, 0.09))
    pit = away.step(0.24, 0.15) * g.grey(leaf).above(1.0 - holes)
    tone = g.tint(colour, 0.4 + cloud * 0.8 + fine * 0.4)
    return g.mix(pit * 0.8, tone, "#2b2a27"), fine * 0.0015 + cloud * 0.001 - pit * 0.003


def polished_concrete(g: Graph) -> Any:
    colour, _ = _cement(g, g.pick([*GREYS, "#5f6063", "#7a7974"]), 0.0)
    swirl, side = g.noise(0.3 * g.size, 6, 0.6, warp=2.5), g.between(0.5, 0.9) * g.size
    line, _ = g.cells(0.8 * g.size, "DISTANCE_TO_EDGE", _warped(g, 0.2 * g.size, 0.6 * g.size))
    joint = off(g.u / side).max(off(g.v / side)).step(0.485, 0.492) * _at_times(g, 0.5)
    crack = joint.max(line.step(0.012, 0.003) * _at_times(g, 0.6))
    colour = g.mix(crack * 0.8, g.tint(colour, 0.6 + swirl * 0.8), "#33312e")
    return g.surface(colour, g.between(0.16, 0.36) + swirl * 0.15, crack * -0.002 + g.noise(0.3 * g.size, 2) * 0.001)


def pigmented_concrete(g: Graph) -> Any:
    colour, height = _cement(g, g.pick(["#8f5f52", "#a8986f", "#4a4a4c", "#6f7a68", "#a08a84", "#66727c"]), 0.8)
    return g.surface(g.mix(_patch(g), colour, "#cfcbc3"), 0.92, height * 1.8)  # a white bloom of lime


def concrete_blocks(g: Graph) -> Any:
    tall = g.fitted(0.05, 0.2, 0.32)
    row = (g.v / tall).floor()
    column = g.u / (2.0 * tall) + row * 0.5
    edge = ((0.5 - off(column)) * 2.0).min(0.5 - off(g.v / tall)) + (g.noise(0.1 * tall, 3) - 0.5) * 0.02
    mortar, crumb = edge.step(0.06, 0.045), g.cells(0.07 * tall, at=_warped(g, 0.05 * tall, 0.05 * tall))[0]
    hole = crumb.step(0.32, 0.15) * g.noise(0.1 * tall, 3).step(0.42, 0.55)
    colour, height = _cement(g, g.pick(GREYS), 0.0)
    colour = g.tint(g.mix(hole * 0.75, colour, "#3a3936"), 0.75 + g.chance(row, column.floor()) * 0.4)
    colour = g.mix(mortar * 0.8, colour, g.pick(["#c4c0b6", "#6f6c67"]))
    colour = g.mix(_patch(g) * _at_times(g, 0.35), colour, g.pick(["#4f5a35", "#3d3f37"]))
    return g.surface(colour, 0.95, height + (mortar * -0.04 - hole * 0.02) * tall)


def broomed_concrete(g: Graph) -> Any:
    pitch, turn = g.fitted(0.003, 0.015, 0.055), g.between(-0.3, 0.3)
    across = g.u + g.v * turn + (g.noise(0.5 * g.size, 2) - 0.5) * (3 * pitch)
    broom = g.noise(1.0, 3, 0.7, g.vector(across / pitch, (g.v - g.u * turn) * (0.03 / pitch), 0.0))
    colour, height = _cement(g, g.pick(GREYS), 0.15)
    wet = g.noise(0.5 * g.size, 5, 0.6).step(0.52, 0.56) * _at_times(g, 0.35)
    colour = g.tint(colour, (0.2 + broom * 1.6) * (1.0 - wet * 0.5))
    return g.surface(colour, 0.92 - wet * 0.45, height + broom * (0.45 * pitch))


def panel_concrete(g: Graph) -> Any:
    """Cast against sheets: their joints and the holes of the ties, some weeping."""
    side = g.between(0.55, 1.1) * g.size
    a, b = off(g.u / side), off(g.v / (0.8 * side))
    joint, radius = a.max(b).step(0.483, 0.493), ((a - 0.3) * (a - 0.3) + (b - 0.27) * (b - 0.27)) ** 0.5
    tie, rim = radius.step(0.045, 0.038), radius.step(0.075, 0.045)
    below = (a - 0.3).abs().step(0.06, 0.0) * g.noise(0.15 * side, 4).step(0.45, 0.6) * _at_times(g, 0.6)
    colour, height = _cement(g, g.pick(["#a9a8a4", "#b9b6ae", "#96989a", "#c2beb4"]), 0.3)
    colour = g.mix(below * 0.5, colour, g.pick(["#5d5a53", "#8a5f3c"]))
    colour = g.mix((joint * 0.65).max(tie * 0.85).max(rim * 0.2), colour, "#2f2e2b")
    return g.surface(colour, g.between(0.55, 0.8), height * 0.7 - (joint * 0.3 + tie) * 0.006)


def painted_concrete(g: Graph) -> Any:
    """Kerbs, garage floors and pillars: paint in stripes or in a field, worn off the sand beneath."""
    colour, height = _cement(g, g.pick(GREYS), 0.7)
    stripe = ((g.u + g.v * g.between(-1, 1)) / (g.between(0.3, 0.7) * g.size)).fract().above(0.5)
    paint = g.pick(["#d9b21b", "#e8e4da", "#b5382c", "#4b6f8f", "#5f8a6a"])
    paint = g.mix(stripe * _at_times(g, 0.5), paint, g.pick(["#26262a", "#e4e1d8", "#8a8d90"]))
    on = (g.noise(0.35 * g.size, 9, 0.8) + (g.noise(0.04 * g.size, 5, 0.7) - 0.5) * 0.3).step(0.54, 0.5)
    paint = g.tint(paint, 0.5 + g.noise(0.2 * g.size, 8, 0.75) * 0.85)
    return g.surface(g.mix(on * 0.9, colour, paint), 0.93 - on * 0.18, height * 1.8 + on * 0.0005)


def _moulded(g: Graph, colour: Any, rough: Any, height: Value | None = None, soft: float = 0.06) -> Any:
    return g.surface(colour, rough, height, 0.0, {"IOR": 1.5, "Subsurface Weight": soft, "Subsurface Scale": 0.01})


def labelled_plastic(g: Graph) -> Any:
    """A shampoo's or cleaner's pack: glossy, with a stuck label."""
    low, tall = g.between(0.08, 0.3), g.up / g.size
    high, small = low + g.between(0.3, 0.5), writing(g, g.u, g.up, 0.045 * g.size, 0.7) * tall.step(0.45, 0.44)
    label = tall.step(low, low + 0.006) * tall.step(high, high - 0.006) * (1.0 - g.facing(2).step(0.6, 0.7))
    text = writing(g, g.u, g.up, g.between(0.14, 0.22) * g.size, 0.75).max(small * 0.8)
    blot = g.noise(0.3 * g.size, 1, at=g.vector(g.u, g.up)).step(0.52, 0.53)
    print_ = g.mix(blot, g.pick(["#f2f0ea", "#f0d64a", "#2b62b8", "#1d1d20", "#e9e9ee"]), g.pick(BRIGHT))
    print_ = g.mix(text, print_, g.pick(["#16161a", "#f4f3ee", "#b3202a"]))
    return _moulded(g, g.mix(label, g.pick(BRIGHT), print_), 0.14 + label * 0.16, label * 0.0006)


def swirled_plastic(g: Graph) -> Any:
    melt = g.noise(g.between(0.35, 0.7) * g.size, 3, 0.5, warp=g.between(1.0, 2.5)) * g.between(9, 24)
    one, two, three = g.pick(BRIGHT), g.pick(BRIGHT), g.pick(["#f2f2ee", "#17181a", *BRIGHT])
    if g.rng.random() < 0.3:
        one, two, three = g.pick(["#1d120d"]), g.pick(["#4a2413"]), g.pick(["#6e3a1c"])
    colour = g.ramp(melt.sin() * 0.5 + 0.5, [(0.1, one), (0.5, two), (0.95, three)])
    return _moulded(g, colour, g.between(0.07, 0.22), g.noise(0.3 * g.size, 1) * 0.002)


def fluorescent_acrylic(g: Graph) -> Any:
    colour = g.pick(["#ff5a1a", "#b8f52a", "#ff3a8c", "#3af0c8", "#ffe02a", "#e02030"])
    rim = Value(g, g.node("LayerWeight", {"Blend": 0.35}).outputs["Facing"]).step(0.25, 0.95)
    scratch = g.streaks(0.3 * g.size, 0.01 * g.size, 2).step(0.66, 0.74)
    more = {"Transmission Weight": 0.8, "IOR": 1.3, "Emission Color": colour, "Emission Strength": 0.06 + rim * 0.45}
    return g.clear_shadow(g.surface(colour, 0.06 + scratch * 0.3, scratch * 0.0002, 0.0, more), colour, 0.6)


def printed_layers(g: Graph) -> Any:
    pitch = g.fitted(0.001, 0.008, 0.035)
    side, track = off(g.up / pitch), off((g.axis_x + g.axis_y) / pitch)
    bead = side + (track - side) * g.facing(2).step(0.75, 0.85)
    blend = (g.up / g.size).step(-0.3, 0.8) * _at_times(g, 0.35)
    colour = g.mix(blend, g.pick([*BRIGHT, "#8d9094", "#c08a3a"]), g.pick(BRIGHT))
    tone = 0.85 + g.chance((g.up / pitch).floor()) * 0.25 - bead.step(0.3, 0.5) * 0.55
    return _moulded(g, g.tint(colour, tone), g.between(0.2, 0.36), (0.25 - bead * bead) * (1.3 * pitch))


def yellowed_casing(g: Graph) -> Any:
    """An old computer's or radio's case: aged from one end, with air slots and a round button."""
    pitch = g.fitted(0.002, 0.03, 0.085)
    a, b = (g.u / (14 * pitch)).fract() - 0.5, (g.v / (12 * pitch)).fract() - 0.5
    slot = off(g.v / pitch).step(0.32, 0.2) * a.abs().step(0.3, 0.295) * b.abs().step(0.21, 0.205)
    radius = ((a - 0.38) * (a - 0.38) + (b - 0.35) * (b - 0.35)) ** 0.5
    button, dark = radius.step(0.05, 0.045), radius.step(0.065, 0.055).max(slot) * 0.92
    aged = ((g.axis_x + g.up) / g.size + g.noise(0.7 * g.size, 2) - 0.6).step(-0.1, 0.8)
    base = g.mix(aged, g.pick(["#d6d4cc", "#c4c6c6", "#e0ded4"]), g.pick(["#d8cb98", "#dccfa2", "#cfc496"]))
    base = g.mix(button, g.mix(dark, base, "#15140f"), g.pick(["#3a3a3c", "#b3302a", "#8d9094"]))
    return _moulded(g, base, g.between(0.18, 0.32), (button * 0.8 - slot * 0.5) * pitch)


def plastic_film(g: Graph) -> Any:
    wide, fine = g.noise(0.55 * g.size, 1, 0.4, warp=0.5), g.noise(0.3 * g.size, 1, warp=0.8)
    pull = (g.streaks(0.8 * g.size, 0.15 * g.size, 1) - 0.5).abs() * g.between(0.05, 0.2)
    fold = (wide - 0.5).abs() * 0.3 + (fine - 0.5).abs() * 0.15 + pull
    colour = g.pick(["#131314", "#1b4fa8", "#f0f0ee", "#e8c51a", "#1d7a3c", "#d8402c", "#17171a", "#7fb8d8"])
    return _moulded(g, colour, g.between(0.16, 0.28), fold * (0.6 * min(g.size, 0.4)), 0.15)


def lattice_plastic(g: Graph) -> Any:
    pitch, kind = g.fitted(0.008, 0.05, 0.13), int(g.rng.integers(3))
    u, v = g.u / pitch, g.v / pitch
    u, v = [(u, v), ((u + v) * 0.7, (u - v) * 0.7), (u + (v * 0.6).floor() * 0.5, v * 0.6)][kind]
    away = (off(u) ** 4.0 + off(v) ** 4.0) ** 0.25
    hole, lip = away.step(0.36, 0.34), away.step(0.46, 0.36)
    colour = g.mix(hole * 0.85, g.pick([*BRIGHT, "#dfe3e6", "#7fb2d9", "#b9d6b0"]), "#08080a")
    return _moulded(g, colour, 0.25, lip * (-0.12 * pitch) - hole * (0.25 * pitch))


def scratched_plastic(g: Graph) -> Any:
    fine, cut = g.fitted(0.001, 0.008, 0.015), g.u * 0.0
    for _ in range(4):
        turned = g.map(g.vector(g.u, g.v), rotation=(0, 0, g.between(0, 3.14)), shift=(g.between(0, 9), 0, 0))
        x, y, _z = g.split(turned)
        line = g.noise(fine, 1, 0.5, g.vector(x * 0.018, y, 0.0)).step(0.61, 0.66)
        cut = cut.max(line * g.noise(0.3 * g.size, 2).step(0.35, 0.5))
    base = g.pick(["#eeeeea", "#2f8a4c", "#2f6fb8", "#c43a34", "#e0b92a", "#4b4e54", "#d97a2a"])
    colour = g.mix(_patch(g) * 0.25, base, g.pick(["#a58a4a", "#8a8f8a", "#9a5a44"]))
    colour = g.mix(cut * 0.6, colour, "#c2beb6" if sum(base) > 1.5 else "#dfe2e2")
    return _moulded(g, colour, 0.2 + cut * 0.4, cut * (-0.3 * fine), 0.15)


def _elastic(g: Graph, colour: Any, rough: Any, height: Value, dusty: float = 0.2, soft: float = 0.0) -> Any:
    dust = g.noise(0.25 * g.size, 7, 0.68).step(0.48, 0.8) * dusty
    more = {"Sheen Weight": 0.25, "Specular IOR Level": 0.35, "Subsurface Weight": soft, "Subsurface Scale": 0.02}
    return g.surface(g.mix(dust, colour, "#a19a8e"), dust * 0.3 + rough, height, 0.0, more)


def gum_rubber(g: Graph) -> Any:
    width = g.fitted(0.004, 0.04, 0.1)
    crepe = (g.noise(1.3 * width, 2, 0.5, warp=1.2) - 0.5).abs().step(0.0, 0.14)
    relief = (crepe if g.rng.random() < 0.35 else off(g.v / width).step(0.15, 0.35)) * 0.12
    base = g.tint(g.pick(["#d39a36", "#c8862c", "#dcae52", "#bb7a2a"]), 0.88 + relief)
    colour = g.mix(_patch(g) * 0.25, base, "#6a4a26")
    return _elastic(g, colour, g.between(0.22, 0.36), relief * width, 0.05, 0.6)


def perished_rubber(g: Graph) -> Any:
    width = g.fitted(0.008, 0.08, 0.22)
    line, _ = g.cells(width, "DISTANCE_TO_EDGE", _warped(g, width, 0.5 * width))
    crack = line.step(0.045, 0.015) * g.noise(1.5 * width, 3).step(0.4, 0.5)
    colour = g.mix(_patch(g) * 0.6, g.pick(["#1d1d1e", "#242223", "#2a2220"]), g.pick(["#4a4846", "#4d4640"]))
    return _elastic(g, g.mix(crack * 0.95, colour, "#030303"), g.between(0.38, 0.5), crack * (-0.08 * width), 0.25)


def honeycomb_mat(g: Graph) -> Any:
    pitch = g.fitted(0.012, 0.05, 0.14)
    u, v = g.u / pitch, g.v / (1.732 * pitch)
    a, b, c, d = off(u), off(v) * 1.732, off(u + 0.5), off(v + 0.5) * 1.732
    radius = (a * a + b * b).min(c * c + d * d) ** 0.5
    hole, rim = radius.step(0.36, 0.33), (radius - 0.41).abs().step(0.07, 0.02)
    colour = g.pick(["#1d1d1e", "#26262a", "#1d1d1e", "#5a2f26", "#2f4a3a", "#2f3f58"])
    colour = g.mix(hole * 0.9, g.mix(rim * g.between(0.1, 0.4), colour, "#8a857c"), "#050505")
    return _elastic(g, colour, 0.6, rim * (0.1 * pitch) - hole * (0.3 * pitch), 0.4)


def silicone_rubber(g: Graph) -> Any:
    period = g.fitted(0.01, 0.06, 0.2)
    rib = (g.v * (6.2832 / period)).sin() * _at_times(g, 0.5)
    base = g.pick(["#d8453c", "#e58f9a", "#7fbfb0", "#6f9fd0", "#3fa8a8", "#a8c86a", "#cfc8bf", "#9a86b8", "#55606a"])
    lint, leaf = g.cells(g.fitted(0.004, 0.02, 0.03))
    colour = g.mix(lint.step(0.12, 0.08) * g.grey(leaf).above(0.75) * 0.5, g.tint(base, 0.97 + rib * 0.03), "#e6e2da")
    height = rib * (0.025 * period) + g.noise(0.3 * g.size, 1) * 0.002
    return _elastic(g, colour, g.between(0.42, 0.58), height, 0.12, 0.45)


def boot_rubber(g: Graph) -> Any:
    """A rubber boot: waxy sheen over a ribbed matt sole with a stripe above, at times muddy."""
    tall, line, deep = g.up / g.size, g.between(0.15, 0.42), 0.015 * min(g.size, 0.3)
    sole, rib = tall.step(line + 0.01, line), off(g.u / g.fitted(0.006, 0.03, 0.08)).step(0.2, 0.3)
    trim = sole.max((tall - line - 0.14).abs().step(0.04, 0.035))
    colour = g.pick(["#2f4a32", "#c99a1a", "#a82a26", "#22304f", "#1d1d1f", "#4a5a3a", "#b04a6a"])
    colour = g.mix(trim, colour, g.tint(g.pick(["#1b1b1c", "#a07a4a", "#cfc6b0", "#a82a26"]), 0.6 + rib * 0.4))
    mud = (g.noise(0.25 * g.size, 8, 0.75) - tall * 0.2).step(0.46, 0.51) * _at_times(g, 0.5)
    height = (g.noise(0.5 * g.size, 1, warp=0.5) - 0.5).abs() * (4 * deep) + trim * (sole * rib + 0.5) * deep
    rough = sole * 0.3 + mud * 0.4 + g.between(0.26, 0.36)
    return _elastic(g, g.mix(mud * 0.85, colour, "#6b5740"), rough, height + mud * 0.0006, 0.08)


def tyre_wall(g: Graph) -> Any:
    pitch = g.fitted(0.02, 0.3, 0.75)
    lane = (g.v / pitch).fract()
    ridge = off(lane * 18.0).step(0.2, 0.35) * lane.step(0.4, 0.41)
    letters = writing(g, g.u, g.v, 0.28 * pitch, 0.9) * lane.step(0.43, 0.44) * lane.step(0.87, 0.86)
    band = (lane - 0.92).abs().step(0.04, 0.035) * _at_times(g, 0.35)
    colour = g.mix(letters * g.between(0.1, 0.8), g.pick(["#1b1b1c", "#232323", "#2b2a29"]), "#c9c6be")
    colour = g.mix(band, colour, g.pick(["#d9d5ca", "#b08a58"]))
    return _elastic(g, colour, 0.55, (letters * 0.03 + ridge * 0.02 + band * 0.012) * pitch, g.between(0.2, 0.6))
