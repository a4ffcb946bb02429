"""Colours and patterns that the surfaces of several materials share."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph, ShaderValue, triangle

PAINTS = ("#b02a24", "#1f5d99", "#2f7d46", "#d9a21b", "#e8e4da", "#3a4750", "#c9642a", "#6fa3a8", "#1c1c1e", "#8a3b5e")
BRIGHT = ("#d3202a", "#1261c9", "#15a048", "#f2b90c", "#f2f2ee", "#e8590c", "#17181a", "#8d2fb0", "#0fa3b1", "#e84a8a")
DYES = ("#a33a32", "#2c4a78", "#3f6b4c", "#c98f35", "#d9d2c2", "#4a4a50", "#7c4a72", "#b5a48a", "#29808a", "#e3dcd0")
SILVER, GOLD = (0.95, 0.93, 0.88), (0.95, 0.70, 0.28)
MATT = {"Specular IOR Level": 0.2}


def text_lines(g: ShaderGraph, u: ShaderValue, v: ShaderValue, line: float, fill: float = 0.6) -> ShaderValue:
    """Illegible rows of words, 1 on the ink. u, v: metres; line: height of a row."""
    row = (v / line).floor()
    on_row = triangle(v / line).step(0.25, 0.18)
    word = g.noise(1.4 * line, 2, 0.9, g.vector(u, row * (13.7 * line))).step(0.75 - 0.5 * fill, 0.78 - 0.5 * fill)
    letters = g.noise(0.3 * line, 2, 0.9, g.vector(u, v * 0.7)).step(0.36, 0.44)
    return on_row * word * letters


def pick_palette(g: ShaderGraph, *choices: str) -> list[Any]:
    """One of several palettes ('#rrggbb #rrggbb'), its colours slightly varied."""
    return [g.pick([colour]) for colour in choices[int(g.rng.integers(len(choices)))].split()]


def patches(g: ShaderGraph, low: float, high: float, share: float = 0.3) -> ShaderValue:
    """Irregular patches, 1 inside; share: their size relative to the object."""
    return g.noise(share * g.size, 7, 0.68).step(low, high)


def voronoi_edges(g: ShaderGraph, wide: float, at: Any = None) -> tuple[ShaderValue, Any]:
    """Distance to the cell's edge, and a random colour per cell."""
    return g.cells(wide, "DISTANCE_TO_EDGE", at)[0], g.cells(wide, at=at)[1]


def rosette(a: ShaderValue, b: ShaderValue, petals: int, deep: float) -> tuple[ShaderValue, ShaderValue]:
    """Distance from the centre, and the same reduced between the petals."""
    radius = (a * a + b * b) ** 0.5
    return radius, radius - (a.atan2(b) * (petals / 2)).sin().abs() * deep


def coated(g: ShaderGraph, colour: Any, rough: Any, height: ShaderValue, coat: Any, metal: Any = 0.0) -> Any:
    return g.surface(colour, rough, height, metal, {"Coat Weight": coat, "Coat Roughness": 0.06})


def see_through(
    g: ShaderGraph, colour: Any, rough: Any, height: Any, ior: float, clear: Any = 1.0, shadow: float = 0.85
) -> Any:
    """A transmitting surface. clear: transmitted share of the light; shadow: as `amount` of `clear_shadow`."""
    body = g.surface(colour, rough, height, 0.0, {"Transmission Weight": clear, "IOR": ior})
    return g.clear_shadow(body, colour, shadow)


def stains(g: ShaderGraph) -> ShaderValue:
    """Irregular stains of random strength."""
    return g.noise(0.35 * g.size, 8, 0.7).step(0.48, 0.72) * g.between(0.3, 0.8)


def coin_flip(g: ShaderGraph, share: float) -> float:
    """1 with probability `share`, else 0."""
    return float(g.rng.random() < share)


def warped_coordinates(g: ShaderGraph, wavelength: float, amount: float) -> Any:
    """Object coordinates displaced by noise of up to half the amount, metres."""
    shake = [(g.noise(wavelength, 4, at=g.map(g.point, (7.0 * k, 0, 0))) - 0.5) * amount for k in range(3)]
    return g.vector(g.axis_x + shake[0], g.axis_y + shake[1], g.axis_z + shake[2])
