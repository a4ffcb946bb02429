"""How plastic, rubber, cardboard and paper look, each in several variants."""

from __future__ import annotations

from typing import Any

from tools.blender.hard import PAINTS
from tools.blender.nodes import Colour, Graph, Value, off

BRIGHT = ("#d3202a", "#1261c9", "#15a048", "#f2b90c", "#f2f2ee", "#e8590c", "#17181a", "#8d2fb0", "#0fa3b1", "#e84a8a")
KRAFT = ("#b58a58", "#a97d4c", "#bf9a6b", "#9c7346")


def _seam(g: Graph) -> Value:
    """The fine line where a mould's halves met."""
    return g.axis_y.abs().step(0.0012, 0.0004)


def glossy_plastic(g: Graph) -> Any:
    return g.surface(g.pick(BRIGHT), g.between(0.08, 0.2), _seam(g) * 0.0004 + g.noise(0.2 * g.size, 1) * 0.002, 0.0,
                     {"IOR": 1.5, "Subsurface Weight": 0.08, "Subsurface Scale": 0.01})  # fmt: skip


def matt_plastic(g: Graph) -> Any:
    grain = g.noise(0.0012, 2, 0.5)
    scuff = g.noise(0.3 * g.size, 8, 0.7).step(0.62, 0.75) * 0.25
    return g.surface(
        g.mix(scuff, g.pick([*BRIGHT, "#8d9094", "#3b3d41"]), "#d8d8d8"), 0.42, grain * 0.0002 + _seam(g) * 0.0005
    )


def two_tone_plastic(g: Graph) -> Any:
    at, lean = g.between(0.3, 0.7), g.between(-0.4, 0.4)
    line = (g.up + g.axis_x * lean) / g.size - at * 0.6
    groove = line.abs().step(0.012, 0.004)
    return g.surface(g.mix(line.above(0.0), g.pick(BRIGHT), g.pick(BRIGHT)), 0.22, groove * -0.002)


def translucent_plastic(g: Graph) -> Any:
    colour = g.pick(["#eef0ee", "#f2e8d8", "#9fd0ee", "#f2b0b8", "#b8e0b0", "#f5d98a"])
    return g.clear_shadow(g.surface(colour, 0.38, g.noise(0.002, 2) * 0.00015, 0.0,
                                    {"Transmission Weight": 0.65, "IOR": 1.35}), colour, 0.5)  # fmt: skip


def clear_plastic(g: Graph) -> Any:
    """Thin and crackly: dents that glass would not have."""
    dent = g.noise(0.12 * g.size, 3, 0.6, warp=1.0)
    colour = g.pick(["#eef4f6", "#dceef5", "#e2f2dd"])
    return g.clear_shadow(g.surface(colour, 0.05, dent * (0.03 * min(g.size, 0.4)), 0.0,
                                    {"Transmission Weight": 0.95, "IOR": 1.25}), colour, 0.85)  # fmt: skip


def ribbed_plastic(g: Graph) -> Any:
    period = g.fitted(0.008, 0.04, 0.07)
    rib = off(g.u / period).step(0.2, 0.3)
    return g.surface(g.pick(BRIGHT), 0.3, rib * (0.12 * period))


def flecked_plastic(g: Graph) -> Any:
    away, leaf = g.cells(g.fitted(0.004, 0.02, 0.05))
    fleck = g.ramp(g.grey(leaf), [(0.0, g.pick(BRIGHT)), (0.5, g.pick(BRIGHT)), (1.0, g.pick(BRIGHT))])
    return g.surface(g.mix(away.step(0.4, 0.3), g.pick(["#dcdcd8", "#26272a", "#c7d3d8"]), fleck), 0.3)


def _rubber(g: Graph, colour: Any, height: Value | None = None, dusty: float = 0.3) -> Any:
    dust = g.noise(0.25 * g.size, 7, 0.68).step(0.45, 0.8) * dusty
    grain = g.noise(0.0015, 3) * 0.0002
    more = {"Sheen Weight": 0.25, "Sheen Roughness": 0.5, "Specular IOR Level": 0.3}
    return g.surface(
        g.mix(dust, colour, "#a19a8e"), 0.62 + dust * 0.3, grain if height is None else height + grain, 0.0, more
    )


def black_rubber(g: Graph) -> Any:
    return _rubber(g, g.pick(["#1c1c1d", "#232222", "#2a2a2c"]), None, g.between(0.05, 0.35))


def coloured_rubber(g: Graph) -> Any:
    period = g.fitted(0.01, 0.06, 0.12)
    rib = off(g.up / period).step(0.4, 0.45) * float(g.rng.integers(0, 2))
    pitch = g.fitted(0.003, 0.01, 0.025)
    a, b = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dimple = ((a * a + b * b) ** 0.5).step(0.4, 0.2) * float(g.rng.integers(0, 2))
    colour = g.pick(["#8f3a30", "#3a5a85", "#476b48", "#a87c35", "#9a5a3c", "#6f7175", "#b56a70"])
    return _rubber(g, colour, rib * -0.0015 - dimple * (0.1 * pitch), 0.4)


def treaded_rubber(g: Graph) -> Any:
    pitch = g.fitted(0.01, 0.035, 0.09)
    slant = (g.axis_z * 0.8).abs() + g.u
    block = off(slant / pitch).step(0.3, 0.36)
    row = off(g.v / (1.3 * pitch)).step(0.38, 0.43)
    groove = block.max(row)
    return _rubber(g, g.mix(groove * 0.7, "#252526", "#0a0a0a"), groove * (-0.3 * pitch), 0.3)


def studded_rubber(g: Graph) -> Any:
    pitch = g.fitted(0.008, 0.03, 0.07)
    u, v = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    stud = ((u * u + v * v) ** 0.5).step(0.34, 0.26)
    return _rubber(
        g, g.mix(stud * 0.35, g.pick(["#1b1b1c", "#3a3d40", "#24364a"]), "#5a5a5a"), stud * (0.2 * pitch), 0.2
    )


def eraser(g: Graph) -> Any:
    half = g.axis_x.above(g.between(-0.1, 0.1) * g.size)
    smear = g.noise(0.15 * g.size, 8, 0.75, g.vector(g.axis_x, g.axis_y * 3.0, g.axis_z * 3.0)).step(0.52, 0.68) * 0.55
    colour = g.mix(half, g.pick(["#d98a8a", "#e3e0d6"]), g.pick(["#5f7fa8", "#d98a8a", "#e3e0d6"]))
    return _rubber(g, g.mix(smear, colour, "#4b4b4e"), g.noise(0.02, 5) * 0.0012, 0.0)


def speckled_rubber(g: Graph) -> Any:
    away, leaf = g.cells(g.fitted(0.003, 0.008, 0.02))
    fleck = away.step(0.4, 0.3) * g.grey(leaf).above(0.72)
    return _rubber(g, g.mix(fleck, "#1d1d1e", g.pick(["#3f7fc4", "#c44a3a", "#c9c9c4"])), away * -0.0012, 0.1)


def writing(g: Graph, u: Value, v: Value, line: float, fill: float = 0.6) -> Value:
    """Rows of words, too small to read: 1 on the ink. u, v: metres; line: from one row to the next."""
    row = (v / line).floor()
    on_row = off(v / line).step(0.25, 0.18)
    word = g.noise(1.4 * line, 2, 0.9, g.vector(u, row * (13.7 * line))).step(0.75 - 0.5 * fill, 0.78 - 0.5 * fill)
    letters = g.noise(0.3 * line, 2, 0.9, g.vector(u, v * 0.7)).step(0.36, 0.44)
    return on_row * word * letters


def _cardboard(g: Graph) -> tuple[Any, Value]:
    fibre, flute = g.noise(0.003, 5, 0.75), (g.axis_x * (6.2832 / 0.0075)).sin()
    tone = 0.78 + fibre * 0.3 + flute * 0.025 + (g.noise(0.3 * g.size, 4) - 0.5) * 0.3
    colour = g.tint(g.pick(KRAFT), tone)
    speck = g.noise(0.0018, 2, 0.9).step(0.68, 0.74)
    return g.mix(speck * 0.4, colour, "#5e4224"), flute * 0.00012 + fibre * 0.00015 + g.noise(0.1, 3) * 0.003


def plain_cardboard(g: Graph) -> Any:
    colour, height = _cardboard(g)
    return g.surface(colour, 0.85, height)


def printed_cardboard(g: Graph) -> Any:
    colour, height = _cardboard(g)
    line = g.fitted(0.006, 0.04, 0.06)
    block = off(g.u / (9 * line)).step(0.33, 0.32) * off(g.v / (7 * line)).step(0.3, 0.29)
    text = writing(g, g.u, g.v, line) * block
    frame = off(g.u / (9 * line)).max(off(g.v / (7 * line)))
    frame = frame.step(0.4, 0.405) * frame.step(0.43, 0.425)
    ink = (text.max(frame) * (0.8 + g.noise(0.002, 2) * 0.2)).min(0.95)
    return g.surface(g.mix(ink, colour, g.pick(["#1f1a17", "#1f1a17", "#8d2420", "#1d4a7a"])), 0.85, height)


def taped_cardboard(g: Graph) -> Any:
    colour, height = _cardboard(g)
    tape = g.axis_y.abs().step(0.026, 0.025)
    shade = g.mix(tape * 0.75, colour, g.pick(["#c9a36a", "#8a5a2c", "#d9cfb8"]))
    crease = g.noise(0.02, 3, warp=1.0) * tape
    return g.surface(shade, 0.85 - tape * 0.65, height * (1.0 - tape * 0.6) + crease * 0.0006 + tape * 0.0002)


def corrugated(g: Graph) -> Any:
    """Open flutes on the faces, and cut edges that show them as a wave between liners."""
    colour, height = _cardboard(g)
    pitch = 0.0085
    wave = (g.axis_x * (6.2832 / pitch)).sin()
    sheet = (g.axis_z / 0.006).fract()
    curve = (sheet - (wave * 0.38 + 0.5)).abs().step(0.16, 0.06)
    liner = (sheet - 0.5).abs().step(0.4, 0.44)
    edge = g.facing(2).step(0.5, 0.3)
    dark = (1.0 - curve.max(liner)) * edge
    ribs = wave * (1.0 - edge)
    return g.surface(
        g.tint(g.mix(dark * 0.85, colour, "#3d2a15"), 0.9 + ribs * 0.16), 0.88, height + ribs * 0.0013 - dark * 0.002
    )


def white_cardboard(g: Graph) -> Any:
    colour, height = _cardboard(g)
    worn = g.noise(0.25 * g.size, 8, 0.7).step(0.62, 0.68)
    return g.surface(g.mix(worn, g.tint("#e6e3dc", 0.9 + g.noise(0.01, 3) * 0.15), colour), 0.6, height)


def _paper(g: Graph, colour: Any) -> Any:
    fibre = g.noise(0.002, 4, 0.7)
    crease = (g.noise(0.35 * g.size, 2, warp=0.8) - 0.5).abs().step(0.02, 0.0)
    more = {"Specular IOR Level": 0.2}
    return g.surface(
        g.tint(colour, 0.96 + fibre * 0.08), 0.9, fibre * 0.00006 + crease * (0.0012 * min(g.size, 0.15)), 0.0, more
    )


def white_paper(g: Graph) -> Any:
    """A stack shows its sheets at the edges."""
    sheet = g.noise(1.0, 2, 0.9, g.vector(g.axis_z * 900.0, g.axis_x * 3.0, g.axis_y * 3.0))
    edge = g.facing(2).step(0.5, 0.3)
    return _paper(g, g.tint(g.pick(["#f3f2ee", "#f4f0e2", "#eceef0"]), 1.0 - edge * (0.45 - sheet * 0.5)))


def lined_paper(g: Graph) -> Any:
    blue = off(g.v / 0.008).step(0.45, 0.47)
    red = ((g.u / 0.21).fract() - 0.15).abs().step(0.004, 0.0025)
    pen = writing(g, g.u, g.v + 0.002, 0.008, 0.4) * g.noise(0.12, 1).step(0.48, 0.5) * 0.8
    colour = g.mix(blue * 0.55, "#f4f2ea", "#5b83c4")
    return _paper(g, g.mix(pen * 0.85, g.mix(red * 0.7, colour, "#d0454a"), "#1d2a5c"))


def crumpled_paper(g: Graph) -> Any:
    colour = g.pick(["#f0efea", "#f0efea", "#e9dfc8", "#c9a877", "#d7e3ea", "#eac6c0"])
    fold = (g.noise(0.25 * g.size, 3, warp=0.4) - 0.5).abs().min((g.noise(0.2 * g.size, 2) - 0.5).abs())
    return g.surface(colour, 0.88, fold.step(0.0, 0.12) * (0.05 * min(g.size, 0.4)), 0.0, {"Specular IOR Level": 0.2})


def newsprint(g: Graph) -> Any:
    line = g.fitted(0.0035, 0.008, 0.02)
    column, row = g.u / (16 * line), g.v / (22 * line)
    gutter = off(column).step(0.47, 0.46)
    kind = g.chance(column.floor(), row.floor())
    photo = kind.above(0.72) * (off(row).step(0.44, 0.43))
    grey = g.noise(5 * line, 4, 0.6)
    text = writing(g, g.u, g.v, line, 0.72) * gutter * (1.0 - photo)
    head = writing(g, g.u, g.v, 4 * line, 0.66) * kind.above(0.45) * (row.fract() - 0.08).abs().step(0.1, 0.09)
    ink = (text * 0.75).max(head * 0.9).max(photo * gutter * (0.2 + grey.step(0.35, 0.65) * 0.6))
    return _paper(g, g.mix(ink, g.pick(["#dad6c8", "#e2ded2"]), "#1f1f20"))


def wrapping_paper(g: Graph) -> Any:
    pitch = g.fitted(0.012, 0.06, 0.14)
    u, v = (g.u / pitch).fract() - 0.5, (g.v / pitch).fract() - 0.5
    dots = ((u * u + v * v) ** 0.5).step(0.27, 0.25)
    bars = u.abs().step(0.25, 0.24)
    return _paper(g, g.mix(dots if g.rng.random() < 0.5 else bars, g.pick(PAINTS), g.pick(PAINTS)))


def graph_paper(g: Graph) -> Any:
    def grid(pitch: float, wide: float) -> Value:
        a, b = off(g.u / pitch), off(g.v / pitch)
        return a.max(b).step(0.5 - wide, 0.5 - wide / 2)

    ink: Colour = g.pick(["#4f8fb0", "#4fa07a", "#c98a5a"])
    lines = (grid(0.005, 0.12) * 0.45).max(grid(0.025, 0.05) * 0.8)
    return _paper(g, g.mix(lines, "#f2f3ee", ink))
