"""Part A: scenes rendered for validation alone. What each pixel is made of, what each thing is, how it sounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.modal.things import MATERIALS
from training.impact.baselines import GROUNDS
from training.impact.compared import Click, Compared, Sounded
from training.impact.intervals import counted, mean, median_factor, over_scenes
from training.impact.rendered import NO_MATERIAL, Rendered

if TYPE_CHECKING:
    from synesthesia.impact.physics_net import PhysicsPosterior
    from synesthesia.vision.backbone import PatchEncoder
    from synesthesia.vision.grid import PatchGrid

LEAST_PIXELS = 60  # of a thing that is clicked
SIZE_FACTOR, THICKNESS_FACTOR, DECAY_FACTOR = 1.5, 2.0, 1.5


@dataclass(frozen=True)
class Pixels:
    """Of one scene. right, count: (2, M) pixels whose material is named rightly, and all of them; first row: surfaces
    that training shows, second: those that it doesn't; said: (M,) pixels by the material that they are said to be of;
    silent: (2, 2) pixels that the studio abstains at, and all of them; first row nothing to strike, second something.
    """

    right: np.ndarray
    count: np.ndarray
    said: np.ndarray
    silent: np.ndarray


@dataclass(frozen=True)
class Clicked:
    """One click on one thing, and what the state says of it. log_size, log_thickness: natural logarithms of what is
    said over what is true; truth_t60_s: of the true sound; sounds: by path."""

    scene: int
    ground: bool
    held_out: bool
    silent: bool
    material_right: bool
    shape_right: bool
    log_size: float
    size_inside: bool
    log_thickness: float
    hollowness_error: float
    truth_t60_s: float
    sounds: Mapping[str, Sounded]


def pixels_of(scene: Rendered, compared: Compared, grid: PatchGrid, read: PhysicsPosterior) -> Pixels:
    size, cells = scene.material_index.shape, (grid.rows, grid.cols)
    adapter = compared.adapter
    maps = torch.cat([adapter.shares(read), adapter.solid(read)[:, None]], dim=1).T.unflatten(1, cells)
    fine = F.interpolate(maps[None].float(), size=size, mode="bilinear", align_corners=False)[0]
    said, abstains = fine[:-1].argmax(dim=0).numpy(), (fine[-1] < adapter.threshold).numpy()
    there = scene.material_index != NO_MATERIAL
    rare = np.array([False, *(thing.held_out for thing in scene.things)])[scene.object_index]
    true, named = scene.material_index[there], said[there]

    def by_material(rows: np.ndarray) -> np.ndarray:
        return np.bincount(rows, minlength=len(MATERIALS))

    masks = (~rare[there], rare[there])
    return Pixels(
        np.stack([by_material(true[mask & (named == true)]) for mask in masks]),
        np.stack([by_material(true[mask]) for mask in masks]),
        by_material(named),
        np.array([[(abstains & mask).sum(), mask.sum()] for mask in (~there, there)]),
    )


def clicked(
    scene: Rendered, number: int, encoder: PatchEncoder, compared: Compared, grid: PatchGrid, read: PhysicsPosterior, seed: int
) -> Clicked | None:  # fmt: skip
    """One blow on thing `number` (from 0) at a random pixel of it; None where too little of it is seen."""
    rows, cols = np.nonzero(scene.object_index == number + 1)
    if len(rows) < LEAST_PIXELS:
        return None
    random = np.random.default_rng([seed, scene.index, number])
    pick = int(random.integers(len(rows)))
    x, y = int(cols[pick]), int(rows[pick])
    thing = scene.things[number]
    click = Click.drawn(grid, x, y, thing, scene.place_at(x, y), random)
    adapter = compared.adapter
    near = refine_with_crop(adapter, encoder.textures, Image.fromarray(scene.picture), grid, read, x, y)
    state = adapter.state(near, 0, compared.guess(near))
    truth_t60_s, sounds = compared.measured(grid, near, click)
    return Clicked(
        scene=scene.index,
        ground=thing.kind in GROUNDS,
        held_out=thing.held_out,
        silent=float(adapter.solid(near)[0]) < adapter.threshold,
        material_right=state.materials[0].label == thing.material,
        shape_right=state.shapes[0].label == thing.shape,
        log_size=math.log(state.size_m.value / thing.size_m),
        size_inside=state.size_m.low <= thing.size_m <= state.size_m.high,
        log_thickness=math.log(state.thickness_m.value / thing.thickness_m),
        hollowness_error=abs(state.hollowness.value - thing.hollowness),
        truth_t60_s=truth_t60_s,
        sounds=sounds,
    )


def held_out(encoder: PatchEncoder, scenes: Iterable[Rendered], compared: Compared, seed: int) -> dict[str, Any]:
    """All figures of part A."""
    pixels: list[Pixels] = []
    clicks: list[Clicked] = []
    for scene in scenes:
        grid = encoder.encode(Image.fromarray(scene.picture))
        read = compared.adapter.read(grid)
        pixels.append(pixels_of(scene, compared, grid, read))
        found = (clicked(scene, number, encoder, compared, grid, read, seed) for number in range(len(scene.things)))
        clicks += [click for click in found if click is not None]
        print(f"\r{len(pixels)} scenes, {len(clicks)} clicks ", end="", flush=True)
    print()
    kinds = {
        "things": [c for c in clicks if not c.ground],
        "things, shown surfaces": [c for c in clicks if not c.ground and not c.held_out],
        "things, held-out surfaces": [c for c in clicks if not c.ground and c.held_out],
        "grounds": [c for c in clicks if c.ground],
    }
    kinds = {name: rows for name, rows in kinds.items() if rows}
    return {
        "scenes": len(pixels),
        "pixels": pixel_figures(pixels),
        "state": {name: state_figures(rows) for name, rows in kinds.items()},
        "sound": {name: sound_figures(rows) for name, rows in kinds.items()},
        "with the state, beside without": {name: beside_direct(rows) for name, rows in kinds.items()},
    }


def pixel_figures(pixels: Sequence[Pixels]) -> dict[str, Any]:
    """Shares of pixels, with intervals over scenes; n are scenes."""
    right, count = (np.stack([getattr(p, name) for p in pixels]) for name in ("right", "count"))  # (S, 2, M)
    silent = np.stack([p.silent for p in pixels])  # (S, 2, 2)
    by_material = {
        name: counted(right[:, :, k].sum(axis=1), count[:, :, k].sum(axis=1))
        for k, name in enumerate(MATERIALS)
        if count[:, :, k].any()
    }
    common = int(count.sum(axis=(0, 1)).argmax())
    groups = {"all": slice(0, 2), "shown surfaces": slice(0, 1), "held-out surfaces": slice(1, 2)}
    figures: dict[str, Any] = {
        name: counted(right[:, rows].sum(axis=(1, 2)), count[:, rows].sum(axis=(1, 2)))
        for name, rows in groups.items()
        if count[:, rows].any()
    }
    figures["always the commonest"] = counted(count[:, :, common].sum(axis=1), count.sum(axis=(1, 2)))
    figures["by material"] = by_material
    figures["mean over materials"] = float(np.mean([cell["value"] for cell in by_material.values()]))
    figures["materials"] = len(by_material)
    figures["said"] = dict(zip(MATERIALS, np.sum([p.said for p in pixels], axis=0).tolist(), strict=True))
    for row, name in enumerate(("silent where nothing is", "silent where something is")):
        if silent[:, row, 1].any():
            figures[name] = counted(silent[:, row, 0], silent[:, row, 1])
    return figures


def state_figures(clicks: Sequence[Clicked]) -> dict[str, Any]:
    scene = np.array([c.scene for c in clicks])

    def share(hits: Sequence[bool]) -> dict[str, Any]:
        return over_scenes(np.array(hits, dtype=float), scene, mean)

    size, thickness = (np.array([getattr(c, name) for c in clicks]) for name in ("log_size", "log_thickness"))
    return {
        "material": share([c.material_right for c in clicks]),
        "shape": share([c.shape_right for c in clicks]),
        "size within 1.5": share(within(size, SIZE_FACTOR)),
        "size, median factor": over_scenes(size, scene, median_factor),
        "size in its 90 % interval": share([c.size_inside for c in clicks]),
        "thickness within 2": share(within(thickness, THICKNESS_FACTOR)),
        "hollowness, mean error": over_scenes(np.array([c.hollowness_error for c in clicks]), scene, mean),
        "silent": share([c.silent for c in clicks]),
    }


def within(log_ratios: np.ndarray, factor: float) -> list[bool]:
    return (np.abs(log_ratios) <= math.log(factor)).tolist()


def sound_figures(clicks: Sequence[Clicked]) -> dict[str, Any]:
    """By path: mean distances, how often the decay is right, and by how much the distance lies below the template's."""
    scene = np.array([c.scene for c in clicks])
    template = np.array([c.sounds["template"].lsd_db for c in clicks])
    truth = np.array([c.truth_t60_s for c in clicks])
    figures: dict[str, Any] = {}
    for name in clicks[0].sounds:
        lsd, free, t60 = (
            np.array([getattr(c.sounds[name], part) for c in clicks]) for part in ("lsd_db", "level_free_db", "t60_s")
        )
        ratio = np.log(t60 / truth)
        figures[name] = {
            "lsd_db": over_scenes(lsd, scene, mean),
            "level_free_db": over_scenes(free, scene, mean),
            "decay within 1.5": over_scenes(np.array(within(ratio, DECAY_FACTOR), dtype=float), scene, mean),
            "decay, median factor": over_scenes(ratio, scene, median_factor),
            "below template": over_scenes(np.stack([lsd, template], axis=1), scene, below),
        }
    return figures


def beside_direct(clicks: Sequence[Clicked]) -> dict[str, Any]:
    """On the same clicks: by which share tap's distance lies below that of the path without a state, and how much more
    often its decay is right; empty where that path was not asked."""
    if "direct" not in clicks[0].sounds:
        return {}
    scene = np.array([c.scene for c in clicks])
    truth = np.array([c.truth_t60_s for c in clicks])
    both = [[c.sounds[path] for path in ("tap", "direct")] for c in clicks]
    lsd = np.array([[s.lsd_db for s in pair] for pair in both])
    right = np.array([within(np.log([s.t60_s / t for s in pair]), DECAY_FACTOR)
                      for pair, t in zip(both, truth, strict=True)], dtype=float)  # fmt: skip
    return {
        "distance below": over_scenes(lsd, scene, below),
        "decay within 1.5, more often": over_scenes(right[:, 0] - right[:, 1], scene, mean),
    }


def below(pairs: np.ndarray) -> float:
    """(N, 2) distances of a path and of the template -> by which share the first mean lies below the second."""
    return float(1 - pairs[:, 0].mean() / pairs[:, 1].mean())
