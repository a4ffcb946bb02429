"""The real Studio with made-up strikes: enough to drive the tab "Tap" in milliseconds, without weights.

A place's material follows from its hue and its row, its size from its redness; there is something to strike where the
photograph is bright. What sounds are a few made-up modes. Only for tests of the page: it proves nothing about physics.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from synesthesia.core import presets
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.requests import ImpactRequest
from synesthesia.core.results import Estimate, Evidence, Impact, LabelScore, MaterialMap, PhysicsState, Sound
from synesthesia.core.vocabulary import MATERIALS, SHAPES
from synesthesia.impact.pipeline import ImpactPipeline
from synesthesia.vision.grid import EncodedImage, PatchGrid
from tests.ui.fake_studio import FakeServices, FakeStudio, FakeVision

THRESHOLD = 0.1
FRAME_S = 0.01
DENSITY = dict(zip(MATERIALS, (650, 7850, 2480, 2350, 2700, 2300, 1050, 1150, 160, 750, 450, 900, 1000), strict=True))
YOUNGS = dict(
    zip(MATERIALS, (11e9, 2e11, 7e10, 6e10, 5e10, 2.8e10, 2.4e9, 1e7, 1.2e9, 5e9, 2e6, 1.5e8, 1e5), strict=True)
)
RINGS_S = dict(zip(MATERIALS, (0.25, 3.0, 1.4, 1.1, 0.5, 0.3, 0.15, 0.06, 0.05, 0.03, 0.02, 0.04, 0.2), strict=True))


def around(value: float, times: float) -> Estimate:
    return Estimate(value, value / times, value * times)


class FakeImpact(ImpactPipeline):
    """struck: (row, column, request) of every strike so far; mapped: how often materials were asked for; missing: error
    instead of a sound, empty for none."""

    threshold = THRESHOLD  # type: ignore[assignment]
    trained = True  # type: ignore[assignment]

    def __init__(self, preset: Preset, delay_s: float = 0.0) -> None:
        super().__init__(preset, FakeVision().encode_stage_maps, lambda image: image)
        self.delay_s, self.missing, self.mapped = delay_s, "", 0
        self.struck: list[tuple[int, int, ImpactRequest]] = []

    def require(self) -> None:
        if self.missing:
            raise UserError(self.missing)

    def presence(self, image: EncodedImage) -> np.ndarray:
        return (image.grid.features[..., :3].mean(dim=-1) * 2).clamp(0, 1).numpy()

    def materials(self, image: EncodedImage) -> MaterialMap:
        self.mapped += 1
        rows, cols = image.grid.rows, image.grid.cols
        likely = np.stack([shares(image.grid, at // cols, at % cols) for at in range(rows * cols)])
        return MaterialMap(
            names=MATERIALS, shares=likely.reshape(rows, cols, -1).astype(np.float32),
            codes=3 * likely.argmax(axis=-1).reshape(rows, cols),
            purities=np.linspace(0.5, 1.0, 3 * len(MATERIALS)).astype(np.float32),
            named=np.repeat(np.arange(len(MATERIALS)), 3), solid=self.presence(image),
        )  # fmt: skip

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: ImpactRequest
    ) -> Iterator[Sound]:
        time.sleep(self.delay_s)
        self.struck.append((row, col, request))
        blow = fake_impact(image.grid, row, col, request)
        yield Sound(rendered(blow, request.samples, request.seed), Evidence(blow.state.materials), blow=blow)


class FakeTapServices(FakeServices):
    def __init__(self, preset: Preset, delay_s: float = 0.0) -> None:
        super().__init__(preset, delay_s)
        self.impact: FakeImpact = FakeImpact(preset, delay_s)  # type: ignore[assignment]


class FakeTapStudio(FakeStudio):
    services: FakeTapServices

    def fake_services(self, preset: Preset, delay_s: float) -> FakeTapServices:
        return FakeTapServices(preset, delay_s)


def shares(grid: PatchGrid, row: int, col: int) -> np.ndarray:
    """(13,) that sum to 1."""
    red, green, blue = grid.features[row, col, :3].tolist()
    middle = (4 * (red - blue) + 3 * green + 5 * row / grid.rows) % 1.0 * 13
    far = np.minimum(abs(np.arange(13) - middle), 13 - abs(np.arange(13) - middle))
    odds = np.exp(-far / 0.6)
    return odds / odds.sum()


def fake_impact(grid: PatchGrid, row: int, col: int, settings: ImpactRequest) -> Impact:
    likely = shares(grid, row, col)
    best = np.argsort(-likely)
    names = tuple(LabelScore(MATERIALS[at], float(likely[at])) for at in best)
    ordered = [SHAPES[(row + col + at) % 7] for at in range(7)]
    shapes = tuple(LabelScore(*each) for each in zip(ordered, (0.6, 0.2, 0.1, 0.05, 0.03, 0.01, 0.01), strict=True))
    size_m = 0.05 * 10 ** (1.2 * float(grid.features[row, col, 0]))
    own = names[0].label
    state = PhysicsState(
        code=int(best[0]) * 3, purity=0.93, materials=names, shapes=shapes, size_m=around(size_m, 1.6),
        thickness_m=around(size_m / 12, 2.5), hollowness=Estimate(0.7, 0.2, 0.95),
        density=around(DENSITY[own], 1.3), youngs_modulus_pa=around(YOUNGS[own], 2.5),
        hardness_pa=around(YOUNGS[own] / 2, 4.0), t60_s=around(RINGS_S[own], 2.0),
        along=Estimate(0.5, 0.2, 0.8), across=Estimate(0.5, 0.2, 0.8),
    )  # fmt: skip
    struck, size_m = settings.material or own, size_m * settings.size_factor
    modes = 7.7 / size_m * (YOUNGS[struck] / DENSITY[struck]) ** 0.25 * np.array([1, 1.58, 2.24, 2.92, 3.91, 5.4, 7.2])
    modes = modes[modes < 7500]
    gains = 0.02 * min(settings.force, 20.0) * 0.6 ** np.arange(len(modes))
    t60 = RINGS_S[struck] * (modes / 1000.0) ** -0.5
    times = (np.arange(round(settings.seconds / FRAME_S)) + 0.5) * FRAME_S
    envelope = np.sqrt(0.5 * ((gains[:, None] * np.exp(-6.9 * times / t60[:, None])) ** 2).sum(axis=0))
    return Impact(
        state=state, material=struck, shape=shapes[0].label, size_m=size_m, thickness_m=size_m / 12,
        what_if=bool(settings.material) or settings.size_factor != 1.0, force_n=settings.force, mallet=settings.mallet,
        contact_s=0.0012 / settings.force**0.2, frequencies_hz=modes.astype(np.float32), t60_s=t60.astype(np.float32),
        gains=gains.astype(np.float32), envelope=envelope.astype(np.float32),
        envelope_low=(envelope**1.3).astype(np.float32), envelope_high=(envelope**0.8).astype(np.float32),
        frame_s=FRAME_S,
    )  # fmt: skip


def rendered(blow: Impact, samples: int, seed: int) -> np.ndarray:
    """(1, samples) float32: the blow's modes, each seed a little different."""
    times = np.arange(samples) / presets.SAMPLE_RATE_HZ
    rng = np.random.default_rng(seed)
    wave = 0.002 * rng.standard_normal(samples) * np.exp(-6.9 * times / 0.05)
    for hz, t60, gain in zip(blow.frequencies_hz, blow.t60_s, blow.gains, strict=True):
        wave += gain * rng.uniform(0.9, 1.1) * np.sin(2 * np.pi * hz * times) * np.exp(-6.9 * times / t60)
    return np.clip(wave, -1, 1).astype(np.float32)[None]
