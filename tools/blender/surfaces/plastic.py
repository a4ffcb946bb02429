"""Procedural plastic: glossy, matt, translucent, labelled, scratched."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import BRIGHT, coin_flip, see_through, stains, text_lines


def _seam(g: ShaderGraph) -> ShaderValue:
    """The fine line where a mould's halves met."""
    return g.axis_y.abs().step(0.0012, 0.0004)


def _moulded(g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue | None = None, soft: float = 0.06) -> Any:
    return g.surface(colour, rough, height, 0.0, {"IOR": 1.5, "Subsurface Weight": soft, "Subsurface Scale": 0.01})


def glossy_plastic(g: ShaderGraph) -> Any:
    colour, rough = g.pick(BRIGHT), g.between(0.08, 0.2)
    return _moulded(g, colour, rough, _seam(g) * 0.0004 + g.noise(0.2 * g.size, 1) * 0.002, 0.08)


def matt_plastic(g: ShaderGraph) -> Any:
    grain = g.noise(0.0012, 2, 0.5)
    scuff = g.noise(0.3 * g.size, 8, 0.7).step(0.62, 0.75) * 0.25
    colour = g.mix(scuff, g.pick([*BRIGHT, "#8d9094", "#3b3d41"]), "#d8d8d8")
    return g.surface(colour, 0.42, grain * 0.0002 + _seam(g) * 0.0005)


def two_tone_plastic(g: ShaderGraph) -> Any:
    at, lean = g.between(0.3, 0.7), g.between(-0.4, 0.4)
    line = (g.up + g.axis_x * lean) / g.size - at * 0.6
    groove = line.abs().step(0.012, 0.004)
    return g.surface(g.mix(line.above(0.0), g.pick(BRIGHT), g.pick(BRIGHT)), 0.22, groove * -0.002)


def translucent_plastic(g: ShaderGraph) -> Any:
    colour = g.pick(["#eef0ee", "#f2e8d8", "#9fd0ee", "#f2b0b8", "#b8e0b0", "#f5d98a"])
    return see_through(g, colour, 0.38, g.noise(0.002, 2) * 0.00015, 1.35, clear=0.65, shadow=0.5)


def clear_plastic(g: ShaderGraph) -> Any:
    """Thin, with dents that glass would not have."""
    dent = g.noise(0.12 * g.size, 3, 0.6, warp=1.0)
    colour = g.pick(["#eef4f6", "#dceef5", "#e2f2dd"])
    return see_through(g, colour, 0.05, dent * (0.03 * min(g.size, 0.4)), 1.25, clear=0.95)


def ribbed_plastic(g: ShaderGraph) -> Any:
    period = g.fitted(0.008, 0.04, 0.07)
    rib = triangle(g.u / period).step(0.2, 0.3)
    return g.surface(g.pick(BRIGHT), 0.3, rib * (0.12 * period))


def flecked_plastic(g: ShaderGraph) -> Any:
    away, leaf = g.cells(g.fitted(0.004, 0.02, 0.05))
    fleck = g.ramp(g.grey(leaf), [(0.0, g.pick(BRIGHT)), (0.5, g.pick(BRIGHT)), (1.0, g.pick(BRIGHT))])
    return g.surface(g.mix(away.step(0.4, 0.3), g.pick(["#dcdcd8", "#26272a", "#c7d3d8"]), fleck), 0.3)


def labelled_plastic(g: ShaderGraph) -> Any:
    """A shampoo or cleaner bottle: glossy, with a label."""
    low, tall = g.between(0.08, 0.3), g.up / g.size
    high, small = low + g.between(0.3, 0.5), text_lines(g, g.u, g.up, 0.045 * g.size, 0.7) * tall.step(0.45, 0.44)
    label = tall.step(low, low + 0.006) * tall.step(high, high - 0.006) * (1.0 - g.facing(2).step(0.6, 0.7))
    text = text_lines(g, g.u, g.up, g.between(0.14, 0.22) * g.size, 0.75).max(small * 0.8)
    blot = g.noise(0.3 * g.size, 1, at=g.vector(g.u, g.up)).step(0.52, 0.53)
    print_ = g.mix(blot, g.pick(["#f2f0ea", "#f0d64a", "#2b62b8", "#1d1d20", "#e9e9ee"]), g.pick(BRIGHT))
    print_ = g.mix(text, print_, g.pick(["#16161a", "#f4f3ee", "#b3202a"]))
    return _moulded(g, g.mix(label, g.pick(BRIGHT), print_), 0.14 + label * 0.16, label * 0.0006)


def swirled_plastic(g: ShaderGraph) -> Any:
    melt = g.noise(g.between(0.35, 0.7) * g.size, 3, 0.5, warp=g.between(1.0, 2.5)) * g.between(9, 24)
    one, two, three = g.pick(BRIGHT), g.pick(BRIGHT), g.pick(["#f2f2ee", "#17181a", *BRIGHT])
    if g.rng.random() < 0.3:
        one, two, three = g.pick(["#1d120d"]), g.pick(["#4a2413"]), g.pick(["#6e3a1c"])
    colour = g.ramp(melt.sin() * 0.5 + 0.5, [(0.1, one), (0.5, two), (0.95, three)])
    return _moulded(g, colour, g.between(0.07, 0.22), g.noise(0.3 * g.size, 1) * 0.002)


def fluorescent_acrylic(g: ShaderGraph) -> Any:
    colour = g.pick(["#ff5a1a", "#b8f52a", "#ff3a8c", "#3af0c8", "#ffe02a", "#e02030"])
    rim = ShaderValue(g, g.node("LayerWeight", {"Blend": 0.35}).outputs["Facing"]).step(0.25, 0.95)
    scratch = g.streaks(0.3 * g.size, 0.01 * g.size, 2).step(0.66, 0.74)
    more = {"Transmission Weight": 0.8, "IOR": 1.3, "Emission Color": colour, "Emission Strength": 0.06 + rim * 0.45}
    return g.clear_shadow(g.surface(colour, 0.06 + scratch * 0.3, scratch * 0.0002, 0.0, more), colour, 0.6)


def printed_layers(g: ShaderGraph) -> Any:
    pitch = g.fitted(0.001, 0.008, 0.035)
    side, track = triangle(g.up / pitch), triangle((g.axis_x + g.axis_y) / pitch)
    bead = side + (track - side) * g.facing(2).step(0.75, 0.85)
    blend = (g.up / g.size).step(-0.3, 0.8) * coin_flip(g, 0.35)
    colour = g.mix(blend, g.pick([*BRIGHT, "#8d9094", "#c08a3a"]), g.pick(BRIGHT))
    tone = 0.85 + g.chance((g.up / pitch).floor()) * 0.25 - bead.step(0.3, 0.5) * 0.55
    return _moulded(g, g.tint(colour, tone), g.between(0.2, 0.36), (0.25 - bead * bead) * (1.3 * pitch))


def yellowed_casing(g: ShaderGraph) -> Any:
    """An old computer or radio case: yellowed from one end, with air slots and a round button."""
    pitch = g.fitted(0.002, 0.03, 0.085)
    a, b = (g.u / (14 * pitch)).fract() - 0.5, (g.v / (12 * pitch)).fract() - 0.5
    slot = triangle(g.v / pitch).step(0.32, 0.2) * a.abs().step(0.3, 0.295) * b.abs().step(0.21, 0.205)
    radius = ((a - 0.38) * (a - 0.38) + (b - 0.35) * (b - 0.35)) ** 0.5
    button, dark = radius.step(0.05, 0.045), radius.step(0.065, 0.055).max(slot) * 0.92
    aged = ((g.axis_x + g.up) / g.size + g.noise(0.7 * g.size, 2) - 0.6).step(-0.1, 0.8)
    base = g.mix(aged, g.pick(["#d6d4cc", "#c4c6c6", "#e0ded4"]), g.pick(["#d8cb98", "#dccfa2", "#cfc496"]))
    base = g.mix(button, g.mix(dark, base, "#15140f"), g.pick(["#3a3a3c", "#b3302a", "#8d9094"]))
    return _moulded(g, base, g.between(0.18, 0.32), (button * 0.8 - slot * 0.5) * pitch)


def plastic_film(g: ShaderGraph) -> Any:
    wide, fine = g.noise(0.55 * g.size, 1, 0.4, warp=0.5), g.noise(0.3 * g.size, 1, warp=0.8)
    pull = (g.streaks(0.8 * g.size, 0.15 * g.size, 1) - 0.5).abs() * g.between(0.05, 0.2)
    fold = (wide - 0.5).abs() * 0.3 + (fine - 0.5).abs() * 0.15 + pull
    colour = g.pick(["#131314", "#1b4fa8", "#f0f0ee", "#e8c51a", "#1d7a3c", "#d8402c", "#17171a", "#7fb8d8"])
    return _moulded(g, colour, g.between(0.16, 0.28), fold * (0.6 * min(g.size, 0.4)), 0.15)


def lattice_plastic(g: ShaderGraph) -> Any:
    pitch, kind = g.fitted(0.008, 0.05, 0.13), int(g.rng.integers(3))
    u, v = g.u / pitch, g.v / pitch
    u, v = [(u, v), ((u + v) * 0.7, (u - v) * 0.7), (u + (v * 0.6).floor() * 0.5, v * 0.6)][kind]
    away = (triangle(u) ** 4.0 + triangle(v) ** 4.0) ** 0.25
    hole, lip = away.step(0.36, 0.34), away.step(0.46, 0.36)
    colour = g.mix(hole * 0.85, g.pick([*BRIGHT, "#dfe3e6", "#7fb2d9", "#b9d6b0"]), "#08080a")
    return _moulded(g, colour, 0.25, lip * (-0.12 * pitch) - hole * (0.25 * pitch))


def scratched_plastic(g: ShaderGraph) -> Any:
    fine, cut = g.fitted(0.001, 0.008, 0.015), g.u * 0.0
    for _ in range(4):
        turned = g.map(g.vector(g.u, g.v), rotation=(0, 0, g.between(0, 3.14)), shift=(g.between(0, 9), 0, 0))
        x, y, _z = g.split(turned)
        line = g.noise(fine, 1, 0.5, g.vector(x * 0.018, y, 0.0)).step(0.61, 0.66)
        cut = cut.max(line * g.noise(0.3 * g.size, 2).step(0.35, 0.5))
    base = g.pick(["#eeeeea", "#2f8a4c", "#2f6fb8", "#c43a34", "#e0b92a", "#4b4e54", "#d97a2a"])
    colour = g.mix(stains(g) * 0.25, base, g.pick(["#a58a4a", "#8a8f8a", "#9a5a44"]))
    colour = g.mix(cut * 0.6, colour, "#c2beb6" if sum(base) > 1.5 else "#dfe2e2")
    return _moulded(g, colour, 0.2 + cut * 0.4, cut * (-0.3 * fine), 0.15)


BASIC = by_name(
    glossy_plastic, matt_plastic, two_tone_plastic, translucent_plastic, clear_plastic, ribbed_plastic, flecked_plastic
)
EXTRA = by_name(
    labelled_plastic,
    swirled_plastic,
    fluorescent_acrylic,
    printed_layers,
    yellowed_casing,
    plastic_film,
    lattice_plastic,
    scratched_plastic,
)
