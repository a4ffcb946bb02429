"""Procedural shader graphs: Python arithmetic on values that becomes Cycles nodes.

    t = (g.axis_x * 40).fract()                       # a sawtooth along the grain
    g.surface(g.ramp(t, [(0, "#a87848"), (1, "#6e4424")]), rough=0.5, height=t * 0.0002)

Lengths are metres: `g.point` is the object's own coordinates, turned and shifted by its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Colour = str | tuple[float, float, float]


def linear(colour: Colour) -> tuple[float, float, float]:
    """Linear RGB of '#rrggbb' (sRGB); a tuple is linear already."""
    if not isinstance(colour, str):
        return colour
    value = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    r, g, b = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(r), float(g), float(b)


def _operator(operation: str) -> Callable[..., ShaderValue]:
    """A method that applies a Math node to the value and, where the operation has one, a second operand."""

    def method(self: ShaderValue, *others: Any) -> ShaderValue:
        return ShaderValue(self.graph, self.graph.node("Math", [self, *others], {"operation": operation}).outputs[0])

    return method


class ShaderValue:
    """A scalar that varies over the surface. Operators create shader nodes."""

    def __init__(self, graph: ShaderGraph, socket: Any) -> None:
        self.graph, self.socket = graph, socket

    __add__ = __radd__ = _operator("ADD")
    __sub__ = _operator("SUBTRACT")
    __mul__ = __rmul__ = _operator("MULTIPLY")
    __truediv__ = _operator("DIVIDE")
    __pow__ = _operator("POWER")
    fract, floor, abs, sin = _operator("FRACT"), _operator("FLOOR"), _operator("ABSOLUTE"), _operator("SINE")
    max, min = _operator("MAXIMUM"), _operator("MINIMUM")
    above = _operator("GREATER_THAN")  # 1 where greater than the edge, else 0
    atan2 = _operator("ARCTAN2")

    def __rsub__(self, other: Any) -> ShaderValue:
        return (self * -1.0) + other

    def step(self, low: float, high: float) -> ShaderValue:
        """Smoothstep: 0 below low, 1 above high (1 and 0 where low > high)."""
        node = self.graph.node("MapRange", {"Value": self, "From Min": min(low, high), "From Max": max(low, high)},
                               {"interpolation_type": "SMOOTHSTEP"})  # fmt: skip
        up = ShaderValue(self.graph, node.outputs[0])
        return up if low <= high else 1.0 - up


def triangle(value: ShaderValue) -> ShaderValue:
    """Triangle wave of period 1: distance from the middle of each period, 0 to 0.5."""
    return (value.fract() - 0.5).abs()


class ShaderGraph:
    """Nodes of one material. size: a length of the object to which patterns are scaled, metres."""

    def __init__(self, tree: Any, rng: np.random.Generator, size: float, longest: int = 0) -> None:
        self.tree, self.rng, self.size = tree, rng, size
        tree.nodes.clear()
        self.coordinates = self.node("TexCoord")
        self.raw = self.coordinates.outputs["Object"]
        tilt = rng.normal(0, 0.05, 3)
        if longest:
            tilt[3 - longest] += np.pi / 2
        turned = self.map(self.raw, rotation=tuple(float(t) for t in tilt))
        self.point = self.map(turned, shift=tuple(float(s) for s in rng.uniform(-3, 3, 3)))
        self.axis_x, self.axis_y, self.axis_z = self.split(turned)  # axis_x runs along the object
        uv = self.split(self.coordinates.outputs["UV"])
        self.up = self.split(self.raw)[2]  # height above the upright object's foot
        self.u, self.v = uv[0] + float(rng.uniform(0, 1)), uv[1] + float(rng.uniform(0, 1))

    def node(self, kind: str, inputs: Mapping[str, Any] | Sequence[Any] = (), settings: Mapping[str, str] | None = None
             ) -> Any:  # fmt: skip
        """A shader node with its settings; inputs by name, or in order (None: left alone)."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in (settings or {}).items():
            setattr(node, name, value)
        pairs = inputs.items() if isinstance(inputs, Mapping) else enumerate(inputs)
        for key, value in pairs:
            if value is not None:
                self.feed(node.inputs[key], value)
        return node

    def feed(self, socket: Any, value: Any) -> None:
        if isinstance(value, ShaderValue):
            value = value.socket
        if hasattr(value, "is_output"):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA":
            socket.default_value = (*linear(value), 1.0)
        else:
            socket.default_value = value if isinstance(value, tuple) else float(value)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def fitted(self, low: float, high: float, share: float = 0.06) -> float:
        """A length of about `share` of the object, clipped to realistic values (low to high, metres)."""
        return float(np.clip(self.size * share * np.exp(self.rng.normal(0, 0.35)), low, high))

    def pick(self, colours: Sequence[str]) -> tuple[float, float, float]:
        """One of the colours, slightly varied."""
        base = np.array(linear(colours[int(self.rng.integers(len(colours)))]))
        r, g, b = np.clip(base * np.exp(self.rng.normal(0, 0.07, 3) + self.rng.normal(0, 0.12)), 0.0, 0.95)
        return float(r), float(g), float(b)

    def map(self, vector: Any, shift: tuple[float, ...] = (0, 0, 0), rotation: tuple[float, ...] = (0, 0, 0),
            scale: tuple[float, ...] = (1, 1, 1)) -> Any:  # fmt: skip
        return self.node("Mapping", [vector, tuple(shift), tuple(rotation), tuple(scale)]).outputs[0]

    def split(self, vector: Any) -> tuple[ShaderValue, ShaderValue, ShaderValue]:
        x, y, z = self.node("SeparateXYZ", [vector]).outputs
        return ShaderValue(self, x), ShaderValue(self, y), ShaderValue(self, z)

    def vector(self, x: Any, y: Any, z: Any = 0.0) -> Any:
        return self.node("CombineXYZ", [x, y, z]).outputs[0]

    def noise(
        self, wavelength: float, detail: float = 3, rough: float = 0.55, at: Any = None, warp: float = 0
    ) -> ShaderValue:
        """Fractal noise about 0.5 with features of `wavelength` metres."""
        inputs = {"Vector": self.point if at is None else at, "Scale": 1 / wavelength, "Detail": detail,
                  "Roughness": rough, "Distortion": warp}  # fmt: skip
        return ShaderValue(self, self.node("TexNoise", inputs).outputs[0])

    def streaks(self, along: float, across: float, detail: float = 3) -> ShaderValue:
        """Noise stretched along the object: features of `along` by `across` metres."""
        stretched = self.map(self.vector(self.axis_x, self.axis_y, self.axis_z), scale=(across / along, 1, 1),
                             shift=(self.between(-9, 9),) * 3)  # fmt: skip
        return self.noise(across, detail, 0.6, stretched)

    def cells(
        self, width: float, feature: str = "F1", at: Any = None, irregular: float = 1.0
    ) -> tuple[ShaderValue, Any]:
        """Voronoi cells: distance relative to the width, and a random colour per cell."""
        inputs = {"Vector": self.point if at is None else at, "Scale": 1 / width, "Randomness": irregular}
        node = self.node("TexVoronoi", inputs, {"feature": feature})
        return ShaderValue(self, node.outputs["Distance"]), node.outputs[1]

    def grey(self, colour: Any) -> ShaderValue:
        return self.split(colour)[0]

    def chance(self, *numbers: ShaderValue) -> ShaderValue:
        """A random number in [0, 1) for each combination of integers."""
        padded = [*numbers, *([0.0] * (3 - len(numbers)))]
        return ShaderValue(self, self.node("TexWhiteNoise", [self.vector(*padded)]).outputs[0])

    def facing(self, axis: int) -> ShaderValue:
        """How far the surface faces along (or against) one of the object's own axes, 0 to 1."""
        turned = {"vector_type": "NORMAL", "convert_from": "WORLD", "convert_to": "OBJECT"}
        normal = self.node("NewGeometry").outputs["True Normal"]
        return self.split(self.node("VectorTransform", [normal], turned).outputs[0])[axis].abs()

    def ramp(self, factor: Any, stops: Sequence[tuple[float, Colour]]) -> Any:
        """Linear interpolation between the stops' colours."""
        node = self.node("ValToRGB", [factor])
        elements = node.color_ramp.elements
        for k, (place, colour) in enumerate(stops):
            element = elements[k] if k < 2 else elements.new(place)
            element.position, element.color = place, (*linear(colour), 1.0)
        return node.outputs[0]

    def mix(self, factor: Any, a: Any, b: Any, blend: str = "MIX") -> Any:
        node = self.node("Mix", (), {"data_type": "RGBA", "blend_type": blend})
        for index, value in ((0, factor), (6, a), (7, b)):
            self.feed(node.inputs[index], value)
        return node.outputs[2]

    def tint(self, colour: Any, by: Any, amount: float = 1.0) -> Any:
        """The colour multiplied by a value about 1."""
        grey = self.vector(by, by, by)
        return self.mix(amount, colour, grey, "MULTIPLY")

    def bump(self, height: ShaderValue, strength: float = 1.0, normal: Any = None) -> Any:
        """A normal from a height in metres."""
        return self.node("Bump", {"Strength": strength, "Distance": 1.0, "Height": height, "Normal": normal}).outputs[0]

    def surface(self, colour: Any, rough: Any = 0.5, height: ShaderValue | None = None, metal: Any = 0.0,
                more: Mapping[str, Any] | None = None) -> Any:  # fmt: skip
        """A Principled BSDF; height: bump map in metres; more: other inputs by name."""
        inputs = {"Base Color": colour, "Roughness": rough, "Metallic": metal}
        inputs.update(more or {})
        if height is not None:
            inputs["Normal"] = self.bump(height)
        full = self.node("BsdfPrincipled", inputs).outputs[0]
        if "Transmission Weight" in inputs:
            return full
        plain = self.node("BsdfDiffuse", {"Color": colour}).outputs[0]  # indirect light needs no relief
        return self.blend(self.node("LightPath").outputs["Is Diffuse Ray"], full, plain)

    def blend(self, factor: Any, a: Any, b: Any) -> Any:
        """Mixes two shaders."""
        return self.node("MixShader", [factor, a, b]).outputs[0]

    def clear_shadow(self, shader: Any, tint: Colour | Any, amount: float = 0.85) -> Any:
        """Lets light through to what is behind: without caustics the shadow of glass would be black."""
        path = self.node("LightPath")
        shadow = ShaderValue(self, path.outputs["Is Shadow Ray"]).max(ShaderValue(self, path.outputs["Is Diffuse Ray"]))
        return self.blend(shadow * amount, shader, self.node("BsdfTransparent", {"Color": tint}).outputs[0])


Surface = Callable[[ShaderGraph], Any]  # builds a surface's nodes and returns its shader


def by_name(*surfaces: Surface) -> dict[str, Surface]:
    """Surfaces by the names of their functions; the order decides which one a seed samples."""
    return {surface.__name__: surface for surface in surfaces}
