"""Part E of the evaluation: time of a click on a photograph seen before, and a series of strikes without artefacts."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

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


T = TypeVar("T")


def timed_ms(call: Callable[[], T]) -> tuple[T, float]:
    """Its result, and how long it took."""
    start = time.perf_counter()
    result = call()
    return result, 1e3 * (time.perf_counter() - start)


def measure_latency(methods: Methods, scene: RenderedScene, clicks: int, threads: int, seed: int) -> dict[str, Any]:
    """All figures of part E, in milliseconds. Whole click and synthesis alternate, so that both meet the same load."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    picture, predictor = Image.fromarray(scene.picture), methods.predictor
    grid, encoding_ms = timed_ms(lambda: methods.encoder.encode(picture))
    posterior, predicting_ms = timed_ms(lambda: predictor.predict(grid))
    random = np.random.default_rng(seed)
    times = []
    for number in range(WARM_UP + clicks):
        x, y = (float(at) for at in random.uniform(0, (grid.width_px, grid.height_px)))
        params = StrikeParams(float(random.uniform(1, 30)), MALLETS[number % len(MALLETS)], SECONDS, number)
        clicked, crop_ms = timed_ms(partial(methods.refine, picture, grid, posterior, x, y))
        _, render_ms = timed_ms(partial(render_impact, predictor, clicked, 0, params, SAMPLE_RATE_HZ))
        own = methods.select(clicked)
        _, strike_ms = timed_ms(partial(strike, own.item, own.point, force_n=params.force_n, mallet=params.mallet,
                                        seconds=SECONDS, seed=number, properties=own.properties))  # fmt: skip
        times.append((crop_ms + render_ms, crop_ms, strike_ms))
    torch.set_num_threads(before)
    whole, crop, alone = np.array(times[WARM_UP:]).T
    middle, last = np.percentile(whole, [50, 95])
    return {
        "threads": threads,
        "n": clicks,
        "click, median ms": float(middle),
        "click, 95th percentile ms": float(last),
        "of it the crop, median ms": float(np.median(crop)),
        "synthesis alone, median ms": float(np.median(alone)),
        "click over synthesis alone": float(middle / np.median(alone)),
        "encoding a photograph, ms": encoding_ms,
        "predicting its posterior, ms": predicting_ms,
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
