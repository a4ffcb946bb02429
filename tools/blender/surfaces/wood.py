"""Procedural wood: sawn boards, plywood, bark, paint on wood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tools.blender.shader_graph import Colour, ShaderGraph, ShaderValue, by_name, triangle
from tools.blender.surfaces.patterns import PAINTS, coated, patches, pick_palette, voronoi_edges


def _wood(g: ShaderGraph, light: Colour, dark: Colour, rough: float, coat: float = 0.0, knots: bool = False,
          contrast: float = 1.0) -> tuple[Any, Any, ShaderValue]:  # fmt: skip
    """Colour, roughness and relief of sawn wood: rings about an axis beside the object, fibres along it."""
    ring = g.fitted(0.002, 0.018, 0.045)
    y, z = g.axis_y + g.size * g.between(0.15, 0.9), g.axis_z + g.size * g.between(0.1, 0.6)
    radius = (y * y + z * z) ** 0.5 + (g.streaks(30 * ring, 6 * ring, 2) - 0.5) * (ring * g.between(2, 6))
    spot: ShaderValue | None = None
    if knots:
        at = g.vector(g.axis_x * 0.4, g.axis_y, g.axis_z * 0.3)
        away, _ = g.cells(max(0.05, 0.35 * g.size), at=at)
        spot = away.step(0.16, 0.05)
        radius = radius + away.step(0.5, 0.0) * (6 * ring)
    late = (radius / ring).fract()
    late = late.step(0.25, 1.0) * (1.0 - late.step(0.94, 1.0))
    fibre = g.streaks(0.05, 0.0011, 2)
    tone = late * (0.5 * contrast) + (fibre - 0.5) * 0.75 + (g.streaks(0.4, 0.05, 2) - 0.5) * 0.8 + 0.2
    colour = g.ramp(tone, [(0.0, light), (1.0, dark)])
    pores = g.streaks(0.02, 0.0007, 1).step(0.62, 0.7)
    colour = g.mix(pores * 0.35, colour, dark, "MULTIPLY")
    if spot is not None:
        colour = g.mix(spot * 0.85, colour, "#3a2010")
    return colour, rough + (fibre - 0.5) * 0.25, (fibre * 0.5 - late * 0.5) * (0.00035 * (1 - 0.8 * coat))


@dataclass(frozen=True)
class Sawn:
    """Sawn boards of one species. varnish: range of the coat's weight, or the weight."""

    light: tuple[str, ...]
    dark: str
    rough: float
    varnish: tuple[float, float] | float
    knots: bool = False
    contrast: float = 1.0

    def __call__(self, g: ShaderGraph) -> Any:
        light = g.pick(self.light)
        coat = g.between(*self.varnish) if isinstance(self.varnish, tuple) else self.varnish
        colour, rough, height = _wood(g, light, self.dark, self.rough, coat, self.knots, self.contrast)
        return g.surface(colour, rough, height, more={"Coat Weight": coat, "Coat Roughness": 0.12})


SPECIES = {
    "oak": Sawn(("#c79a63", "#b98a55", "#d3ab78"), "#7d5028", 0.5, (0, 0.5)),
    "walnut": Sawn(("#7a5336", "#6b4930"), "#2e1a0f", 0.42, (0, 0.7)),
    "pine": Sawn(("#e0bd85", "#d8ae72"), "#a86f35", 0.55, 0.0, knots=True, contrast=1.2),
    "beech": Sawn(("#d9b48c", "#cfa57b"), "#b07f52", 0.45, (0, 0.3), contrast=0.5),
    "mahogany": Sawn(("#96512f", "#84432a"), "#451b10", 0.3, 1.0, contrast=0.8),
}


def weathered(g: ShaderGraph) -> Any:
    colour, rough, height = _wood(g, "#a39b8e", "#5b544b", 0.85, knots=True, contrast=1.4)
    return g.surface(colour, rough, height * 4.0)


def painted_wood(g: ShaderGraph) -> Any:
    colour, _, height = _wood(g, "#b98f5e", "#6e4726", 0.7)
    worn = (g.noise(0.3 * g.size, 6, 0.62) + (g.streaks(0.1, 0.006) - 0.5) * 0.5).step(0.6, 0.64)
    paint = g.tint(g.pick(PAINTS), 0.85 + g.streaks(0.08, 0.004) * 0.3)
    return g.surface(g.mix(worn, paint, colour), 0.45 + worn * 0.3, height * (0.3 + worn) - worn * 0.0006)


def planks(g: ShaderGraph) -> Any:
    width = g.fitted(0.05, 0.16, 0.2)
    board = (g.axis_y / width).floor()
    seam = triangle(g.axis_y / width).step(0.475, 0.5)
    g.axis_x = g.axis_x + board * 3.7
    light = g.pick(["#b98d5c", "#8a6440", "#c9a87c", "#6f4d31"])
    colour, rough, height = _wood(g, light, "#54341c", 0.5, 0.2)
    colour = g.mix(seam * 0.9, g.tint(colour, 0.7 + g.chance(board) * 0.6), "#120c07")
    return g.surface(colour, rough, height - seam * 0.002)


def pencil_paint(g: ShaderGraph) -> Any:
    point, lead = g.axis_x.above(0.365 * 0.177), g.axis_x.above(0.47 * 0.177)
    body = g.mix(point, g.pick(["#e0a81e", "#b5302a", "#2c6e49", "#27509b"]), "#d9b380")
    return g.surface(g.mix(lead, body, "#222222"), 0.3 + point * 0.4)


def _grain(
    g: ShaderGraph, light: Colour, dark: Colour, ring: float, contrast: float, wavy: float
) -> tuple[Any, ShaderValue]:
    """Colour and relief (metres) of sawn wood, rings about an axis beside the object."""
    y, z = g.axis_y + g.size * g.between(0.2, 0.8), g.axis_z + g.size * g.between(0.1, 0.6)
    late = (((y * y + z * z) ** 0.5 + (g.streaks(25 * ring, 7 * ring, 2) - 0.5) * (ring * wavy)) / ring).fract()
    late = late.step(0.2, 1.0) * (1.0 - late.step(0.93, 1.0))
    fibre = g.streaks(0.25 * g.size + 0.02, 0.006 * g.size + 0.0008, 3)
    tone = late * contrast + (fibre - 0.5) * 1.1 + (g.streaks(0.6 * g.size, 0.12 * g.size, 2) - 0.5) * 0.7 + 0.2
    return g.ramp(tone, [(0.0, light), (1.0, dark)]), fibre * 0.0002 - late * 0.0001


def log_bark(g: ShaderGraph) -> Any:
    birch, end = g.rng.random() < 0.3, g.facing(int(g.rng.choice([0, 2]))).step(0.8, 0.9)
    radius = (g.axis_y * g.axis_y + g.axis_z * g.axis_z) ** 0.5 + (g.noise(0.25 * g.size, 2) - 0.5) * (0.06 * g.size)
    heart = g.mix(radius.step(0.3 * g.size, 0.15 * g.size), "#dcb981", g.pick(["#b07a48", "#c99a62", "#9c5f38"]))
    cut = g.tint(heart, 1.0 - (radius / g.fitted(0.001, 0.02, 0.05)).fract() * 0.5)
    mark = g.noise(0.1 * g.size, 3, at=g.vector(g.axis_x * 2.5, g.axis_y * 0.3, g.axis_z * 0.3)).step(0.64, 0.58)
    raised = mark if birch else (g.streaks(0.4 * g.size, 0.08 * g.size, 5) - 0.5).abs().step(0.0, 0.12)
    outer, rough = g.pick(["#e4ddd0"] if birch else ["#7d604a", "#6b4f3a", "#8a5f42"]), g.noise(0.06 * g.size, 5)
    bark = g.ramp(raised * 0.75 + rough * 0.35, [(0.1, "#1c120b"), (0.75, outer)])
    bark = g.mix(patches(g, 0.58, 0.7) * g.between(0, 0.6), bark, "#6f7d3a")
    return g.surface(g.mix(end, bark, cut), 0.88, (raised * 0.035 + rough * 0.02) * (1.0 - end) * g.size)


def plywood(g: ShaderGraph) -> Any:
    layer, flat = g.up / g.fitted(0.0012, 0.012, 0.05) + 0.3, g.facing(2)
    across = (layer * 0.5).fract().above(0.5) * flat.step(0.95, 0.8)
    light, glue = g.pick(["#e3c596", "#dcb988", "#d2a070"]), triangle(layer).step(0.4, 0.48) * flat.step(0.98, 0.9)
    colour, height = _grain(g, light, "#a87644", g.fitted(0.006, 0.05, 0.12), 0.45, 9.0)
    colour = g.mix(glue * 0.75, g.tint(colour, 1.0 - across * g.between(0.3, 0.55)), "#3d2312")
    return coated(g, colour, 0.5, height - across * 0.0003, g.between(0, 0.4))


def glued_strips(g: ShaderGraph) -> Any:
    wide, end = g.fitted(0.012, 0.07, 0.17), g.rng.random() < 0.45  # end: a block that shows its end grain
    tones = pick_palette(g, "#6b3f20 #c08a50 #e0b878", "#b07a48 #d3a468 #e3c08c", "#3f2718 #54341f #dcb47c")
    row, b = (g.v / wide).floor(), (g.v / wide).fract()
    along = g.u / (wide * (1.2 if end else g.between(5, 9))) + g.chance(row) * 7.0
    own, a = g.chance(row, along.floor()), along.fract()
    seam = (b - 0.5).abs().step(0.46, 0.495).max((a - 0.5).abs().step(0.46 if end else 0.49, 0.497))
    arc = ((a - own * 2.0 + 0.5) ** 2.0 + (b + 0.3 + (own * 17.0).fract()) ** 2.0) ** 0.5 * 9.0
    long = g.noise(1.0, 3, 0.6, g.vector(g.u / (7 * wide) + own * 50.0, g.v * (2.2 / wide), own * 40.0)) * 7.0
    fibre = g.noise(0.03 * g.size, 4, 0.7, None if end else g.vector(g.u * 0.06, g.v * 1.5, own))
    tone = 0.9 - (arc if end else long).fract() * 0.4 + fibre * 0.5
    wood = g.tint(g.ramp(own, [(0.5 * k, stave) for k, stave in enumerate(tones)]), tone)
    return coated(g, g.mix(seam * 0.6, wood, "#2a170b"), 0.42, fibre * 0.0002 - seam * 0.0005, g.between(0, 0.6))


def charred_wood(g: ShaderGraph) -> Any:
    fire, line = g.noise(0.5 * g.size, 5).step(0.34, g.between(0.44, 0.6)), g.streaks(0.3 * g.size, 0.012 * g.size, 4)
    wood, height = _grain(g, "#b9804a", "#4f2c14", g.fitted(0.003, 0.02, 0.06), 0.9, 3.0)
    edge, _ = voronoi_edges(g, g.fitted(0.008, 0.06, 0.16), g.vector(g.axis_x * 0.55, g.axis_y, g.axis_z))
    crack = (edge + (g.noise(0.02 * g.size, 3) - 0.5) * 0.05).step(0.09, 0.01) * fire
    colour = g.mix(fire, wood, g.ramp(line, [(0.35, "#0b0a0a"), (0.55, "#262322"), (0.75, "#4a4341")]))
    height = height + (edge.step(0.0, 0.3) * fire * 0.02 + line * 0.008) * g.size
    return g.surface(g.mix(crack, colour, "#030303"), 0.7 - fire * g.between(0.1, 0.3), height)


def strand_board(g: ShaderGraph) -> Any:
    wide, dark = g.fitted(0.005, 0.025, 0.07), g.pick(["#a87438", "#99642e", "#b98848"])
    light, height = g.pick(["#e2c084", "#dcb878", "#e8cf9c"]), g.noise(wide, 3) * 0.0004
    colour: Any = dark
    for k in range(5):  # layers of flakes in different directions
        x, y, _ = g.split(g.map(g.vector(g.u, g.v), rotation=(0, 0, 0.7 * k + g.between(0, 0.6))))
        away, leaf = voronoi_edges(g, wide, g.vector(x * 0.28, y, 7.0 * k))
        red, own, _ = g.split(leaf)
        tone = own + (g.noise(0.25 * wide, 3, 0.6, g.vector(x * 0.06, y, own * 5.0)) - 0.5) * 0.8
        flake = g.tint(g.ramp(tone, [(0.1, dark), (0.5, light), (0.95, "#f0dcb0")]), 0.5 + away.step(0.0, 0.1) * 0.5)
        colour, raised = g.mix(red.above(0.5), colour, flake), (away.step(0.0, 0.2) + own) * (0.06 * wide)
        height = height * (1.0 - red.above(0.5)) + raised * red.above(0.5)
    return g.surface(colour, 0.62, height)


def striped_exotic(g: ShaderGraph) -> Any:
    light, dark = pick_palette(g, "#c9985c #38200f", "#96502c #1d0c08", "#d0a458 #6e4318", "#b4643a #45160f")
    colour, height = _grain(g, light, dark, g.fitted(0.004, 0.03, 0.075), 1.5, g.between(3, 12))
    vein = (g.streaks(0.7 * g.size, 0.09 * g.size, 3) - 0.5).abs().step(0.03, 0.01)
    return coated(g, g.mix(vein * 0.7, colour, dark), 0.4, height, g.between(0.2, 1.0))


def stained_wood(g: ShaderGraph) -> Any:
    light, dark = pick_palette(g, "#3f7fae #0f2c4a", "#4f9a76 #123a2a", "#c24a30 #4a0f0a", "#4a3a30 #0d0907")
    colour, height = _grain(g, light, dark, g.fitted(0.004, 0.03, 0.08), 0.7, 5.0)
    pore = g.streaks(0.12 * g.size, 0.007 * g.size, 2).step(0.56, 0.64)
    colour = g.mix(pore * 0.55, colour, "#e9e2d4" if g.rng.random() < 0.35 else dark)  # limed or not
    worn = patches(g, 0.62, 0.7) * g.between(0, 0.8)
    return coated(g, g.mix(worn, colour, "#b98f5e"), 0.45, height - pore * 0.0003, g.between(0, 0.7) * (1.0 - worn))


BASIC = {**SPECIES, **by_name(weathered, painted_wood)}
EXTRA = by_name(log_bark, plywood, glued_strips, charred_wood, strand_board, striped_exotic, stained_wood)
