"""Lighting, and the camera's tone mapping: exposure, white balance, tone curve."""

from __future__ import annotations

import numpy as np

from tools.blender.plan import ScenePlan
from tools.blender.shader_graph import ShaderGraph


def _lamp(
    kind: str, position: np.ndarray, target: np.ndarray, power: float, colour: tuple[float, ...], size: float
) -> None:
    """kind SUN (power W/m2, size radians), AREA, SPOT or POINT (power W, size m)."""
    import bpy
    from mathutils import Vector

    data = bpy.data.lights.new(kind, kind)
    data.energy, data.color = power, colour
    if kind == "SUN":
        data.angle = size
    elif kind == "AREA":
        data.shape, data.size, data.size_y = "RECTANGLE", size, size * 0.7
    else:
        data.shadow_soft_size = size
    lamp = bpy.data.objects.new(kind, data)
    lamp.rotation_mode = "QUATERNION"
    lamp.location = position.tolist()
    lamp.rotation_quaternion = Vector((target - position).tolist()).to_track_quat("-Z", "Y")
    bpy.context.scene.collection.objects.link(lamp)


def blackbody_rgb(kelvin: float) -> tuple[float, float, float]:
    """Linear RGB of a black body, largest channel 1 (a fit to Planck's law between 2000 and 12000 K)."""
    t = kelvin / 6500
    rgb = np.array([min(1.0, t**-0.55), min(1.0, t**0.45 if t < 1 else t**-0.2), min(1.0, t**1.6)])
    r, g, b = rgb / rgb.max()
    return float(r), float(g), float(b)


def _world(rng: np.random.Generator, outdoors: bool, strength: float, clouds: float) -> None:
    """World shader: a sky with clouds, or a room (blurred patches of colour, a bright window, a dark floor)."""
    import bpy

    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 128  # the default costs 2 s a scene
    g = ShaderGraph(world.node_tree, rng, 1.0)
    way = g.coordinates.outputs["Generated"]
    x, y, z = g.split(way)
    if outdoors:
        cloud = g.noise(0.35, 6, 0.6, g.vector(x, y, z * 3.0), 0.4).step(0.62 - 0.3 * clouds, 0.72)
        zenith = g.mix(clouds, g.pick(["#3f78c4", "#5590d0", "#2f5fa8"]), "#b9c2cc")
        horizon = g.pick(["#cfdbe6", "#e6e2d8", "#b9c9d8", "#f0d9b9"])
        sky = g.mix(z.step(-0.02, 0.5), horizon, zenith)
        sky = g.mix(cloud * (0.4 + 0.6 * clouds), sky, "#f2f2f0")
        trees = (z + (g.noise(0.12, 5, 0.7, way) - 0.5) * 0.25).step(g.between(0.02, 0.25), g.between(-0.02, 0.02))
        colour = g.mix(trees, sky, g.pick(["#2f3f22", "#55584f", "#6b6355", "#3a4a35"]))
    else:
        blot = g.noise(0.7, 3, 0.6, way)
        walls = g.ramp(blot, [(0.3, g.pick(["#2a2622", "#3a3f44", "#4a4038"])),
                              (0.5, g.pick(["#8a8074", "#7c868c", "#a3927a", "#94a08f"])),
                              (0.72, g.pick(["#c9bfae", "#b9c2c6", "#d8c3a0"]))])  # fmt: skip
        colour = g.mix(z.step(0.05, -0.25), walls, g.pick(["#3a2d22", "#4a4642", "#5c4a38"]))
        turn = float(rng.uniform(0, 6.28))
        c, s = float(np.cos(turn)), float(np.sin(turn))
        along, beside = x * c + y * s, y * c - x * s
        width, low = g.between(0.15, 0.5), g.between(0.05, 0.25)
        pane = along.above(0.3) * beside.abs().step(width, width - 0.02)
        pane = pane * z.step(low, low + 0.02) * z.step(low + 0.5, low + 0.48)
        bars = (beside * (3 / width)).fract().step(0.04, 0.07)
        daylight = blackbody_rgb(rng.uniform(5500, 8500))
        colour = g.mix(pane * bars, colour, tuple(c * float(rng.uniform(4, 14)) for c in daylight))
    background = g.node("Background", {"Color": colour, "Strength": strength})
    g.node("OutputWorld", {"Surface": background.outputs[0]})


def add_lights(plan: ScenePlan) -> None:
    """Adds the plan's lights. Powers are relative: `tone_map` sets the exposure."""
    rng = np.random.default_rng([plan.light_seed, 4])
    eye, target = plan.camera.eye, plan.camera.target
    ahead = np.arctan2(*(target - eye)[1::-1])

    def at(distance: float, heading: float, elevation: float) -> np.ndarray:
        """A point around the target. Heading 0: behind the objects as seen from the camera, pi: towards the camera."""
        way = ahead + heading
        level = np.cos(elevation)
        return target + distance * np.array([level * np.cos(way), level * np.sin(way), np.sin(elevation)])

    def lamp(kind: str, position: np.ndarray, power: float, kelvin: float, size: float) -> None:
        _lamp(kind, position, target, power, blackbody_rgb(kelvin), size)

    high, any_way = float(rng.uniform(0.35, 1.2)), float(rng.uniform(0, 6.28))
    if plan.light == "sun":
        _world(rng, True, 1.0, float(rng.uniform(0, 0.6)))
        lamp("SUN", at(5, any_way, high), rng.uniform(3, 9), 4200 + 1800 * high, 0.01)
    elif plan.light == "overcast":
        _world(rng, True, 1.0, 1.0)
        lamp("SUN", at(5, any_way, 1.2), rng.uniform(0.5, 1.5), 6800, 0.9)
    elif plan.light == "window":
        _world(rng, False, 0.5, 0.0)
        side = float(rng.choice([-1, 1])) * rng.uniform(0.7, 2.2)
        lamp("AREA", at(2.0, side, rng.uniform(0.25, 0.8)), rng.uniform(90, 220), rng.uniform(5500, 8000), 1.4)
    elif plan.light == "studio":
        _world(rng, False, 0.35, 0.0)
        for heading, power in ((2.2, 120), (-2.0, 45), (0.4, 70)):
            position = at(1.8, heading + rng.normal(0, 0.3), rng.uniform(0.5, 1.2))
            lamp("AREA", position, power * rng.uniform(0.5, 1.5), 5600, rng.uniform(0.4, 1.2))
    elif plan.light == "lamp":
        _world(rng, False, 0.22, 0.0)
        kind = "SPOT" if rng.random() < 0.4 else "POINT"
        position = at(rng.uniform(1.0, 1.8), any_way, rng.uniform(0.6, 1.3))
        lamp(kind, position, rng.uniform(60, 160), rng.uniform(2500, 3600), rng.uniform(0.03, 0.15))
    elif plan.light == "backlight":
        _world(rng, rng.random() < 0.5, 0.6, 0.3)
        lamp("SUN", at(5, rng.normal(0, 0.5), rng.uniform(0.3, 0.8)), rng.uniform(3, 7), 4500, 0.03)
    elif plan.light == "flash":
        _world(rng, False, 0.3, 0.0)
        away = float(np.linalg.norm(eye - target))
        lamp("AREA", eye + np.array([0, 0, 0.05 + 0.1 * away]), 30 * max(away, 0.2) ** 2, 6000, 0.06)
    else:
        _world(rng, False, 0.45, 0.0)
        lamp("AREA", at(2.2, any_way, 0.5), 110, 8000, 1.2)
        lamp("POINT", at(1.3, any_way + rng.uniform(1.5, 4.5), 0.8), 60, 2800, 0.08)


def tone_map(radiance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) linear radiance -> uint8 sRGB: exposure for the logarithmic mean with a random error, partial white
    balance, one of three tone curves."""
    picture = np.clip(np.nan_to_num(radiance), 0.0, 1e4)
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722])
    key = float(np.exp(np.log(luminance + 1e-3).mean()))
    bright = float(np.quantile(luminance, 0.95))
    exposure = min(0.2 / key, 2.2 / max(bright, 1e-3)) * 2.0 ** float(np.clip(rng.normal(0, 0.4), -1, 0.9))
    cast = picture.reshape(-1, 3).mean(axis=0) + 1e-3
    gains = (cast.mean() / cast) ** float(rng.uniform(0.0, 0.5)) * np.exp(rng.normal(0, 0.03, 3))
    light = picture * gains * exposure
    curve = int(rng.integers(3))
    if curve == 0:  # Narkowicz 2015, a fit to the ACES filmic curve
        mapped = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    elif curve == 1:  # a soft shoulder above a straight line
        mapped = np.where(light < 0.6, light, 0.6 + 0.4 * (1 - np.exp(-(light - 0.6) / 0.4)))
    else:  # Reinhard et al. 2002 with a white point of 4
        mapped = light * 1.25 * (1 + light / 16) / (1 + light)
    mapped = np.clip(mapped, 0, 1)
    encoded = np.where(mapped <= 0.0031308, 12.92 * mapped, 1.055 * np.maximum(mapped, 1e-9) ** (1 / 2.4) - 0.055)
    return np.round(encoded * 255).astype(np.uint8)
