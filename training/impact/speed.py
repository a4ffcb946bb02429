"""Part E: how long a click takes on a picture already seen, and whether blow after blow stays clean."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.impact.crop_refine import refine_with_crop
from synesthesia.impact.mbr import select
from synesthesia.impact.modal.contact import MALLETS
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.render import StrikeParams, render_impact
from training.impact.rendered import Rendered

if TYPE_CHECKING:
    from synesthesia.impact.predictor import ImpactPredictor
    from synesthesia.vision.backbone import PatchEncoder

WARM = 3  # clicks before any is timed
IN_A_ROW = 20
SECONDS = 1.5  # as the studio's own
QUIET = 1e-3  # of full scale, at the end of a sound


def speed(
    encoder: PatchEncoder, adapter: ImpactPredictor, scene: Rendered, clicks: int, threads: int, seed: int
) -> dict[str, Any]:  # fmt: skip
    """All figures of part E. Milliseconds; a blow and the synthesis alone in turn, so that both meet the same load."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    started = time.perf_counter()
    picture = Image.fromarray(scene.picture)
    grid = encoder.encode(picture)
    seen = time.perf_counter()
    read = adapter.read(grid)
    done = time.perf_counter()
    random = np.random.default_rng(seed)
    whole, alone, closer = [], [], []
    for number in range(WARM + clicks):
        x, y = (float(at) for at in random.uniform(0, (grid.width_px, grid.height_px)))
        hit = StrikeParams(float(random.uniform(1, 30)), MALLETS[number % len(MALLETS)], SECONDS, number)
        clock = [time.perf_counter()]
        near = refine_with_crop(adapter, encoder.textures, picture, grid, read, x, y)
        looked = time.perf_counter()
        render_impact(adapter, near, 0, hit, SAMPLE_RATE_HZ)
        clock.append(time.perf_counter())
        guess = select(adapter, near, 0)
        clock.append(time.perf_counter())
        strike(guess.thing, guess.place, force_n=hit.force_n, mallet=hit.mallet, seconds=SECONDS, seed=number,
               properties=guess.properties)  # fmt: skip
        clock.append(time.perf_counter())
        if number >= WARM:
            whole.append(1e3 * (clock[1] - clock[0]))
            alone.append(1e3 * (clock[3] - clock[2]))
            closer.append(1e3 * (looked - clock[0]))
    torch.set_num_threads(before)
    middle, last = np.percentile(whole, [50, 95])
    return {
        "threads": threads,
        "n": clicks,
        "blow, median ms": float(middle),
        "blow, 95th percentile ms": float(last),
        "of it the closer look, median ms": float(np.median(closer)),
        "strike alone, median ms": float(np.median(alone)),
        "blow over strike alone": float(middle / np.median(alone)),
        "first look at a picture, ms": 1e3 * (seen - started),
        "reading it, ms": 1e3 * (done - seen),
        "in a row": in_a_row(adapter, read, grid.rows * grid.cols // 2 + grid.cols // 2),
    }


def in_a_row(adapter: ImpactPredictor, read: Any, patch: int) -> dict[str, Any]:
    """Blows on one place, as hard as they can be struck: none may clip, each begins and ends at zero, no two alike."""
    sounds = [render_impact(adapter, read, patch, StrikeParams(50.0, "metal", SECONDS, seed), SAMPLE_RATE_HZ)[0]
              for seed in range(IN_A_ROW)]  # fmt: skip
    loudest, first, last = (
        float(max(measure(sound) for sound in sounds))
        for measure in (
            lambda s: np.abs(s).max(),
            lambda s: np.abs(s[0]),
            lambda s: np.abs(s[-1]),
        )
    )
    different = len({sound.tobytes() for sound in sounds})
    finite = all(bool(np.isfinite(sound).all()) for sound in sounds)
    return {
        "n": IN_A_ROW,
        "loudest sample": loudest,
        "first sample": first,
        "last sample": last,
        "different": different,
        "clean": finite and loudest <= 1 and first < QUIET and last < QUIET and different == IN_A_ROW,
    }
