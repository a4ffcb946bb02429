"""The path "tap" of one preset: its adapter, loaded by the first blow, what it reads off a photograph, and the blow.

The studio calls all of this under its lock. Only the eyes are those that the other paths use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from synesthesia.core import checkpoints, presets
from synesthesia.core.cache import BoundedCache
from synesthesia.core.errors import UserError
from synesthesia.core.presets import Preset
from synesthesia.core.requests import Settings
from synesthesia.core.results import Evidence, Heard, SceneHeard, Stem

if TYPE_CHECKING:
    from PIL.Image import Image

    from synesthesia.core.results import Impact, MaterialMap
    from synesthesia.impact.modal.contact import MalletName
    from synesthesia.impact.physics_net import PhysicsPosterior
    from synesthesia.impact.predictor import ImpactPredictor
    from synesthesia.vision.grid import EncodedImage, PatchGrid

KEPT_READINGS = 16  # of photographs, about 1 MB each
KEPT_LOOKS = 64  # at single places, a few kB each
PEAK = 0.95  # of a scene


class ImpactPipeline:
    """The physics adapter of one preset. textures: of its eyes, as `PatchEncoder.textures`."""

    def __init__(self, preset: Preset, textures: Callable[[Image], PatchGrid]) -> None:
        self.preset, self._textures = preset, textures
        self._adapter: ImpactPredictor | None = None
        self._readings: BoundedCache[PhysicsPosterior] = BoundedCache(KEPT_READINGS)
        self._looks: BoundedCache[PhysicsPosterior] = BoundedCache(KEPT_LOOKS)

    @property
    def trained(self) -> bool:
        """Loads and fetches nothing."""
        return checkpoints.is_listed(self.preset.tap.weights.folder)

    def require(self) -> None:
        """UserError when the adapter has not been trained."""
        if not self.trained:
            raise UserError(
                f"The path 'tap' has not been trained for the preset '{self.preset.name}' yet; "
                f"this trains it: {self.preset.tap.train_command}"
            )

    def adapter(self) -> ImpactPredictor:
        """UserError when a file is missing or damaged."""
        if self._adapter is None:
            from synesthesia.impact.predictor import ImpactPredictor

            self._adapter = ImpactPredictor.load(checkpoints.folder(self.preset.tap.weights.folder))
        return self._adapter

    def warm(self) -> None:
        """So that the first blow needn't wait: a full body's tables are made once, in a fifth of a second."""
        from synesthesia.impact.modal.strike import strike
        from synesthesia.impact.modal.things import PhysicalObject, StrikePoint

        self.adapter()
        strike(
            PhysicalObject("wood", "solid", 0.2, 0.8, 0.6, 0.12), StrikePoint(), force_n=8.0, mallet="wood", seconds=0.1
        )

    def solid(self, seen: EncodedImage) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely there is something to strike."""
        return self.adapter().solid(self._read(seen)).view(seen.grid.rows, seen.grid.cols).numpy()

    def materials(self, seen: EncodedImage) -> MaterialMap:
        return self.adapter().materials(self._read(seen), seen.grid.rows, seen.grid.cols)

    def heard(self, seen: EncodedImage, row: int, col: int, x: float, y: float, settings: Settings) -> Heard:
        """One blow, or silence where there is too likely nothing to strike."""
        presence = float(self.solid(seen)[row, col])
        silent = presence < self.adapter().threshold and not settings.anyway
        waveform, evidence, struck = np.zeros(settings.samples, dtype=np.float32), Evidence(), None
        if not silent:
            waveform, struck = self._strike(seen, self._look(seen, x, y), (row, col), settings)
            evidence = Evidence(struck.state.materials)
        return Heard(
            waveform=waveform[None],
            sample_rate=presets.SAMPLE_RATE_HZ,
            presence=presence,
            silent=silent,
            evidence=evidence,
            recipe=settings.recipe(self.preset, seen.key, x, y),
            row=row,
            col=col,
            box_px=seen.grid.box(row, col),
            blow=struck,
        )

    def _read(self, seen: EncodedImage) -> PhysicsPosterior:
        return self._readings.get(seen.key, lambda: self.adapter().read(seen.grid))

    def _look(self, seen: EncodedImage, x: float, y: float) -> PhysicsPosterior:
        """One patch's reading (1, .), after a closer look at natural pixel (x, y)."""
        from synesthesia.impact.crop_refine import refine_with_crop

        def looked() -> PhysicsPosterior:
            return refine_with_crop(self.adapter(), self._textures, seen.picture, seen.grid, self._read(seen), x, y)

        return self._looks.get(f"{seen.key} {x:.1f} {y:.1f}", looked)

    def _strike(
        self, seen: EncodedImage, read: PhysicsPosterior, cell: tuple[int, int], settings: Settings
    ) -> tuple[np.ndarray, Impact]:  # fmt: skip
        """read: of the patch that is struck alone, (1, .)."""
        from synesthesia.image_to_sound.pipeline import own_seed
        from synesthesia.impact.render import StrikeParams, render_impact

        hit = StrikeParams(
            force_n=settings.force, mallet=cast("MalletName", settings.mallet), seconds=settings.seconds,
            seed=own_seed(settings.seed, seen.grid.key, *cell), material=settings.material,
            size_factor=settings.size_factor,
        )  # fmt: skip
        return render_impact(self.adapter(), read, 0, hit, presets.SAMPLE_RATE_HZ)


def struck_together(heard: Sequence[Heard], samples: int) -> SceneHeard:
    """Several blows at one moment. One force on all of them: what rings louder stays louder, as it would not in
    `hearing.scene.mix`."""
    total = np.sum([np.zeros((1, samples), dtype=np.float32), *(part.waveform for part in heard)], axis=0)
    gain = min(1.0, PEAK / max(float(np.abs(total).max()), 1e-6))
    stems = sorted((Stem(part, gain) for part in heard), key=lambda stem: -stem.heard.presence)
    return SceneHeard((gain * total).astype(np.float32), presets.SAMPLE_RATE_HZ, tuple(stems))


def to_dict(blow: Impact) -> dict[str, Any]:
    """A blow but its envelopes, ready for JSON; of its modes those that sound, by rising frequency."""
    modes = zip(blow.frequencies_hz.tolist(), blow.t60_s.tolist(), blow.gains.tolist(), strict=True)
    return {
        "state": asdict(blow.state),
        "material": blow.material,
        "shape": blow.shape,
        "size_m": blow.size_m,
        "thickness_m": blow.thickness_m,
        "what_if": blow.what_if,
        "force_n": blow.force_n,
        "mallet": blow.mallet,
        "contact_s": blow.contact_s,
        "modes": [{"frequency_hz": hz, "t60_s": t60_s, "gain": gain} for hz, t60_s, gain in modes if gain != 0],
        "frames": len(blow.envelope),
        "frame_s": blow.frame_s,
    }
