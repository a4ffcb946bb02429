"""Impact pipeline: posterior over physics states (cached per photograph) -> refined at the click -> rendered strike.

The studio calls all of this under its lock. The vision encoder is the one that the other paths use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from synesthesia.core import checkpoints
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import SAMPLE_RATE_HZ, Preset
from synesthesia.core.requests import ImpactRequest
from synesthesia.core.results import Evidence, Heard, SceneHeard, Sound, Stem
from synesthesia.vision.grid import patch_seed

if TYPE_CHECKING:
    from PIL.Image import Image

    from synesthesia.core.results import MaterialMap
    from synesthesia.core.vocabulary import MalletName, MaterialName
    from synesthesia.impact.physics_net import PhysicsPosterior
    from synesthesia.impact.predictor import ImpactPredictor
    from synesthesia.vision.grid import EncodedImage, PatchGrid

CACHED_IMAGES = 16  # posteriors of photographs, about 1 MB each
CACHED_CLICKS = 64  # refined posteriors of single patches, a few kB each
PEAK = 0.95  # of a scene


class ImpactPipeline:
    """The path "tap" of one preset; its model loads with the first request. encode_crop: as
    `PatchEncoder.encode_stage_maps`; seen: gives a photograph as the same network encodes it."""

    def __init__(
        self, preset: Preset, encode_crop: Callable[[Image], PatchGrid], seen: Callable[[EncodedImage], EncodedImage]
    ) -> None:  # fmt: skip
        self.preset, self._encode_crop, self._seen = preset, encode_crop, seen
        self._images: BoundedCache[PhysicsPosterior] = BoundedCache(CACHED_IMAGES)
        self._clicks: BoundedCache[PhysicsPosterior] = BoundedCache(CACHED_CLICKS)

    @property
    def trained(self) -> bool:
        """Loads and fetches nothing."""
        return checkpoints.is_listed(self.preset.impact.weights.folder)

    def require(self) -> None:
        """UserError when the predictor has not been trained."""
        if not self.trained:
            raise UserError(
                f"The path 'tap' has not been trained for the preset '{self.preset.name}' yet; "
                f"this trains it: {self.preset.impact.train_command}"
            )

    @cached_property
    def predictor(self) -> ImpactPredictor:
        """UserError when a file is missing or damaged."""
        from synesthesia.impact.predictor import ImpactPredictor

        return ImpactPredictor.load(checkpoints.folder(self.preset.impact.weights.folder))

    @property
    def threshold(self) -> float:
        """The probability of a solid object below which nothing is struck."""
        return self.predictor.threshold

    def warm(self) -> None:
        """Loads the model and strikes once: the matrices of solid bodies are computed once, in a fifth of a second."""
        from synesthesia.impact.modal.objects import PhysicalObject, StrikePoint
        from synesthesia.impact.modal.strike import strike

        _ = self.predictor
        block = PhysicalObject("wood", "solid", 0.2, 0.8, 0.6, 0.12)
        strike(block, StrikePoint(), force_n=8.0, mallet="wood", seconds=0.1)

    def presence(self, image: EncodedImage) -> np.ndarray:
        """(R, C) float32 in 0..1: the probability that there is something to strike."""
        solid = self.predictor.solid_probability(self._posterior(image))
        return solid.view(image.grid.rows, image.grid.cols).numpy()

    def materials(self, image: EncodedImage) -> MaterialMap:
        return self.predictor.material_map(self._posterior(image), image.grid.rows, image.grid.cols)

    def generate(
        self, image: EncodedImage, row: int, col: int, x: float, y: float, request: ImpactRequest
    ) -> Iterator[Sound]:
        """The sound of one strike at natural pixel (x, y)."""
        from synesthesia.impact.render import StrikeParams, render_impact

        params = StrikeParams(
            force_n=request.force, mallet=cast("MalletName", request.mallet), seconds=request.seconds,
            seed=patch_seed(request.seed, image.key, row, col), material=cast("MaterialName", request.material),
            size_factor=request.size_factor,
        )  # fmt: skip
        waveform, impact = render_impact(self.predictor, self._at_click(image, x, y), 0, params, SAMPLE_RATE_HZ)
        yield Sound(waveform[None], Evidence(impact.state.materials), blow=impact)

    def mix(self, heard: Sequence[Heard], samples: int, channels: int) -> SceneHeard:
        return mix_strikes(heard, samples)

    def _posterior(self, image: EncodedImage) -> PhysicsPosterior:
        return self._images.get(image.key, lambda: self.predictor.predict(self._seen(image).grid))

    def _at_click(self, image: EncodedImage, x: float, y: float) -> PhysicsPosterior:
        """(1, .), refined with a crop around natural pixel (x, y)."""
        from synesthesia.impact.crop_refine import refine_with_crop

        def refine() -> PhysicsPosterior:
            posterior, grid = self._posterior(image), self._seen(image).grid
            return refine_with_crop(self.predictor, self._encode_crop, image.picture, grid, posterior, x, y)

        return self._clicks.get(f"{image.key} {x:.1f} {y:.1f}", refine)


def mix_strikes(heard: Sequence[Heard], samples: int) -> SceneHeard:
    """Several simultaneous strikes of one force, with one gain for all, which keeps their relative loudness."""
    total = np.sum([np.zeros((1, samples), dtype=np.float32), *(part.waveform for part in heard)], axis=0)
    gain = min(1.0, PEAK / max(float(np.abs(total).max()), 1e-6))
    stems = sorted((Stem(part, gain) for part in heard), key=lambda stem: -stem.heard.presence)
    return SceneHeard((gain * total).astype(np.float32), SAMPLE_RATE_HZ, tuple(stems))
