"""Grounds that are none of the materials: grass, soil, plaster."""

from __future__ import annotations

from typing import Any

from tools.blender.shader_graph import ShaderGraph


def grass(g: ShaderGraph) -> Any:
    blade = g.noise(0.006, 5, 0.8, g.map(g.point, scale=(1, 2.5, 1)), 1.5)
    patch = g.noise(0.15, 5, 0.65)
    tone = blade * 0.75 + patch * 0.3
    colour = g.ramp(tone, [(0.3, "#1a2a0e"), (0.5, "#3f5c1f"), (0.65, "#6f8a35"), (0.8, "#a8a45a")])
    return g.surface(colour, 0.9, blade * 0.015 + patch * 0.02)


def soil(g: ShaderGraph) -> Any:
    clod = g.noise(0.05, 9, 0.72)
    colour = g.ramp(clod, [(0.3, "#2a1d12"), (0.52, g.pick(["#5c4328", "#7a6040", "#b59a6e"])), (0.75, "#a88f68")])
    return g.surface(colour, 0.95, clod * 0.03)


def plaster(g: ShaderGraph) -> Any:
    base = g.pick(["#e8e4da", "#d9d2c0", "#c7d0d0", "#b9c4a9", "#d8b9a0", "#9fb0bf", "#efe9dd", "#8a8f96"])
    return g.surface(g.tint(base, 0.92 + g.noise(0.3, 6, 0.6) * 0.16), 0.85, g.noise(0.006, 3) * 0.0003)
