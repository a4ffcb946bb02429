"""The studio: what the page, the command line and scripts call. Photograph and place in, sound with its evidence out.

Models are loaded by the first call that needs them and shared by all callers under one lock; whatever belongs to a
call (photograph, settings, result) travels in its arguments and return value, so two people never mix. What was seen
of a photograph is kept by its content, for a bounded number of photographs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from synesthesia import presets, weights
from synesthesia.clips import ClipModels
from synesthesia.errors import UserError
from synesthesia.presets import Preset
from synesthesia.results import Answered, Evidence, Heard, Info, Located, Recipe, SceneHeard
from synesthesia.settings import Settings, asked, place
from synesthesia.vision.cache import BoundedCache
from synesthesia.vision.image import picture_key, read_image

if TYPE_CHECKING:
    from synesthesia.hearing.direct import Hearing
    from synesthesia.vision.backbone import PatchEncoder
    from synesthesia.vision.grid import PatchGrid

ImageSource = Image.Image | str | os.PathLike[str] | bytes
SEEN_PICTURES = 16  # grids kept: about 4 MB each


class Studio:
    """One preset with its models. `Studio.load("embedded")` returns at once; models come with the first use."""

    def __init__(self, preset: Preset) -> None:
        self.preset = preset
        self._lock = RLock()  # around loading and running models; results belong to their caller
        self._encoder: PatchEncoder | None = None
        self._hearing: Hearing | None = None
        self._clips = ClipModels(preset)
        self._grids: BoundedCache[PatchGrid] = BoundedCache(SEEN_PICTURES)
        self._presence: BoundedCache[np.ndarray] = BoundedCache(SEEN_PICTURES)

    @classmethod
    def load(cls, name: str = "embedded") -> Studio:
        """name: "embedded" (weights of this repository, no network) or "hub". UserError for any other."""
        return cls(presets.preset(name))

    def look(self, image: ImageSource) -> PatchGrid:
        """The photograph's patch grid, computed once per content. UserError when it can't be read."""
        return self._see(read_image(image))[1]

    def presence(self, image: ImageSource) -> np.ndarray:
        """(R, C) float32 in 0..1: how surely each place of the photograph sounds at all."""
        self._require_mapper()
        key, grid = self._see(read_image(image))
        return self._presence_of(key, grid)

    def similarity(self, image: ImageSource, x: float, y: float) -> np.ndarray:
        """(R, C) float32 in [-1, 1]: likeness of every patch to the one at natural pixel (x, y)."""
        from synesthesia.vision.similarity import similarity_map

        grid = self.look(image)
        return similarity_map(grid, *grid.cell(x, y))

    def pca(self, image: ImageSource) -> np.ndarray:
        """(R, C, 3) uint8: the features' three main directions as colours."""
        from synesthesia.vision.similarity import pca_picture

        return pca_picture(self.look(image))

    def hear(
        self,
        image: ImageSource,
        x: float,
        y: float,
        *,
        path: str = "direct",
        seconds: float = 4.0,
        seed: int = 0,
        steps: int = 12,
        guidance: float = 3.0,
        anyway: bool = False,
    ) -> Heard:
        """The sound of the place at natural pixel (x, y).

        path: "direct" (= "flow") or "mlp"; seconds: 1 to 10; seed: the same seed gives the same samples at the same
        place, and other ones at another place; steps: of the flow, at most 12; guidance: of the flow, 0 to 10; anyway:
        sound even where presence is below the threshold.
        UserError: unreadable photograph, click outside, setting out of range, missing or damaged weights.
        """
        settings = Settings.checked(path, seconds, seed, steps, guidance, anyway)
        x, y = place(x, y)
        picture = read_image(image)
        self._require_mapper()
        key, grid = self._see(picture)
        return self._hear(key, grid, *grid.cell(x, y), x, y, settings)

    def sweep(
        self,
        image: ImageSource,
        row: int,
        *,
        path: str = "direct",
        seconds: float = 2.0,
        seed: int = 0,
        steps: int = 12,
        guidance: float = 3.0,
        anyway: bool = False,
    ) -> Iterator[Heard]:
        """The sounds of one row of patches from left to right, each made when it is asked for: stop at any time.

        Bad input raises at once, not at the first sound.
        """
        settings = Settings.checked(path, seconds, seed, steps, guidance, anyway)
        self._require_mapper()
        key, grid = self._see(read_image(image))
        grid.box(row, 0)

        def sounds() -> Iterator[Heard]:
            for col in range(grid.cols):
                yield self._hear(key, grid, row, col, *grid.centre(row, col), settings)

        return sounds()

    def scene(
        self,
        image: ImageSource,
        *,
        path: str = "direct",
        seconds: float = 4.0,
        seed: int = 0,
        steps: int = 12,
        guidance: float = 3.0,
        stems: int = 4,
    ) -> SceneHeard:
        """The whole photograph: up to `stems` (1 to 8) places that sound, far apart, mixed by their presence."""
        settings = Settings.checked(path, seconds, seed, steps, guidance, anyway=True)
        if not 1 <= stems <= 8:
            raise UserError(f"A scene has 1 to 8 stems, not {stems}.")
        from synesthesia.hearing.scene import mix, pick_places

        self._require_mapper()
        key, grid = self._see(read_image(image))
        presence = self._presence_of(key, grid)
        places = pick_places(presence, threshold=self._ears().threshold, count=stems)
        heard = [self._hear(key, grid, row, col, *grid.centre(row, col), settings) for row, col in places]
        return mix(heard, samples=settings.samples, sample_rate=presets.SAMPLE_RATE_HZ)

    def locate(self, waveform: np.ndarray, sample_rate: int) -> Located:
        """Where a binaural clip's sound comes from, how sure that is, and what it rests on.

        waveform: (2, n) floats, left ear first; sample_rate: 8,000 to 192,000 Hz; 0.2 to 60 s. A clip that holds no
        direction (mono, panned, silent) is answered with a warning. UserError: what can't be read as such a clip,
        missing or damaged weights.
        """
        from synesthesia.spatial.clip import read_clip

        clip = read_clip(waveform, sample_rate)
        with self._lock:
            return self._clips.locate(clip)

    def ask(self, waveform: np.ndarray, sample_rate: int, question: str) -> Answered:
        """What the small language model answers to a question about a clip, which is read as `locate` reads it.

        question: 1 to 200 characters. Of a clip that holds no direction (mono, panned) the model says so.
        UserError: no question or too long a one, a silent clip, what can't be read as a clip, missing or damaged
        weights.
        """
        from synesthesia.spatial.clip import read_clip

        question, clip = asked(question), read_clip(waveform, sample_rate)
        with self._lock:
            return self._clips.ask(clip, question)

    def binaural(
        self,
        sound: str,
        azimuth_deg: float,
        *,
        elevation_deg: float = 0.0,
        room: str = "none",
        snr_db: float = 40.0,
        seed: int = 0,
    ) -> tuple[np.ndarray, int]:
        """A clip whose direction is known: (waveform (2, n) float32 in [-1, 1], left ear first; sample rate in Hz).

        sound: a key of `spatial.test_sounds.SOUNDS`; azimuth_deg: -180 to 180, positive to the right; elevation_deg:
        -40 to 60; room: "none", "small" or "large"; snr_db: -10 to 60, of noise from all around; seed: the same seed
        gives the same samples. UserError: a setting out of range, missing or damaged weights.
        """
        from synesthesia.spatial.test_sounds import RATE_HZ, Placing

        placing = Placing.checked(sound, azimuth_deg, elevation_deg, room, snr_db, seed)
        with self._lock:
            return placing.heard_by(self._clips.head()), RATE_HZ

    def check_recipe(self, image: ImageSource, wanted: Recipe) -> None:
        """UserError when the recipe's photograph or weights are others than these: the samples would differ."""
        if wanted.preset != self.preset.name:
            raise UserError(f"The recipe belongs to the preset '{wanted.preset}', not to '{self.preset.name}'.")
        if wanted.picture_sha256 != picture_key(read_image(image)):
            raise UserError("The recipe was made from another photograph, so its sound can't come out of this one.")
        if wanted.weights_sha256 != weights.fingerprint(self.preset.used):
            raise UserError("The recipe was made with other weights, so these can't give the same samples.")

    def info(self) -> Info:
        """What is running, with licences. Never loads a model."""
        from synesthesia.about import info

        return info(self.preset)

    def warm(self) -> None:
        """Loads the models now, so that the first click needn't. UserError as `hear`."""
        self._require_mapper()
        self._eyes()
        self._ears()

    # ------------------------------------------------------------------------------------------------ inside

    def _require_mapper(self) -> None:
        """Before anything is fetched or computed: without a mapper for these features there will be no sound."""
        if self.preset.name == "hub" and not weights.is_listed(self.preset.hearing.mapper_weights.folder):
            raise UserError(
                f"No mapper has been trained for the preset '{self.preset.name}' yet; "
                f"this trains one: {self.preset.hearing.train_command}"
            )

    def _eyes(self) -> PatchEncoder:
        with self._lock:
            if self._encoder is None:
                from synesthesia.vision.backbone import PatchEncoder

                self._encoder = PatchEncoder.load(self.preset.vision)
            return self._encoder

    def _ears(self) -> Hearing:
        with self._lock:
            if self._hearing is None:
                from synesthesia.audio.codec import LatentCodec
                from synesthesia.hearing.direct import Hearing

                self._hearing = Hearing.load(self.preset.hearing, LatentCodec.load(self.preset.codec))
            return self._hearing

    def _see(self, picture: Image.Image) -> tuple[str, PatchGrid]:
        """(content key, grid) of an RGB picture."""
        key = picture_key(picture)
        with self._lock:
            return key, self._grids.get(key, lambda: self._eyes().encode(picture))

    def _presence_of(self, key: str, grid: PatchGrid) -> np.ndarray:
        with self._lock:
            return self._presence.get(key, lambda: self._ears().presence_map(grid).numpy())

    def _hear(self, key: str, grid: PatchGrid, row: int, col: int, x: float, y: float, settings: Settings) -> Heard:
        presence = float(self._presence_of(key, grid)[row, col])
        silent = presence < self._ears().threshold and not settings.anyway
        if silent:
            waveform = np.zeros((1, settings.samples), dtype=np.float32)
            sample_rate, evidence = presets.SAMPLE_RATE_HZ, Evidence()
        else:
            with self._lock:
                sound = self._ears().hear(
                    grid, row, col, mapper=settings.mapper, seconds=settings.seconds, seed=settings.seed,
                    steps=settings.steps, guidance=settings.guidance,
                )  # fmt: skip
            waveform, sample_rate, evidence = sound.waveform, sound.sample_rate, sound.evidence
        return Heard(
            waveform=waveform,
            sample_rate=sample_rate,
            presence=presence,
            silent=silent,
            evidence=evidence,
            recipe=settings.recipe(self.preset, key, x, y),
            row=row,
            col=col,
            box_px=grid.box(row, col),
        )
