"""Mesh primitives in numpy: rounded boxes, surfaces of revolution, swept tubes, and noise displacement.

No Blender is needed, so everything about a scene but its picture can be made and tested without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

TRIANGLE = -1  # in place of the fourth corner of a triangle


@dataclass(frozen=True)
class Mesh:
    """vertices (V, 3) float64, metres; faces (F, 4) int64, counter-clockwise seen from outside, last entry TRIANGLE for
    triangles; uv (F, 4, 2) float64, metres along the surface; smooth: shaded as curved."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    smooth: bool = True

    @property
    def extents(self) -> np.ndarray:
        return np.ptp(self.vertices, axis=0)

    def translated(self, offset: Sequence[float] | np.ndarray) -> Mesh:
        return replace(self, vertices=self.vertices + np.asarray(offset, dtype=np.float64))

    def scaled(self, factor: float) -> Mesh:
        return replace(self, vertices=self.vertices * factor, uv=self.uv * factor)

    def rotated(self, rotation: np.ndarray) -> Mesh:
        return replace(self, vertices=self.vertices @ np.asarray(rotation).T)

    def grounded(self) -> Mesh:
        """Centred over the origin, lowest point at height 0."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        return self.translated([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])

    def normals(self) -> np.ndarray:
        """(V, 3) unit normals, area-weighted means of the faces' normals."""
        corners = self.vertices[np.where(self.faces == TRIANGLE, self.faces[:, :1], self.faces)]
        face = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        triangle = self.faces[:, 3] == TRIANGLE
        face[triangle] = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[triangle]
        total = np.zeros_like(self.vertices)
        for corner in range(4):
            used = self.faces[:, corner] != TRIANGLE
            np.add.at(total, self.faces[used, corner], face[used])
        return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def merge_meshes(meshes: Sequence[Mesh]) -> Mesh:
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    faces = [np.where(m.faces == TRIANGLE, TRIANGLE, m.faces + o) for m, o in zip(meshes, offsets, strict=True)]
    return Mesh(np.concatenate([m.vertices for m in meshes]), np.concatenate(faces),
                np.concatenate([m.uv for m in meshes]), meshes[0].smooth)  # fmt: skip


def rotation_matrix(axis: int, radians: float) -> np.ndarray:
    """(3, 3) rotation about a coordinate axis."""
    c, s = np.cos(radians), np.sin(radians)
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    out = np.eye(3)
    out[first, first] = out[second, second] = c
    out[first, second], out[second, first] = -s, s
    return out


def rounded_box(extents: Sequence[float] | np.ndarray, radius: float, cells: int = 14) -> Mesh:
    """A box with edges rounded to `radius` metres (half the smallest extent: a capsule, for a cube a ball)."""
    half = np.asarray(extents, dtype=np.float64) / 2
    radius = float(np.clip(radius, 1e-6, half.min()))
    lines, inner = [], half - radius
    for h in inner:
        arc = radius * np.tan(np.linspace(0, np.pi / 4, 5 if radius < 0.6 * half.min() else 10))
        count = int(np.clip(round(cells * 2 * h / (2 * half.max())), 1, cells))
        flat = np.linspace(-h, h, count + 1) if h > 1e-9 else np.zeros(1)
        lines.append(np.concatenate([-h - arc[:0:-1], flat, h + arc[1:]]))
    counts = [len(line) for line in lines]
    keys, uv = [], []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for end in (0, 1):
            i, j = np.meshgrid(np.arange(counts[a] - 1), np.arange(counts[b] - 1), indexing="ij")
            steps = [(0, 0), (1, 0), (1, 1), (0, 1)] if end else [(0, 0), (0, 1), (1, 1), (1, 0)]
            quad = np.zeros((i.size, 4, 3), dtype=np.int64)
            for corner, (di, dj) in enumerate(steps):
                quad[:, corner, axis] = end * (counts[axis] - 1)
                quad[:, corner, a], quad[:, corner, b] = (i + di).ravel(), (j + dj).ravel()
            keys.append(quad)
            u, v = lines[a][quad[..., a]], lines[b][quad[..., b]]
            uv.append(np.stack([v, u] if axis == 0 or axis == 1 else [u, v], axis=-1) + axis * 0.37)
    corners = np.concatenate(keys)
    unique, faces = np.unique(np.ravel_multi_index(tuple(corners.reshape(-1, 3).T), counts), return_inverse=True)
    on_cube = np.stack([line[k] for line, k in zip(lines, np.unravel_index(unique, counts), strict=True)], axis=1)
    core = np.clip(on_cube, -inner, inner)
    away = on_cube - core
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
    return Mesh(core + radius * away, faces.reshape(-1, 4), np.concatenate(uv))


def rounded_profile(points: Sequence[tuple[float, float]], rounding: float, step: float) -> np.ndarray:
    """(P, 2) radius and height along a polyline: inner corners rounded by at most `rounding`, long edges divided into
    pieces of about `step`."""
    p = np.asarray(points, dtype=np.float64)
    out = [p[:1]]
    for k in range(1, len(p) - 1):
        before, after = p[k - 1] - p[k], p[k + 1] - p[k]
        cut = min(rounding, 0.45 * np.linalg.norm(before), 0.45 * np.linalg.norm(after))
        a, b = p[k] + before / np.linalg.norm(before) * cut, p[k] + after / np.linalg.norm(after) * cut
        t = np.linspace(0, 1, 5)[:, None]
        out.append((1 - t) ** 2 * a + 2 * t * (1 - t) * p[k] + t**2 * b)
    corners = np.concatenate([*out, p[-1:]])
    pieces = [corners[:1]]
    for a, b in pairwise(corners):
        count = max(1, int(np.ceil(np.linalg.norm(b - a) / step)))
        pieces.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(pieces)


def _ring_faces(rows: int, u: np.ndarray, v: np.ndarray, closed: bool = False) -> tuple[np.ndarray, ...]:
    """Faces of `rows` rings of len(u) - 1 vertices: quads (F, 4) with uv (F, 4, 2), and triangles (T, 4) that join the
    first ring to vertex rows * columns and the last ring to the next one. closed: quads also join last and first."""
    columns = len(u) - 1
    low, j = np.arange(rows if closed else rows - 1)[:, None] * columns, np.arange(columns)
    high, right = (low + columns) % (rows * columns), (j + 1) % columns
    quads = np.stack([low + j, low + right, high + right, high + j], axis=-1).reshape(-1, 4)
    grid = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=-1)
    uv = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], axis=-2).reshape(-1, 4, 2)
    pole, last, missing = rows * columns + 0 * j, (rows - 1) * columns, np.full(columns, TRIANGLE)
    ends = [(j, pole, right, missing), (last + j, last + right, pole + 1, missing)]
    return quads, uv, np.concatenate([np.stack(end, axis=1) for end in ends])


def _lengths(points: np.ndarray) -> np.ndarray:
    """(N, D) -> (N,) length of the polyline up to each point."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def lathe(
    profile: np.ndarray, squareness: float = 2.0, flatness: float = 1.0, segments: int = 72, closed: bool = False
) -> Mesh:
    """Surface of revolution about z of a profile (P, 2) of radius and height, going up on the outside. closed: the
    profile is a loop away from the axis, else both ends lie on the axis. squareness: superellipse exponent."""
    angle = 2 * np.pi * np.arange(segments) / segments
    c, s = np.cos(angle), np.sin(angle)
    stretch = (np.abs(c) ** squareness + np.abs(s) ** squareness) ** (-1 / squareness)
    rim = np.stack([stretch * c, flatness * stretch * s], axis=1)
    body = profile if closed else profile[1:-1]
    heights = np.broadcast_to(body[:, 1:, None], (len(body), segments, 1))
    vertices = np.concatenate([body[:, :1, None] * rim, heights], axis=2).reshape(-1, 3)
    along, around = _lengths(profile), profile[:, 0].max() * np.append(angle, 2 * np.pi)
    along = np.append(along, along[-1] + np.linalg.norm(profile[0] - profile[-1])) if closed else along[1:-1]
    faces, uv, caps = _ring_faces(len(body), around, along, closed)
    if closed:
        return Mesh(vertices, faces, uv)
    points = np.concatenate([vertices, [[0, 0, profile[0, 1]], [0, 0, profile[-1, 1]]]])
    cap_uv = points[np.where(caps == TRIANGLE, caps[:, :1], caps)][..., :2]  # flat caps: projected from above
    return Mesh(points, np.concatenate([faces, caps]), np.concatenate([uv, cap_uv]))


def bent_tube(path: np.ndarray, radius: float, flat: float = 1.0, sides: int = 12) -> Mesh:
    """A tube swept along (N, 3) points, closed at both ends; flat < 1 flattens its section."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side, rings = np.cross(ahead[0], [0.3, 0.5, 0.81]), []
    angle = 2 * np.pi * np.arange(sides) / sides
    for point, direction in zip(path, ahead, strict=True):
        side = side - direction * (side @ direction)
        side /= np.linalg.norm(side)
        up = np.cross(direction, side)
        rings.append(point + radius * (np.cos(angle)[:, None] * side + flat * np.sin(angle)[:, None] * up))
    faces, uv, caps = _ring_faces(len(path), radius * np.append(angle, 2 * np.pi), _lengths(path))
    points = np.concatenate([*rings, path[:1], path[-1:]])
    return Mesh(points, np.concatenate([faces, caps]), np.concatenate([uv, np.zeros((2 * sides, 4, 2))]))


class WaveNoise:
    """Smooth 3-D noise: a sum of random plane waves per octave, about unit variance; wavelength in metres."""

    def __init__(self, rng: np.random.Generator, wavelength: float, octaves: int = 1, waves: int = 9) -> None:
        direction = rng.normal(size=(octaves, waves, 3))
        direction /= np.linalg.norm(direction, axis=2, keepdims=True)
        octave = 2.0 ** np.arange(octaves)
        self.frequency = direction * (2 * np.pi / wavelength * octave)[:, None, None]
        self.phase = rng.uniform(0, 2 * np.pi, (octaves, waves))
        self.gain = 0.5 ** np.arange(octaves) * np.sqrt(2 / waves)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) -> (N,)"""
        angle = np.einsum("nd,owd->now", points, self.frequency) + self.phase
        return (np.sin(angle).sum(axis=2) * self.gain).sum(axis=1)


def warp(mesh: Mesh, rng: np.random.Generator, amplitude: float, wavelength: float, octaves: int = 1) -> Mesh:
    """Displaces all vertices by smooth noise; walls keep their thickness where the wavelength is much larger."""
    shift = np.stack([WaveNoise(rng, wavelength, octaves)(mesh.vertices) for _ in range(3)], axis=1)
    return replace(mesh, vertices=mesh.vertices + amplitude * shift)


def crumple_mesh(mesh: Mesh, rng: np.random.Generator, amplitude: float, wavelength: float, octaves: int = 3) -> Mesh:
    """Displaces along the normals by ridged noise, as crumpled paper."""
    height = np.zeros(len(mesh.vertices))
    for octave in range(octaves):
        noise = WaveNoise(rng, wavelength / 1.9**octave, 1, 4)(mesh.vertices)
        height += 0.6**octave * (1 - 2 * np.abs(np.clip(noise, -1, 1)))
    return replace(mesh, vertices=mesh.vertices + amplitude * height[:, None] * mesh.normals())
