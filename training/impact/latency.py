"""Part E of the evaluation: time of a click on a photograph seen before, and a series of strikes without artefacts."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from PIL import Image

from synesthesia.core.presets import SAMPLE_RATE_HZ
from synesthesia.core.vocabulary import MALLETS
from synesthesia.impact.modal.strike import strike
from synesthesia.impact.physics_net import PhysicsPosterior
from synesthesia.impact.predictor import ImpactPredictor
from synesthesia.impact.render import StrikeParams, render_impact
from training.impact.methods import Methods
from training.impact.render_reader import RenderedScene

WARM_UP = 3  # clicks before any is timed
IN_A_ROW = 20
SECONDS = 1.5  # the studio's default
QUIET = 1e-3  # of full scale, at the start and the end of a sound


def measure_latency(methods: Methods, scene: RenderedScene, clicks: int, threads: int, seed: int) -> dict[str, Any]:
    """All figures of part E, in milliseconds. Whole click and synthesis alternate, so that both meet the same load."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    picture, predictor = Image.fromarray(scene.picture), methods.predictor
    started = time.perf_counter()
    grid = methods.encoder.encode(picture)
    encoded = time.perf_counter()
    posterior = predictor.predict(grid)
    predicted = time.perf_counter()
    random = np.random.default_rng(seed)
    times = []
    for number in range(WARM_UP + clicks):
        x, y = (float(at) for at in random.uniform(0, (grid.width_px, grid.height_px)))
        params = StrikeParams(float(random.uniform(1, 30)), MALLETS[number % len(MALLETS)], SECONDS, number)
        clock = [time.perf_counter()]
        clicked = methods.refine(picture, grid, posterior, x, y)
        clock.append(time.perf_counter())
        render_impact(predictor, clicked, 0, params, SAMPLE_RATE_HZ)
        clock.append(time.perf_counter())
        own = methods.select(clicked)
        clock.append(time.perf_counter())
        strike(own.item, own.point, force_n=params.force_n, mallet=params.mallet, seconds=SECONDS, seed=number,
               properties=own.properties)  # fmt: skip
        clock.append(time.perf_counter())
        times.append(clock)
    torch.set_num_threads(before)
    clocks = 1e3 * np.array(times[WARM_UP:])  # (clicks, 5)
    whole, crop, alone = clocks[:, 2] - clocks[:, 0], clocks[:, 1] - clocks[:, 0], clocks[:, 4] - clocks[:, 3]
    middle, last = np.percentile(whole, [50, 95])
    return {
        "threads": threads,
        "n": clicks,
        "click, median ms": float(middle),
        "click, 95th percentile ms": float(last),
        "of it the crop, median ms": float(np.median(crop)),
        "synthesis alone, median ms": float(np.median(alone)),
        "click over synthesis alone": float(middle / np.median(alone)),
        "encoding a photograph, ms": 1e3 * (encoded - started),
        "predicting its posterior, ms": 1e3 * (predicted - encoded),
        "in a row": strike_in_a_row(predictor, posterior, grid.rows * grid.cols // 2 + grid.cols // 2),
    }


def strike_in_a_row(predictor: ImpactPredictor, posterior: PhysicsPosterior, patch: int) -> dict[str, Any]:
    """Strikes on one patch with the largest force: none may clip, each starts and ends at zero, all differ."""
    sounds = [render_impact(predictor, posterior, patch, StrikeParams(50.0, "metal", SECONDS, seed), SAMPLE_RATE_HZ)[0]
              for seed in range(IN_A_ROW)]  # fmt: skip
    loudest = max(float(np.abs(sound).max()) for sound in sounds)
    first, last = (max(float(np.abs(sound[end])) for sound in sounds) for end in (0, -1))
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
