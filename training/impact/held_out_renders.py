"""Part A of the evaluation: validation renders. Material of each pixel, state of each clicked object, its sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from synesthesia.core.vocabulary import MATERIALS
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.vision.grid import PatchGrid
from training.impact.intervals import mean, median_factor, pooled_share, scene_bootstrap
from training.impact.methods import Methods, SoundScores, TrueStrike
from training.impact.render_reader import GROUNDS, NO_MATERIAL, RenderedScene

MIN_PIXELS = 60  # of an object that is clicked
SIZE_FACTOR, THICKNESS_FACTOR, DECAY_FACTOR = 1.5, 2.0, 1.5
STATE_STATISTICS = {"size, median factor": median_factor}  # over clicks; of all other figures the mean


@dataclass(frozen=True)
class PixelCounts:
    """Of one scene. right, count: (2, M) pixels with the right material, and all; first row: surfaces of the training
    set, second: held-out surfaces; predicted: (M,) pixels by predicted material; silent: (2, 2) pixels at which the
    studio abstains, and all; first row: no object, second: some object."""

    right: np.ndarray
    count: np.ndarray
    predicted: np.ndarray
    silent: np.ndarray


@dataclass(frozen=True)
class ClickScores:
    """One click on one object. state: by figure, see STATE_STATISTICS; sounds: by method."""

    scene: int
    ground: bool
    held_out: bool
    state: Mapping[str, float]
    sounds: Mapping[str, SoundScores]


def count_pixels(scene: RenderedScene, methods: Methods, grid: PatchGrid, posterior: PhysicsPosterior) -> PixelCounts:
    predictor = methods.predictor
    maps = torch.cat(
        [predictor.material_probabilities(posterior), predictor.solid_probability(posterior)[:, None]], dim=1
    )
    fine = F.interpolate(
        maps.T.unflatten(1, (grid.rows, grid.cols))[None].float(), size=scene.material_index.shape, mode="bilinear",
        align_corners=False,
    )[0]  # fmt: skip
    likeliest, abstains = fine[:-1].argmax(dim=0).numpy(), (fine[-1] < predictor.threshold).numpy()
    solid = scene.material_index != NO_MATERIAL
    held_out = np.array([False, *(one.held_out for one in scene.objects)])[scene.object_index][solid]
    true, predicted = scene.material_index[solid], likeliest[solid]

    def by_material(rows: np.ndarray) -> np.ndarray:
        return np.bincount(rows, minlength=len(MATERIALS))

    masks = (~held_out, held_out)
    return PixelCounts(
        np.stack([by_material(true[mask & (predicted == true)]) for mask in masks]),
        np.stack([by_material(true[mask]) for mask in masks]),
        by_material(predicted),
        np.array([[(abstains & mask).sum(), mask.sum()] for mask in (~solid, solid)]),
    )


def score_click(
    scene: RenderedScene, number: int, methods: Methods, grid: PatchGrid, posterior: PhysicsPosterior, seed: int
) -> ClickScores | None:
    """A strike on object `number` (from 0) at a random pixel of it; None where too few pixels are visible."""
    rows, cols = np.nonzero(scene.object_index == number + 1)
    if len(rows) < MIN_PIXELS:
        return None
    random = np.random.default_rng([seed, scene.index, number])
    pick = int(random.integers(len(rows)))
    x, y = int(cols[pick]), int(rows[pick])
    item = scene.objects[number]
    truth = TrueStrike.sample(grid, x, y, item, scene.strike_point(x, y), random)
    clicked = methods.refine(Image.fromarray(scene.picture), grid, posterior, x, y)
    state = methods.predictor.physics_state(clicked, 0, methods.select(clicked))
    log_size = math.log(state.size_m.value / item.size_m)
    return ClickScores(
        scene=scene.index,
        ground=item.kind in GROUNDS,
        held_out=item.held_out,
        state={
            "material": state.materials[0].label == item.material,
            "shape": state.shapes[0].label == item.shape,
            "size within 1.5": within(log_size, SIZE_FACTOR),
            "size, median factor": log_size,
            "size in its 90 % interval": state.size_m.low <= item.size_m <= state.size_m.high,
            "thickness within 2": within(math.log(state.thickness_m.value / item.thickness_m), THICKNESS_FACTOR),
            "hollowness, mean error": abs(state.hollowness.value - item.hollowness),
            "silent": methods.abstains(clicked),
        },
        sounds=methods.scores(grid, clicked, truth),
    )


def evaluate_renders(scenes: Iterable[RenderedScene], methods: Methods, seed: int) -> dict[str, Any]:
    """All figures of part A."""
    pixels: list[PixelCounts] = []
    clicks: list[ClickScores] = []
    for scene in scenes:
        grid = methods.encoder.encode(Image.fromarray(scene.picture))
        posterior = methods.predictor.predict(grid)
        pixels.append(count_pixels(scene, methods, grid, posterior))
        found = (score_click(scene, k, methods, grid, posterior, seed) for k in range(len(scene.objects)))
        clicks += [click for click in found if click is not None]
        print(f"\r{len(pixels)} scenes, {len(clicks)} clicks ", end="", flush=True)
    print()
    objects = [c for c in clicks if not c.ground]
    groups = {
        "objects": objects,
        "objects, training surfaces": [c for c in objects if not c.held_out],
        "objects, held-out surfaces": [c for c in objects if c.held_out],
        "grounds": [c for c in clicks if c.ground],
    }
    groups = {name: rows for name, rows in groups.items() if rows}
    return {
        "scenes": len(pixels),
        "pixels": pixel_figures(pixels),
        "state": {name: state_figures(rows) for name, rows in groups.items()},
        "sound": {name: sound_figures(rows) for name, rows in groups.items()},
        "tap against direct": {name: tap_against_direct(rows) for name, rows in groups.items()},
    }


def pixel_figures(pixels: Sequence[PixelCounts]) -> dict[str, Any]:
    """Shares of pixels, with intervals over scenes; n counts scenes."""
    right, count = (np.stack([getattr(p, name) for p in pixels]) for name in ("right", "count"))  # (S, 2, M)
    silent = np.stack([p.silent for p in pixels])  # (S, 2, 2)

    def shares(parts: Mapping[str, tuple[slice, slice]]) -> dict[str, Any]:
        """By name, of the rows and materials in which there are any pixels."""
        sums = {name: [counts[:, *part].sum(axis=(1, 2)) for counts in (right, count)] for name, part in parts.items()}
        return {name: pooled_share(hits, cases) for name, (hits, cases) in sums.items() if cases.any()}

    whole = slice(None)
    by_material = shares({name: (whole, slice(k, k + 1)) for k, name in enumerate(MATERIALS)})
    figures = shares({"all": (whole, whole), "training surfaces": (slice(0, 1), whole),
                      "held-out surfaces": (slice(1, 2), whole)})  # fmt: skip
    common = int(count.sum(axis=(0, 1)).argmax())
    figures["always the commonest"] = pooled_share(count[:, :, common].sum(axis=1), count.sum(axis=(1, 2)))
    figures["by material"] = by_material
    figures["mean over materials"] = float(np.mean([cell["value"] for cell in by_material.values()]))
    figures["materials"] = len(by_material)
    figures["predicted"] = dict(zip(MATERIALS, np.sum([p.predicted for p in pixels], axis=0).tolist(), strict=True))
    for row, name in enumerate(("silent without an object", "silent on an object")):
        if silent[:, row, 1].any():
            figures[name] = pooled_share(silent[:, row, 0], silent[:, row, 1])
    return figures


def state_figures(clicks: Sequence[ClickScores]) -> dict[str, Any]:
    scene = np.array([c.scene for c in clicks])
    return {
        name: scene_bootstrap(np.array([c.state[name] for c in clicks], float), scene, STATE_STATISTICS.get(name, mean))
        for name in clicks[0].state
    }


def within(log_ratios: Any, factor: float) -> Any:
    """Whether a log ratio, or each of an array, is at most the factor up or down."""
    return np.abs(log_ratios) <= math.log(factor)


def sound_figures(clicks: Sequence[ClickScores]) -> dict[str, Any]:
    """By method: mean distances, share of right decays, and the relative gain in distance over the template."""
    scene = np.array([c.scene for c in clicks])
    template = np.array([c.sounds["template"].lsd_db for c in clicks])
    figures: dict[str, Any] = {}
    for name in clicks[0].sounds:
        lsd, level_free, ratio = np.array([astuple(c.sounds[name]) for c in clicks]).T
        log_decay = np.log(ratio)
        figures[name] = {
            "lsd_db": scene_bootstrap(lsd, scene, mean),
            "level_free_db": scene_bootstrap(level_free, scene, mean),
            "decay within 1.5": scene_bootstrap(within(log_decay, DECAY_FACTOR).astype(float), scene, mean),
            "decay, median factor": scene_bootstrap(log_decay, scene, median_factor),
            "below template": scene_bootstrap(np.stack([lsd, template], axis=1), scene, relative_gain),
        }
    return figures


def tap_against_direct(clicks: Sequence[ClickScores]) -> dict[str, Any]:
    """On the same clicks: relative gain of tap's distance over the direct method's, and how much more often its decay
    is right; empty without the direct method."""
    if "direct" not in clicks[0].sounds:
        return {}
    scene = np.array([c.scene for c in clicks])
    lsd, _, ratio = np.moveaxis(np.array([[astuple(c.sounds[m]) for m in ("tap", "direct")] for c in clicks]), 2, 0)
    right = within(np.log(ratio), DECAY_FACTOR).astype(float)
    return {
        "distance below": scene_bootstrap(lsd, scene, relative_gain),
        "decay within 1.5, more often": scene_bootstrap(right[:, 0] - right[:, 1], scene, mean),
    }


def relative_gain(pairs: np.ndarray) -> float:
    """(N, 2) distances of two methods -> by which share the first mean is below the second."""
    return float(1 - pairs[:, 0].mean() / pairs[:, 1].mean())
