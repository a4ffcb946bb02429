"""Procedural cardboard: plain, printed, taped, corrugated, torn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import MATT, PAINTS, text_lines

KRAFT = ("#b58a58", "#a97d4c", "#bf9a6b", "#9c7346")


def _cardboard(g: ShaderGraph) -> tuple[Any, ShaderValue]:
    fibre, flute = g.noise(0.003, 5, 0.75), (g.axis_x * (6.2832 / 0.0075)).sin()
    tone = 0.78 + fibre * 0.3 + flute * 0.025 + (g.noise(0.3 * g.size, 4) - 0.5) * 0.3
    colour = g.tint(g.pick(KRAFT), tone)
    speck = g.noise(0.0018, 2, 0.9).step(0.68, 0.74)
    return g.mix(speck * 0.4, colour, "#5e4224"), flute * 0.00012 + fibre * 0.00015 + g.noise(0.1, 3) * 0.003


def plain_cardboard(g: ShaderGraph) -> Any:
    colour, height = _cardboard(g)
    return g.surface(colour, 0.85, height)


def printed_cardboard(g: ShaderGraph) -> Any:
    colour, height = _cardboard(g)
    line = g.fitted(0.006, 0.04, 0.06)
    block = triangle(g.u / (9 * line)).step(0.33, 0.32) * triangle(g.v / (7 * line)).step(0.3, 0.29)
    text = text_lines(g, g.u, g.v, line) * block
    frame = triangle(g.u / (9 * line)).max(triangle(g.v / (7 * line)))
    frame = frame.step(0.4, 0.405) * frame.step(0.43, 0.425)
    ink = (text.max(frame) * (0.8 + g.noise(0.002, 2) * 0.2)).min(0.95)
    return g.surface(g.mix(ink, colour, g.pick(["#1f1a17", "#1f1a17", "#8d2420", "#1d4a7a"])), 0.85, height)


def taped_cardboard(g: ShaderGraph) -> Any:
    colour, height = _cardboard(g)
    tape = g.axis_y.abs().step(0.026, 0.025)
    shade = g.mix(tape * 0.75, colour, g.pick(["#c9a36a", "#8a5a2c", "#d9cfb8"]))
    crease = g.noise(0.02, 3, warp=1.0) * tape
    return g.surface(shade, 0.85 - tape * 0.65, height * (1.0 - tape * 0.6) + crease * 0.0006 + tape * 0.0002)


def corrugated(g: ShaderGraph) -> Any:
    """Flutes on the faces; cut edges show them as a wave between liners."""
    colour, height = _cardboard(g)
    pitch = 0.0085
    wave = (g.axis_x * (6.2832 / pitch)).sin()
    sheet = (g.axis_z / 0.006).fract()
    curve = (sheet - (wave * 0.38 + 0.5)).abs().step(0.16, 0.06)
    liner = (sheet - 0.5).abs().step(0.4, 0.44)
    edge = g.facing(2).step(0.5, 0.3)
    dark = (1.0 - curve.max(liner)) * edge
    ribs = wave * (1.0 - edge)
    colour = g.tint(g.mix(dark * 0.85, colour, "#3d2a15"), 0.9 + ribs * 0.16)
    return g.surface(colour, 0.88, height + ribs * 0.0013 - dark * 0.002)


def white_cardboard(g: ShaderGraph) -> Any:
    colour, height = _cardboard(g)
    worn = g.noise(0.25 * g.size, 8, 0.7).step(0.62, 0.68)
    return g.surface(g.mix(worn, g.tint("#e6e3dc", 0.9 + g.noise(0.01, 3) * 0.15), colour), 0.6, height)


def _board(g: ShaderGraph, colours: Sequence[str] = KRAFT) -> tuple[Any, ShaderValue]:
    """Colour and relief of pressed pulp."""
    fibre, cloud = g.noise(0.003, 5, 0.75), g.noise(0.3 * g.size, 5)
    colour = g.tint(g.pick(colours), 0.68 + fibre * 0.3 + cloud * 0.35)
    return colour, fibre * 0.00018 + cloud * (0.008 * min(g.size, 0.4))


def moulded_pulp(g: ShaderGraph) -> Any:
    p = g.fitted(0.018, 0.07, 0.25)
    a, b, fibre = triangle(g.u / p), triangle(g.v / p), g.noise(0.006, 6, 0.8, warp=1.0)
    dome = (1.0 - (a * a + b * b) * 5.0).max(0.0)
    base = g.pick(["#9ba3a6", "#b5a78f", "#8f9a8c", "#a89a8e", "#7f8794", "#a88f72"])
    return g.surface(g.tint(base, 0.5 + dome * 0.35 + fibre * 0.35), 0.97, dome * (0.2 * p) + fibre * 0.0016, 0, MATT)


def fruit_crate(g: ShaderGraph) -> Any:
    (colour, height), p = _board(g), g.fitted(0.03, 0.3, 0.5)
    row = triangle(g.v / (2 * p)).step(0.26, 0.25)
    x, y = triangle(g.u / p), ((g.v / (2 * p)).fract() - 0.5) * 2.0
    field = g.pick(["#2f6b3a", "#27508f", "#a8282a", "#3a2d28", "#c9701f"])
    print_ = g.mix((x * x + y * y).step(0.13, 0.12) * row, field, g.pick(["#d98a1c", "#c43a2a", "#e2c23a", "#7f9a3c"]))
    ink = row.max(text_lines(g, g.u, g.v, 0.5 * p, 0.8)) * g.noise(0.2 * g.size, 8, 0.7).step(0.66, 0.54)
    return g.surface(g.mix(ink * 0.88, colour, print_), 0.8, height)


def soaked_cardboard(g: ShaderGraph) -> Any:
    (colour, height), wet = _board(g), g.noise(0.8 * g.size, 7, 0.6)
    inside, tide = wet.step(0.5, 0.525), (wet - 0.505).abs().step(0.02, 0.0)
    flute = (g.u * (6.2832 / g.fitted(0.005, 0.013, 0.05))).sin() * (0.3 + inside * 0.7)
    mould = g.noise(0.05 * g.size, 7, 0.75).step(0.58, 0.68) * wet.step(0.5, 0.6) * (g.rng.random() < 0.5) * 0.8
    colour = g.tint(colour, 1.0 - inside * g.between(0.35, 0.55) - tide * 0.25 + flute * 0.06)
    return g.surface(g.mix(mould, colour, "#2f3029"), 0.9 - inside * 0.25, height * 2.0 + flute * 0.0005)


def torn_cardboard(g: ShaderGraph) -> Any:
    (colour, height), rip = _board(g), g.noise(0.5 * g.size, 6, 0.6)
    gone, rim = rip.step(0.5, 0.515), (rip - 0.5).abs().step(0.03, 0.0)
    flute = (g.u * (6.2832 / g.fitted(0.005, 0.013, 0.05))).sin()
    colour = g.mix(gone, colour, g.tint(g.pick(["#b8946a", "#a8845a", "#c4a47c"]), 0.75 + flute * 0.35))
    return g.surface(g.mix(rim * 0.75, colour, "#dcc7a2"), 0.9, height + gone * (flute * 0.0012 - 0.0015))


def dyed_corrugated(g: ShaderGraph) -> Any:
    p = g.fitted(0.004, 0.014, 0.05)
    dye, height = _board(g, [*PAINTS[:4], "#c4562a", "#7a3b6e", "#d9b23a", "#35706a", "#2b2a2c"])
    wave = (g.u * (6.2832 / p)).sin()
    colour = g.mix((g.noise(0.25 * g.size, 7, 0.7) + wave * 0.06).step(0.56, 0.66) * 0.85, dye, g.pick(KRAFT))
    return g.surface(g.tint(colour, 0.72 + wave * 0.3), 0.93, height + wave * (0.16 * p), 0, MATT)


def shipping_carton(g: ShaderGraph) -> Any:
    (colour, height), p = _board(g), g.fitted(0.03, 0.5, 1.3)
    x, y = (g.u / p).fract() - 0.5, (g.v / p).fract() - 0.5
    label = (x.abs() * 0.7).max(y.abs()).step(0.22, 0.216) * g.chance((g.u / p).floor(), (g.v / p).floor()).above(0.2)
    bars = g.noise(0.04 * p, 1, 0.9, g.vector(g.u, 0.0)).above(0.5) * (y + 0.1).abs().step(0.08, 0.077)
    ink = bars.max(text_lines(g, g.u, g.v, 0.06 * p) * y.above(0.02)) * x.abs().step(0.27, 0.26)
    tape = y.abs().above(0.4) * (g.rng.random() < 0.7) * 0.7
    colour = g.mix(tape, colour, g.pick(["#b58a50", "#c9b78f", "#a8322a", "#6e4a28"]))
    paper = g.mix(ink * 0.9, g.pick(["#e6e4dc", "#e6e4dc", "#e0c860"]), "#1d1d1e")
    return g.surface(g.mix(label * 0.95, colour, paper), 0.87 - tape * 0.8, height + label * 0.0004)


BASIC = by_name(plain_cardboard, printed_cardboard, taped_cardboard, corrugated, white_cardboard)
EXTRA = by_name(moulded_pulp, fruit_crate, soaked_cardboard, torn_cardboard, dyed_corrugated, shipping_carton)
